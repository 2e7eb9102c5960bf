"""An image that its Dockerfile does not build: a finding on the line that fails, beside those of
the other images."""

from __future__ import annotations

from pathlib import Path

from imgopt.ci.measured import repository_root, shown_path
from imgopt.ci.rules import Who, finding_id
from imgopt.ci.subjects import Subject
from imgopt.results.ci import Finding, FourSizes, ImageCheck, Place, RuleOutcome

_LOG_LINES = 5


def not_built(subject: Subject) -> ImageCheck:
    """What is known of such an image; it has no sizes, and no baseline is asked for."""
    failure = subject.failure
    assert failure is not None
    place = None
    if failure.location is not None:
        path = shown_path(Path(failure.location.file), repository_root(subject))
        place = Place(file=path, line=failure.location.line, end_line=failure.location.line)
    platform = subject.platform or ""
    finding = Finding(
        id=finding_id("build", "", Who(subject.name, platform)),
        rule="build",
        level="error",
        image=subject.name,
        platform=platform,
        message=failure.message,
        unit="none",
        place=place,
        causes=list(failure.log[-_LOG_LINES:]),
        hint=failure.hint or "",
    )
    return ImageCheck(
        name=subject.name,
        platform=platform,
        reference="",
        source="",
        digest="",
        state="not-built",
        sizes=FourSizes(),
        reason="it does not build",
        dockerfile=place.file if place else None,
        rules=[
            RuleOutcome(
                rule="build", level="error", verdict="failed", unit="none", reason=failure.message
            )
        ],
        findings=[finding],
    )
