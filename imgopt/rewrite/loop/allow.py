"""The differences that a plan intends, for the proof: each with its reason, nothing else is excused."""

from __future__ import annotations

from dataclasses import replace

from imgopt.proof.derive import derive
from imgopt.proof.model import Allowances, Drop, DroppedPackage
from imgopt.proof.side import Side
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.plan import Plan


def allowances(plan: Plan, evidence: Evidence, candidate: Side) -> Allowances:
    """What the rules of the proof allow for any rewrite, and what this plan says that it dropped."""
    derived = derive(evidence.side, candidate, evidence.opened if evidence.seen.opened is not None else None)
    return replace(derived, drops=(*_drops(plan), *derived.drops), packages=(*_tools(plan), *derived.packages))


def _drops(plan: Plan) -> tuple[Drop, ...]:
    drops = [Drop("the ignore file keeps it out of the build", plan.kept_out)] if plan.kept_out else []
    if plan.final is None:
        return tuple(drops)
    by_reason: dict[str, set[str]] = {}
    for path in plan.final.carved.paths("dropped"):
        by_reason.setdefault(plan.final.carved.fates[path].reason, set()).add(path)
    return (*drops, *(Drop(reason, frozenset(paths)) for reason, paths in sorted(by_reason.items())))


def _tools(plan: Plan) -> tuple[DroppedPackage, ...]:
    return tuple(DroppedPackage(name, "a build tool that nothing opened") for name in plan.removed_tools)
