from __future__ import annotations

import zlib
from dataclasses import replace

import pytest

from imgopt.engine import Output
from imgopt.proof.checks.smoke import check_smoke
from imgopt.proof.checks.stop import check_stop
from imgopt.run.comparison import Difference, compare
from imgopt.run.listening import Listener
from imgopt.run.observation import Observation, RunPlan
from imgopt.run.probes import Answer, Probe

ROOT = Probe("http", "found", 8000, "/")
PLAN = RunPlan((8000,), (8000,), (ROOT,), False, 1.0)


def served(
    body: str,
    status: int | None = 200,
    kind: str = "text/plain",
    probe: Probe = ROOT,
    **more: object,
) -> Observation:
    answer = Answer(probe, status, (("content-type", kind),), body.encode())
    base = Observation(
        "image",
        True,
        "it answers",
        PLAN,
        (answer,),
        listening=(Listener(8000, False),),
        stop_seconds=0.2,
        stop_code=0,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def ended(code: int, out: str, err: str = "") -> Observation:
    output = Output(code, out.encode(), err.encode())
    return Observation(
        "image", True, "it ended", PLAN, exit_code=code, output=output, log=out + err
    )


def test_the_same_answers_pass_and_say_what_was_compared() -> None:
    check = check_smoke([served("a 1"), served("a 2")], served("a 3"))
    assert (check.verdict, check.detail) == ("passed", "1 answer, against 2 runs of the original")


@pytest.mark.parametrize(
    ("candidate", "aspect"),
    [
        (served("hello", status=500), "status"),
        (served("hello", status=None), "status"),
        (served("hello", kind="text/html"), "header"),
        (served("other"), "body"),
        (served("hello", listening=()), "ports"),
        (served("hello", started=False, reason="it ended with exit code 1"), "start"),
        (served("hello", answers=()), "status"),
    ],
)
def test_each_way_to_answer_otherwise_is_found(candidate: Observation, aspect: str) -> None:
    originals = [served("hello"), served("hello")]
    assert aspect in {difference.aspect for difference in compare(originals, candidate)}
    assert check_smoke(originals, candidate).verdict == "failed"


def test_a_text_that_the_user_expects_must_be_there_even_where_the_body_changes() -> None:
    probe = replace(ROOT, source="user", text="42")
    originals = [served("42 a1", probe=probe), served("42 a2 b3", probe=probe)]
    assert compare(originals, served("42 a4", probe=probe)) == ()
    assert [d.aspect for d in compare(originals, served("41 a4", probe=probe))] == ["text"]


def test_an_original_without_the_expected_text_proves_nothing() -> None:
    probe = replace(ROOT, source="user", text="missing")
    assert (
        check_smoke([served("x", probe=probe)] * 2, served("x", probe=probe)).verdict
        == "not measured"
    )


def test_an_original_that_does_not_start_proves_nothing() -> None:
    broken = served("", started=False, reason="it ended with exit code 1")
    assert check_smoke([broken, broken], broken).verdict == "not measured"
    assert check_stop([broken, broken], broken).verdict == "not measured"


def test_of_a_redirection_only_its_status_and_its_target_count() -> None:
    def led(target: str, body: str, kind: str, status: int = 301) -> Observation:
        headers = (("location", target), ("content-type", kind))
        return replace(served(""), answers=(Answer(ROOT, status, headers, body.encode()),))

    originals = [led("/a", "", "")] * 2
    assert compare(originals, led("/a", "<h1>301</h1>", "text/html")) == ()
    assert [d.aspect for d in compare(originals, led("/b", "", ""))] == ["header"]
    assert [d.aspect for d in compare(originals, led("/a", "", "", 302))] == ["status"]


def test_a_health_check_that_the_original_has_not_must_hold() -> None:
    def healthy(code: int | None) -> Observation:
        answer = Answer(Probe("command", "image", command=("curl",)), code, body=b"refused")
        return served("hello", own_health=answer)

    good = check_smoke([served("hello")] * 2, healthy(0))
    assert good.verdict == "passed"
    assert "the health check was run, and ended with 0" in good.detail
    assert check_smoke([served("hello"), healthy(7)], healthy(7)).verdict == "passed"
    check = check_smoke([served("hello")] * 2, healthy(7))
    assert check.verdict == "failed"
    assert "ends with 7: refused" in str(check.items[0])


def test_pictures_are_compared_by_their_bytes() -> None:
    originals = [served("\x89PNG", kind="image/png")] * 2
    assert compare(originals, served("\x89PNG", kind="image/png")) == ()
    [difference] = compare(originals, served("\x89PNH", kind="image/png"))
    assert "sha256:" in difference.after


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("text/html", "<pre>at {}/x.py</pre>"),
        ("text/plain", "Traceback (most recent call last):\n  File {}/x.py"),
        ("application/json", '{{"stack": "Error: x\\n    at {}/x.js:1"}}'),
    ],
)
def test_the_page_of_an_internal_error_is_compared_by_its_status_only(kind: str, page: str) -> None:
    originals = [served(page.format("/usr/lib"), 500, kind)] * 2
    assert compare(originals, served(page.format("/venv/lib"), 500, kind)) == ()


