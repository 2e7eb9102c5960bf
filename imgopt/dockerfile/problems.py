"""What BuildKit would refuse in a Dockerfile, as values: reading never stops at the first one."""

from __future__ import annotations

from dataclasses import dataclass

from imgopt.errors import InputError, Location


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal. `hint` says what was expected; `phase` orders problems as BuildKit finds them.

    Phase 0 is reading the lines, 1 is reading each instruction, 2 is putting the stages together.
    """

    message: str
    location: Location
    hint: str | None = None
    phase: int = 1

    def error(self) -> InputError:
        return InputError(self.message, location=self.location, hint=self.hint)


class Refused(Exception):
    """Raised by the readers of one instruction; caught where the instruction is known.

    `place` is the offset in the file of what is wrong, None for the instruction's first character.
    """

    def __init__(self, message: str, hint: str | None = None, place: int | None = None, phase: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place
        self.phase = phase
