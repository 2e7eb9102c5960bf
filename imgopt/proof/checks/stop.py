"""`docker stop`: does the candidate end as well as the original?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from imgopt.inspect.failures import Item
from imgopt.proof.check import Check, Comparison, Outcome, judged, not_measured, of_the_runs
from imgopt.proof.example import Mutation
from imgopt.run.observation import KILLED, Observation
from imgopt.run.under_way import COUNT

STOP = "stop"
ENDED_BY_THE_SIGNAL = 143
"""128 + SIGTERM: it ended because it was told to, which is no worse than another error."""
_STOP_SLACK_SECONDS = 3.0
"""Over twice the original's time: on a busy machine the same stop takes so much more or less."""


def check_stop(
    originals: Sequence[Observation], candidate: Observation, promise: str = ""
) -> Outcome:
    """`docker stop`: a candidate may stop faster and better than the original, not slower and not
    worse. `promise`: the change that it was made for; then it has to end by itself, and the
    original's being killed is no excuse."""
    first = originals[0]
    if first.stop_seconds is None or not first.started:
        return not_measured(
            STOP, "the original ends by itself" if first.started else "the original does not start"
        )
    if candidate.stop_seconds is None:
        return not_measured(STOP, "the candidate did not run until it was stopped")
    detail = (
        f"stops in {candidate.stop_seconds:.1f} s with exit code {candidate.stop_code}, "
        f"the original in {first.stop_seconds:.1f} s with {first.stop_code}"
    )
    codes = {run.stop_code for run in originals}
    as_told = candidate.stop_code == ENDED_BY_THE_SIGNAL and 0 not in codes
    worse = candidate.stop_code not in codes and KILLED not in codes and candidate.stop_code != 0
    worse = worse and not as_told
    longest = max(run.stop_seconds or 0.0 for run in originals)
    slower = candidate.stop_seconds > 2 * longest + _STOP_SLACK_SECONDS
    reasons = [detail] if worse or slower else []
    if promise and candidate.stop_code == KILLED:
        reasons.append(f"{detail}: it has to be killed still, though {promise}")
    cut, before = candidate.cut, [run.cut for run in originals if run.cut is not None]
    if cut is not None and before:
        detail += f"; of {COUNT} requests under way {cut} are cut, {max(before)} of the original's"
        if cut > max(before) and (promise or KILLED not in codes):
            reasons.append(f"{cut} of {COUNT} requests under way are cut, which the original ends")
    return judged(STOP, detail, [Item("stop", "docker stop", message=one) for one in reasons])


def _judge(given: Comparison) -> Outcome:
    promise = given.allowances.ends_in_time
    return of_the_runs(STOP, partial(check_stop, promise=promise))(given)


CHECK = Check(
    STOP,
    "how soon it ends when it is told to stop, and with which exit code",
    _judge,
    (
        Mutation("it has to be killed", "137", seen={"stop_code": 137, "stop_seconds": 10.0}),
        Mutation("it ends with an error", "exit code 1", seen={"stop_code": 1}),
        Mutation("it cuts what it answers", "2 of 2 requests", seen={"cut": 2}),
        Mutation("it stops later", "stops in 9.0 s", seen={"stop_seconds": 9.0}),
    ),
)