def test_two_different_health_checks_are_compared_by_their_exit_code_only() -> None:
    one, two = (Probe("command", "image", command=(name,)) for name in ("curl", "python"))
    assert compare([served("<html>", 0, probe=one)] * 2, served("", 0, probe=two)) == ()
    assert compare([served("<html>", 0, probe=one)] * 2, served("", 1, probe=two))


def test_programs_that_end_are_compared_by_code_and_both_streams() -> None:
    originals = [ended(0, "done in 1.5s"), ended(0, "done in 1.7s")]
    assert compare(originals, ended(0, "done in 9.1s")) == ()
    assert [d.probe for d in compare(originals, ended(3, "done in 2s"))] == ["exit code"]
    assert [d.probe for d in compare(originals, ended(0, "failed in 2s"))] == ["stdout"]
    assert [d.probe for d in compare(originals, ended(0, "done in 2s", "warning"))] == ["stderr"]


def test_what_only_the_candidates_log_misses_fails_with_the_thing_by_name() -> None:
    candidate = served(
        "ok", log="libvips.so.42: cannot open shared object file: No such file or directory"
    )
    [item] = check_smoke([served("ok")] * 2, candidate).items
    assert (item.kind, item.subject) == ("missing-library", "libvips.so.42")
    assert check_smoke([candidate, served("ok")], candidate).verdict == "passed"


def test_a_port_that_the_original_opens_only_sometimes_is_not_asked_for() -> None:
    originals = [
        served("x", listening=(Listener(8000, False), Listener(41234, False))),
        served("x"),
    ]
    assert compare(originals, served("x")) == ()


def test_opening_to_all_what_was_open_to_itself_is_no_closed_port() -> None:
    originals = [served("x", listening=(Listener(8000, True),))] * 2
    assert compare(originals, served("x", listening=(Listener(8000, False),))) == ()


@pytest.mark.parametrize(
    ("original", "candidate", "verdict"),
    [
        ((0.2, 0), (0.3, 0), "passed"),
        ((10.2, 137), (3.1, 137), "passed"),
        ((10.2, 137), (0.2, 0), "passed"),
        ((0.2, 143), (0.2, 0), "passed"),
        ((0.2, 1), (0.2, 1), "passed"),
        ((0.2, 0), (10.2, 137), "failed"),
        ((0.2, 0), (0.2, 1), "failed"),
        ((0.2, 0), (5.0, 0), "failed"),
    ],
)
def test_a_stop_may_get_better_and_not_worse(
    original: tuple[float, int], candidate: tuple[float, int], verdict: str
) -> None:
    one, two = (
        served("", stop_seconds=seconds, stop_code=code) for seconds, code in (original, candidate)
    )
    assert check_stop([one, one], two).verdict == verdict


def test_log_lines_of_a_service_that_runs_are_not_compared() -> None:
    assert compare([served("x", log="started a")] * 2, served("x", log="started b")) == ()


def _run(log: str = "", **more: object) -> Observation:
    plan = RunPlan((), (), (), False, 0.0)
    return replace(
        Observation("i", True, "it runs without listening on a port", plan, log=log, said=log),
        **more,
    )  # type: ignore[arg-type]


def test_an_error_that_only_the_candidate_logs_is_a_difference() -> None:
    originals = [
        _run("ready at 10:00:01\nERROR 5 retries\n"),
        _run("ready at 10:00:09\nERROR 7 retries\n"),
    ]
    assert compare(originals, _run("ready at 10:01:00\nERROR 9 retries\n")) == ()
    found = compare(originals, _run("ready at 10:01:00\nERROR 9 retries\nPermissionError: x\n"))
    assert [(d.aspect, d.before) for d in found] == [("log", "no such line")]


def test_the_number_of_a_thread_is_no_difference_where_the_column_cuts_its_name() -> None:
    before = _run(
        "10:02 WARN 7 --- [rates] [nio-8080-exec-9] Resolver : Resolved [MissingException: amount]\n"
    )
    after = _run(
        "10:03 WARN 7 --- [rates] [io-8080-exec-10] Resolver : Resolved [MissingException: amount]\n"
    )
    other = _run(
        "10:03 WARN 7 --- [rates] [io-8080-exec-10] Resolver : Resolved [MissingException: rate]\n"
    )
    assert compare([before, before], after) == ()
    assert {found.aspect for found in compare([before, before], other)} == {"log"}


def test_what_is_logged_while_it_stops_is_no_difference() -> None:
    stopping = replace(_run("ready\n"), log="ready\nERROR: Worker was sent SIGTERM!\n")
    assert compare([_run("ready\n"), _run("ready\n")], stopping) == ()


def test_what_a_worker_always_says_must_be_said() -> None:
    originals = [_run("job 1 done\nseen a\n"), _run("job 2 done\nseen b\n")]
    assert compare(originals, _run("job 3 done\n")) == ()
    assert [d.before for d in compare(originals, _run("waiting\n"))] == ["job # done"]


