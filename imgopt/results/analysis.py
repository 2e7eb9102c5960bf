"""imgopt/analysis/1: what an image is made of. Sizes in bytes; layers are indexes from 0."""

from __future__ import annotations

from typing import Literal

from imgopt.results import Result, Value

Confidence = Literal["provenance", "matched", "likely", "none"]
"""How an instruction got its line: from the build's provenance, by its text, by its place among the
others, or not."""
Level = Literal["error", "warning", "info"]


class ImageSizes(Value, frozen=True, kw_only=True):
    """wire: compressed layers (None when a blob is elsewhere), tar: uncompressed, payload: sum of
    files shipped, live: bytes of the final tree. An estimated `wire` may be off by `wire_error`."""

    wire: int | None
    tar: int
    payload: int
    live: int
    wire_error: int = 0
    wire_estimated: bool = False


class LayerRow(Value, frozen=True, kw_only=True):
    """A layer and the instruction that made it. `base` is None when it is not known whose layer it
    is."""

    index: int
    diff_id: str
    instruction: str
    line: int | None = None
    confidence: Confidence = "none"
    base: bool | None = None
    entries: int
    sizes: ImageSizes
    ledger: dict[str, int]


class WasteRow(Value, frozen=True, kw_only=True, rename={"kind": "class"}):
    """A file that is shipped and not in the final tree."""

    path: str
    bytes: int
    kind: str
    shipped_by: int
    killed_by: int


class Rest(Value, frozen=True, kw_only=True):
    """What a shortened list leaves out."""

    count: int
    bytes: int


class Place(Value, frozen=True, kw_only=True):
    path: str
    bytes: int


class JunkRow(Value, frozen=True, kw_only=True):
    """Live bytes of one kind that a running service rarely needs; `layers` by index, as text for
    JSON."""

    kind: str
    bytes: int
    files: int
    layers: dict[str, int]
    places: list[Place]


class DuplicateRow(Value, frozen=True, kw_only=True):
    """Equal files; `bytes` is what all copies but one weigh. Files below 4096 bytes are not
    compared."""

    digest: str
    size: int
    bytes: int
    paths: list[str]
    layers: list[int]


class PackageRow(Value, frozen=True, kw_only=True):
    """A package. `bytes` are live bytes with one owner each; those with `inside` are part of that
    package's bytes."""

    ecosystem: str
    name: str
    version: str
    bytes: int
    files: int
    layer: int
    inside: str | None = None


class FileRow(Value, frozen=True, kw_only=True):
    """A file of the final tree, or a directory with all that is below it."""

    path: str
    bytes: int
    files: int = 1
    layer: int | None = None
    package: str | None = None


class Where(Value, frozen=True, kw_only=True):
    """The instruction that a finding is about, as far as it is known."""

    file: str | None = None
    line: int | None = None
    instruction: str = ""
    layer: int | None = None


class Finding(Value, frozen=True, kw_only=True):
    """Something to change. `bytes` is what the change saves (payload), 0 where it is not about
    size; `strategy` is the rewrite that makes it, None where none does. `evidence` names what was
    measured."""

    id: str
    level: Level
    bytes: int
    message: str
    where: Where
    hint: str
    strategy: str | None = None
    evidence: list[Place] = []


class Analysis(Result, frozen=True, kw_only=True):
    """The whole result. `waste`, `duplicates`, `files` and `directories` are shortened, figures
    beside them are not."""

    schema: str = "imgopt/analysis/1"
    image: str
    digest: str
    platform: str
    source: str
    dockerfile: str | None = None
    sizes: ImageSizes
    layers: list[LayerRow]
    ledger: dict[str, int]
    waste: list[WasteRow]
    waste_rest: Rest
    junk: list[JunkRow]
    duplicates: list[DuplicateRow]
    duplicates_rest: Rest
    packages: list[PackageRow]
    unowned: int
    files: list[FileRow]
    directories: list[FileRow]
    findings: list[Finding]
