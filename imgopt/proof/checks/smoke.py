"""Does the candidate answer, log and end as the original does?"""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.inspect.failures import Item
from imgopt.proof.check import Check, Outcome, counted, judged, not_measured, of_the_runs
from imgopt.proof.example import Mutation, answered
from imgopt.run.comparison import compare, has_text
from imgopt.run.log_failures import failures_from_logs
from imgopt.run.observation import Observation

SMOKE = "smoke"


def check_smoke(originals: Sequence[Observation], candidate: Observation) -> Outcome:
    """The differences as a check; what the candidate's log names as missing, and the original's
    does not, fails too."""
    first = originals[0]
    if not first.started:
        return not_measured(SMOKE, f"the original does not start: {first.reason}")
    if _shows_nothing(first):
        return not_measured(
            SMOKE, "the original ends at once and says nothing: give it a job with command or run"
        )
    unsure = [
        answer.probe.name
        for answer in first.answers
        if not has_text(answer) or answer.probe.status not in (None, answer.status)
    ]
    if unsure:
        return not_measured(
            SMOKE, f"the original does not give the expected answer: {', '.join(unsure)}"
        )
    items = [Item("answer", d.probe, message=str(d)) for d in compare(originals, candidate)]
    known = {
        (item.kind, item.subject) for run in originals for item in failures_from_logs(_told(run))
    }
    said = [
        item
        for item in failures_from_logs(_told(candidate))
        if (item.kind, item.subject) not in known
    ]
    health = candidate.own_health
    fails_too = any(
        run.own_health is not None and run.own_health.status not in (0, None) for run in originals
    )
    if health is not None and health.status != 0 and not fails_too:
        end = (
            health.error
            or f"ends with {health.status}: {health.body[:300].decode(errors='replace').strip()}"
        )
        items.append(
            Item(
                "answer",
                "HEALTHCHECK",
                message=f"the health check that the original does not have {end}",
            )
        )
    asked = _what(originals)
    if health is not None:
        asked += f"; the health check was run, and ended with {health.status}"
    return judged(SMOKE, asked, [*items, *said])


_MOST_OF_AN_ANSWER = 20_000


def _told(run: Observation) -> str:
    """What it logged, and what its answers say of errors: many a handler tells its caller alone
    which module it lacks."""
    errors = [
        answer.plain_body or answer.body
        for answer in run.answers
        if answer.probe.kind == "http" and answer.status is not None and answer.status >= 400
    ]
    texts = [body[:_MOST_OF_AN_ANSWER].decode(errors="replace") for body in errors]
    plain = (text.replace("\\n", "\n").replace('\\"', '"') for text in texts)
    return "\n".join([run.log, *plain])


def _shows_nothing(first: Observation) -> bool:
    """A shell without a terminal, or a program that was given nothing to do: it ends, and no one
    could tell by what."""
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


CHECK = Check(
    SMOKE,
    "answers, output, exit code, open ports and logged errors, against two runs of the original",
    of_the_runs(SMOKE, check_smoke),
    (
        Mutation(
            "it does not start",
            "ended with exit code 1",
            seen={"started": False, "reason": "it ended with exit code 1"},
        ),
        Mutation(
            "another answer", "body is bye instead of hello", seen={"answers": answered("bye")}
        ),
        Mutation("another status", "status is 500", seen={"answers": answered("oops", 500)}),
        Mutation(
            "what was written is lost",
            "/notes",
            seen={"answers": answered("hello", notes="[]")},
        ),
        Mutation(
            "a write is refused",
            "POST :8000/notes: status is 500",
            seen={"answers": answered("hello", written=500)},
        ),
        Mutation("a port is closed", "port 8000 is closed", seen={"listening": ()}),
        Mutation("an error is logged", "ERROR 17", seen={"said": "ready\nERROR 17\n"}),
        Mutation(
            "a permission is denied",
            "permission denied",
            seen={"said": "ready\nopen /x: permission denied\n"},
        ),
        Mutation(
            "a module is missing",
            "wave",
            seen={"log": "ModuleNotFoundError: No module named 'wave'\n"},
        ),
    ),
)
