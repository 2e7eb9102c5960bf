"""`imgopt/proof/1`: does the candidate do the same job as the original, check by check."""

from __future__ import annotations

from imgopt.results import Result, Value
from imgopt.results.asked import Asked


class Failure(Value, frozen=True, kw_only=True):
    """One concrete failure; `kind` says what would mend it (missing-library, not-writable, ...),
    `notice` what a user of the service would see, `instead` what to write, `allow` the key that
    says it is meant so ("" where there is none, and in older results)."""

    kind: str
    subject: str
    path: str = ""
    needed_by: str = ""
    message: str
    notice: str = ""
    instead: str = ""
    allow: str = ""


class ProofCheck(Value, frozen=True, kw_only=True):
    """One check; verdict is "passed", "failed" or "not measured"; `allowed` are intended
    differences with reasons."""

    name: str
    verdict: str
    detail: str
    failures: list[Failure] = []
    allowed: list[str] = []


class Compared(Value, frozen=True, kw_only=True):
    """One of the two images. `dockerfile` is its path as given, "" where an image was given; `base`
    what it is built on, None where that is not known; `base_layers` how many of its lowest layers
    are the base's, None where nobody can tell; sizes in bytes of uncompressed layers and of the
    compressed ones."""

    image: str
    dockerfile: str = ""
    base: str | None = None
    base_layers: int | None = None
    user: str = ""
    layers: int | None = None
    tar_bytes: int | None = None
    build_seconds: float | None = None


class ProofResult(Result, frozen=True, kw_only=True):
    schema: str = "imgopt/proof/1"
    project: str = ""
    """Name of the folder; empty where images were compared, and in older results."""
    original: Compared
    candidate: Compared
    verdict: str
    """proven, refuted or unproven"""
    reason: str = ""
    """In one sentence, why it is not proven; empty when it is."""
    checks: list[ProofCheck] = []
    asked: Asked = Asked()
    """What both were asked; empty in older results."""
    log: list[str] = []
    """The last lines of what did not build, start or answer as it should."""
    hints: list[str] = []
    """Settings that would help."""
    arguments: list[str] = []
    """What the command was given, as words for another one: the context, -f, --target, --base, ...;
    no values of secrets."""
    run_arguments: list[str] = []
    """The same of how the image is run: --http, --env, ..."""
