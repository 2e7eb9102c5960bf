"""Figures of an image that several results carry: its layers, its contents by path, its steps in
time."""

from __future__ import annotations

from imgopt.results import Value


class LayerFigure(Value, frozen=True, kw_only=True):
    """One layer; sizes in bytes, `wire` None where it was neither stored compressed nor
    estimated."""

    instruction: str
    line: int | None = None
    """Line of the Dockerfile, where it is known."""
    base: bool = False
    """True for a layer that came with the base image."""
    wire: int | None
    tar: int
    payload: int


class PathFigure(Value, frozen=True, kw_only=True):
    """Live bytes of one path in two images; `files` counts regular files.

    Small entries of a folder may be one figure together: then `path` is the folder, and `others`
    says how many.
    """

    path: str
    before: int
    after: int
    files_before: int = 1
    files_after: int = 1
    others: int = 0


class StepFigure(Value, frozen=True, kw_only=True):
    """One step of one build; `start` in seconds since the build began, None where the step did not
    run."""

    name: str
    line: int | None = None
    cached: bool = False
    start: float | None = None
    seconds: float = 0.0


class Cause(Value, frozen=True, kw_only=True):
    """One cause of a change in size: `bytes` = after - before, negative where it saves."""

    name: str
    bytes: int
    detail: str = ""


class Waterfall(Value, frozen=True, kw_only=True):
    """From one size to another by cause: start + the causes' bytes = end, exactly."""

    size: str
    """Which of the four sizes this is about: wire, tar, payload or live."""
    start: int
    end: int
    causes: list[Cause]

    def __post_init__(self) -> None:
        rest = self.end - self.start - sum(cause.bytes for cause in self.causes)
        if rest:
            raise ValueError(
                f"the causes of the change in {self.size} size miss it by {rest} bytes"
            )
