"""What a later edit does to files of the context: small values, applied one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Read = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class New:
    """A file that was not there."""

    path: str
    text: str

    def applied(self, _: Read) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Behind:
    """A text behind what a pattern matches first."""

    path: str
    pattern: str
    text: str

    def applied(self, read: Read) -> str:
        before = read(self.path)
        match = re.search(self.pattern, before)
        at = match.end() if match else len(before)
        return before[:at] + self.text + before[at:]


@dataclass(frozen=True, slots=True)
class Raised:
    """Another text in the place of every group `version` of a pattern."""

    path: str
    pattern: str
    value: str

    def applied(self, read: Read) -> str:
        before, at, parts = read(self.path), 0, []
        for match in re.finditer(self.pattern, before):
            start, end = match.span("version")
            parts += [before[at:start], self.value]
            at = end
        return "".join([*parts, before[at:]])


Operation = New | Behind | Raised


def applied(operations: Iterable[Operation], read: Read) -> dict[str, str]:
    """The files that are other ones after the operations, with their new texts."""
    made: dict[str, str] = {}

    def now(path: str) -> str:
        return made[path] if path in made else read(path)

    for one in operations:
        made[one.path] = one.applied(now)
    return made
