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
CASES = {
    "of the base": ([Copy(("/app",), "/app")], [f"cd {LIB} ", f"cd {LIB}/site-packages "]),
    "a folder of the base that is copied over": (
        [Copy((f"{LIB}/site-packages",), f"{LIB}/site-packages")], [f"cd {LIB} "],
    ),
    "links and single files beside it": (
        [Copy(("/opt/links/",), "/"), Copy(("/usr/local/lib/a.so", "/usr/local/lib/b.so"), "/usr/local/lib/")],
        [f"cd {LIB} ", f"cd {LIB}/site-packages "],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("copies", "roots"), CASES.values(), ids=CASES)
def test_modules_of_the_base_are_compiled_where_nothing_is_copied_over_them(
    copies: list[Copy], roots: list[str]
) -> None:
    paths = (f"{LIB}/json/decoder.py", f"{LIB}/site-packages/pkg_resources/__init__.py")
    facts = {path: PathFact(path, "file", 1 << 21, 0) for path in paths}
    tree = SimpleNamespace(files=lambda _root: [])
    evidence = SimpleNamespace(facts=facts, base_layers=1, tree=tree)
    base = SimpleNamespace(resolve=lambda path: path)
    project = Project(
        ContextFiles(Path("/nowhere"), {}), builtin_ecosystems(), evidence=cast(Any, evidence)
    )
    facts_of_python = next(
        item.bytecode for item in project.ecosystems if item.bytecode is not None
    )
    final = FinalStage("builder", "base", True, Carved({}, {}), copies=tuple(copies))
    situation = Situation(project, parse("FROM python:3.11\nRUN pip install a\n"))
    done = bytecode._compiled(situation, final, cast(Any, base), paths, facts_of_python)
    assert [step.partition("\\")[0] for step in done.setup] == roots
    assert done.early == done.prepare == ()
