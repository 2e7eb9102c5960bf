"""Where modules of the interpreter's library are compiled, and which are not worth it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.rewrite.final.fates import Carved, PathFact
from imgopt.rewrite.final.final_stage import Copy, FinalStage
from imgopt.rewrite.strategy import ContextFiles, Project, Situation
from imgopt.strategies import bytecode

LIB = "/usr/local/lib/python3.11"
SITE = f"{LIB}/site-packages"
CASES = {
    "of the base": ([Copy(("/app",), "/app")], [LIB, SITE]),
    "a folder of the base that is copied over": ([Copy((SITE,), SITE)], [LIB]),
    "links and single files beside it": (
        [
            Copy(("/opt/links/",), "/"),
            Copy(("/usr/local/lib/a.so", "/usr/local/lib/b.so"), "/usr/local/lib/"),
        ],
        [LIB, SITE],
    ),
}
FACTS = next(item.bytecode for item in builtin_ecosystems() if item.bytecode is not None)


@pytest.mark.parametrize(("copies", "roots"), CASES.values(), ids=CASES)
def test_modules_of_the_base_are_compiled_where_nothing_is_copied_over_them(
    copies: list[Copy], roots: list[str]
) -> None:
    paths = {LIB: [f"{LIB}/json/decoder.py"], SITE: [f"{SITE}/pkg_resources/__init__.py"]}
    facts = {path: PathFact(path, "file", 1 << 21, 0) for each in paths.values() for path in each}
    evidence = SimpleNamespace(facts=facts, base_layers=1)
    base = SimpleNamespace(resolve=lambda path: path)
    project = Project(
        ContextFiles(Path("/nowhere"), {}), builtin_ecosystems(), evidence=cast(Any, evidence)
    )
    final = FinalStage("builder", "base", True, Carved({}, {}), copies=tuple(copies))
    situation = Situation(project, parse("FROM python:3.11\nRUN pip install a\n"))
    done = bytecode._compiled(situation, final, cast(Any, base), paths, FACTS)
    assert [step.removesuffix(" || true").rpartition(" ")[2] for step in done.setup] == roots
    assert done.early == done.prepare == ()


@pytest.mark.parametrize(
    ("read", "other", "worth"),
    [(2_000_000, 1_000_000, True), (2_000_000, 3_000_000, False), (400_000, 0, False)],
)
def test_a_folder_is_compiled_as_a_whole_where_the_run_read_most_of_it(
    read: int, other: int, worth: bool
) -> None:
    facts = {f"{LIB}/a.py": PathFact(f"{LIB}/a.py", "file", read, 0)}
    nodes = [
        SimpleNamespace(path=f"{LIB}/a.py", name="a.py", size=read),
        SimpleNamespace(path=f"{LIB}/b.py", name="b.py", size=other),
        SimpleNamespace(path=f"{SITE}/c.py", name="c.py", size=9_000_000),
    ]
    evidence = SimpleNamespace(facts=facts, tree=SimpleNamespace(files=lambda _root: nodes))
    assert bytecode._is_worth_it(cast(Any, evidence), LIB, [f"{LIB}/a.py"]) is worth
