"""Companions on a real engine: started and waited for as the Compose file says, each run with fresh
data, nothing of the user's touched, nothing left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from imgopt.bench.startup import run_once
from imgopt.compose.companions import beside
from imgopt.compose.project import read_project
from imgopt.config import AnswerSection
from imgopt.engine import BuildRequest, Engine, Session
from imgopt.engine.removal import LABEL
from imgopt.proof.checks.companions import check_companions
from imgopt.run.answers import answers_of
from imgopt.run.companions import CompanionFailure, companions
from imgopt.run.observe import observe
from imgopt.run.settings import SmokeSettings
from imgopt.run.tests_image import own_tests

pytestmark = pytest.mark.engine
PROGRAM = """
import http.server, os, signal, sys, time, urllib.request
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
kind, begun = sys.argv[1], time.time()
def fetch(url):
    return urllib.request.urlopen(url, timeout=5).read().decode()
def visits():
    with open("/data/visits", "a+") as file:
        file.write("x")
        file.seek(0)
        return str(len(file.read()))
if kind == "migrate":
    fetch("http://store:7000/health")
    open("/shared/schema", "w").write("one table")
    sys.exit(int(os.environ.get("CODE", "0")))
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        late = kind == "store" and time.time() - begun < 1
        pages = {
            "/": lambda: "<a href=/rows>r</a><a href=/schema>s</a><a href=/world>w</a>",
            "/health": lambda: "ok",
            "/visits": visits,
            "/rows": lambda: fetch("http://store:7000/visits"),
            "/schema": lambda: open("/shared/schema").read(),
            "/world": lambda: fetch(os.environ["WORLD"] + "/v1/models"),
        }
        try:
            status, body = (503, "not yet") if late else (200, pages[self.path]())
        except Exception as error:
            status, body = 500, repr(error)
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())
if kind == "web":
    open("/shared/schema").close()  # what the migration made is there
