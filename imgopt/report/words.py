"""The words for figures: each is decided here, and every rendering (terminal, Markdown, page,
comment) takes it."""

from __future__ import annotations

from statistics import median

from imgopt.report.common import ratio_text, seconds_text
from imgopt.results.bench import Compared
from imgopt.results.optimize import OptimizeResult, Sizes, Timing, Variant
from imgopt.results.size_text import NOT_MEASURED, size_text, two_sizes

WIRE, TAR, PAYLOAD, LIVE = "wire", "tar", "payload", "live"
SIZES = {
    WIRE: "compressed layers, what a push and a pull move",
    TAR: "uncompressed layer archives",
    PAYLOAD: "file bytes shipped, also those that a later layer hides",
    LIVE: "file bytes visible in the container",
}
"""The four sizes, and what each of them counts."""
LEDGER = {
    "live": "in use",
    "overwritten": "overwritten later",
    "deleted": "deleted later",
    "deleted-directory": "deleted later with their folder",
    "opaque-hidden": "hidden by a later folder",
    "metadata-only": "shipped again for another owner or mode",
    "identical-rewrite": "shipped again unchanged",
    "hardlink-copy-up": "shipped again for a hard link",
}
"""What happened to the bytes of each class of the ledger."""
MEASURES = {
    "cold": "cold build",
    "no-change": "build, no change",
    "edit-source": "rebuild after an edit of the source",
    "edit-manifest": "rebuild after an edit of the manifest",
    "start": "start to first answer",
    "memory": "peak memory",
    "stop": "stop",
}


def ledger_text(kind: str) -> str:
    """ "deleted later"; a class of a newer version as it is."""
    return LEDGER.get(kind, kind)


def measure_text(name: str, build: bool = True) -> str:
    """ "rebuild after an edit of the source"."""
    return MEASURES.get(name, f"rebuild after {name}" if build else name)


def claim_text(verdict: str, ratio: float, runs: int | None = None) -> str:
    """ "34x faster" where the test allows a claim; else the bare verdict, with the runs that were
    too few for more."""
    if verdict in ("faster", "slower"):
        return ratio_text(ratio, 1.0, "faster", "slower")
    if verdict in ("less", "more"):
        return ratio_text(ratio, 1.0, "less", "more")
    few = runs is not None and verdict == "inconclusive"
    return f"{verdict} ({'one run' if runs == 1 else f'{runs} runs'} each)" if few else verdict


def compared_text(compared: Compared | None) -> str:
    """What may be said of two arms of a benchmark."""
    return "" if compared is None else claim_text(compared.verdict, compared.ratio)


def timing_text(timing: Timing | None) -> str:
    """What may be said of a timing of `imgopt optimize`."""
    if timing is None or not timing.before or not timing.after:
        return NOT_MEASURED
    return claim_text(
        timing.verdict, timing.ratio or 1.0, min(len(timing.before), len(timing.after))
    )


def times_text(timing: Timing | None) -> str:
    """ "10.3 s → 580 ms, 18x faster"."""
    if timing is None or not timing.before or not timing.after:
        return NOT_MEASURED
    before, after = medians(timing)
    return f"{seconds_text(before)} → {seconds_text(after)}, {timing_text(timing)}"


def medians(timing: Timing | None) -> tuple[float | None, float | None]:
    """Seconds before and after; None where nothing was measured."""
    before, after = (timing.before, timing.after) if timing is not None else ([], [])
    return median(before) if before else None, median(after) if after else None


def sizes_text(before: Sizes | None, after: Sizes | None) -> str:
    """ "412.3 MB → 96.1 MB on the wire, 4.3x smaller"; live bytes where the wire was not
    measured."""
    if before is None or after is None:
        return "no sizes were measured"
    if before.wire is None or after.wire is None:
        pair, word = (before.live, after.live), "live"
    else:
        pair, word = (before.wire, after.wire), "on the wire"
    first, second = two_sizes(*pair)
    if word == "on the wire":
        first, second = about(before, first), about(after, second)
    return f"{first} → {second} {word}, {ratio_text(*pair)}"


def about(sizes: Sizes, shown: str) -> str:
    """A wire size that was estimated says so: "≈ 96.1 MB"."""
    return f"≈ {shown}" if sizes.wire_is_estimate else shown


def wire_text(sizes: Sizes | None) -> str:
    """The wire size as every table has it."""
    return (
        about(sizes, size_text(sizes.wire))
        if sizes is not None and sizes.wire is not None
        else NOT_MEASURED
    )


def recommended(result: OptimizeResult) -> Variant | None:
    """The variant that the result recommends."""
    return next(
        (variant for variant in result.variants if variant.name == result.recommended), None
    )


def pushed_text(result: OptimizeResult, variant: Variant) -> str:
    """What an edit of the source pushes and pulls again: "41.2 MB → at most 312 kB"; "" where it is
    not known of both."""
    arms = (result.original, variant)
    if any(arm.edit_bytes is None for arm in arms):
        return ""
    sizes = [("at most " if a.edit_bytes_at_most else "") + size_text(a.edit_bytes) for a in arms]
    return " → ".join(sizes)


def edit_text(result: OptimizeResult, variant: Variant) -> str:
    """What an edit of the source costs, in one line; "" where nothing is known of it."""
    timed = times_text(variant.timings.get("edit-source"))
    moved = pushed_text(result, variant)
    parts = [f"rebuild {timed}"] if timed != NOT_MEASURED else []
    parts += [f"pushed and pulled again {moved}"] if moved else []
    return "; ".join(parts)


def gain_text(result: OptimizeResult, variant: Variant) -> str:
    """What a variant gains: bytes, and the rebuild after an edit where that was timed."""
    rebuild = variant.timings.get("edit-source")
    timed = (
        f"; rebuild after an edit {times_text(rebuild)}"
        if rebuild and rebuild.before and rebuild.after
        else ""
    )
    return sizes_text(result.original.sizes, variant.sizes) + timed
