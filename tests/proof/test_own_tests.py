"""The project's own tests in a proof: where they run, what is asked again, what a user reads."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from recipes import Recipe

from imgopt.cli.app import main
from imgopt.engine import BuildRequest, Session
from imgopt.errors import InputError
from imgopt.inspect.image_view import ImageView
from imgopt.proof.checks.own_tests import check_own_tests
from imgopt.proof.example import CONFIG, LAYERS, SEEN, own_run
from imgopt.proof.trial import tried, with_tests
from imgopt.report.asked import asked_markdown, asked_text
from imgopt.results.asked import Asked
from imgopt.run.observation import Observation
from imgopt.run.own_run import OwnRun
from imgopt.run.own_tests import OwnTests
from imgopt.run.request_report import asked_of
from imgopt.run.settings import SmokeSettings
from imgopt.run.tests_image import own_tests, tools_stage

STAGES = {
    "one stage": ("FROM a\n", None, ""),
    "a builder": ("FROM a AS build\nFROM b\nCOPY --from=build /x /x\n", None, "build"),
    "a builder without a name": ("FROM a\nFROM b\nCOPY --from=0 /x /x\n", None, "0"),
    "built on another, which it has in it": ("FROM a AS base\nFROM base\n", None, ""),
    "built on another, beside a builder": (
        "FROM a AS build\nFROM b AS base\nFROM base\nCOPY --from=build /x /x\n",
        None,
        "build",
    ),
    "the last of several": (
        "FROM a AS deps\nFROM a AS build\nFROM b\n"
        "COPY --from=build /x /x\nCOPY --from=deps /y /y\n",
        None,
        "build",
    ),
    "one that nothing uses": ("FROM a AS test\nFROM b\n", None, ""),
    "named": ("FROM a AS test\nFROM b\n", "test", "test"),
    "named by its number": ("FROM a AS test\nFROM b\n", "0", "test"),
}


@pytest.mark.parametrize(("text", "wanted", "stage"), STAGES.values(), ids=STAGES)
def test_the_stage_with_the_tools(text: str, wanted: str | None, stage: str) -> None:
    assert tools_stage(text, BuildRequest(Path()), wanted) == stage


def test_a_stage_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(InputError) as caught:
        tools_stage("FROM a AS build\nFROM b AS app\n", BuildRequest(Path()), "tests")
    assert caught.value.hint == "there are: build, app"


def test_images_alone_have_no_stage() -> None:
    session, settings = cast(Session, None), SmokeSettings(tests="x", tests_stage="test")
    with pytest.raises(InputError):
        own_tests(session, settings, "shop:1", None, "")
    found = own_tests(session, SmokeSettings(tests="x"), "shop:1", None, "")
    assert found is not None
    assert (found.tools, found.context) == ("shop:1", None)
    assert own_tests(session, SmokeSettings(), "shop:1", None, "") is None
    assert own_tests(session, SmokeSettings(tests=""), "shop:1", None, "") is None


class Told(OwnTests):
    """Tests that say what they are told to, each time the next."""

    def __init__(self, *said: OwnRun) -> None:
        super().__init__(cast(Session, None), SmokeSettings(), "pytest tests", "image", "the image")
        object.__setattr__(self, "said", list(said))

    def _run(self, *_: object) -> OwnRun:
        said: OwnRun = self.__dict__["said"].pop(0)
        return said


IMAGES = {"original": "a", "candidate": "b"}
GOOD = own_run(0, "3 passed")
FLAKY = own_run(1, "FAILED t.py::a - late\n1 failed, 2 passed")


def judged(*said: OwnRun) -> str:
    plain = replace(SEEN, tests=None)
    tests = Told(*said)
    runs = with_tests((plain, plain), tests, "a")
    runs, run = tried(runs, plain, tests, IMAGES)
    assert not tests.__dict__["said"]
    return check_own_tests(runs, run).verdict


def test_the_original_is_asked_again_only_where_the_candidate_differs() -> None:
    assert judged(GOOD, GOOD) == "passed"
    assert judged(GOOD, FLAKY, FLAKY) == "passed"
    assert judged(GOOD, FLAKY, GOOD) == "failed"


def test_what_the_service_logs_as_missing_is_named_beside_the_test() -> None:
    service = "ModuleNotFoundError: No module named 'wave'\n"
    lost = replace(FLAKY, service=service)
    found = check_own_tests((replace(SEEN, tests=GOOD), SEEN), replace(SEEN, tests=lost))
    assert [item.kind for item in found.items] == ["answer", "missing-module"]
    same = replace(SEEN, tests=replace(GOOD, service=service))
    assert len(check_own_tests((same, SEEN), replace(SEEN, tests=lost)).items) == 1


def test_tests_of_which_none_passes_prove_nothing() -> None:
    broken = own_run(1, "No module named 'requests'")
    assert judged(broken, broken) == "not measured"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (own_run(127, "sh: 1: pytest: not found"), "do not begin in the image"),
        (own_run(None, "they did not end within 60 s"), "did not end within 60 s"),
    ],
)
def test_tests_that_do_not_run_in_the_original_are_an_error(said: OwnRun, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        Told(said).original("a", SEEN.plan)
    assert caught.value.hint


def test_an_original_without_a_port_has_nothing_to_test() -> None:
    with pytest.raises(InputError, match="listens on no port"):
        Told().original("a", replace(SEEN.plan, listens=()))


def test_a_candidate_that_does_not_start_is_not_tested() -> None:
    dead = replace(SEEN, started=False, tests=None)
    _, run = tried((SEEN, SEEN), dead, Told(), IMAGES)
    assert check_own_tests((SEEN, SEEN), run).verdict == "not measured"


def asked(view: ImageView, run: Observation, settings: SmokeSettings, context: Path) -> Asked:
    return asked_of((run,), view, settings, context)


def test_the_result_says_in_a_line_what_ran_what_could_and_what_may_not(
    view_of: Callable[..., ImageView], tmp_path: Path
) -> None:
    view, plain = view_of(Recipe(LAYERS, CONFIG), 1), replace(SEEN, tests=None)
    (tmp_path / "test_a.py").write_text("import pytest\nURL = 'http://localhost:80'\n")
    ran = asked(view, SEEN, SmokeSettings(tests="pytest tests"), tmp_path)
    assert ran.tests == "tests: `pytest tests`: exit code 0, 3 passed"
    offered = asked(view, plain, SmokeSettings(), tmp_path)
    assert '`tests = "python -m pytest ."` under [smoke]' in offered.tests_offer
    refused = asked(view, plain, SmokeSettings(tests=""), tmp_path)
    assert "the project's own tests are not run: --no-writes" in refused.unasked[-1]
    assert (ran.tests_offer, offered.tests, refused.tests_offer) == ("", "", "")
    for one, words in ((ran, "3 passed"), (offered, "python -m pytest")):
        assert words in " ".join(map(str, asked_text(one)))
        assert words in " ".join(asked_markdown(one)).replace("\\", "")


BASE = "imgopt.local/python:3.11-slim"
SERVICE = """\
import http.server, json, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        rare = self.headers.get("X-Rare")
        body = "hello"
        if rare:
            try:
                import wave
                body = "rare"
            except ImportError:
                body = "hidden"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())
