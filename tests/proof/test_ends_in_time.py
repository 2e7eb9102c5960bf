"""A change that promises that the service ends in time: what the proof allows it, and to what it
holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Comparison
from imgopt.proof.checks import application_files, configuration, opened_files, processes, stop
from imgopt.proof.example import CONFIG, LAYERS, PROCESS, SEEN, File, seen_processes
from imgopt.rewrite.effects import EndsInTime
from imgopt.run.pictures import Picture, Process
from imgopt.run.runs import Runs

KILLED = replace(SEEN, stop_seconds=10.2, stop_code=137)
PROMISE = EndsInTime("a shell gives its place")
View = Callable[..., ImageView]


def stopped(code: int, seconds: float, effect: EndsInTime | None = PROMISE) -> str:
    known = effect.allow(Allowances()) if effect is not None else Allowances()
    outcome = stop.check_stop(
        (KILLED, KILLED),
        replace(SEEN, stop_seconds=seconds, stop_code=code),
        known.ends_in_time,
    )
    return outcome.verdict


@pytest.mark.parametrize(("code", "seconds"), [(0, 0.2), (143, 0.2), (130, 3.0), (1, 9.0)])
def test_what_ends_by_itself_keeps_the_promise(code: int, seconds: float) -> None:
    assert stopped(code, seconds) == "passed"


def test_what_has_to_be_killed_still_breaks_the_promise() -> None:
    assert stopped(137, 10.2) == "failed"
    assert stopped(137, 10.2, None) == "passed"


@pytest.mark.parametrize(
    ("before", "after", "promise", "verdict"),
    [
        (0, 2, "exec", "failed"),
        (0, 0, "exec", "passed"),
        (2, 2, "exec", "passed"),
        (0, 2, "", "passed"),
        (None, 2, "exec", "passed"),
    ],
    ids=["cut now", "ended", "cut before, too", "killed before, nothing promised", "not seen"],
)
def test_requests_under_way_are_answered_as_before(
    before: int | None, after: int, promise: str, verdict: str
) -> None:
    originals = (replace(KILLED, cut=before),) * 2
    outcome = stop.check_stop(originals, replace(SEEN, stop_seconds=0.3, cut=after), promise)
    assert outcome.verdict == verdict


SCRIPT = "#!/bin/sh\nexec python3 main.py --fast\n"


def compared(
    view_of: View, script: str, effect: EndsInTime | None, config: Mapping[str, Any] | None = None
) -> Comparison:
    original = Recipe(LAYERS, CONFIG)
    known = effect.allow(Allowances()) if effect is not None else Allowances()
    changed = original.but(files={"app/run.sh": File(script, 0o755)}, **(config or {}))
    return Comparison(view_of(original, 1), view_of(changed, 1), known, Runs((SEEN, SEEN), SEEN))


REWRITTEN = EndsInTime("exec", scripts={"/app/run.sh": SCRIPT.encode()})


@pytest.mark.parametrize("check", [application_files, opened_files], ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    ("script", "effect", "verdict"),
    [
        (SCRIPT, REWRITTEN, "passed"),
        (SCRIPT, PROMISE, "failed"),
        (SCRIPT + "rm -rf /data\n", REWRITTEN, "failed"),
    ],
    ids=["as it was said", "not said", "more than was said"],
)
def test_a_script_may_be_rewritten_to_the_byte(
    view_of: View, check: Any, script: str, effect: EndsInTime, verdict: str
) -> None:
    assert check.CHECK.judge(compared(view_of, script, effect)).verdict == verdict


@pytest.mark.parametrize(
    ("signal", "effect", "verdict"),
    [
        ("SIGINT", replace(PROMISE, signal="SIGINT"), "passed"),
        ("SIGINT", PROMISE, "failed"),
    ],
)
def test_a_signal_may_be_another_one_where_that_was_said(
    view_of: View, signal: str, effect: EndsInTime, verdict: str
) -> None:
    given = compared(view_of, "#!/bin/sh\nexec python3 main.py\n", effect, {"StopSignal": signal})
    assert configuration.CHECK.judge(given).verdict == verdict


def test_a_shell_that_gives_its_place_is_not_missed(view_of: View) -> None:
    shell = Process(1, 0, "/bin/sh", ("/bin/sh", "-c", "true && web main.py"), caught=frozenset())
    service = replace(PROCESS, number=7, parent=1)
    before = replace(SEEN, pictures=(Picture((shell, service), SEEN.pictures[0].names),) * 2)
    after = replace(SEEN, pictures=seen_processes(beside=()))
    texts = [
        ("/bin/sh", "-c", "true && web main.py"),
        ("/bin/sh", "-c", "true && exec web main.py"),
    ]
    original = Recipe(LAYERS, {**CONFIG, "Cmd": list(texts[0])})
    changed = Recipe(LAYERS, {**CONFIG, "Cmd": list(texts[1])})
    for effect, verdict in (
        (replace(PROMISE, start=((), texts[1])), "passed"),
        (PROMISE, "failed"),
    ):
        given = Comparison(
            view_of(original, 1),
            view_of(changed, 1),
            effect.allow(Allowances()),
            Runs((before, before), after),
        )
        assert configuration.CHECK.judge(given).verdict == verdict
        assert processes.CHECK.judge(given).verdict == verdict
