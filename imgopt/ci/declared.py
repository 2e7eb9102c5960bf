"""Where a project asks for a package: the line of its manifest, or of the RUN instruction that
installs it."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from imgopt.ci.facts import PackageFacts
from imgopt.image.packages.names import plain_name

_MANIFESTS: Mapping[str, re.Pattern[str]] = {
    "python": re.compile(
        r"(?:requirements|constraints)[\w.-]*\.(?:txt|in)|pyproject\.toml|setup\.(?:cfg|py)|Pipfile|environment\.ya?ml"
    ),
    "node": re.compile(r"package\.json"),
    "gem": re.compile(r"Gemfile|[\w-]+\.gemspec"),
    "go": re.compile(r"go\.mod"),
    "rust": re.compile(r"Cargo\.toml"),
    "java": re.compile(r"pom\.xml|build\.gradle(?:\.kts)?"),
    "composer": re.compile(r"composer\.json"),
    "deb": re.compile(r"(?:apt|packages|apt-packages)[\w.-]*\.(?:txt|list)"),
    "apk": re.compile(r"(?:apk|packages)[\w.-]*\.(?:txt|list)"),
}  # fmt: skip
_SKIP = frozenset(
    [
        "node_modules",
        ".git",
        ".venv",
        "venv",
        "vendor",
        "target",
        "dist",
        "build",
        "__pycache__",
        ".tox",
    ]
)
_FILES, _BYTES, _DEPTH = 200, 1 << 20, 3


class Declarations:
    """The manifests of a folder; read when first asked."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def find(
        self, package: str, packages: Mapping[str, PackageFacts]
    ) -> tuple[Path, int, str] | None:
        """File, line and, for a package that only another one needs, that other one's name."""
        ecosystem, _, name = package.partition(":")
        for wanted in _upward(name, ecosystem, packages):
            place = self.line_of(wanted, ecosystem)
            if place is not None:
                return (*place, "" if wanted == name else wanted)
        return None

    def line_of(self, name: str, ecosystem: str) -> tuple[Path, int] | None:
        word = _word(name)
        for file, lines in self._manifests:
            if _fits(ecosystem, file.name):
                for number, line in enumerate(lines, 1):
                    if not line.lstrip().startswith("#") and word.search(line):
                        return file, number
        return None

    @cached_property
    def _manifests(self) -> list[tuple[Path, list[str]]]:
        found = []
        for file in _walk(self._folder) if self._folder else ():
            try:
                with file.open("rb") as stream:
                    found.append(
                        (file, stream.read(_BYTES).decode("utf-8", "replace").splitlines())
                    )
            except OSError:
                continue
            if len(found) == _FILES:
                break
        return found


def line_in(text: str, first: int, package: str) -> int | None:
    """The line of an instruction's source, counted from `first`, that names a package."""
    word = _word(package.partition(":")[2])
    return next(
        (first + at for at, line in enumerate(text.splitlines()) if word.search(line)), None
    )


def _fits(ecosystem: str, name: str) -> bool:
    pattern = _MANIFESTS.get(ecosystem)
    return pattern is not None and pattern.fullmatch(name) is not None


def _word(name: str) -> re.Pattern[str]:
    """Names are compared as PEP 503 does: runs of `-`, `_` and `.` are one, case does not count."""
    parts = [re.escape(part) for part in re.split(r"[-_.]+", name) if part]
    return re.compile(rf"(?<![\w.-]){'[-_.]+'.join(parts)}(?![\w-]|\.\w*[a-z])", re.IGNORECASE)


def _upward(name: str, ecosystem: str, packages: Mapping[str, PackageFacts]) -> Iterator[str]:
    """The package, then those that need it, nearest first."""
    needed_by: dict[str, list[str]] = {}
    prefix = f"{ecosystem}:"
    for other, facts in packages.items():
        if other.startswith(prefix):
            for need in facts.needs:
                needed_by.setdefault(plain_name(need), []).append(other.removeprefix(prefix))
    seen, waiting = {name}, deque([name])
    while waiting:
        at = waiting.popleft()
        yield at
        for other in sorted(needed_by.get(plain_name(at), [])):
            if other not in seen:
                seen.add(other)
                waiting.append(other)


def _walk(folder: Path) -> Iterator[Path]:
    """Manifests, those nearest to the top first."""
    level = [folder]
    for _ in range(_DEPTH):
        below: list[Path] = []
        for each in level:
            try:
                items = sorted(os.scandir(each), key=lambda item: item.name)
            except OSError:
                continue
            for item in items:
                if item.is_dir(follow_symlinks=False):
                    if item.name not in _SKIP:
                        below.append(Path(item.path))
                elif any(pattern.fullmatch(item.name) for pattern in _MANIFESTS.values()):
                    yield Path(item.path)
        level = below
