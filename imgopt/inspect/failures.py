"""One concrete failure: what is missing, changed or not permitted, as a repair can read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imgopt.context.facts.runs import SaidKind
from imgopt.image.entries import printable

Kind = Literal[
    SaidKind,
    "missing-certificates",
    "package",
    "changed-file",
    "configuration",
    "answer",
    "process",
    "stop",
]
"""What kind of thing failed. What is missing names something to add, `not-writable` and
`permission` an owner or a mode to change."""


@dataclass(frozen=True, slots=True)
class Item:
    """One concrete failure.

    `subject` is the thing itself (a soname, a module, a command, an absolute path, a configuration
    key), `path` where it is expected or was found in the original ("" unknown), `needed_by` the
    file or package that asks for it. These three are as the image has them (paths may carry
    surrogate escapes); `str()` is printable text.
    """

    kind: Kind
    subject: str
    path: str = ""
    needed_by: str = ""
    message: str = ""

    def __str__(self) -> str:
        return printable(self.message or self._told())

    def _told(self) -> str:
        needed = f", needed by {self.needed_by}" if self.needed_by else ""
        where = f" ({self.path})" if self.path and self.path != self.subject else ""
        return f"{self.kind.replace('-', ' ')}: {self.subject}{where}{needed}"
