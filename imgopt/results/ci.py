"""`imgopt/ci/1`: sizes held against a baseline, what broke a rule, and which line, package and path
did it."""

from __future__ import annotations

from typing import Literal

from imgopt.results import Result, Value

Metric = Literal["wire", "tar", "payload", "live"]
Level = Literal["info", "warn", "error"]
RuleVerdict = Literal["passed", "failed", "accepted", "not-measured", "no-baseline"]
State = Literal["compared", "unchanged", "no-baseline", "not-built"]
Status = Literal["passed", "warned", "failed", "no-baseline"]
Unit = Literal["bytes", "count", "none"]


class FourSizes(Value, frozen=True, kw_only=True):
    """Bytes by each metric; None where the source cannot say. `wire_error` is what an estimated
    wire size may be off by; it is 0 for blobs that were measured."""

    wire: int | None = None
    tar: int | None = None
    payload: int | None = None
    live: int | None = None
    wire_error: int = 0
    wire_estimated: bool = False

    def of(self, metric: Metric) -> int | None:
        size: int | None = getattr(self, metric)
        return size


class Place(Value, frozen=True, kw_only=True):
    """Lines of a file of the repository, counted from 1; `file` is relative, with `/`."""

    file: str
    line: int | None = None
    end_line: int | None = None


class Cause(Value, frozen=True, kw_only=True):
    """A part of the change in size. In each list of an attribution the parts sum to the whole."""

    name: str
    before: int
    after: int
    places: list[Place] = []
    """Where it is written: the instruction, the line of the manifest that asks for a package."""
    detail: str = ""
    rest: bool = False
    """True for what no name can be given to (headers and padding of the tar, compression, small
    packages)."""

    @property
    def delta(self) -> int:
        return self.after - self.before


class Attribution(Value, frozen=True, kw_only=True):
    """The change of one metric, explained three times over; the base's own drift stands apart from
    all of them."""

    metric: Metric
    before: int
    after: int
    base: Cause | None = None
    instructions: list[Cause] = []
    packages: list[Cause] = []
    paths: list[Cause] = []

    @property
    def delta(self) -> int:
        return self.after - self.before

    @property
    def own(self) -> int:
        """The part of the change that the base did not bring."""
        return self.delta - (self.base.delta if self.base else 0)

    def __post_init__(self) -> None:
        for name in ("instructions", "packages", "paths"):
            missed = self.own - sum(cause.delta for cause in getattr(self, name))
            if missed and getattr(self, name):
                raise ValueError(
                    f"the {name} miss the change in {self.metric} size by {missed} bytes"
                )


class Fix(Value, frozen=True, kw_only=True):
    """What the rewriter would write in place of these lines. `saves` is an estimate in bytes, None
    if unknown."""

    strategy: str
    because: str
    place: Place
    replacement: str
    saves: int | None = None


class Finding(Value, frozen=True, kw_only=True):
    """A rule that was broken. `id` stays the same from run to run: rule, image and subject, no
    figures."""

    id: str
    rule: str
    level: Level
    image: str
    platform: str
    message: str
    subject: str = ""
    unit: Unit = "bytes"
    measured: int | None = None
    limit: int | None = None
    before: int | None = None
    place: Place | None = None
    causes: list[str] = []
    """Lines for a person: instruction, package and path, each with its bytes."""
    hint: str = ""
    fix: Fix | None = None


class RuleOutcome(Value, frozen=True, kw_only=True):
    """One rule on one image, whatever came of it."""

    rule: str
    subject: str = ""
    level: Level
    verdict: RuleVerdict
    unit: Unit = "bytes"
    measured: int | None = None
    before: int | None = None
    limit: int | None = None
    reason: str = ""


class ImageCheck(Value, frozen=True, kw_only=True):
    """One image on one platform. `reason` says why it could not be compared."""

    name: str
    platform: str
    reference: str
    source: str
    digest: str
    state: State
    sizes: FourSizes
    before: FourSizes | None = None
    reason: str = ""
    dockerfile: str | None = None
    attribution: Attribution | None = None
    rules: list[RuleOutcome] = []
    findings: list[Finding] = []
    notes: list[str] = []
    smaller: bool = False
    """It shrank: the baseline may be ratcheted down."""
    metric: Metric | None = None
    """What its change is told in, where that is not the result's metric."""


class CiResult(Result, frozen=True, kw_only=True):
    """`status` is the gate's answer; `against` says what the images were compared with."""

    schema: str = "imgopt/ci/1"
    status: Status
    metric: Metric
    baseline: str
    against: str
    tool: str
    baseline_required: bool = False
    images: list[ImageCheck] = []

    def metric_of(self, image: ImageCheck) -> Metric:
        return image.metric or self.metric

    @property
    def findings(self) -> list[Finding]:
        """Of all images, worst first: level, then bytes over the limit."""
        found = [finding for image in self.images for finding in image.findings]
        return sorted(found, key=_rank)

    def exit_code(self, fail_on: Literal["error", "warn", "never"] = "error") -> int:
        """0 fine, 1 findings of that level, 2 a baseline that is required and missing."""
        if self.baseline_required and any(image.state == "no-baseline" for image in self.images):
            return 2
        failing = {"error": ("error",), "warn": ("error", "warn"), "never": ()}[fail_on]
        return int(
            any(finding.level in failing for image in self.images for finding in image.findings)
        )


_ORDER = {"error": 0, "warn": 1, "info": 2}


def _rank(finding: Finding) -> tuple[int, int, str]:
    over = (finding.measured or 0) - (finding.limit or 0) if finding.unit == "bytes" else 0
    return _ORDER[finding.level], -over, finding.id
