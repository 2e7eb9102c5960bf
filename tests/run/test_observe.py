from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.engine import BuildRequest, Session
from imgopt.proof.checks.smoke import check_smoke
from imgopt.proof.checks.stop import check_stop
from imgopt.run.comparison import settle
from imgopt.run.observe import observe
from imgopt.run.settings import SmokeSettings

pytestmark = pytest.mark.engine
Make = Callable[..., str]

SERVICE = """
import http.server, os, signal, sys, time, uuid
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(float(os.environ.get("WAIT", "0")))
started, visits = time.time(), 0
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global visits
        visits += 1
        pages = {
            "/": "<a href=/data>d</a><a href=/time>t</a>",
            "/data": open("/srv/data.txt").read() if self.path == "/data" else "",
            "/time": f"up {time.time() - started:.3f}s id {uuid.uuid4()} visit {visits}",
            "/healthz": "fine",
        }
        if self.path == "/openapi.json":
            pages[self.path] = '{"openapi": "3.1.0", "paths": {"/hidden/{id}": {"get": {}}, "/gone": {"get": {}}}}'
        if self.path in ("/hidden/1", "/inner"):
            pages[self.path] = "nobody links here"
        body = pages.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "application/json" if "openapi" in self.path else "text/html")
        self.end_headers()
        self.wfile.write((body or "none").encode())
        open("/tmp/written", "w").close()
http.server.ThreadingHTTPServer((os.environ.get("HOST", ""), 8123), Service).serve_forever()
"""


@pytest.fixture
def make(session: Session, base: Callable[[str], str], tmp_path: Path) -> Make:
    """Builds an image of the service: more Dockerfile lines, the data that it serves, its
    command."""

    def build(
        *lines: str, data: str = "data 1", command: tuple[str, ...] = ("python", "/srv/service.py")
    ) -> str:
        (tmp_path / "service.py").write_text(SERVICE)
        (tmp_path / "data.txt").write_text(data)
        head = [f"FROM {base('python:3.11-slim')}", "ENV PYTHONUNBUFFERED=1", "COPY . /srv"]
        text = "\n".join([*head, *lines, f"CMD {json.dumps(command)}"])
        return session.build(BuildRequest(tmp_path, text)).reference or ""

    return build


def python(code: str) -> tuple[str, ...]:
    return ("python", "-c", code)


def test_a_service_is_found_and_asked_though_no_port_is_exposed(
    session: Session, make: Make
) -> None:
    first = observe(session, make(), guesses=("/inner", "/unknown"))
    assert first.started, first.reason
    assert [(answer.probe.name, answer.status) for answer in first.answers] == [
        ("GET :8123/", 200),
        ("GET :8123/data", 200),
        ("GET :8123/time", 200),
        ("GET :8123/healthz", 200),
        ("GET :8123/openapi.json", 200),
        ("GET :8123/imgopt/no-such-page", 404),
        ("GET :8123/hidden/1", 200),
        ("GET :8123/inner", 200),
    ]
    assert "/tmp/written" in {change.path for change in first.written}
    assert (first.uid, first.stop_code) == (0, 0)
    assert first.peak_memory and first.peak_memory > 1_000_000
    assert first.stop_seconds is not None and first.stop_seconds < 5
    if first.trace.reason is None:
        assert {"/srv/service.py", "/srv/data.txt"} <= first.trace.opened
        assert any("python3" in path for path in first.trace.executed)


def test_the_same_image_passes_and_another_answer_fails_though_times_and_ids_change(
    session: Session, make: Make
) -> None:
    settings, image = SmokeSettings(), make()
    first = observe(session, image, settings)
    originals = (first, observe(session, image, settings, plan=first.plan, trace=False))
    good = observe(session, make("ENV WAIT=1"), settings, plan=first.plan, trace=False)
    runs, differences = settle(session, originals, good, settings)
    assert differences == ()
    assert check_smoke(runs, good).verdict == check_stop(runs, good).verdict == "passed"

    bad = observe(session, make(data="data 2"), settings, plan=first.plan, trace=False)
    runs, differences = settle(session, runs, bad, settings)
    assert [difference.probe for difference in differences] == ["GET :8123/data"]

    broken = observe(
        session, make("RUN rm /srv/service.py"), settings, plan=first.plan, trace=False
    )
    check = check_smoke(runs, broken)
    assert check.verdict == "failed"
    assert "can't open file '/srv/service.py'" in check.items[0].message


def test_another_build_of_the_original_tells_what_its_build_varies(
    session: Session, make: Make
) -> None:
    settings, image = SmokeSettings(), make(data="build 17a of the shop")
    first = observe(session, image, settings)
    originals = (first, observe(session, image, settings, plan=first.plan, trace=False))
    candidate = observe(
        session, make(data="build 93f of the shop"), settings, plan=first.plan, trace=False
    )
    assert settle(session, originals, candidate, settings)[1] != ()
    again = settle(
        session, originals, candidate, settings, lambda: make(data="build 55c of the shop")
    )
    assert again[1] == ()
    lost = observe(
        session, make(data="build 93f of the mall"), settings, plan=first.plan, trace=False
    )
    assert settle(session, again[0], lost, settings, lambda: pytest.fail("built twice"))[1] != ()


