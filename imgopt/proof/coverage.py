"""How much of the code was asked, where the user says how much it has to be.

What no request reached may use what nobody opened: below that share a candidate is proven only
where it drops nothing that such code could use.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Outcome, not_measured
from imgopt.proof.checks.smoke import SMOKE
from imgopt.proof.excused_files import derived_drops
from imgopt.run.observation import Observation
from imgopt.run.opened import source_of
from imgopt.run.request_report import sources_read


def with_coverage(checks: Iterable[Outcome], why_not: str) -> tuple[Outcome, ...]:
    """Smoke that passed has measured nothing where too little was asked."""
    return tuple(
        not_measured(SMOKE, why_not)
        if why_not and check.name == SMOKE and check.verdict == "passed"
        else check
        for check in checks
    )


def too_little(
    runs: Sequence[Observation],
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    least: int,
) -> str:
    """Why it is not known whether unreached code finds what it needs; "" where it does, and where
    nobody can tell how much was reached (a compiled program). `least` is in per cent."""
    read, unread = sources_read(runs, original) if least else (0, [])
    share = 100 * read // (read + len(unread)) if read else 100
    if share >= least:
        return ""
    dropped = _dropped(original, candidate, allowances)
    if not dropped:
        return ""
    asked = f"{share} % of the code was asked, {least} % are wanted"
    return f"{asked}, and {dropped} is left out, which the rest could use; add [smoke] requests"


def _dropped(original: ImageView, candidate: ImageView, allowances: Allowances) -> str:
    """The first file that is left out though its name alone does not say that no run needs it."""
    by_name = replace(allowances, drops=derived_drops(original, None))
    for node in original.tree.files():
        if source_of(node.path) or by_name.drop_reason(node.path):
            continue
        if not any(candidate.tree.get(place) for place, _ in allowances.places(node.path)):
            return node.path
    return ""
