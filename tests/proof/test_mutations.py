"""A real service, built and run by the real engine, and what a careless rewrite does to it.

Each mutation is refuted by the check that is for it and by no other; what changes nothing is not
refuted. The original is built and observed once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imgopt.engine import BuildRequest, Session, connect
from imgopt.errors import EnvironmentFailure
from imgopt.image import open_image
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.dockerfile_facts import named_packages
from imgopt.proof.check import Outcome
from imgopt.proof.derive import derive
from imgopt.proof.trial import Judgement, Trial
from imgopt.run.observation import Observation
from imgopt.run.observe import observe
from imgopt.run.settings import SmokeSettings

pytestmark = pytest.mark.engine

SERVER = """
import http.server, json, os, signal, sys, time, uuid
try:
    import colorsys
except ImportError:
    colorsys = None

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/":
            body, kind = open("page.html").read(), "text/html"
        elif self.path == "/state":
            state = {"now": time.time(), "id": str(uuid.uuid4()), "mode": os.environ["MODE"]}
            body, kind = json.dumps(state), "application/json"
        elif self.path == "/note":
            try:
                open("/data/note", "a").write("x")
            except OSError:
                pass
            body, kind = "noted", "text/plain"
        elif self.path == "/rare":  # nothing links here
            import wave
            open("/state/rare", "w").write(wave.__name__)
            return self.send_error(404)
        else:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_):
        pass

