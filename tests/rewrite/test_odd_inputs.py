"""Odd inputs, from text alone: a right answer or a plain refusal, never a crash or a file that
means something else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgopt.dockerfile import parse

from .kit import imgopt, project

PYTHON = {"requirements.txt": "idna==3.7\n", "app.py": "print()\n"}


def rewritten(folder: Path, *words: str) -> dict[str, Any]:
    done = imgopt("rewrite", str(folder), "--format", "json", *words)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return dict(json.loads(done.stdout))


def texts(result: dict[str, Any]) -> list[str]:
    """Each variant's file, read by our own parser before it counts."""
    found = [variant["dockerfile"] for variant in result["variants"]]
    return [str(parse(text).check()) for text in found]


UNCHANGED = {
    "steps that cannot be understood": 'FROM python:3.11\nCOPY . .\nRUN eval "$(base64 -d steps)" && $CMD "$@"\n',
    "nothing but a base": "FROM python:3.11\n",
    "from scratch": 'FROM scratch\nCOPY app.py /\nENTRYPOINT ["/app.py"]\n',
    "a Windows base": "FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nCOPY . C:/app\nRUN pip install -r r.txt\n",
    "triggers for others": "FROM python:3.11\nONBUILD COPY . /app\nONBUILD RUN pip install -r /app/requirements.txt\n",
}


@pytest.mark.parametrize("case", UNCHANGED)
def test_what_text_cannot_improve_stays_as_it_is(case: str, tmp_path: Path) -> None:
    folder = project(
        tmp_path, {**PYTHON, "Dockerfile": UNCHANGED[case], ".dockerignore": "Dockerfile*\n.git\n"}
    )
    assert set(texts(rewritten(folder))) == {UNCHANGED[case]}


CHANGED = {
    "an argument names the base": (
        "ARG V=3.11\nFROM python:${V}\nWORKDIR /a\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python app.py\n",
        "FROM python:${V}\n",
    ),
    "a heredoc beside it": (
        "FROM python:3.11\nWORKDIR /a\nCOPY <<EOF /note\nx\nEOF\nCOPY . .\nRUN pip install -r requirements.txt\n",
        "COPY <<EOF /note\nx\nEOF\n",
    ),
    "a frontend that cannot be reached": (
        "# syntax=registry.invalid/frontend:9\nFROM python:3.11\nWORKDIR /a\nCOPY . .\n"
        "RUN pip install -r requirements.txt\n",
        "# syntax=registry.invalid/frontend:9\n",
    ),
    "a user without a name": (
        "FROM python:3.11\nWORKDIR /a\nCOPY . .\nRUN pip install -r requirements.txt\nUSER 4711\nCMD python app.py\n",
        "USER 4711\n",
    ),
    "a private base": (
        "FROM registry.invalid:5000/team/base@sha256:" + "0" * 64 + "\nWORKDIR /a\nCOPY . .\n"
        "RUN pip install -r requirements.txt\n",
        "FROM registry.invalid:5000/team/base@sha256:" + "0" * 64 + "\n",
    ),
    "a secret and an agent": (
        "FROM python:3.11\nWORKDIR /a\nCOPY . .\n"
        "RUN --mount=type=secret,id=t --mount=type=ssh pip install -r requirements.txt\n",
        "--mount=type=secret,id=t --mount=type=ssh",
    ),
}


@pytest.mark.parametrize("case", CHANGED)
def test_what_is_odd_stays_to_the_letter_beside_what_changes(case: str, tmp_path: Path) -> None:
    text, kept = CHANGED[case]
    result = rewritten(project(tmp_path, {**PYTHON, "Dockerfile": text}))
    assert all(kept in variant for variant in texts(result))


TARGETS = (
    "FROM python:3.11 AS web\nWORKDIR /a\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python app.py\n"
    "FROM python:3.11 AS job\nWORKDIR /b\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python app.py\n"
)


