"""`imgopt lives` and the check in `optimize`, as a user calls them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from imgopt.cli.app import main
from imgopt.config import load_config
from imgopt.engine import Session
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.loop.run import optimize

ROOT = Path(__file__).parent.parent.parent
MAPPED = ROOT / "build" / "bases.toml"
ORIGINAL = """FROM python:3.11-slim
WORKDIR /srv
COPY . .
RUN python -m compileall -q .
EXPOSE 8000
CMD ["python", "serve.py"]
"""
SERVE = """import http.server
import pathlib
import signal
import sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit())
TEXT = pathlib.Path("words.txt").read_bytes()


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(TEXT)


http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""
NAMED = ORIGINAL.replace("COPY . .", "COPY serve.py words.txt ./")


@pytest.fixture(autouse=True)
def mapped(monkeypatch: pytest.MonkeyPatch, session: Session) -> None:
    del session
    if MAPPED.is_file():
        monkeypatch.setenv("IMGOPT_BASES", str(MAPPED))


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(ORIGINAL)
    (tmp_path / "serve.py").write_text(SERVE)
    (tmp_path / "words.txt").write_text("now\n")
    (tmp_path / "Named").write_text(NAMED)
    (tmp_path / ".dockerignore").write_text(".dockerignore\nDockerfile\nNamed\nOther\n.git\n")
    return tmp_path


def lives(
    capsys: pytest.CaptureFixture[str], *words: str, edits: tuple[str, ...] = ()
) -> tuple[int, dict[str, Any]]:
    chosen = [word for name in edits for word in ("--edits", name)]
    code = main(["lives", *words, *chosen, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    (found,) = result["candidates"]
    return {one["name"]: one["verdict"] for one in found["edits"]}


@pytest.mark.engine
def test_a_file_that_names_what_it_copies_does_not_live(
    context: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = lives(
        capsys, str(context), "--with", "Named", edits=("data-folder", "browser-file")
    )
    assert (code, result["verdict"], result["schema"]) == (1, "breaks", "imgopt/lives/1")
    assert verdicts(result) == {"data-folder": "breaks", "browser-file": "does not apply"}
    (found,) = result["candidates"]
    assert "later-data" in found["edits"][0]["detail"]


@pytest.mark.engine
def test_the_same_file_written_with_folders_lives(
    context: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (context / "Other").write_text(ORIGINAL.replace("COPY . .", "COPY ./ /srv/"))
    code, result = lives(
        capsys, str(context), "--with", "Other", edits=("data-folder", "new-module")
    )
    assert (code, result["verdict"]) == (0, "lives")
    assert verdicts(result) == {"data-folder": "holds", "new-module": "holds"}


@pytest.mark.engine
def test_another_service_is_not_tried_at_all(
    context: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (context / "Other").write_text(f"{ORIGINAL}ENV MODE=other\n")
    code, result = lives(capsys, str(context), "--with", "Other", edits=("data-folder",))
    assert (code, result["verdict"], verdicts(result)) == (1, "unproven", {})
    assert "MODE" in result["candidates"][0]["why_not"]


@pytest.mark.engine
def test_the_projects_own_commits_are_tried_until_the_file_was_another_one(
    context: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def commit(**files: str) -> None:
        for name, text in files.items():
            (context / name.replace("__", ".")).write_text(text)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
        for words in (["add", "-A"], ["commit", "-qm", "x"]):
            subprocess.run([*git, *words], cwd=context, check=True)

    subprocess.run(["git", "init", "-q"], cwd=context, check=True)
    commit(Dockerfile=f"# old\n{ORIGINAL}")
    commit(Dockerfile=ORIGINAL, words__txt="then\n")
    commit(more__txt="more\n", serve__py=SERVE.replace("words.txt", "more.txt"))
    (context / "more.txt").unlink()
    commit(serve__py=SERVE)
    code, result = lives(
        capsys, str(context), "--with", "Named", "--history", "5", edits=("next-patch",)
    )
    (found,) = result["history"]
    assert [one["verdict"] for one in found["commits"]] == ["holds", "breaks", "holds"]
    assert found["ended"].startswith("the Dockerfile itself was another one in ")
    assert (code, result["verdict"]) == (1, "breaks")


@pytest.mark.engine
def test_optimize_tries_later_edits_on_a_sample_and_counts_them(
    session: Session, bases: dict[str, str]
) -> None:
    folder = ROOT / "samples" / "flask-notes"
    config, _ = load_config(folder)
    config = structs.replace(config, bases={**bases, **config.bases})
    request = OptimizeRequest(
        folder,
        folder / "Dockerfile",
        config,
        ("slim",),
        timings=False,
        lives="all",
        edits=("data-folder", "new-module"),
    )
    (variant,) = optimize(session, request, Silent()).variants
    assert variant.lives is not None
    assert {one.name: one.verdict for one in variant.lives.edits} == {
        "data-folder": "holds",
        "new-module": "holds",
    }
    assert {check.name: check.verdict for check in variant.checks}["lives"] == "passed"