for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: os._exit(0))
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
FILES = {
    "server.py": SERVER,
    "page.html": '<a href="/state">state</a> <a href="/note">note</a>',
    "rates.csv": "EUR,1\n",
    "tool": "#!/bin/sh\necho tool\n",
    "start.sh": '#!/bin/sh\nif [ "$1" = table ]; then awk -f /app/table.awk rates.csv; fi\nexec python3 server.py\n',
}
DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends hello && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir idna==3.7
RUN useradd -u 1000 app && mkdir /data /state && chown app /data /state
COPY server.py page.html rates.csv ./
COPY --chmod=755 tool start.sh ./
ENV MODE=web TZ=Europe/Berlin QUEUE=high
EXPOSE 8000
HEALTHCHECK CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/')"]
USER 1000
CMD ["./start.sh"]
"""
SITE = "/usr/local/lib/python3.11"
SIGNAL = (
    "import signal as s; s.signal = lambda *a: None; __import__('ctypes').CDLL(None).signal(15, 1)"
)
ANSWER = "import http.server as h; h.BaseHTTPRequestHandler.send_error = lambda self, *a: self.send_response(500)"
BODY = (
    "import uuid, json; f = json.dumps; json.dumps = lambda o, **k: f({**o, 'mode': 'test'}, **k)"
)


def as_root(command: str) -> str:
    return f"USER root\nRUN {command}\nUSER 1000\n"


def startup(code: str) -> str:
    return as_root(f'printf "%s\\n" "{code}" > {SITE}/site-packages/sitecustomize.py')


MUTATIONS: dict[str, tuple[str, str, str]] = {
    # name: (what is added to the Dockerfile, the check that refutes, what its evidence says)
    "a data file that is not opened is lost": (
        as_root("rm rates.csv"),
        "application files",
        "/app/rates.csv",
    ),
    "a data file has other contents": (
        as_root("echo EUR,2 > rates.csv"),
        "application files",
        "rates.csv",
    ),
    "an executable bit is lost": (as_root("chmod 644 tool"), "modes", "not executable"),
    "a file may not be read by the user": (as_root("chmod 600 rates.csv"), "modes", "may not read"),
    "a variable changes": ("ENV QUEUE=low\n", "configuration", "QUEUE"),
    "the health check is lost": ("HEALTHCHECK NONE\n", "configuration", "health check"),
    "the stop signal changes": ("STOPSIGNAL SIGINT\n", "configuration", "stop-signal"),
    "another version of a language package": (
        as_root("pip install -q --no-cache-dir idna==3.6"),
        "language packages",
        "idna 3.7 is 3.6",
    ),
    "a file of a language package is lost": (
        as_root(f"rm {SITE}/site-packages/idna/codec.py"),
        "language packages",
        "idna/codec.py",
    ),
    "a system package is lost": (as_root("apt-get purge -y hello"), "system packages", "hello"),
    "a library is lost": (
        as_root("rm /usr/lib/*/libsqlite3.so.0*"),
        "library closure",
        "libsqlite3.so.0",
    ),
    "a program on a rare path is lost": (
        as_root("rm /usr/bin/awk /usr/bin/mawk"),
        "programs",
        "awk",
    ),
    "root certificates are lost": (
        as_root("rm /etc/ssl/certs/ca-certificates.crt"),
        "certificates",
        "ca-certificates",
    ),
    "a module that may be missing is lost": (
        as_root(f"rm {SITE}/colorsys.py"),
        "opened files",
        "colorsys.py",
    ),
    "a module of a path that is not asked is lost": (
        as_root(f"rm {SITE}/wave.py"),
        "named by sources",
        "wave",
    ),
    "a folder of a path that is not asked": (as_root("chown root /state"), "non-root", "/state"),
    "an error is logged": (
        startup("import os; os.write(2, b'ERROR 17\\n')"),
        "application files and smoke",
        "ERROR",
    ),
    "the user is root": ("USER 0\n", "processes and non-root", "user is 0"),
    "a folder may not be written": (as_root("chown root /data"), "non-root", "/data"),
    "the signal is ignored": (startup(SIGNAL), "application files and processes and stop", "137"),
    "an answer differs": (startup(BODY), "application files and smoke", "mode"),
}
HARMLESS: dict[str, str] = {
    "other times": as_root("touch -d 2001-01-01 server.py page.html rates.csv"),
    "one more label and comment": "# a comment\nLABEL note=x\n",
    "an unused file": as_root("echo x > /usr/share/unused"),
    "a rewrite of the same bytes": as_root(
        "cp rates.csv r && mv r rates.csv && chmod 644 rates.csv"
    ),
    "bytecode left out": as_root("rm -r /usr/local/lib/python3.11/json/__pycache__"),
}
SAME_IN_OTHER_WORDS = DOCKERFILE.replace(
    "ENV MODE=web TZ=Europe/Berlin QUEUE=high", "ENV QUEUE=high TZ=Europe/Berlin\nENV MODE=web"
).replace(
    "COPY server.py page.html rates.csv ./",
    "COPY rates.csv ./\nCOPY page.html ./\nCOPY server.py ./",
)


@dataclass(frozen=True)
class Laboratory:
    """The original, seen; and everything that is needed to try a candidate."""

    session: Session
    context: Path
    bases: dict[str, str]
    view: ImageView
    runs: tuple[Observation, ...]

    def try_out(self, dockerfile: str) -> Judgement:
        build = self.session.build(
            BuildRequest(self.context, dockerfile=dockerfile, bases=self.bases, name="candidate")
        )
        assert build.reference is not None
        candidate = ImageView(open_image(build.reference), self.view.base)
        trial = Trial(self.session, self.view, self.runs, SMOKE, named=named_packages(DOCKERFILE))
        return trial.judge(
            candidate, derive(self.view, candidate, trial.opened.files if trial.opened else None)
        )


SMOKE = SmokeSettings(stop_timeout=2)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    try:
        engine = connect()
    except EnvironmentFailure as error:
        if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
            raise
        pytest.skip(str(error))
    base = "imgopt.local/python:3.11-slim"
    bases = {"python:3.11-slim": base} if engine.has_image(base) else {}
    context = tmp_path_factory.mktemp("service")
    for name, text in FILES.items():
        (context / name).write_text(text)
    with Session(engine) as session:
        build = session.build(
            BuildRequest(context, dockerfile=DOCKERFILE, bases=bases, name="original")
        )
        assert build.reference is not None
        view = ImageView(
            open_image(build.reference), open_image(base if bases else "python:3.11-slim")
        )
        first = observe(session, build.reference, SMOKE)  # no guesses: one path is not asked
        assert first.started, first.reason
        again = observe(session, build.reference, SMOKE, plan=first.plan, trace=False)
        yield Laboratory(session, context, bases, view, (first, again))


def failed(checks: tuple[Outcome, ...]) -> dict[str, str]:
    return {
        check.name: "; ".join(map(str, check.items))
        for check in checks
        if check.verdict == "failed"
    }


def test_the_original_is_proven_against_itself(laboratory: Laboratory) -> None:
    judgement = laboratory.try_out(DOCKERFILE)
    assert failed(judgement.checks) == {}
    assert [check.name for check in judgement.checks if check.verdict == "not measured"] == []
    assert judgement.verdict == "proven"


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_refuted_by_its_checks_alone(name: str, laboratory: Laboratory) -> None:
    added, check, said = MUTATIONS[name]
    judgement = laboratory.try_out(DOCKERFILE + added)
    found = failed(judgement.checks)
    checks = check.split(" and ")
    assert list(found) == checks, found
    assert said in found[checks[-1]]
    assert judgement.verdict == "refuted"


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_difference_is_proven(name: str, laboratory: Laboratory) -> None:
    judgement = laboratory.try_out(DOCKERFILE + HARMLESS[name])
    assert failed(judgement.checks) == {}
    assert judgement.verdict == "proven"


def test_another_order_of_variables_and_other_layers_are_proven(laboratory: Laboratory) -> None:
    judgement = laboratory.try_out(SAME_IN_OTHER_WORDS)
    assert failed(judgement.checks) == {}
    assert judgement.verdict == "proven"
