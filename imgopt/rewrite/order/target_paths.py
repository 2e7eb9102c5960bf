"""The paths of the image that COPY lines are about to fill: does a path lie in them, and what do
they bring there?"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property

from imgopt.context.ecosystems import Ecosystem
from imgopt.rewrite.lines.paths import present
from imgopt.rewrite.lines.steps import SourceCopy
from imgopt.rewrite.order.copied_files import LaidFiles
from imgopt.rewrite.strategy import ContextFiles

_SYSTEM = frozenset(
    [
        "bin",
        "boot",
        "dev",
        "etc",
        "home",
        "lib",
        "lib32",
        "lib64",
        "proc",
        "root",
        "run",
        "sbin",
        "sys",
        "usr",
        "var",
    ]
)
"""Folders that hold what installations read without being told to."""
_WIDE = frozenset(
    ["/", "/etc", "/usr", "/usr/local", "/home", "/root", "/opt", "/opt/conda", "/var"]
)
"""Working directories that are no application's own."""


@dataclass(frozen=True)
class KnownSettings:
    """Where the tools of the ecosystems look for settings, with the home folders in the place of
    `~`."""

    patterns: tuple[str, ...]

    @classmethod
    def of(cls, ecosystems: Iterable[Ecosystem], home: str | None) -> KnownSettings:
        homes = ["/root", "/home/*", *([home] if home else [])]
        patterns = [pattern for ecosystem in ecosystems for pattern in ecosystem.settings]
        return cls(
            tuple(p.replace("~", one, 1) for p in patterns for one in (homes if "~" in p else [""]))
        )

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("|".join(translate(pattern) for pattern in self.patterns) or r"(?!)")

    @cached_property
    def names(self) -> frozenset[str]:
        """What such files are called, where this is more than a word that any file may have."""
        last = {posixpath.basename(pattern) for pattern in self.patterns}
        return frozenset(
            name
            for name in last
            if not set(name) & set("*?[") and ("." in name or name.endswith("rc"))
        )

    def has(self, place: str) -> bool:
        return self._expression.match(place) is not None

    def looks_like(self, place: str) -> bool:
        return self.has(place) or posixpath.basename(place) in self.names


@dataclass(frozen=True)
class Ground:
    """What a group of COPY lines brings. `laid`: the files of theirs and of those above them, by
    their places."""

    group: Sequence[SourceCopy]
    context: ContextFiles
    laid: Callable[[], LaidFiles]
    workdir: str
    """The working directory at the group; `/` stands for the base image's own, which is not
    known."""

    def is_below(self, path: str) -> bool:
        """Whether a folder of the image is one that they fill."""
        return any(copy.in_context(path) is not None for copy in self.group)

    def touches(self, path: str) -> bool:
        """Whether a path of the image is one that they fill, lies in it, or around it."""
        fixed = posixpath.normpath("/" + "/".join(_plain(path.strip("/").split("/"))))
        return any(self._touches(copy, fixed) for copy in self.group)

    def _touches(self, copy: SourceCopy, path: str) -> bool:
        around = path.rstrip("/") + "/"
        if copy.files:
            return any(place == path or place.startswith(around) for place, _ in copy.files)
        if copy.folder != "/":
            return (
                path == copy.folder
                or path.startswith(copy.folder + "/")
                or copy.folder.startswith(around)
            )
        if path == "/":
            return True
        parts = path.strip("/").split("/")
        if copy.written.startswith("/"):
            return self._has(copy, parts[0])
        return any(self._has(copy, "/".join(parts[index:])) for index in range(len(parts)))

    def _has(self, copy: SourceCopy, inside: str) -> bool:
        return bool(present(self.context, posixpath.join(copy.source, inside)))

    def brings(self, path: str) -> bool:
        """Whether they bring this file, or something into this folder."""
        fixed = posixpath.normpath(path)
        for copy in self.group:
            if copy.files:
                if any(
                    place == fixed or place.startswith(fixed.rstrip("/") + "/")
                    for place, _ in copy.files
                ):
                    return True
                continue
            if copy.folder == "/" and not copy.written.startswith("/"):
                if path != "/" and self._touches(copy, fixed):
                    return True
                continue
            own = copy.in_context(fixed)
            if own is not None and (own in ("", ".") or present(self.context, own)):
                return True
        return False

    def settings(self, known: KnownSettings) -> str:
        """A file of theirs that programs find by themselves: in a folder of the system or of a
        user, or called as settings are, outside of the working directory; "" for none."""
        for copy in self.group:
            nowhere = self.workdir == "/" and not copy.written.startswith(
                "/"
            )  # the base's own folder, most likely
            for place in self._suspects(copy, known.patterns):
                named = (
                    bool(copy.files)
                    and posixpath.basename(place) in known.names
                    and not self._is_own(place)
                )
                if (
                    nowhere and place.count("/") == 1
                ):  # the project's own settings, which a command reads beside it
                    continue
                if ((self._is_setting(place) or named) and not nowhere) or known.has(place):
                    return place
        return ""

    def named_above(self, known: KnownSettings) -> str:
        """Settings that lines above bring and that name what these lines bring (`find-links =
        /app/wheels`)."""
        laid = self.laid()
        for place, copy in laid.bringer.items():
            if any(copy is one for one in self.group):
                continue
            if known.looks_like(place) and self.names_of_theirs(laid.text(place)):
                return place
        return ""

    def names_of_theirs(self, text: str) -> bool:
        """Whether a text has a whole path of something that they bring, or one that begins with
        `./`."""
        words = re.findall(r"\.?/[\w.@+-]+(?:/[\w.@+-]+)*", text)
        return any(
            self.brings(posixpath.normpath(posixpath.join(self.workdir, word))) for word in words
        )

    def _suspects(self, copy: SourceCopy, known: Sequence[str]) -> Iterator[str]:
        """Places worth a look: a whole source in a folder of its own holds no settings of the
        system."""
        there = [
            pattern
            for pattern in known
            if pattern[0] != "*" or self.context.named(posixpath.basename(pattern))
        ]
        heads = [
            pattern[: min((pattern + "*").index("*"), (pattern + "?").index("?"))]
            for pattern in there
        ]
        if copy.files:
            yield from (place for place, _ in copy.files)
            return
        below = copy.folder.rstrip("/") + "/"
        meets = any(head.startswith(below) or below.startswith(head) for head in heads)
        if meets or not self._is_own(below + "x"):
            yield from (place for place, _ in copy.lays(self.context))

    def _is_own(self, place: str) -> bool:
        """It lies in the working directory, which is the application's own."""
        return self.workdir not in _WIDE and place.startswith(self.workdir.rstrip("/") + "/")

    def _is_setting(self, place: str) -> bool:
        parts = place.split("/")[1:]
        if parts[0] not in _SYSTEM or len(parts) == 1 or self._is_own(place):
            return False
        if parts[0] not in ("root", "home"):
            return not place.startswith(("/usr/src/", "/usr/share/", "/var/www/"))
        inside = parts[1:] if parts[0] == "root" else parts[2:]
        return (
            bool(inside)
            and inside[0].startswith(".")
            and not inside[0].startswith((".git", ".docker", ".env"))
        )


def _plain(parts: Iterable[str]) -> Iterator[str]:
    """The parts of a path in front of the first pattern."""
    for part in parts:
        if set(part) & set("*?["):
            return
        yield part
