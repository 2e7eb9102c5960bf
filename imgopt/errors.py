"""The one family of errors that imgopt raises for what users can mend; only `imgopt.cli` catches
it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a user's file. Lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(
            str(part) for part in (self.file, self.line, self.column) if part is not None
        )


class ImgoptError(Exception):
    """Says what is wrong, where, and what to do. `exit_code` is what the command ends with."""

    exit_code = 2

    def __init__(
        self, message: str, *, location: Location | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" if self.location else self.message


class InputError(ImgoptError):
    """Wrong usage, configuration or input: exit code 2."""


class FindingsError(ImgoptError):
    """The work was done and its answer is no (nothing could be proven, a build fails): exit code
    1."""

    exit_code = 1


class EnvironmentFailure(ImgoptError):
    """No engine, image not found, no space, not permitted: exit code 3."""

    exit_code = 3


class OutOfTime(ImgoptError):
    """What was under way was ended, because the time that it might take was over."""

    exit_code = 1


class Interrupted(ImgoptError):
    """SIGINT or SIGTERM: exit code 130."""

    exit_code = 130