def test_a_socket_that_is_not_opened_any_more_is_a_difference() -> None:
    originals = [_run(sockets=("udp 53", "unix /run/1")), _run(sockets=("udp 53",))]
    assert compare(originals, _run(sockets=("udp 53", "unix /run/2"))) == ()
    assert [d.probe for d in compare(originals, _run())] == ["udp 53"]


def coded(text: str, coding: str) -> Answer:
    """An answer with a content coding, JSON inside."""
    window = {"gzip": 31, "deflate": 15, "raw": -15}.get(coding, 15)
    packer = zlib.compressobj(wbits=window)
    headers = (
        ("content-type", "application/json"),
        ("content-encoding", "deflate" if coding == "raw" else coding),
    )
    return Answer(
        Probe("http", "link", 80, "/coded"),
        200,
        headers,
        packer.compress(text.encode()) + packer.flush(),
    )


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw"])
def test_what_changes_inside_a_packed_answer_is_masked_and_the_rest_is_not(coding: str) -> None:
    first, second, third, other = (
        replace(_run(), answers=(coded(f'{{"host": "{host}", "ok": {ok}}}', coding),))
        for host, ok in (("a1b2", "true"), ("c3d4", "true"), ("e5f6", "true"), ("e5f6", "false"))
    )
    assert compare([first, second], third) == ()
    assert [difference.aspect for difference in compare([first, second], other)] == ["body"]


SHOWN = {
    "two lines": ("a\n  b", "a b"),
    "nothing": ("", "nothing"),
    "bytes": ("x\ufffd\x9c\x00T", "no text"),
    "a name with one odd sign": (
        "Andr\ufffd has a long name here",
        "Andr\ufffd has a long name here",
    ),
}


@pytest.mark.parametrize(("given", "shown"), SHOWN.values(), ids=SHOWN)
def test_a_difference_is_told_in_one_line(given: str, shown: str) -> None:
    assert (
        str(Difference("GET :80/", "body", "b", given)) == f"GET :80/: body is {shown} instead of b"
    )


def test_an_unknown_coding_is_compared_by_its_bytes() -> None:
    one, two = (replace(_run(), answers=(coded(text, "br"),)) for text in ("1", "2"))
    assert [difference.aspect for difference in compare([one, one], two)] == ["body"]
    assert "sha256" in compare([one, one], two)[0].after


HOMES = {
    "below the home of another user": ("unix /root/.app/ctl", "unix /tmp/.app/ctl", []),
    "the same place as before": ("unix /root/.app/ctl", "unix /root/.app/ctl", []),
    "another name": ("unix /root/.app/ctl", "unix /tmp/.app/other", ["unix /root/.app/ctl"]),
    "a folder beside": ("unix /rooted/ctl", "unix /tmp/ctl", ["unix /rooted/ctl"]),
    "nowhere": ("unix /root/.app/ctl", "udp 53", ["unix /root/.app/ctl"]),
}


@pytest.mark.parametrize(("before", "after", "missing"), HOMES.values(), ids=HOMES)
def test_a_socket_of_the_home_folder_moves_with_the_user(
    before: str, after: str, missing: list[str]
) -> None:
    original = _run(sockets=(before,), home="/root")
    found = compare([original, original], _run(sockets=(after,), home="/tmp"))
    assert [difference.probe for difference in found] == missing


def test_a_program_that_ends_and_says_nothing_proves_nothing() -> None:
    silent = _run(exit_code=0, output=Output(0, b"", b""))
    assert check_smoke([silent, silent], silent).verdict == "not measured"
    said = _run(exit_code=0, output=Output(0, b"done\n", b""))
    assert check_smoke([said, said], said).verdict == "passed"


WRITE = Probe("http", "found", 8000, "/notes", method="POST")
FAILS = '{"error": "KeyError: \'text\'"}'
LACKS = '{"error": "ModuleNotFoundError: No module named \'wave\'"}'


def test_a_handler_that_fails_in_the_same_way_passes() -> None:
    given = [served(FAILS, 500, "application/json", WRITE)] * 2
    assert check_smoke(given, given[0]).verdict == "passed"


@pytest.mark.parametrize(
    ("before", "after"),
    [((FAILS, 500), (LACKS, 500)), (("{}", 201), (LACKS, 500)), (("{}", 400), (LACKS, 500))],
)
def test_a_module_that_only_an_answer_names_is_a_module_to_add(
    before: tuple[str, int], after: tuple[str, int]
) -> None:
    originals = [served(*before, "application/json", WRITE)] * 2
    items = check_smoke(originals, served(*after, "application/json", WRITE)).items
    assert {(item.kind, item.subject) for item in items} >= {("missing-module", "wave")}
    assert any(item.kind == "answer" for item in items)


def test_an_expected_status_that_the_original_does_not_give_proves_nothing() -> None:
    expected = replace(WRITE, status=201)
    given = [served("{}", 200, "application/json", expected)] * 2
    check = check_smoke(given, given[0])
    assert (check.verdict, "POST :8000/notes" in check.detail) == ("not measured", True)
