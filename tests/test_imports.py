"""Imports point one way; whoever adds an arrow the other way sees it here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "imgopt"
LEVEL = {
    "errors": 0,
    "endpoint": 1,
    "results": 1,
    "image": 2,
    "engine": 2,
    "context": 2,
    "dockerfile": 2,
    "config": 2,
    "inspect": 3,
    "run": 4,
    "proof": 5,
    "cache": 5,
    "analysis": 5,
    "rewrite": 6,
    "ci": 6,
    "bench": 6,
    "report": 6,
    "strategies": 6,
    "cli": 7,
}
ONLY = {"dockerfile": {"errors"}, "image": {"errors", "results", "endpoint"}, "endpoint": {"errors"}}
"""Packages that may import even less than their level allows."""


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name.startswith("imgopt.")}
    return found


def _modules() -> list[Path]:
    own = [path for path in ROOT.rglob("*.py") if "strategies" not in path.relative_to(ROOT).parts]
    return sorted([*own, *(ROOT.parent / "strategies").rglob("*.py")])


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT.parent)))
def test_a_module_imports_only_from_its_level_or_below(path: Path) -> None:
    inside = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path("strategies")
    package = inside.parts[0].removesuffix(".py")
    if package not in LEVEL:
        return
    imported = {name for name in _imports(path) if name in LEVEL and name != package}
    above = {name for name in imported if LEVEL[name] > LEVEL[package]}
    assert not above
    assert imported <= ONLY.get(package, set(LEVEL))


FORKED = {("image/ahead.py", "os._exit")}
"""The end of a child process."""


def test_only_the_command_line_prints_or_exits() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _modules()
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] not in ("cli", "__main__.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in ("print", "exit", "quit"))
            or (isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in ("sys.exit", "os._exit"))
        )
        and (path.relative_to(ROOT).as_posix(), ast.unparse(node.func)) not in FORKED
    ]
    assert offenders == []
