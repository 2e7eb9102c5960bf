"""Requests that change something, on a real engine: what they show, and what they cannot touch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.engine import BuildRequest, RunRequest, Session
from imgopt.inspect.sources.write_routes import Writes, written_in
from imgopt.proof.checks.smoke import check_smoke
from imgopt.requests.request import JSON, Request
from imgopt.run.observe import observe
from imgopt.run.settings import SmokeSettings

pytestmark = pytest.mark.engine
Make = Callable[..., str]

SERVICE = """
import http.server, json, os, signal, socket, sys, uuid
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
NOTES = {}
def wave():
    import wave
    return wave.__name__
def note():
    key = str(uuid.uuid4())
    NOTES[key] = 1
    return {"id": key}
def reach():
    with socket.create_connection((os.environ["OTHER"], 8000), 2):
        return "reached"
JOBS = {"/wave": wave, "/note": note, "/reach": reach, "/leave": lambda: os._exit(3)}
class Service(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())
    def do_GET(self):
        self.answer(200, reach() if self.path == "/reach" else len(NOTES))
    def do_POST(self):
        try:
            self.answer(200, JOBS[self.path]())
        except Exception as error:
            self.answer(500, {"error": f"{type(error).__name__}: {error}"})
http.server.ThreadingHTTPServer(("", 8000), Service).serve_forever()
"""
FOUND = written_in([("/srv/service.py", SERVICE)])


@pytest.fixture(autouse=True)
def time_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine asks them all, too: what is asked is looked at here, not how long it takes."""
    monkeypatch.setattr("imgopt.run.asking._ALL_SECONDS", 600.0)


@pytest.fixture
def make(session: Session, base: Callable[[str], str], tmp_path: Path) -> Make:
    def build(*lines: str) -> str:
        (tmp_path / "service.py").write_text(SERVICE)
        head = [f"FROM {base('python:3.11-slim')}", "COPY service.py /srv/"]
        text = "\n".join([*head, *lines, 'CMD ["python", "/srv/service.py"]'])
        return session.build(BuildRequest(tmp_path, text)).reference or ""

    return build


def test_a_module_that_only_a_post_imports_is_missed_and_named(
    session: Session, make: Make
) -> None:
    image, settings = make(), SmokeSettings(env={"OTHER": "localhost"})
    first = observe(session, image, settings, writes=FOUND)
    assert first.started, first.reason
    asked = {answer.probe.name: answer.status for answer in first.answers}
    assert asked["POST :8000/wave"] == asked["POST :8000/note"] == 200
    assert "POST :8000/leave" not in asked
    assert any("POST :8000/leave" in said and "ends" in said for said in first.plan.unasked), (
        first.plan.unasked
    )
    runs = (first, observe(session, image, settings, plan=first.plan, trace=False))
    same = observe(session, image, settings, plan=first.plan, trace=False)
    assert check_smoke(runs, same).verdict == "passed"
    lacking = make("RUN rm /usr/local/lib/python3.11/wave.py")
    check = check_smoke(runs, observe(session, lacking, settings, plan=first.plan, trace=False))
    assert ("missing-module", "wave") in {(item.kind, item.subject) for item in check.items}


def test_what_is_found_is_asked_where_no_other_machine_answers(
    session: Session, make: Make
) -> None:
    image = make()
    with session.start(RunRequest(image, hostname="other")) as other:
        address = other.inspect()["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        writes = Writes(routes=tuple(r for r in FOUND.routes if r.path in ("/reach", "/note")))
        inside = make(f"ENV OTHER={address}")
        seen = observe(session, inside, SmokeSettings(http=("/reach",)), writes=writes)
        asked = {answer.probe.name: answer for answer in seen.answers}
        assert asked["GET :8000/reach"].body == b'"reached"'
        assert b"reached" not in asked["POST :8000/reach"].body
        assert json.loads(asked["GET :8000/ (again)"].body) == 1
        named = SmokeSettings(env={"OTHER": "x", "DATABASE_URL": f"postgres://{address}/x"})
        nothing = observe(session, image, named, writes=writes)
        assert not any(answer.probe.changes for answer in nothing.answers)
        assert "DATABASE_URL" in nothing.plan.unasked[0]
        own = Request("POST", "/note", headers=(("Content-Type", JSON),), body=b"{}", status=200)
        sent = observe(session, image, SmokeSettings(env={"OTHER": "x"}, requests=(own,)))
        assert [a.status for a in sent.answers if a.probe.changes] == [200]
    mine = {"label": f"imgopt.session={session.id}"}
    assert session.engine.client.networks.list(filters=mine)
    session.close()
    assert not session.engine.client.networks.list(filters=mine)
