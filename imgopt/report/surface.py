"""What the surfaces of a gate share: limits, stable identities, places and plain messages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from imgopt.report.common import change_text, safe_terminal, shorten
from imgopt.results.ci import Cause, CiResult, Finding, ImageCheck, Place
from imgopt.results.size_text import delta_text, size_text, two_sizes

T = TypeVar("T")
WORDS = {
    "passed": "passed",
    "warned": "passed, with warnings",
    "failed": "failed",
    "no-baseline": "no baseline",
}
RULES: dict[str, tuple[str, str]] = {
    "total": ("Image size", "The whole image is larger than the project allows."),
    "own-layers": (
        "Own growth",
        "What the Dockerfile adds to its base image grew more than the project allows.",
    ),
    "base": ("Base image growth", "The base image grew; no change of this project did it."),
    "wasted": (
        "Wasted bytes",
        "Files are shipped and then overwritten or deleted by a later layer.",
    ),
    "junk": ("Junk", "Files are shipped that a running service rarely needs."),
    "layers": ("Number of layers", "The image has more layers than the project allows."),
    "setuid": (
        "Setuid program",
        "A program that runs with its owner's rights came into the image.",
    ),
    "root-user": ("Runs as root", "The image starts its program as root."),
    "secrets": (
        "Secret in a layer",
        "A file looks like a secret; who can pull the image can read it.",
    ),
    "rebuild": ("Rebuild cost", "A typical change rebuilds more bytes than the project allows."),
    "path": ("Path budget", "The files under a path weigh more than the project allows."),
    "build": ("Build failure", "The image does not build, so nothing of it was measured."),
    "package": ("Package budget", "A package weighs more than the project allows."),
}
"""Title and sentence of every rule."""


def fingerprint(finding: Finding) -> str:
    """The same in every run for the same rule, image and subject."""
    return hashlib.sha256(finding.id.encode("utf-8", "surrogatepass")).hexdigest()


def place_of(finding: Finding, result: CiResult) -> Place:
    """Every surface wants a place; what has none is put on the baseline file."""
    return finding.place or Place(file=result.baseline, line=1, end_line=1)


def message_of(finding: Finding, limit: int) -> str:
    """One plain line with its image, at most `limit` characters."""
    platform = f" ({finding.platform})" if finding.platform else ""
    return shorten(safe_terminal(f"{finding.image}{platform}: {finding.message}"), limit)


def details_of(finding: Finding, lines: int = 12) -> list[str]:
    """Causes, fix and hint as plain lines."""
    found = [*finding.causes]
    if finding.fix is not None:
        found.append(f"fix ({finding.fix.strategy}): {finding.fix.because}")
    if finding.hint:
        found.append(finding.hint)
    return [safe_terminal(shorten(line, 400)) for line in found[:lines]]


def capped(items: Sequence[T], most: int) -> tuple[Sequence[T], int]:
    """At most so many, and how many are left out."""
    return items[:most], max(0, len(items) - most)


def headline(result: CiResult) -> str:
    """One line: the change of each image in the metric, and what it was compared with."""
    parts = [f"{image.name}: {change_line(image, result)}" for image in result.images[:3]]
    more = f" and {len(result.images) - 3} more images" if len(result.images) > 3 else ""
    return f"{'; '.join(parts)}{more} (against {result.against})"


def change_line(image: ImageCheck, result: CiResult) -> str:
    """ "12.1 MB -> 43.2 MB (+31.1 MB, +257.0 %) tar"."""
    if image.state == "not-built":
        return "not built"
    metric = result.metric_of(image)
    now = image.sizes.of(metric)
    if image.before is None or now is None:
        return f"{size_text(now)} {metric}, {image.reason or 'no baseline'}"
    before = image.before.of(metric) or 0
    texts = two_sizes(before, now)
    if before == now:
        return f"{texts[1]} {metric}, the same"
    delta = delta_text(before, now)
    return f"{texts[0]} -> {texts[1]} {metric} ({delta}, {change_text(before, now)})"


def place_text(finding: Finding) -> str:
    place = finding.place
    if place is None:
        return ""
    return place.file if place.line is None else f"{place.file}:{place.line}"


def cause_cells(cause: Cause) -> tuple[str, str, str]:
    """Change, name with detail, places."""
    places = ", ".join(
        f"{place.file}:{place.line}" if place.line else place.file for place in cause.places
    )
    name = shorten(cause.name, 90)
    return (
        delta_text(cause.before, cause.after),
        f"{name} ({shorten(cause.detail, 90)})" if cause.detail else name,
        places,
    )
