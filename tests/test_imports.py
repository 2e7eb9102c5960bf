"""Imports point one way; whoever adds an arrow the other way sees it here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from import_graph import (
    LAYERS,
    ROOT,
    circles,
    module_graph,
    package,
    package_graph,
    picture,
    sources,
)

from imgopt.strategies import BUILT_IN

GRAPH = module_graph()
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
ONLY = {
    "dockerfile": {"errors"},
    "image": {"errors", "results", "endpoint"},
    "endpoint": {"errors"},
}
"""Packages that may import even less than their level allows."""


@pytest.mark.parametrize("module", GRAPH)
def test_a_module_imports_only_from_its_level_or_below(module: str) -> None:
    own = package(module)
    if own not in LEVEL:
        return
    imported = {package(name) for name in GRAPH[module]} & LEVEL.keys() - {own}
    assert not {name for name in imported if LEVEL[name] > LEVEL[own]}
    assert imported <= ONLY.get(own, set(LEVEL))


DOOR = {"allowances", "built_again", "check", "derive", "prove", "trial"}
"""What the rest may know of the proof: what it asks (`Trial`, `prove`), and what it hands in and
gets back."""


def test_the_proof_has_one_door() -> None:
    inside = {name: others for name, others in GRAPH.items() if package(name) != "proof"}
    known = {other for others in inside.values() for other in others if package(other) == "proof"}
    assert known <= {f"imgopt.proof.{name}" for name in DOOR}


def test_only_the_door_compares_runs_and_gives_a_verdict() -> None:
    for guarded in (
        "imgopt.run.comparison",
        "imgopt.run.runs",
        "imgopt.proof.judge",
        "imgopt.proof.verdict",
    ):
        users = {name for name, others in GRAPH.items() if guarded in others}
        assert {package(name) for name in users} <= {"proof", "run"}, guarded


def test_a_strategy_imports_no_other_and_names_none() -> None:
    names = {one.name for one in BUILT_IN}
    modules = {f"imgopt.strategies.{name.replace('-', '_')}" for name in names}
    for module in sorted(modules):
        assert not GRAPH[module] & modules, module
        own = module.rpartition(".")[2].replace("_", "-")
        tree = ast.parse(sources()[module].read_text())
        texts = {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not texts & (names - {own}), module


def test_every_package_has_its_layer() -> None:
    assert {package(name) for name in GRAPH} - {"", "__main__"} == LEVEL.keys()


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(GRAPH) == []


def test_no_packages_import_each_other_in_a_circle() -> None:
    assert circles(package_graph(GRAPH)) == []


def test_a_circle_is_seen_and_a_way_back_is_needed_for_it() -> None:
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b"), "d": frozenset("a")}
    assert circles(graph) == [("b", "c")]


def test_the_picture_of_the_layers_is_made_from_the_imports() -> None:
    drawn = (ROOT / "docs" / "layers.svg").read_text()
    assert drawn == picture(package_graph(GRAPH)), "python tests/import_graph.py draws it again"


FORKED = {("image/ahead.py", "os._exit")}
"""The end of a child process."""


def test_only_the_command_line_prints_or_exits() -> None:
    offenders = [
        f"{path}:{node.lineno}"
        for module, path in sources().items()
        if package(module) not in ("cli", "__main__", "strategies")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and _prints_or_exits(node)
        and (_inside(path), ast.unparse(node.func)) not in FORKED
    ]
    assert offenders == []


def _prints_or_exits(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in ("print", "exit", "quit")
    return ast.unparse(call.func) in ("sys.exit", "os._exit")


def _inside(path: Path) -> str:
    return path.relative_to(ROOT / "imgopt").as_posix()
