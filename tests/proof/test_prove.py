"""`imgopt prove` as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgopt.cli.app import main
from imgopt.engine import BuildRequest, Session
from imgopt.proof.built_again import REASON

BASE = "imgopt.local/debian:bookworm-slim"
ORIGINAL = 'FROM debian:bookworm-slim\nWORKDIR /srv\nCOPY greeting .\nCMD ["cat", "greeting"]\n'

Prove = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "greeting").write_text("hello\n")
    (tmp_path / "unused").write_text("unused\n")
    (tmp_path / "Dockerfile").write_text(ORIGINAL)
    return tmp_path


@pytest.fixture
def prove(context: Path, session: Session, capsys: pytest.CaptureFixture[str]) -> Prove:
    """Writes the candidate, proves it, and gives the exit code and the result."""
    mapped = ["--base", f"debian:bookworm-slim={BASE}"] if session.engine.has_image(BASE) else []

    def call(candidate: str, *options: str) -> tuple[int, dict[str, Any]]:
        (context / "Candidate").write_text(candidate)
        code = main(
            ["prove", str(context), "--with", "Candidate", "--format", "json", *mapped, *options]
        )
        return code, json.loads(capsys.readouterr().out)

    return call


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in result["checks"]}


@pytest.mark.engine
def test_a_candidate_that_does_the_same_is_proven(prove: Prove) -> None:
    code, result = prove(ORIGINAL.replace("COPY greeting .", "COPY greeting unused /srv/"))
    assert (code, result["verdict"], result["schema"]) == (0, "proven", "imgopt/proof/1")
    assert "failed" not in verdicts(result).values()
    assert result["original"]["base"] == "debian:bookworm-slim"


@pytest.mark.engine
def test_a_candidate_that_lost_a_file_is_refuted_with_its_evidence(prove: Prove) -> None:
    code, result = prove(ORIGINAL.replace("COPY greeting .", "COPY unused ."))
    assert (code, result["verdict"]) == (1, "refuted")
    failed = {
        check["name"]: check["failures"]
        for check in result["checks"]
        if check["verdict"] == "failed"
    }
    assert {"application files", "opened files", "smoke"} <= set(failed)
    assert failed["application files"][0]["subject"] == "/srv/greeting"
    assert "greeting" in "\n".join(result["log"])


@pytest.mark.engine
def test_a_candidate_that_does_not_build_is_refuted_by_its_build(prove: Prove) -> None:
    code, result = prove(ORIGINAL + "RUN no-such-program\n")
    assert (code, result["verdict"]) == (1, "refuted")
    failures = next(check["failures"] for check in result["checks"] if check["name"] == "build")
    assert "Candidate:5" in failures[0]["message"]
    assert {"no-such-program"} <= {failure["subject"] for failure in failures}


@pytest.mark.engine
def test_a_network_that_fails_refutes_nothing(prove: Prove) -> None:
    failing = "RUN echo \"Temporary failure resolving 'deb.debian.org'\" >&2; exit 100\n"
    code, result = prove(ORIGINAL + failing)
    assert (code, result["verdict"]) == (1, "unproven")
    assert "the network failed" in result["reason"]


@pytest.mark.engine
def test_an_intended_difference_is_said_with_allow(prove: Prove) -> None:
    other = ORIGINAL + "ENV MODE=web\n"
    assert prove(other)[0] == 1
    code, result = prove(other, "--allow", "env:MODE")
    assert code == 0
    allowed = next(
        check["allowed"] for check in result["checks"] if check["name"] == "configuration"
    )
    assert allowed == ["variable MODE=web is new: intended (--allow)"]


@pytest.mark.engine
def test_an_original_that_does_not_start_leaves_it_unproven_with_its_last_lines(
    context: Path, prove: Prove
) -> None:
    failing = ORIGINAL.replace('["cat", "greeting"]', "echo \"KeyError: 'TOKEN'\" >&2; exit 3")
    (context / "Dockerfile").write_text(failing)
    code, result = prove(failing)
    assert (code, result["verdict"]) == (1, "unproven")
    assert verdicts(result)["smoke"] == "not measured"
    assert "KeyError: 'TOKEN'" in result["log"]
    assert any("--env TOKEN" in hint for hint in result["hints"])


@pytest.mark.engine
def test_two_images_of_the_engine_are_proven(
    context: Path, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    bases = {"debian:bookworm-slim": BASE} if session.engine.has_image(BASE) else {}
    names = []
    for text in (ORIGINAL, ORIGINAL.replace("greeting .", "unused greeting")):
        build = session.build(BuildRequest(context, dockerfile=text, bases=bases))
        assert build.reference is not None
        names.append(build.reference)
    assert main(["prove", names[0], "--with", names[0]]) == 0
    assert "proven: " in capsys.readouterr().out
    assert main(["prove", names[0], "--with", names[1]]) == 1
    assert "/srv/greeting has other contents" in capsys.readouterr().out


def test_wrong_input_is_said_before_an_engine_is_asked(
    context: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prove", str(context), "--with", "nowhere"]) == 2
    assert "nowhere: no such Dockerfile" in capsys.readouterr().err
    assert main(["prove", str(context), "--with", "Dockerfile", "--format", "sarif"]) == 2
    (context / "Empty").write_text("\n")
    assert main(["prove", str(context), "--with", "Empty"]) == 2
    assert main(["prove", str(context)]) == 2


def test_no_engine_is_the_environments_fault(
    context: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{context}/no.sock")
    assert main(["prove", str(context), "--with", str(context / "Dockerfile")]) == 3
    assert "no Docker engine answers" in capsys.readouterr().err


SITE = """
import http.server, pathlib, signal, sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit())

