"""A project with a history and the image that it makes."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from imgopt.image.recipe import DEBIAN, File, Files, write_image

SITE = "/usr/local/lib/python3.12/site-packages"
DOCKERFILE = (
    "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\n"
    'RUN pip install -r requirements.txt\nCOPY . .\nCMD ["python", "app.py"]\n'
)
DAY = 24 * 3600


def distribution(name: str, size: int) -> Files:
    """An installed package whose bytes no compressor makes smaller."""
    data = random.Random(name).randbytes(size)
    about = f"{SITE}/{name}-1.0.dist-info"
    record = (
        f"{name}/__init__.py,,\n{name}-1.0.dist-info/METADATA,,\n{name}-1.0.dist-info/RECORD,,\n"
    )
    return {
        f"{SITE}/{name}/__init__.py": data,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/RECORD": record,
    }


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "150")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """flask and numpy, installed in one layer between their list and the source."""
    installed = {**distribution("flask", 70_000), **distribution("numpy", 900_000)}
    layers = (
        ('CMD ["bash"]', {**DEBIAN, "/b": random.Random(0).randbytes(300_000)}),
        ("WORKDIR /app", {"/app": File(folder=True)}),
        ("COPY requirements.txt . # buildkit", {"/app/requirements.txt": "flask==3.0.0\n"}),
        ("RUN /bin/sh -c pip install -r requirements.txt # buildkit", installed),
        ("COPY . . # buildkit", {"/app/app.py": random.Random(1).randbytes(5000)}),
    )
    return write_image(tmp_path / "app.tar", layers, {"Cmd": ["python", "app.py"]})


def committed(
    folder: Path, commits: Sequence[Mapping[str, str]], *, start: int = 1_700_000_000
) -> Path:
    """A repository with a commit a day; each says which files it writes."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    for number, files in enumerate(commits):
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "--allow-empty", "-m", str(number), time=start + number * DAY)
    return folder


def git(folder: Path, *words: str, time: int = 0) -> None:
    who = ("-c", "user.name=n", "-c", "user.email=n@example.com")
    dates = {"GIT_AUTHOR_DATE": f"@{time} +0000", "GIT_COMMITTER_DATE": f"@{time} +0000"}
    subprocess.run(["git", *who, *words], cwd=folder, check=True, env={**os.environ, **dates})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Nine commits in eight days: source eight times, flask twice, numpy once."""
    commits = [{"Dockerfile": DOCKERFILE, "requirements.txt": "flask==3.0.0\nnumpy==1.26.0\n"}]
    for number in range(1, 9):
        files = {"app.py": f"x = {number}\n"}
        if number in (4, 8):
            files["requirements.txt"] = f"flask==3.0.{number}\nnumpy==1.26.0\n"
        if number == 6:
            files["requirements.txt"] = "flask==3.0.4\nnumpy==1.26.1\n"
        if number == 8:
            files["requirements.txt"] = "flask==3.0.8\nnumpy==1.26.1\n"
        commits.append(files)
    return committed(tmp_path / "project", commits)