def test_the_users_paths_texts_and_commands_come_first(session: Session, make: Make) -> None:
    image = make("EXPOSE 8123", "HEALTHCHECK CMD python -c 'print(42)'")
    settings = SmokeSettings(
        http=("/data=data", ":8123/none"), run=("cat /srv/data.txt", "echo $PYTHONUNBUFFERED")
    )
    seen = observe(session, image, settings, trace=False)
    assert [(answer.probe.name, answer.status) for answer in seen.answers[:5]] == [
        ("GET :8123/data", 200),
        ("GET :8123/none", 404),
        ("run: cat /srv/data.txt", 0),
        ("run: /bin/sh -c 'echo $PYTHONUNBUFFERED'", 0),
        ("HEALTHCHECK", 0),
    ]
    assert seen.trace.reason is not None


def test_a_program_that_ends_is_known_by_code_and_output(session: Session, make: Make) -> None:
    seen = observe(
        session, make(command=python("print('hi')")), SmokeSettings(run=("python --version",))
    )
    assert seen.started
    assert (seen.exit_code, seen.output and seen.output.stdout) == (0, b"hi\n")
    assert [(answer.status, answer.body[:7]) for answer in seen.answers] == [(0, b"Python ")]


def test_a_worker_that_listens_on_nothing_is_watched_until_it_is_idle(
    session: Session, make: Make
) -> None:
    code = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(3)); time.sleep(500)"
    seen = observe(session, make(command=python(code)), trace=False)
    assert seen.started
    assert seen.answers == ()
    assert seen.stop_code == 3


def test_an_original_that_needs_a_setting_says_which(session: Session, make: Make) -> None:
    seen = observe(
        session, make("EXPOSE 80", command=python("import os; os.environ['DATABASE_URL']"))
    )
    assert not seen.started
    assert seen.exit_code == 1
    assert "KeyError" in seen.log_tail[-1]
    assert "DATABASE_URL" in seen.hints[0]


def test_a_program_of_many_jobs_that_explains_itself_may_expose_a_port(
    session: Session, make: Make
) -> None:
    """`ENTRYPOINT ["tool"]`, `CMD ["--help"]`: one of its jobs is to serve."""
    code = "import sys; print('usage: serve | sign', sys.argv[1:])"
    assert observe(
        session, make("EXPOSE 80", command=(*python(code), "--help")), trace=False
    ).started
    assert not observe(
        session, make("EXPOSE 80", command=(*python(code), "serve")), trace=False
    ).started


def test_every_run_starts_from_the_users_files_and_leaves_them_alone(
    session: Session, make: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mounted")
    (folder / "count").write_text("1")
    code = "p = '/data/count'; n = int(open(p).read()) + 1; open(p, 'w').write(str(n)); print('count', n)"
    settings = SmokeSettings(mounts=(f"{folder}:/data",))
    image = make(command=python(code))
    first = observe(session, image, settings, trace=False)
    second = observe(session, image, settings, plan=first.plan, trace=False)
    assert [run.output and run.output.stdout for run in (first, second)] == [
        b"count 2\n",
        b"count 2\n",
    ]
    assert (folder / "count").read_text() == "1"


def test_an_image_without_a_command_is_told(session: Session, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    image = session.build(BuildRequest(tmp_path, "FROM scratch\nCOPY x /\n")).reference or ""
    seen = observe(session, image)
    assert not seen.started
    assert "command under [smoke]" in seen.hints[0]


def test_a_command_that_is_not_in_the_image_is_told(session: Session, make: Make) -> None:
    seen = observe(session, make(command=("not-there",)))
    assert not seen.started
    assert "not-there" in seen.reason


def test_a_port_that_never_opens_ends_in_time(session: Session, make: Make) -> None:
    settings, image = SmokeSettings(start_timeout=3, stop_timeout=1, ports=(9999,)), make()
    started = time.monotonic()
    seen = observe(session, image, settings, trace=False)
    assert not seen.started
    assert "9999" in seen.reason
    assert time.monotonic() - started < 30


def test_an_original_that_only_answers_with_errors_shows_nothing(
    session: Session, make: Make
) -> None:
    seen = observe(session, make("RUN sed -i 's/else 200/else 503/' /srv/service.py"), trace=False)
    assert not seen.started
    assert "503" in seen.reason or "404" in seen.reason


def test_random_ports_of_the_original_are_not_waited_for(session: Session, make: Make) -> None:
    code = (
        "import random, socket, runpy; "
        "extra = socket.create_server(('', random.randrange(40000, 50000))); runpy.run_path('/srv/service.py')"
    )
    image = make(command=python(code))
    first = observe(session, image, trace=False)
    assert first.started
    assert first.plan.listens == (8123,)
    second = observe(session, image, plan=first.plan, trace=False)
    assert check_smoke([first, second], second).verdict == "passed"


def test_a_port_that_opens_long_before_the_real_one_does_not_end_the_wait(
    session: Session, make: Make
) -> None:
    code = (
        "import socket, runpy, time; extra = socket.create_server(('', 9010)); end = time.time() + 5\n"
        "while time.time() < end: pass\n"
        "runpy.run_path('/srv/service.py')"
    )
    seen = observe(session, make(command=python(code)), trace=False)
    assert seen.plan.listens == (8123, 9010)
    assert {"GET :8123/", "connect :9010"} <= {answer.probe.name for answer in seen.answers}


def test_a_service_that_does_not_listen_to_stop_is_given_less_time_the_next_time(
    session: Session, make: Make
) -> None:
    image = make("RUN sed -i /SIGTERM/d /srv/service.py")
    settings = SmokeSettings(stop_timeout=9)
    first = observe(session, image, settings, trace=False)
    assert (first.stop_code, first.plan.deaf) == (137, True)
    second = observe(session, image, settings, plan=first.plan, trace=False)
    assert second.stop_seconds is not None and second.stop_seconds < 8
    assert check_stop([first, second], second).verdict == "passed"
