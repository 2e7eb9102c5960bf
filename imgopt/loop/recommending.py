"""Which variant is recommended, and what is said where none is."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from imgopt.results.optimize import MissingBase, Sizes, Timing, Variant
from imgopt.strategies.registry import find_strategy

LEAST_SHARE, LEAST_BYTES, LEAST_REBUILD = 0.05, 10_000_000, 1.25
"""A variant that saves less than both sizes, and no rebuild time, is not proposed."""
MOST_SLOWER, LEAST_SLOWER_SECONDS = 1.2, 0.5
"""A variant whose rebuild after an edit is slower than the original's by more than this factor and
more than these seconds is not recommended, whatever it saves."""


def conclusion(
    best: Variant | None, variants: list[Variant], missing: Iterable[MissingBase] = ()
) -> tuple[str, str]:
    """Verdict and message. A file is good where nothing is gained though nothing failed and nothing
    was missing; a base without a shell is no must, so that failing there says nothing against the
    file."""
    if best is not None:
        return "proven", f"the {best.name} variant does the same job"
    held_back = next((v for v in variants if v.held_back), None)
    if held_back is not None:
        why = f"{held_back.name} is proven and smaller, but {held_back.held_back}"
        return "good", f"nothing to recommend: {why}"
    failed = [
        v for v in variants if v.verdict == "refuted" or (v.verdict == "unproven" and v.checks)
    ]
    proven = [variant for variant in variants if variant.verdict == "proven"]
    wanted = next((one for one in missing if one.variant != "distroless"), None)
    if not failed and wanted is not None:
        return (
            "unproven",
            f"what {wanted.names[0]} would gain is not known: it cannot be pulled here",
        )
    if not failed or (proven and all(variant.name == "distroless" for variant in failed)):
        return "good", "this file is good: nothing that is worth a change was found" + _beside(
            proven
        )
    gained = "what could be proven gains nothing; " if proven else "no variant could be proven; "
    return "unproven", gained + "; ".join(f"{variant.name}: {variant.reason}" for variant in failed)


def _beside(proven: list[Variant]) -> str:
    """What is proven and costs nothing, though it saves nothing either."""
    changed = next(
        (v for v in proven if any(find_strategy(c.strategy).changes_user for c in v.changes)), None
    )
    if changed is None:
        return ""
    user = changed.user.partition(":")[0]
    return (
        f". It runs as root; the {changed.name} variant, proven, runs as user {user}: --variant"
        f" {changed.name} --write"
    )


def recommend(before: Sizes, variants: list[Variant]) -> Variant | None:
    """The smallest proven variant that is worth it, and whose rebuilds are not slower."""
    worthy = [
        v
        for v in variants
        if v.verdict == "proven" and v.sizes is not None and _is_worth_it(before, v)
        if not rebuilds_slower(v.timings.get("edit-source"))
    ]
    return min(worthy, key=lambda v: (v.sizes.wire or v.sizes.tar) if v.sizes else 0, default=None)


def _is_worth_it(before: Sizes, variant: Variant) -> bool:
    assert variant.sizes is not None
    whole, now = before.wire or before.tar, variant.sizes.wire or variant.sizes.tar
    if whole - now >= LEAST_BYTES or whole - now >= LEAST_SHARE * whole:
        return True
    rebuild = variant.timings.get("edit-source")
    return rebuild is not None and rebuild.ratio is not None and rebuild.ratio >= LEAST_REBUILD


def rebuilds_slower(timing: Timing | None) -> bool:
    """Whether a rebuild after an edit takes longer than the original's by more than is borne."""
    if timing is None or not timing.before or not timing.after:
        return False
    before, after = median(timing.before), median(timing.after)
    return after > before * MOST_SLOWER and after - before > LEAST_SLOWER_SECONDS


def why_held_back(verdict: str, timing: Timing | None) -> str:
    """What is said of a proven variant that is not recommended for its rebuilds; else ""."""
    if verdict != "proven" or timing is None or not rebuilds_slower(timing):
        return ""
    before, after = median(timing.before), median(timing.after)
    return f"its rebuild after an edit takes {after:.1f} s, the original's {before:.1f} s"
