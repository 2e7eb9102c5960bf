"""Does the candidate speak with the companions with which the original speaks?"""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.inspect.failures import Item
from imgopt.proof.check import Check, Outcome, counted, judged, not_measured, of_the_runs
from imgopt.proof.example import Mutation
from imgopt.run.observation import Observation

COMPANIONS = "companions"


def check_companions(originals: Sequence[Observation], candidate: Observation) -> Outcome:
    """Connections to the services beside it, as the kernel's tables have them: one that every run
    of the original reaches, and the candidate never, is no longer used as it was."""
    first = originals[0]
    if not first.companions:
        return not_measured(COMPANIONS, "no other service ran beside it")
    seen = [run.reached for run in originals]
    if candidate.reached is None or None in seen:
        return not_measured(COMPANIONS, "connections are seen on the engine's own machine alone")
    always = frozenset.intersection(*(one for one in seen if one is not None))
    told = ", ".join(sorted(always)) or "none"
    beside = counted(len(first.companions), "service")
    return judged(
        COMPANIONS,
        f"{beside} beside it; the original has connections with: {told}",
        [
            Item("answer", name, message=f"it never reaches {name}, as the original does")
            for name in always - candidate.reached
        ],
    )


CHECK = Check(
    COMPANIONS,
    "the services that ran beside it (database, cache, ...): whether it has connections with them",
    of_the_runs(COMPANIONS, check_companions),
    (
        Mutation(
            "it answers without its cache",
            "it never reaches cache, as the original does",
            seen={"reached": frozenset({"db"})},
        ),
        Mutation(
            "it answers from nothing",
            "it never reaches db, as the original does",
            seen={"reached": frozenset[str]()},
        ),
    ),
)
