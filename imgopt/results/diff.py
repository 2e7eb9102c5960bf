"""imgopt/diff/1: what changed from one image to another. Bytes; after - before; every table sums to
its delta."""

from __future__ import annotations

from imgopt.results import Result, Value
from imgopt.results.analysis import ImageSizes
from imgopt.results.figures import PathFigure


class Side(Value, frozen=True, kw_only=True):
    image: str
    digest: str
    platform: str
    source: str
    sizes: ImageSizes
    layers: int


class Change(Value, frozen=True, kw_only=True):
    """One row: `before` and `after` in bytes, 0 where it is not there."""

    name: str
    before: int
    after: int
    detail: str = ""

    @property
    def delta(self) -> int:
        return self.after - self.before


class InstructionChange(Value, frozen=True, kw_only=True):
    """A layer of either image, or of both when it is the same or made by the same instruction
    (payload bytes).

    `kind` is "same" (equal bytes), "changed", "added" or "removed"; `base` is None where it is not
    known.
    """

    instruction: str
    kind: str
    before: int
    after: int
    line: int | None = None
    base: bool | None = None
    layer_before: int | None = None
    layer_after: int | None = None


class PackageChange(Value, frozen=True, kw_only=True):
    """A package with another version or size (live bytes). "" for a version that is not there."""

    ecosystem: str
    name: str
    version_before: str
    version_after: str
    before: int
    after: int


class Diff(Result, frozen=True, kw_only=True):
    """`classes` and `instructions` sum to the change in payload, `packages` and `paths` to that in
    live bytes.

    `base` and `own` are the two halves of the change in payload; layers of unknown origin count as
    own.
    """

    schema: str = "imgopt/diff/1"
    before: Side
    after: Side
    classes: list[Change]
    instructions: list[InstructionChange]
    base: Change
    own: Change
    packages: list[PackageChange]
    paths: list[PathFigure]
    notes: list[str] = []
    """What has to be known to read the figures: sentences for the user."""
