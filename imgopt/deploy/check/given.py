"""What the user named as it is read: texts, the parts that are judged together, and what could not
be read."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from imgopt.deploy.check.objects import Objects
from imgopt.deploy.check.yaml_nodes import MOST_BYTES
from imgopt.errors import InputError, Location
from imgopt.results.deploy import NotChecked

STDIN = "-"


@dataclass
class Part:
    """What is judged together. `project`: of Compose."""

    files: list[str] = field(default_factory=list)
    objects: Objects = field(default_factory=Objects)


@dataclass
class Inputs:
    """`texts` are the files by name, for the words that accept a finding."""

    parts: list[Part] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    not_checked: list[NotChecked] = field(default_factory=list)
    built: set[str] = field(default_factory=set)
    """Images that a file of a build tool builds and tags (Skaffold)."""

    def tell(
        self, what: str, reason: str, place: Location, fix: str = "", bad: bool = False
    ) -> None:
        one = NotChecked(
            what=what, reason=reason, file=place.file, line=place.line, fix=fix, bad=bad
        )
        if one not in self.not_checked:
            self.not_checked.append(one)

    def refused(self, error: InputError, path: Path, *, bad: bool) -> None:
        place = error.location or Location(str(path))
        self.tell(str(path), error.message, place, error.hint or "", bad)

    def text(self, path: Path) -> str:
        """Raises InputError."""
        name = str(path)
        if name not in self.texts:
            self.texts[name] = _read(path)
        return self.texts[name]


def _read(path: Path) -> str:
    place = Location(str(path))
    try:
        if str(path) == STDIN:
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        elif path.stat().st_size > MOST_BYTES:
            data = b" " * (MOST_BYTES + 1)
        else:
            data = path.read_bytes()
    except OSError as error:
        hint = "name the files that say how the image is run, or - for standard input"
        raise InputError(f"cannot be read: {error.strerror}", location=place, hint=hint) from None
    if len(data) > MOST_BYTES:
        raise InputError(f"larger than {MOST_BYTES >> 20} MiB", location=place)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        place = Location(str(path), line)
        raise InputError("not UTF-8", location=place, hint="save it as UTF-8") from None
