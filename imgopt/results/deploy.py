"""`imgopt/deploy/1`, `imgopt/deploy-check/1`, `imgopt/deploy-proof/1`: files that say how an image
is run, what is wrong with such files, and what a trial of them on real parts showed."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from imgopt.results import Result, Value

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""The gravest first."""
Verdict = Literal["passed", "failed", "not measured"]


class Figure(Value, frozen=True, kw_only=True):
    """One thing that the files set, and why it has this value."""

    name: str
    """In a user's words: "memory limit"."""
    value: str
    """As the file says it: "256Mi"."""
    origin: str
    """The formula with its numbers ("peak 212 MiB x 1.15, 60 s of load"), or the rule."""
    measured: bool = True
    """From the run of this image; else a default, because nothing was measured, or a rule."""


class Remark(Value, frozen=True, kw_only=True):
    """What whoever takes the files should know; `fix` says what to do."""

    level: Level
    message: str
    fix: str = ""


class Refused(Value, frozen=True, kw_only=True):
    """What was not written, and the fact that decided."""

    what: str
    reason: str


class DeployFile(Value, frozen=True, kw_only=True):
    """One file, `path` below the folder that they are for; `before` is what lies there (None:
    nothing)."""

    path: str
    text: str
    does: str = ""
    before: str | None = None

    @property
    def change(self) -> str:
        """new, changed, unchanged"""
        if self.before is None:
            return "new"
        return "unchanged" if self.before == self.text else "changed"


class DeployFiles(Result, frozen=True, kw_only=True):
    """The files of one image. `target` is compose, kubernetes or helm; `folder` is "" where nothing
    was written."""

    schema: str = "imgopt/deploy/1"
    target: str = ""
    name: str = ""
    """Of the service, as the files call it."""
    image: str = ""
    """As the files name it."""
    measured: str = ""
    """The image that was measured, and how long."""
    folder: str = ""
    files: list[DeployFile] = []
    figures: list[Figure] = []
    remarks: list[Remark] = []
    refused: list[Refused] = []


class DeployFinding(Value, frozen=True, kw_only=True):
    """One thing that is wrong with a file; `line` counts from 1, None where no line says it."""

    id: str
    level: Level
    message: str
    file: str = ""
    line: int | None = None
    object: str = ""
    """Kind and name of what it is about: "Deployment/web", "service web"."""
    evidence: str = ""
    """What was measured or found in the image that says so."""
    fix: str = ""


class NotChecked(Value, frozen=True, kw_only=True):
    """A rule, or a part of a file, that could not be looked at."""

    what: str
    reason: str
    file: str = ""
    line: int | None = None
    fix: str = ""
    bad: bool = False
    """The user named it, and it cannot be read: the answer is not whole (exit code 2)."""


class Accepted(Value, frozen=True, kw_only=True):
    """A finding that a comment in the file takes knowingly; `line` is the comment's."""

    finding: DeployFinding
    because: str
    line: int


class DeployCheck(Result, frozen=True, kw_only=True):
    """Files held against rules and against the image itself."""

    schema: str = "imgopt/deploy-check/1"
    files: list[str] = []
    images: list[str] = []
    """Those that were looked into."""
    objects: int = 0
    """Kubernetes objects and Compose services that were read."""
    findings: list[DeployFinding] = []
    accepted: list[Accepted] = []
    not_checked: list[NotChecked] = []

    def exit_code(self, fail_on: str = "error") -> int:
        """0 fine, 1 findings of that level or above ("never": none), 2 input that cannot be
        read."""
        if any(one.bad for one in self.not_checked):
            return 2
        levels: tuple[str, ...] = LEVELS
        failing = levels[: levels.index(fail_on) + 1] if fail_on in levels else ()
        return int(any(one.level in failing for one in self.findings))

    @property
    def counts(self) -> dict[Level, int]:
        found = Counter(one.level for one in self.findings)
        return {level: found[level] for level in LEVELS}


class Tier(Value, frozen=True, kw_only=True):
    """1: schemas; 2: a real API server's strict dry run; 3: a real node."""

    number: int
    name: str
    verdict: Verdict
    detail: str = ""
    seconds: float | None = None


class Second(Value, frozen=True, kw_only=True):
    """What was answered in one second of a load; `second` counts from its start."""

    second: int
    answers: dict[str, int] = {}
    """By the version that answered."""
    failed: int = 0


class Case(Value, frozen=True, kw_only=True):
    """One trial on a real node: a rolling update, a drained node, a killed pod, ..."""

    name: str
    verdict: Verdict
    requests: int | None = None
    failed: int | None = None
    detail: str = ""
    seconds: float | None = None
    by_second: list[Second] = []
    marks: dict[str, float] = {}
    """Seconds of the load at which something was done: "update begins", "rolled out"."""


class DeployProof(Result, frozen=True, kw_only=True):
    """Files tried on real parts."""

    schema: str = "imgopt/deploy-proof/1"
    verdict: Verdict = "not measured"
    message: str = ""
    files: list[str] = []
    images: list[str] = []
    tiers: list[Tier] = []
    cases: list[Case] = []
    findings: list[DeployFinding] = []
    """What schemas and the API server refused or warned of."""
    environment: dict[str, str] = {}
