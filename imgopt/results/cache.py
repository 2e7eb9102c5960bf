"""`imgopt/cache/1`: what each step does after each simulated change, as predicted and as
measured."""

from __future__ import annotations

from typing import Literal

from imgopt.results import Result, Value

Verdict = Literal["hit", "miss", "unknown"]


class CacheStep(Value, frozen=True, kw_only=True):
    """One cacheable step (RUN, COPY, ADD, WORKDIR). `stage` is its name, "" for the only one of a
    file."""

    stage: str
    line: int
    instruction: str


class ScenarioStep(Value, frozen=True, kw_only=True):
    """What one step does in one scenario, in the order of `steps`.

    `measured` None: not measured, `reason_not_measured` says why. `seconds` is what the step takes
    there: measured in the scenario's own build, else the time of its first build if it is predicted
    to run again; 0.0 for a hit; None: not measured.
    """

    predicted: Verdict
    measured: Literal["hit", "miss"] | None = None
    reason: str
    seconds: float | None = None
    reason_not_measured: str | None = None


class CacheScenario(Value, frozen=True, kw_only=True):
    """One change. `edit` says it in words; `failure` is the build's message where it does not build
    any more."""

    name: str
    edit: str
    steps: list[ScenarioStep]
    failure: str | None = None


class SkippedScenario(Value, frozen=True, kw_only=True):
    """A scenario that this project has nothing for."""

    name: str
    reason: str


class Agreement(Value, frozen=True, kw_only=True):
    """Predictions against measurements: `decided` = `right` + `wrong`; `unknown` were not
    decided."""

    decided: int
    right: int
    wrong: int
    unknown: int


class CacheResult(Result, frozen=True, kw_only=True):
    """`agreement` is None without `--measure`. `notes` are for the user: a shallow clone, an
    unknown base, ..."""

    schema: str = "imgopt/cache/1"
    project: str = ""
    """Name of the folder; empty in older results."""
    dockerfile: str = "Dockerfile"
    steps: list[CacheStep]
    scenarios: list[CacheScenario]
    agreement: Agreement | None = None
    skipped: list[SkippedScenario] = []
    cold_seconds: float | None = None
    """The first build, every step run; None: not measured."""
    notes: list[str] = []
    arguments: list[str] = []
    """What the command was given, as words for another one: the context, -f, --target, --base, ...;
    no values of secrets."""
