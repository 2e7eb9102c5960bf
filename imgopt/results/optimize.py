"""`imgopt/optimize/1`: what the whole loop found, built, proved and measured."""

from __future__ import annotations

from imgopt.results import Result, Value
from imgopt.results.asked import Asked
from imgopt.results.figures import LayerFigure, PathFigure, Waterfall
from imgopt.results.ignored import IgnoredFiles
from imgopt.results.lives import Lives
from imgopt.results.rewrite import Change, Finding, Skip
from imgopt.results.run_facts import RunFacts


class Sizes(Value, frozen=True, kw_only=True):
    """Four sizes in bytes: wire (compressed), tar (layer archives), payload (file bytes), live
    (visible bytes)."""

    wire: int | None
    tar: int
    payload: int
    live: int
    wire_is_estimate: bool = False


class Check(Value, frozen=True, kw_only=True):
    """One check of the proof; verdict is "passed", "failed" or "not measured"."""

    name: str
    verdict: str
    detail: str


class Part(Value, frozen=True, kw_only=True):
    """Paths of the original that share one fate, with the reason and their bytes."""

    path: str
    bytes: int
    reason: str


class Parts(Value, frozen=True, kw_only=True):
    """Where every byte that the original adds over its base went; the four lists sum to those
    bytes."""

    kept: list[Part] = []
    reinstalled: list[Part] = []
    replaced: list[Part] = []
    dropped: list[Part] = []


class Timing(Value, frozen=True, kw_only=True):
    """Seconds of one scenario, in the order measured; ratio = median before / median after."""

    before: list[float] = []
    after: list[float] = []
    ratio: float | None = None
    p: float | None = None
    verdict: str = "inconclusive"


class StepOutcome(Value, frozen=True, kw_only=True):
    """One step of one build: was it in the cache, and how long did it run."""

    name: str
    cached: bool
    seconds: float


class Original(Value, frozen=True, kw_only=True):
    image: str
    dockerfile: str = ""
    """Text of the original Dockerfile."""
    ignored: IgnoredFiles = IgnoredFiles()
    sizes: Sizes | None = None
    build_seconds: float | None = None
    layers: int | None = None
    user: str = ""
    edit_bytes: int | None = None
    """Wire bytes of the layers that an edit of the source makes anew: what is pushed and pulled
    again."""
    edit_bytes_at_most: bool = False
    """Whether they may be fewer: only a build tells, and none was timed."""
    steps: list[StepOutcome] = []
    layer_figures: list[LayerFigure] = []


class ComposeNote(Value, frozen=True, kw_only=True):
    """What a Compose file says of the image that does not hold for the variant: under which key of
    which service, and what to write there instead ("" where imgopt does not know)."""

    service: str
    key: str
    message: str
    instead: str = ""


class Variant(Value, frozen=True, kw_only=True):
    """One way to write the file, and what its build and its run showed."""

    name: str
    verdict: str
    """proven, refuted or unproven"""
    reason: str = ""
    """Why it is not proven, in one sentence; empty when it is."""
    dockerfile: str = ""
    dockerignore: str | None = None
    image: str | None = None
    sizes: Sizes | None = None
    build_seconds: float | None = None
    layers: int | None = None
    user: str = ""
    base: str = ""
    base_swap_bytes: int | None = None
    """Wire bytes saved by the other base image alone."""
    own_edit_bytes: int | None = None
    """Wire bytes saved by everything else."""
    edit_bytes: int | None = None
    edit_bytes_at_most: bool = False
    """Of this image, as in `Original`."""
    held_back: str = ""
    """Why it is not recommended although it is proven: its rebuilds are slower."""
    changes: list[Change] = []
    skips: list[Skip] = []
    repairs: list[str] = []
    checks: list[Check] = []
    lives: Lives | None = None
    """The later edits of the project that were tried on it; None where none were, and in older
    results."""
    parts: Parts = Parts()
    timings: dict[str, Timing] = {}
    steps: list[StepOutcome] = []
    layer_figures: list[LayerFigure] = []
    waterfalls: list[Waterfall] = []
    """From the original's size to this one's, by cause."""
    contents: list[PathFigure] = []
    """Live bytes of the original and of this image, by path."""
    compose: list[ComposeNote] = []
    """What the project's Compose file has to say otherwise where this file is taken."""


class MissingBase(Value, frozen=True, kw_only=True):
    """A base that could not be had; `names` in the order in which they were tried."""

    variant: str
    strategy: str
    names: list[str]


class OptimizeResult(Result, frozen=True, kw_only=True):
    schema: str = "imgopt/optimize/1"
    project: str = ""
    """Name of the folder; empty in older results."""
    context: str
    dockerfile: str
    """Path of the original, relative to the context."""
    verdict: str
    """proven, good (nothing to gain), or unproven"""
    message: str = ""
    original: Original
    asked: Asked = Asked()
    """What the original and each variant were asked; empty in older results."""
    recommended: str | None = None
    variants: list[Variant] = []
    builds: int = 0
    """How many builds the loop made, those of the short benchmark not counted."""
    builds_by: dict[str, int] = {}
    """The same by what was built: "original", "again" (once more, to see what changes by itself),
    the variants."""
    steps_run: dict[str, int] = {}
    """RUN steps that those builds executed, and did not take from the cache."""
    most_builds: int | None = None
    """How many builds a variant may take."""
    environment: dict[str, str] = {}
    findings: list[Finding] = []
    """What the author should change himself: secrets that a COPY brings."""
    bases: dict[str, str] = {}
    """Base images that were replaced by the configuration, name to image."""
    missing_bases: list[MissingBase] = []
    """Base images that a variant wanted and that could not be had, where no other one was found in
    their place."""
    interrupted: str = ""
    """The signal that ended the timing; what is proven is whole."""
    fault: str = ""
    """What the engine or the machine lacked while timing; what is proven is whole."""
    timing_note: str = ""
    """Why less was timed than usual: the time that it may take was over."""
    timing_seconds: float | None = None
    """How long the timing took; None where nothing was timed."""
    timing_budget: float | None = None
    """How long it might have taken: what the builds before it took; None without such a bound."""
    run_facts: RunFacts | None = None
    """What running the original and the recommended variant shows; None where it was not asked
    for."""
    arguments: list[str] = []
    """What the command was given, as words for another one: the context, -f, --target, --base, ...;
    no values of secrets."""
    run_arguments: list[str] = []
    """The same of how the image is run, and of which suggestions were allowed: --http, --env,
    --allow, ..."""