http.server.ThreadingHTTPServer(("", 8000), Service).serve_forever()
"""
TESTS = """\
import os, sys, unittest, urllib.request
class Service(unittest.TestCase):
    def ask(self, **headers):
        request = urllib.request.Request(os.environ["IMGOPT_URL"] + "/", headers=headers)
        return urllib.request.urlopen(request, timeout=10).read()
    def test_page(self):
        self.assertEqual(self.ask(), b"hello")
    def test_rare(self):
        self.assertEqual(self.ask(**{"X-Rare": "1"}), b"rare")
    def test_what_was_installed_on_this_machine_is_not_here(self):
        self.assertFalse(os.path.exists(".venv/here") or os.path.exists(".git/HEAD"))
        self.assertEqual(os.environ["BASE_URL"], "http://imgopt:8000")
        self.assertEqual((os.environ["HOST"], os.environ["PORT"]), ("imgopt", "8000"))
    def test_the_tools_are_those_of_the_builder(self):
        self.assertTrue(os.path.exists("/tools"))
    def test_fails_in_both(self):
        self.fail("always")
open("written", "w").write("by the tests")
"""
ORIGINAL = """\
FROM python:3.11-slim AS build
WORKDIR /srv
COPY service.py .
RUN touch /tools
FROM python:3.11-slim
WORKDIR /srv
COPY --from=build /srv /srv
EXPOSE 8000
"""
START = 'CMD ["python", "service.py"]\n'
COMMAND = "python -m unittest discover -s checks"


@pytest.fixture
def prove(
    tmp_path: Path, session: Session, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, dict[str, Any]]]:
    if not session.engine.has_image(BASE):
        pytest.skip(f"{BASE} is not here")
    for folder in ("checks", ".venv", ".git"):
        (tmp_path / folder).mkdir()
    (tmp_path / ".venv/here").touch()
    (tmp_path / ".git/HEAD").touch()
    (tmp_path / "checks/test_service.py").write_text(TESTS)
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "Dockerfile").write_text(ORIGINAL + START)
    (tmp_path / ".dockerignore").write_text("checks\n")

    def call(candidate: str, *options: str) -> tuple[int, dict[str, Any]]:
        (tmp_path / "Candidate").write_text(candidate)
        words = ["prove", str(tmp_path), "--with", "Candidate", "--format", "json", *options]
        code = main([*words, "--base", f"python:3.11-slim={BASE}"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else {"error": said.err}

    return call


def labelled(session: Session, *, networks: bool = True) -> list[str]:
    """Containers and networks of this process, by the names of their sessions."""
    api, mine = session.engine.client.api, {"label": "imgopt.session"}
    made = [*api.containers(all=True, filters=mine), *(api.networks(filters=mine) * networks)]
    names = [str(item["Labels"]["imgopt.session"]) for item in made]
    return [name for name in names if f"-{os.getpid()}-" in name]


@pytest.mark.engine
def test_a_candidate_that_fails_the_tests_alone_is_refuted(
    prove: Callable[..., tuple[int, dict[str, Any]]], session: Session, tmp_path: Path
) -> None:
    before = sorted(path.name for path in tmp_path.rglob("*"))
    code, good = prove(ORIGINAL + "RUN true\n" + START, "--tests", COMMAND)
    (check,) = [one for one in good["checks"] if one["name"] == "own tests"]
    assert (code, check["verdict"]) == (0, "passed"), good["checks"]
    assert "fails in the original too: test_fails_in_both" in check["detail"]
    worse = "RUN sed -i 's/import wave/import wav/' service.py\n"
    code, bad = prove(
        ORIGINAL + worse + START, "--tests", COMMAND, "--allow", "file:/srv/service.py"
    )
    failed = {one["name"]: one for one in bad["checks"] if one["verdict"] == "failed"}
    assert (code, list(failed)) == (1, ["own tests"]), failed
    assert "test_rare" in failed["own tests"]["failures"][0]["message"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted([*before, "Candidate"])
    assert labelled(session) == []


@pytest.mark.engine
def test_an_interrupt_while_the_tests_run_leaves_nothing_behind(
    prove: Callable[..., tuple[int, dict[str, Any]]], session: Session
) -> None:
    found: list[str] = []
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    def interrupt() -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end and len(found) < 2:  # the service, and its tests
            found[:] = labelled(session, networks=False)
            time.sleep(0.2)
        signal.pthread_kill(main_thread, signal.SIGINT)

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    code, _ = prove(ORIGINAL + "RUN true\n" + START, "--tests", "sleep 50")
    watcher.join()
    assert (code, len(found)) == (130, 2)
    assert labelled(session) == []


@pytest.mark.engine
def test_tests_that_do_not_begin_are_an_error_of_the_input(
    prove: Callable[..., tuple[int, dict[str, Any]]], session: Session
) -> None:
    code, said = prove(ORIGINAL + START, "--tests", "no-such-runner tests")
    assert code == 2
    assert "do not begin in stage `build`" in said["error"]
    assert "tests-stage" in said["error"]
    assert labelled(session) == []
