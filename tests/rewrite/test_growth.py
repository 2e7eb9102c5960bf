"""The work of a plan and of the remarks grows as the Dockerfile does: counted in calls, for a clock
would not agree with itself. Twice the lines may take a little more than twice the work, and four
times would be quadratic."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, overload

import pytest

from imgopt.ci.advice import Advice
from imgopt.ci.lint import lint
from imgopt.config import Config
from imgopt.loop.static import rewrite_static
from imgopt.results.rewrite import Change

LINES = {
    "apt": "RUN apt-get update && apt-get install -y package-{0}\n",
    "pip": "RUN pip install package-{0}\n",
    "npm": "RUN npm install package-{0}\n",
    "copies": "COPY app.py /srv/{0}/\n",
    "variables": "ENV NAME_{0}=value\n",
    "builds": "RUN make part-{0}\n",
    "go": "RUN go install example.org/part-{0}@latest\n",
}
BASES = {"go": "golang:1.26"}  # whose image sets GOPATH
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
    """A Dockerfile of so many lines of a kind, no line of it like one of another size: nothing is
    remembered."""
    folder.mkdir(exist_ok=True)
    line = LINES[kind]
    body = "".join(line.format(f"{size}-{number}") for number in range(size // line.count("\n")))
    (folder / "app.py").touch()
    (folder / "Dockerfile").write_text(
        f"FROM {BASES.get(kind, 'python:3.12')}\nWORKDIR /app\nCOPY . .\n{body}"
        + 'CMD ["python", "app.py"]\n'
    )
    return folder


def rewrite(folder: Path) -> object:
    return rewrite_static(folder, folder / "Dockerfile", Config(), ())


def remarks(folder: Path) -> object:
    return lint([folder / "Dockerfile"])


@pytest.mark.parametrize("work", [rewrite, remarks])
@pytest.mark.parametrize("kind", LINES)
def test_twice_the_lines_are_twice_the_work(
    kind: str, work: Callable[[Path], object], tmp_path: Path
) -> None:
    work(project(tmp_path / "warm", kind, 12))
    counts = [calls(partial(work, project(tmp_path / f"{size}", kind, size))) for size in SIZES]
    growth = (counts[2] - counts[1]) / (counts[1] - counts[0])
    assert growth < 2.2, counts


class Lines(Sequence[int | None]):
    """The lines of a rewrite; counts how often one is read, by whatever way."""

    def __init__(self, size: int) -> None:
        self.size, self.reads = size, 0

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> int | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int | None]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int | None] | None:
        assert isinstance(index, int)
        self.reads += 1
        if index >= self.size:
            raise IndexError
        return index + 1


class Text(str):
    """A Dockerfile; counts how often it is cut into lines."""

    cuts = 0

    def splitlines(self, keepends: bool = False) -> list[str]:
        Text.cuts += 1
        return super().splitlines(keepends)


def test_remarks_read_a_text_and_its_lines_once_whatever_their_number() -> None:
    """What is written in C (a search in a list, a cut of a text) is one call, however long it
    takes."""
    Text.cuts, size = 0, 300
    before, lines = Text("RUN a\n" * size), Lines(size)
    advice = Advice(before, Text("RUN b\n" * size), lines)
    for line in range(1, size + 1):
        change = Change(strategy="cache-mounts", line=line, because="")
        assert advice.message(change).endswith("write `RUN b`")
    assert (Text.cuts, lines.reads) == (2, size + 1)
