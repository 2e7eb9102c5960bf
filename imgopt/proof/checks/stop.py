"""`docker stop`: does the candidate end as well as the original?"""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.inspect.failures import Item
from imgopt.proof.check import Check, judged, not_measured
from imgopt.run.observation import KILLED, Observation

STOP = "stop"
_STOP_SLACK_SECONDS = 3.0
"""Over twice the original's time: on a busy machine the same stop takes so much more or less."""


def check_stop(originals: Sequence[Observation], candidate: Observation) -> Check:
    """`docker stop`: a candidate may stop faster and better than the original, not slower and not worse."""
    first = originals[0]
    if first.stop_seconds is None or not first.started:
        return not_measured(STOP, "the original ends by itself" if first.started else "the original does not start")
    if candidate.stop_seconds is None:
        return not_measured(STOP, "the candidate did not run until it was stopped")
    detail = (
        f"stops in {candidate.stop_seconds:.1f} s with exit code {candidate.stop_code}, "
        f"the original in {first.stop_seconds:.1f} s with {first.stop_code}"
    )
    codes = {run.stop_code for run in originals}
    worse = candidate.stop_code not in codes and KILLED not in codes and candidate.stop_code != 0
    longest = max(run.stop_seconds or 0.0 for run in originals)
    slower = candidate.stop_seconds > 2 * longest + _STOP_SLACK_SECONDS
    return judged(STOP, detail, [Item("stop", "docker stop", message=detail)] if worse or slower else [])