class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        file = pathlib.Path(sys.argv[-1] + self.path + ("index.html" if self.path.endswith("/") else ""))
        if not file.is_file() or file.suffix in HIDDEN:
            return self.send_error(404)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(file.read_bytes())

http.server.ThreadingHTTPServer(("", 8000), Files).serve_forever()
"""
SERVER = """\
FROM python:3.11-slim
COPY --chmod=755 {0} /usr/local/bin/serve
COPY site /srv/pages
CMD ["serve", "-l", "8000", "/srv/pages"]
"""


@pytest.mark.engine
def test_one_path_of_every_kind_is_asked_of_a_site_though_no_page_links_to_it(
    context: Path, prove: Prove, session: Session
) -> None:
    python = "imgopt.local/python:3.11-slim"
    (context / "site").mkdir()
    (context / "site" / "index.html").write_text("<h1>hi</h1>")
    (context / "site" / "report.pdf").write_bytes(b"%PDF-1.4")
    for name, hidden in (("all", "()"), ("some", '(".pdf",)')):
        (context / name).write_text("#!/usr/local/bin/python3" + SITE.replace("HIDDEN", hidden))
    (context / "Dockerfile").write_text(SERVER.format("all"))
    mapped = ["--base", f"python:3.11-slim={python}"] if session.engine.has_image(python) else []
    code, result = prove(SERVER.format("some"), *mapped, "--allow", "file:/usr/local/bin/serve")
    assert (code, result["verdict"]) == (1, "refuted")
    failures = next(check["failures"] for check in result["checks"] if check["name"] == "smoke")
    assert any("/report.pdf" in failure["message"] for failure in failures), result["checks"]


@pytest.mark.engine
def test_a_file_that_no_two_builds_share_refutes_nothing(context: Path, prove: Prove) -> None:
    stamped = ORIGINAL + "RUN date +%s.%N > /srv/stamp\n"
    (context / "Dockerfile").write_text(stamped)
    code, result = prove(stamped.replace("date +%s.%N >", "date  +%s.%N >"))
    assert (code, result["verdict"]) == (0, "proven"), result["checks"]
    files = next(check for check in result["checks"] if check["name"] == "application files")
    assert files["allowed"] == [f"1 files: {REASON}"]


@pytest.mark.engine
def test_a_file_that_both_builds_share_stays_a_difference(context: Path, prove: Prove) -> None:
    (context / "Dockerfile").write_text(ORIGINAL + "RUN echo one > /srv/number\n")
    code, result = prove(ORIGINAL + "RUN echo two > /srv/number\n")
    assert (code, result["verdict"]) == (1, "refuted")
    assert verdicts(result)["application files"] == "failed"
