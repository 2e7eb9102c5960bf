"""An instruction: where it is, what it says, and (when asked) what it means."""

from __future__ import annotations

from dataclasses import dataclass, field

from imgopt.dockerfile.problems import Problem, Refused
from imgopt.dockerfile.readers import read_typed
from imgopt.dockerfile.typed import Typed
from imgopt.dockerfile.written import Written


@dataclass(frozen=True, eq=False, slots=True)
class Instruction(Written):
    """One instruction. What it means is read when it is asked for the first time."""

    _memo: list[tuple[Typed | None, Problem | None]] = field(
        init=False, repr=False, default_factory=list
    )

    @property
    def json(self) -> tuple[str, ...] | None:
        """The strings of the exec (JSON) form; None for the shell form and for arrays that BuildKit
        refuses."""
        inner = self.statement
        try:
            if inner.keyword == "HEALTHCHECK":
                return getattr(self.typed, "json", None)
            return inner.json
        except Refused:
            return None

    def _read(self) -> tuple[Typed | None, Problem | None]:
        """What it means or why not, remembered for the next time."""
        try:
            self._memo.append((read_typed(self), None))
        except Refused as refused:
            self._memo.append((None, self.locate_problem(refused)))
        return self._memo[0]

    @property
    def typed(self) -> Typed | None:
        """What it means; None when BuildKit refuses it (`problem` says why)."""
        return (self._memo[0] if self._memo else self._read())[0]

    @property
    def problem(self) -> Problem | None:
        return (self._memo[0] if self._memo else self._read())[1]
