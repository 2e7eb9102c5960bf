"""`imgopt/bench/1`: two or more arms, measured side by side."""

from __future__ import annotations

from imgopt.results import Result, Value
from imgopt.results.figures import LayerFigure, PathFigure, StepFigure, Waterfall
from imgopt.results.optimize import Check, Sizes
from imgopt.results.rewrite import Change, Skip


class Failure(Value, frozen=True, kw_only=True):
    """Why an arm, or one measure of it, has no figures."""

    message: str
    step: str = ""
    line: int | None = None
    output: list[str] = []
    """The last lines that it wrote."""


class Exact(Value, frozen=True, kw_only=True):
    """What needs no repetition. None: not measured, and `reason` says why."""

    sizes: Sizes
    layers: int
    files: int
    packages: int | None = None
    context_bytes: int | None = None
    context_files: int | None = None
    reason: str = ""


class Arm(Value, frozen=True, kw_only=True):
    """One thing that is measured: a Dockerfile with its context and target, maybe of a revision."""

    name: str
    role: str
    """original, variant, file, revision, context or target"""
    dockerfile: str
    """The path that the user knows it by."""
    text: str = ""
    context: str = "."
    target: str | None = None
    revision: str | None = None
    image: str | None = None
    """ID of the built image."""
    proof: str | None = None
    """proven, refuted or unproven against the first arm; None where nobody looked."""
    failure: Failure | None = None
    exact: Exact | None = None
    layers: list[LayerFigure] = []
    steps: list[StepFigure] = []
    """Of the first timed cold build."""
    changes: list[Change] = []
    skips: list[Skip] = []
    checks: list[Check] = []


class Samples(Value, frozen=True, kw_only=True):
    """All values of one arm in one measure, in the order measured; the warm-up is apart and counts
    for nothing."""

    arm: str
    values: list[float] = []
    warm_up: list[float] = []
    median: float | None = None
    low: float | None = None
    high: float | None = None
    """The interval of at least 95 % of the median; None from fewer than six values."""
    export_seconds: list[float] = []
    """Of builds: the part of each value that wrote the finished image. Bases are there before, and
    never in it."""
    exit_codes: list[int] = []
    """Of stops."""
    wire_bytes: int | None = None
    """After this edit: compressed bytes of layers that a push or a pull would move again."""
    wire_is_estimate: bool = False
    steps: list[StepFigure] = []
    """Of the first timed run."""
    failure: Failure | None = None


class Compared(Value, frozen=True, kw_only=True):
    """What may be said of two arms; ratio = before / after, 10 is ten times faster (or less)."""

    before: str
    after: str
    ratio: float
    low: float | None = None
    high: float | None = None
    p: float
    verdict: str
    """faster or slower (of bytes: less or more), no change or inconclusive"""
    reason: str


class Measure(Value, frozen=True, kw_only=True):
    """One noisy figure of all arms: a build in one scenario, or the start, memory or stop of the
    container."""

    name: str
    """cold, no-change, edit-source, ... or start, memory, stop"""
    kind: str
    """build or run"""
    unit: str
    """seconds or bytes"""
    edit: str = ""
    """What the scenario changed, in words."""
    samples: list[Samples] = []
    comparisons: list[Compared] = []
    noise_floor: float | None = None
    """Share of 1 that the same thing differed from itself (`--aa`); None where that was not
    measured."""
    remarks: list[str] = []


class Comparison(Value, frozen=True, kw_only=True):
    """The exact side of two arms: how one size became the other, and what is in both by path."""

    before: str
    after: str
    waterfalls: list[Waterfall] = []
    contents: list[PathFigure] = []


class Environment(Value, frozen=True, kw_only=True):
    """Where and with what this was measured. Empty or None: not known."""

    imgopt: str
    engine: str = ""
    buildkit: str = ""
    buildx: str = ""
    storage: str = ""
    platform: str = ""
    cpu: str = ""
    cpus: int | None = None
    memory_bytes: int | None = None
    load: list[float] = []
    """Load averages of 1, 5 and 15 minutes when it began."""
    bases: dict[str, str] = {}
    """Base image by the name in the Dockerfile to its ID."""
    git_revision: str = ""
    git_dirty: bool | None = None


class BenchResult(Result, frozen=True, kw_only=True):
    schema: str = "imgopt/bench/1"
    project: str = ""
    """Name of the folder; empty in older results."""
    context: str
    command: list[str] = []
    """The arguments that measure this again."""
    seed: int
    runs: int
    warm_up: int
    alpha: float
    min_effect: float
    partial: bool = False
    reason: str = ""
    """Why it is partial."""
    environment: Environment
    arms: list[Arm]
    comparisons: list[Comparison] = []
    measures: list[Measure] = []
    seconds: float | None = None
    """How long measuring took."""

    def __post_init__(self) -> None:
        if not self.arms:
            raise ValueError("a benchmark has at least one arm")
