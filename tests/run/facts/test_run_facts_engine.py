"""One small service on a real engine, started in several ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.engine import BuildRequest, Engine, Session
from imgopt.image import open_image
from imgopt.inspect.image_view import ImageView
from imgopt.results.run_facts import ImageFacts
from imgopt.run.facts.conditions import Conditions
from imgopt.run.facts.load import Asked
from imgopt.run.facts.measure import Wanted, measured
from imgopt.run.facts.process_one import process_one
from imgopt.run.facts.rights import Same, capabilities, likely
from imgopt.run.facts.runner import Runner
from imgopt.run.facts.stops import stop_idle
from imgopt.run.pictures import picture
from imgopt.run.settings import SmokeSettings

pytestmark = pytest.mark.engine

SERVICE = """
import http.server, os, signal, socket, sys, threading, time
mode = sys.argv[1]
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(0.6)
        if self.path == "/readyz":
            try:
                socket.create_connection(("api.example.org", 443), 1)
            except OSError:
                pass
        if mode == "writes":
            open("/var/spool/seen", "a").write("x")
        known = self.path in ("/", "/slow", "/healthz", "/readyz")
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/html" if self.path == "/" else "text/plain")
        self.end_headers()
        self.wfile.write(b"<a href=/slow>slow</a>" if self.path == "/" else b"fine" if known else b"none")
    def log_message(self, *_):
        pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
server = Server(("", 80 if mode == "low" else 8123), Service)
def drain(*_):
    threading.Thread(target=server.shutdown).start()
if mode != "deaf":
    signal.signal(signal.SIGTERM, drain)
server.serve_forever()
server.server_close()
"""
QUICK = Wanted(starts=1, cold=False, load=Asked(seconds=1, workers=2), tuning=False)


@pytest.fixture
def make(session: Session, base: Callable[[str], str], tmp_path: Path) -> Callable[..., str]:
    def build(*command: str) -> str:
        (tmp_path / "service.py").write_text(SERVICE)
        head = f"FROM {base('python:3.11-slim')}\nENV PYTHONDONTWRITEBYTECODE=1\nCOPY . /srv\n"
        text = f"{head}CMD {json.dumps(command)}"
        return session.build(BuildRequest(tmp_path, text)).reference or ""

    return build


def service(mode: str) -> tuple[str, ...]:
    return ("python", "/srv/service.py", mode)


def facts_of(session: Session, image: str, wanted: Wanted = QUICK) -> ImageFacts:
    runner = Runner(session, image, SmokeSettings(stop_timeout=3))
    view = ImageView(open_image(image))
    return measured(runner, view, wanted, name="image", reference=image)


def test_a_service_that_drains_and_writes(session: Session, make: Callable[..., str]) -> None:
    facts = facts_of(session, make(*service("writes")))
    assert facts.start.by == "GET :8123/" and len(facts.start.warm.values) >= 3
    assert facts.load is not None and facts.load.requests and not facts.load.failed
    assert facts.memory.peak and facts.memory.settled
    assert [(port.number, port.speaks) for port in facts.ports] == [(8123, "http")]
    health = {route.path: (route.fits, route.reaches) for route in facts.routes if route.is_health}
    assert health == {
        "/healthz": ("liveness", []),
        "/readyz": ("readiness", ["api.example.org"]),
    }
    assert [one.folder for one in facts.written] == ["/var/spool"]
    assert (facts.read_only_root.works, facts.read_only_root.tmpfs) == (True, ["/var/spool"])
    assert facts.capabilities.tried and not facts.capabilities.needed
    idle, busy = facts.stops
    assert (idle.exit_code, idle.killed, busy.exit_code) == (0, False, 0)
    assert busy.in_flight and busy.finished == busy.in_flight and not busy.cut
    assert facts.user is not None and (facts.user.uid, facts.user.name) == (0, "root")
    assert facts.process_one is not None and "SIGTERM" in facts.process_one.catches
    assert facts.language == "python"


def test_a_service_that_does_not_hear_is_killed(session: Session, make: Callable[..., str]) -> None:
    runner = Runner(session, make(*service("deaf")), SmokeSettings(stop_timeout=1))
    with runner.running() as running:
        first = process_one(
            picture(running.container.pid, running.container.id), running.container.pid
        )
        stop = stop_idle(running, "SIGTERM", 1.0, is_own=True)
    assert first is not None and "SIGTERM" not in first.catches
    assert (stop.killed, stop.exit_code) == (True, 137)


def test_a_low_port_needs_its_capability_where_it_is_closed(
    session: Session, make: Callable[..., str]
) -> None:
    runner = Runner(session, make(*service("low")), SmokeSettings(stop_timeout=1))
    same = Same(runner.first, runner.first)
    guess = likely(runner.first, as_root=True)
    rights = capabilities(same, runner.asked_again, sysctls=True, guess=guess)
    assert rights.needed == ["NET_BIND_SERVICE"]


def test_a_program_that_ends_and_one_that_gets_too_little(
    session: Session, make: Callable[..., str], engine: Engine
) -> None:
    words = "x = bytearray(60 << 20); open('/out', 'w').write('done'); print('done')"
    image = make("python", "-c", words)
    quick = Wanted(starts=2, cold=False, load=None, rights=False, tuning=False)
    facts = facts_of(session, image, quick)
    assert facts.ends and facts.exit_code == 0
    assert (facts.start.by, len(facts.start.warm.values)) == ("ended with 0", 2)
    assert [(one.folder, one.bytes) for one in facts.written] == [("/", 4)]
    runner = Runner(session, image)
    assert runner.tried(Conditions(memory=256 << 20)).survived
    small = runner.tried(Conditions(memory=24 << 20))
    assert not small.survived and "more memory than its limit" in small.detail
    mine = {"label": f"imgopt.session={session.id}"}
    assert engine.client.containers.list(all=True, filters=mine) == []
    assert engine.client.networks.list(filters=mine) == []
