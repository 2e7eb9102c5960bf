"""Compares observed runs: does the candidate answer, end and stop as the original does?

The original is observed at least twice, so that what differs between its own runs is known. A difference that could be
a value that changes, but happened not to, is settled by observing the original once more (`settle`).
"""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.inspect.failures import Item
from imgopt.proof.model import Check, counted, judged, not_measured
from imgopt.run.comparison import compare, has_text
from imgopt.run.log_failures import failures_from_logs
from imgopt.run.observation import KILLED, Observation

SMOKE = "smoke"
STOP = "stop"
_STOP_SLACK_SECONDS = 3.0
"""Over twice the original's time: on a busy machine the same stop takes so much more or less."""


def check_smoke(originals: Sequence[Observation], candidate: Observation) -> Check:
    """The differences as a check; what the candidate's log names as missing, and the original's does not, fails too."""
    first = originals[0]
    if not first.started:
        return not_measured(SMOKE, f"the original does not start: {first.reason}")
    if _shows_nothing(first):
        return not_measured(SMOKE, "the original ends at once and says nothing: give it a job with command or run")
    unsure = [answer.probe.name for answer in first.answers if answer.probe.text is not None and not has_text(answer)]
    if unsure:
        return not_measured(SMOKE, f"the original does not give the expected text: {', '.join(unsure)}")
    items = [Item("answer", d.probe, message=str(d)) for d in compare(originals, candidate)]
    known = {(item.kind, item.subject) for run in originals for item in failures_from_logs(run.log)}
    said = [item for item in failures_from_logs(candidate.log) if (item.kind, item.subject) not in known]
    health = candidate.own_health
    if health is not None and health.status != 0:
        end = health.error or f"ends with {health.status}: {health.body[:300].decode(errors='replace').strip()}"
        items.append(Item("answer", "HEALTHCHECK", message=f"the health check that the original does not have {end}"))
    return judged(SMOKE, _what(originals), [*items, *said])


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


def _shows_nothing(first: Observation) -> bool:
    """A shell without a terminal, or a program that was given nothing to do: it ends, and no one could tell by what."""
    if first.output is None or first.answers or first.exit_code != 0:
        return False
    return not (first.output.stdout.strip() or first.output.stderr.strip() or first.written)


def _what(originals: Sequence[Observation]) -> str:
    first = originals[0]
    count = len(first.answers)
    asked = counted(count, "answer")
    if first.output is not None:
        asked = f"exit code {first.exit_code} and output" + (f", {asked}" if count else "")
    elif not count:
        asked = "keeps running; it listens on no port that could be asked; what it logs"
    return f"{asked}, against {counted(len(originals), 'run')} of the original"