http.server.ThreadingHTTPServer(("", 7000 if kind == "store" else 8000), Service).serve_forever()
"""
STACK = """
services:
  web:
    build: .
    command: [python, /srv/program.py, web]
    environment: {STORE: "http://store:7000"}
    volumes: [shared:/shared, "./mine:/mine"]
    depends_on:
      migrate: {condition: service_completed_successfully}
  migrate:
    build: .
    command: [python, /srv/program.py, migrate]
    environment: {CODE: "${CODE:-0}"}
    volumes: [shared:/shared]
    depends_on:
      store: {condition: service_healthy}
  store:
    build: {context: ., dockerfile: Dockerfile.store}
    volumes: [rows:/data]
    healthcheck: {test: python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:7000/health')"}
volumes: {shared: , rows: }
"""


@pytest.fixture
def stack(tmp_path: Path, base: Callable[[str], str]) -> Path:
    name = base("python:3.11-slim")
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "compose.yaml").write_text(STACK)
    (tmp_path / "Dockerfile").write_text(f"FROM {name}\nCOPY program.py /srv/\nEXPOSE 8000\n")
    store = f"FROM {name}\nCOPY program.py /srv/\nEXPOSE 7000\nCMD python /srv/program.py store\n"
    (tmp_path / "Dockerfile.store").write_text(store)
    (tmp_path / ".dockerignore").write_text("mine\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept").write_text("as it was")
    return tmp_path


def settings_of(stack: Path) -> SmokeSettings:
    project = read_project(stack, own=True)
    assert project is not None
    found = beside(project, "web")
    return SmokeSettings(beside=found, command=found.service.command, writes=False)


@pytest.fixture
def image(session: Session, stack: Path) -> str:
    return session.build(BuildRequest(stack)).reference or ""


def left(engine: Engine, session: str = "") -> list[str]:
    """Names of what sessions (or one of them) still have in the engine."""
    api, label = engine.client.api, f"{LABEL}={session}" if session else LABEL
    wanted = {"label": label}
    found = [name for one in api.containers(all=True, filters=wanted) for name in one["Names"]]
    found += [one["Name"] for one in api.networks(filters=wanted)]
    return found + [one["Name"] for one in api.volumes(filters=wanted)["Volumes"] or ()]


def test_a_service_runs_with_what_it_needs_and_every_run_begins_with_fresh_data(
    session: Session, stack: Path, image: str
) -> None:
    settings = settings_of(stack)
    first = observe(session, image, settings)
    assert first.started, (first.reason, first.log)
    pages = {a.probe.path: (a.status, a.body) for a in first.answers if a.probe.kind == "http"}
    assert pages["/schema"] == (200, b"one table") and pages["/rows"] == (200, b"1")
    again = observe(session, image, settings, plan=first.plan, trace=False)
    assert [a.body for a in again.answers] == [a.body for a in first.answers]
    assert first.stored == {"/shared/schema": "file", "/mine/kept": "file"}
    assert first.companions == ("store",) and first.reached == again.reached == {"store"}
    assert [one for one in left(session.engine, session.id) if one] == []


def test_the_projects_own_tests_and_the_benchmark_have_the_companions_too(
    session: Session, stack: Path, image: str
) -> None:
    script = (
        "import os, urllib.request as u; print(u.urlopen(os.environ['BASE_URL'] + '/rows').read())"
    )
    settings = replace(settings_of(stack), tests=f'python -c "{script}"')
    first = observe(session, image, settings)
    tests = own_tests(session, settings, image, None, "")
    assert tests is not None
    said = tests.original(image, first.plan)
    assert (said.code, said.output.strip()) == (0, "b'1'")
    timed = run_once(session, image, settings, first.plan)
    assert timed.failure == "" and timed.start is not None and timed.stop_code == 0


def test_who_never_reaches_a_companion_any_more_is_refuted(
    session: Session, stack: Path, image: str
) -> None:
    settings = settings_of(stack)
    first = observe(session, image, settings)
    text = (
        f'FROM {image}\nRUN sed -i \'s,fetch("http://store:7000/visits"),"1",\' /srv/program.py\n'
    )
    other = session.build(BuildRequest(stack, text)).reference or ""
    seen = observe(session, other, settings, plan=first.plan, trace=False)
    assert [a.body for a in seen.answers] == [a.body for a in first.answers]
    said = check_companions((first, first), seen)
    assert [str(item) for item in said.items] == ["it never reaches store, as the original does"]


def test_a_migration_that_fails_is_told_with_its_own_words(
    session: Session, stack: Path, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE", "7")
    seen = observe(session, image, settings_of(stack))
    assert not seen.started and "its companion migrate ended with exit code 7" in seen.reason


def test_a_companion_that_cannot_be_had_is_named_with_what_could_stand_in(
    session: Session, stack: Path, image: str
) -> None:
    text = STACK.replace(
        "build: {context: ., dockerfile: Dockerfile.store}", "image: example.invalid/x/python:9"
    )
    (stack / "compose.yaml").write_text(text)
    seen = observe(session, image, settings_of(stack))
    assert "store needs the image example.invalid/x/python:9" in seen.reason
    assert '"example.invalid/x/python:9" = ' in seen.hints[0] and "to stand in" in seen.hints[0]
    settings = settings_of(stack)
    assert settings.beside is not None
    named = replace(settings.beside, images={"store": image})
    again = observe(session, image, replace(settings, beside=named))
    assert "its companion store" in again.reason  # it has no command, and that is seen


def test_what_the_user_mounts_stays_as_it_is(session: Session, stack: Path, image: str) -> None:
    settings = settings_of(stack)
    run = ("python -c \"open('/mine/kept','w').write('x'); open('/mine/new','w')\"",)
    seen = observe(session, image, replace(settings, run=run))
    assert [a.status for a in seen.answers if a.probe.source == "user"] == [0]
    assert [one.name for one in (stack / "mine").iterdir()] == ["kept"]
    assert (stack / "mine" / "kept").read_text() == "as it was"


def test_two_runs_at_the_same_time_do_not_meet(session: Session, stack: Path, image: str) -> None:
    settings = settings_of(stack)
    with companions(session, settings, image) as one, companions(session, settings, image) as other:
        assert one is not None and other is not None and one.network != other.network
        script = "import urllib.request as u; print(u.urlopen('http://store:7000/visits').read())"
        for near, expected in ((one, b"b'1'"), (one, b"b'2'"), (other, b"b'1'")):
            said = near.running["store"].exec(("python", "-c", script))
            assert said.stdout.strip() == expected


def test_hosts_of_the_world_are_answered_for_and_nothing_else_is_reached(
    session: Session, stack: Path, image: str
) -> None:
    section = AnswerSection(url="https://api.world.test/v1/models", json=["small"])
    settings = replace(
        settings_of(stack),
        answers=answers_of([section], stack),
        env={"WORLD": "https://api.world.test"},
    )
    seen = observe(session, image, settings)
    pages = {a.probe.path: (a.status, a.body) for a in seen.answers if a.probe.kind == "http"}
    assert pages["/world"] == (200, b'["small"]'), pages
    assert seen.reached == {"store", "api.world.test"}
    away = observe(session, image, replace(settings_of(stack), env={"WORLD": "http://away.test"}))
    assert ("/world", 500) in {(a.probe.path, a.status) for a in away.answers}
    assert [one for one in away.plan.unasked if "away.test" in one] == [
        "away.test is not reached: [[smoke.answers]] can answer for it"
    ]


KILLED = """
import sys
from pathlib import Path
from imgopt.compose.companions import beside
from imgopt.compose.project import read_project
from imgopt.engine import Session, connect
from imgopt.run.observe import observe
from imgopt.run.settings import SmokeSettings
found = beside(read_project(Path(sys.argv[1]), own=True), "web")
with Session(connect()) as session:
    print(session.id, flush=True)
    observe(session, sys.argv[2], SmokeSettings(beside=found, command=found.service.command))
"""


@contextmanager
def running(stack: Path, image: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that runs the service, and the name of its session."""
    words = [sys.executable, "-c", KILLED, str(stack), image]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        yield run, run.stdout.readline().strip()


@pytest.mark.parametrize("moment", [0.4, 1.2, 2.0, 2.8, 4.0])
def test_whenever_it_is_interrupted_nothing_is_left(
    moment: float, session: Session, stack: Path, image: str
) -> None:
    with running(stack, image) as (run, name):
        time.sleep(moment)
        run.send_signal(signal.SIGTERM)
        run.wait(60)
    assert left(session.engine, name) == []


def test_what_a_killed_run_left_is_swept_by_the_next(
    session: Session, stack: Path, image: str
) -> None:
    with running(stack, image) as (run, name):
        until = time.monotonic() + 60
        while len(left(session.engine, name)) < 3 and time.monotonic() < until:
            time.sleep(0.1)
        run.kill()
    assert left(session.engine, name)
    with Session(session.engine):
        assert left(session.engine, name) == []


def test_a_companion_that_never_becomes_healthy_is_told(
    session: Session, stack: Path, image: str
) -> None:
    text = STACK.replace(
        "healthcheck: {test: python -c",
        "healthcheck: {retries: 1, interval: 1s, test: exit 3; python -c",
    )
    (stack / "compose.yaml").write_text(text)
    settings = replace(settings_of(stack), start_timeout=3.0)
    with (
        pytest.raises(CompanionFailure, match="store is not healthy after"),
        companions(session, settings, image),
    ):
        pass
