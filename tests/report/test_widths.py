"""In a terminal of any width words stay whole, lines fit, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import msgspec
import pytest
import report_kinds
from report_examples import bench_result, optimize_result
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType

from imgopt.report import render, renderable
from imgopt.report.layout import Clip, Code, Column, Grid, Words
from imgopt.report.strategies import listing, page
from imgopt.results import Result
from imgopt.results.ci import FourSizes
from imgopt.results.explain import ChangedPath, ExplainResult, TrapFound
from imgopt.results.history import HistoryResult, ImageHistory, Point
from imgopt.results.replay import ReplayArm, ReplayCommit, ReplayLine, ReplayResult
from imgopt.results.rewrite import Change, RewriteResult, Skip, StaticVariant
from imgopt.strategies.registry import all_strategies, find_strategy

LONGEST = 16
"""Words of at most so many cells stay whole at twenty columns: rows are indented by up to four."""


def _plain(result: Result) -> Result:
    """With sentences and paths where the examples have hostile text; those have tests of their
    own."""
    text = "a sentence of several words about /usr/lib/x86_64-linux-gnu/libpq.so.5"
    return msgspec.convert(
        _replaced(msgspec.to_builtins(result), report_kinds.BAD, text), type(result)
    )


def _replaced(value: object, old: str, new: str) -> object:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    return [_replaced(item, old, new) for item in value] if isinstance(value, list) else value


def _explain() -> ExplainResult:
    return ExplainResult(
        compared_with="HEAD~1", line=7, instruction="RUN pip install -r requirements.txt", verdict="miss",
        reason="an earlier step runs again", first_line=4, first_instruction="COPY . .",
        cause="README.md has other bytes, so the COPY above the installation runs again",
        changed=[ChangedPath(path="README.md", what="bytes", detail="README.md has other bytes than before"),
                 ChangedPath(path="docs/a.md", what="added", detail="docs/a.md is new in this state")],
        traps=[TrapFound(name="broad-copy", advice="copy the manifests before the source, and install in between")],
    )  # fmt: skip


def _replay() -> ReplayResult:
    commits = [
        ReplayCommit(id="a" * 40, time=1, missed=[4, 7], unknown=[], causes=[4], seconds=12.0)
    ]
    lines = [ReplayLine(line=4, instruction="COPY . .", commits=12, seconds=144.0)]
    arm = ReplayArm(
        dockerfile="deploy/Dockerfile.production", steps=8, missed_per_build=3.5, unknown_per_build=0.0,
        seconds_per_build=12.0, seconds_per_month=400.0, lines=lines, commits=commits,
        notes=["the times of two steps are not known"],
    )  # fmt: skip
    return ReplayResult(
        commits=12, builds_per_month=30.0, arms=[arm, arm], notes=["a shallow clone"]
    )


def _history() -> HistoryResult:
    points = [
        Point(commit=f"{number:040x}", time=1_700_000_000, author="A. Author", subject="Add the model to the image",
              sizes=FourSizes(tar=10**8 * number), delta=10**8 if number > 1 else None, base_changed=number == 2)
        for number in (1, 2, 3)
    ]  # fmt: skip
    images = [ImageHistory(name="shop", platform="linux/amd64", points=points)]
    return HistoryResult(
        metric="tar", baseline="imgopt-baseline.json", commits=3, images=images, notes=["a note"]
    )


def _rewrite() -> RewriteResult:
    variant = StaticVariant(
        name="safe", dockerfile="FROM python:3.12\nCOPY requirements.txt ./\nCOPY . .\n", dockerignore=".git\n",
        changes=[Change(strategy="layer-order", line=2, because="a source edit no longer installs everything again")],
        skips=[Skip(strategy="apt-hygiene", line=None, reason="no step of this file installs with apt")],
    )  # fmt: skip
    return RewriteResult(
        dockerfile="Dockerfile", original="FROM python:3.12\nCOPY . .\n", variants=[variant]
    )


RESULTS: dict[str, Result] = {
    "optimize": _plain(optimize_result()), "bench": bench_result(), "analysis": _plain(report_kinds.analysis()),
    "diff": _plain(report_kinds.diff()), "proof": _plain(report_kinds.proof()), "cache": _plain(report_kinds.cache()),
    "ci": _plain(report_kinds.ci()), "explain": _explain(), "replay": _replay(), "history": _history(),
    "rewrite": _rewrite(),
}  # fmt: skip
SHOWN: dict[str, RenderableType] = {
    **{name: renderable(result) for name, result in RESULTS.items()},
    "strategies": listing(all_strategies()),
    **{
        f"strategies {name}": page(find_strategy(name))
        for name in ("layer-order", "non-root", "cpu-wheels")
    },
}


def _lines(what: RenderableType, width: int) -> list[str]:
    target = StringIO()
    Console(file=target, width=width, color_system=None, highlight=False).print(what)
    return [line.rstrip() for line in target.getvalue().splitlines()]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("name", SHOWN)
def test_words_stay_whole_and_lines_fit(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgopt.report.layout.folds_code", lambda _: True)  # as on a terminal
    assert all(cell_len(line) <= width for line in _lines(SHOWN[name], width))
    monkeypatch.setattr(
        Clip, "wrap", Words.wrap
    )  # what an ellipsis leaves out on purpose is not looked for
    wide, narrow = (
        Counter(word for line in _lines(SHOWN[name], w) for word in line.split())
        for w in (2000, width)
    )
    lost = {
        word
        for word, count in wide.items()
        if cell_len(word) <= min(LONGEST, width) and narrow[word] < count
    }
    assert not lost


def test_what_is_cut_is_cut_behind_a_word() -> None:
    assert _lines(Group(Clip("RUN apt-get install build-essential git")), 27) == [
        "RUN apt-get install …"
    ]
    assert _lines(Group(Clip("RUN x")), 5) == ["RUN x"]


def test_lines_of_a_patch_stay_whole_where_a_program_may_read_them() -> None:
    line = "+RUN " + "apt-get install everything && " * 5 + "true"
    assert render(_rewrite(), "text", width=40).splitlines()[1:4] == [
        "--- a/Dockerfile",
        "+++ b/Dockerfile",
        "@@ -1,2 +1,3 @@",
    ]
    target = StringIO()
    Console(file=target, width=40, color_system=None).print(Group(Code(line)), crop=False)
    assert target.getvalue() == f"{line}\n"


def test_a_table_that_does_not_fit_is_a_list_of_its_rows() -> None:
    grid = Grid(
        (Column(), Column("wire", right=True), Column("why", wraps=True)),
        [("slim", "96.1 MB", "a reason")],
    )
    assert _lines(grid, 40) == ["         wire  why", "slim  96.1 MB  a reason"]
    assert _lines(grid, 20) == ["slim", "  wire 96.1 MB", "  why a reason"]


def test_a_long_path_breaks_behind_its_joints() -> None:
    text = Words("is missing: /usr/lib/x86_64-linux-gnu/perl-base/auto/List/Util/Util.so")
    assert _lines(Group(text), 30) == [
        "is missing:",
        "/usr/lib/x86_64-linux-gnu/",
        "perl-base/auto/List/Util/",
        "Util.so",
    ]
