"""What BuildKit would refuse in a Dockerfile, as values: reading never stops at the first one."""

from __future__ import annotations

from dataclasses import dataclass

from imgopt.errors import InputError, Location

READING, MEANING, STAGES, CARRYING_OUT = range(4)
"""The order in which BuildKit finds problems: reading the lines; reading each instruction; putting
the stages together; carrying out the instructions of the stages that the target needs (it never
looks into the others)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal. `hint` says what was expected; `phase` orders problems as BuildKit finds
    them."""

    message: str
    location: Location
    hint: str | None = None
    phase: int = MEANING

    def error(self) -> InputError:
        return InputError(self.message, location=self.location, hint=self.hint)


class Refused(Exception):
    """Raised by the readers of one instruction; caught where the instruction is known.

    `place` is the offset in the file of what is wrong, None for the instruction's first character.
    """

    def __init__(
        self, message: str, hint: str | None = None, place: int | None = None, phase: int = MEANING
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place
        self.phase = phase
