"""`imgopt cache --replay`: the history played against each Dockerfile, as a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imgopt.cache.reasons import shortened
from imgopt.cache.replay import CommitCost, Replay, ReplayCost
from imgopt.cache.state import State
from imgopt.cache.times import Times
from imgopt.context.history import History
from imgopt.errors import InputError
from imgopt.results.replay import ReplayArm, ReplayCommit, ReplayLine, ReplayResult

_NO_TIMES = "the steps' seconds are not known: add --measure, or --timings with a measured result"


@dataclass(frozen=True, slots=True)
class Arm:
    """A Dockerfile on the context of today, and what is known of its steps' seconds."""

    name: str
    state: State
    times: Times


def replayed(history: History, arms: Sequence[Arm]) -> ReplayResult:
    """Plays the commits. Raises InputError (exit code 2) where there is no history, with the
    reason."""
    if history.commits is None:
        raise InputError(
            f"nothing to replay: {history.reason}",
            hint="--replay reads the commits of the context's git repository",
        )
    costs = [(arm, Replay(arm.state, arm.times).run(history)) for arm in arms]
    return ReplayResult(
        commits=len(history.commits),
        builds_per_month=costs[0][1].builds_per_month if costs else None,
        arms=[_arm(arm, cost) for arm, cost in costs],
        notes=[history.note] if history.note else [],
    )


def _arm(arm: Arm, cost: ReplayCost) -> ReplayArm:
    count = max(1, len(cost.commits))
    unknown = sum(len(commit.unknown) for commit in cost.commits)
    return ReplayArm(
        dockerfile=arm.name,
        steps=len(arm.state.graph.placed),
        missed_per_build=(sum(len(commit.missed) for commit in cost.commits) + unknown) / count,
        unknown_per_build=unknown / count,
        seconds_per_build=cost.per_build,
        seconds_per_month=cost.per_month,
        reason=_NO_TIMES if cost.per_build is None else None,
        lines=[
            ReplayLine(
                line=one.step.line,
                instruction=shortened(one.step.instruction, 200),
                commits=one.commits,
                seconds=one.seconds,
            )
            for one in cost.lines
        ],
        commits=[_commit(commit) for commit in cost.commits],
        notes=[*cost.notes, *([_NO_TIMES] if cost.per_build is None else [])],
    )


def _commit(commit: CommitCost) -> ReplayCommit:
    return ReplayCommit(
        id=commit.id,
        time=commit.time,
        missed=[step.line for step in commit.missed],
        unknown=[step.line for step in commit.unknown],
        causes=[step.line for step in commit.causes],
        seconds=commit.seconds,
    )