@pytest.mark.parametrize(("target", "other"), [("web", "job"), ("job", "web")])
def test_only_the_target_that_is_asked_for_changes(target: str, other: str, tmp_path: Path) -> None:
    for text in texts(
        rewritten(project(tmp_path, {**PYTHON, "Dockerfile": TARGETS}), "--target", target)
    ):
        stages = {part.split()[0]: part for part in text.split(" AS ")[1:]}
        assert "COPY . .\nRUN pip install" in stages[other]
        assert "COPY requirements.txt" in stages[target]


def test_a_target_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    done = imgopt(
        "rewrite", str(project(tmp_path, {**PYTHON, "Dockerfile": TARGETS})), "--target", "worker"
    )
    assert done.returncode == 2
    assert "worker" in done.stderr
    assert "web" in done.stderr


def test_a_dockerfile_of_another_name_and_one_outside_of_the_context(tmp_path: Path) -> None:
    text = "FROM python:3.11\nWORKDIR /a\nCOPY . .\nRUN pip install -r requirements.txt\n"
    folder = project(tmp_path / "context", {**PYTHON, "docker/Web.Dockerfile": text})
    outside = project(tmp_path / "elsewhere", {"Dockerfile": text})
    inside = texts(rewritten(folder, "-f", str(folder / "docker" / "Web.Dockerfile")))
    assert inside == texts(rewritten(folder, "-f", str(outside / "Dockerfile")))
    assert any("COPY requirements.txt" in text for text in inside)


def test_names_that_are_no_text_and_links_that_lead_out_do_no_harm(tmp_path: Path) -> None:
    text = "FROM python:3.11\nWORKDIR /a\nCOPY . .\nRUN pip install -r requirements.txt\n"
    folder = project(
        tmp_path,
        {**PYTHON, "Dockerfile": text, "two words.py": "", "quo'te\".py": "", "new\nline.py": ""},
    )
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.py")).write_text("")
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to("loop")
    (folder / "up").symlink_to("..")
    assert any("COPY requirements.txt" in variant for variant in texts(rewritten(folder)))


def test_a_pipe_in_the_context_is_not_read(tmp_path: Path) -> None:
    folder = project(tmp_path, {**PYTHON, "Dockerfile": "FROM python:3.11\nCOPY app.py /\n"})
    os.mkfifo(folder / "requirements-dev.txt")
    assert texts(rewritten(folder))


REFUSED = {
    "no stage": ("RUN true\n", "Dockerfile:1"),
    "an unknown instruction": ("FROM a\nRUNN true\n", "Dockerfile:2"),
    "a copy to nowhere": ("FROM a\nCOPY one\n", "Dockerfile:2"),
    "a heredoc without an end": ("FROM a\nRUN <<EOF\ntrue\n", "Dockerfile:2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_buildkit_refuses_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    text, place = REFUSED[case]
    done = imgopt("rewrite", str(project(tmp_path, {"Dockerfile": text})))
    assert done.returncode == 2, done.stdout
    assert place in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.engine
def test_a_base_that_cannot_be_had_is_named_and_is_no_fault_of_the_file(tmp_path: Path) -> None:
    text = "FROM registry.invalid:5000/team/base:1\nRUN true\n"
    done = imgopt("optimize", str(project(tmp_path, {"Dockerfile": text})), "--no-timings")
    assert done.returncode == 3, done.stderr
    assert "registry.invalid:5000/team/base:1" in done.stderr
    assert "--base registry.invalid:5000/team/base:1=IMAGE" in done.stderr


@pytest.mark.engine
def test_a_shell_that_waits_for_a_terminal_proves_nothing(base: Callable[[str], str]) -> None:
    image = base("debian:bookworm-slim")
    done = imgopt("prove", image, "--with", image)
    assert done.returncode == 1, done.stdout
    assert "unproven: " in done.stdout
    assert "says nothing" in done.stdout.replace("\n", " ")
