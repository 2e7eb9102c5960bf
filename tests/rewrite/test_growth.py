"""The work of a plan and of the remarks grows as the Dockerfile does: counted in calls, for a clock would not agree
with itself. Twice the lines may take a little more than twice the work, and four times would be quadratic."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from imgopt.ci.lint import lint
from imgopt.config import Config
from imgopt.rewrite.static import rewrite_static

LINES = {
    "apt": "RUN apt-get update && apt-get install -y package-{0}\n",
    "pip": "RUN pip install package-{0}\n",
    "npm": "RUN npm install package-{0}\n",
    "copies": "COPY app.py /srv/{0}/\n",
    "variables": "ENV NAME_{0}=value\n",
    "builds": "RUN make part-{0}\n",
}
LINES["mixed"] = "".join(LINES.values())
SIZES = (40, 80, 160)


def calls(work: Callable[[], object]) -> int:
    """How many calls, of Python and of C, the work makes."""
    counted = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


def project(folder: Path, kind: str, size: int) -> Path:
    """A Dockerfile of so many lines of a kind, no line of it like one of another size: nothing is remembered."""
    folder.mkdir(exist_ok=True)
    line = LINES[kind]
    body = "".join(line.format(f"{size}-{number}") for number in range(size // line.count("\n")))
    (folder / "app.py").touch()
    (folder / "Dockerfile").write_text(
        f"FROM python:3.12\nWORKDIR /app\nCOPY . .\n{body}" + 'CMD ["python", "app.py"]\n'
    )
    return folder


def rewrite(folder: Path) -> object:
    return rewrite_static(folder, folder / "Dockerfile", Config(), ())


def remarks(folder: Path) -> object:
    return lint([folder / "Dockerfile"])


@pytest.mark.parametrize("work", [rewrite, remarks])
@pytest.mark.parametrize("kind", LINES)
def test_twice_the_lines_are_twice_the_work(kind: str, work: Callable[[Path], object], tmp_path: Path) -> None:
    work(project(tmp_path / "warm", kind, 12))
    counts = [calls(partial(work, project(tmp_path / f"{size}", kind, size))) for size in SIZES]
    growth = (counts[2] - counts[1]) / (counts[1] - counts[0])
    assert growth < 2.2, counts
