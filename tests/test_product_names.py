"""Strategies, proof and inspection name no product: what is known of one is a fact of its
ecosystem.

`product_names.toml` lists by file the names that still stand in Python. The list can only shrink: a
name that is not in it fails here, and so does one that is in it and in the file no longer."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = (
    "imgopt/lives",
    "imgopt/inspect",
    "imgopt/run",
    "imgopt/proof",
    "imgopt/rewrite",
    "imgopt/loop",
    "strategies",
)
ECOSYSTEMS = ROOT / "strategies" / "ecosystems"
"""Their home."""
PRODUCTS = (
    r"npm|npx|yarn|pnpm|bun|node|nodejs|nodemon|webpack|vite|nuxt|deno|tsx|prisma|corepack|pip|"
    r"pypi|poetry|pipenv|uv|pdm|conda|python|python3|gunicorn|uvicorn|flask|django|fastapi|celery|"
    r"java|javac|maven|mvn|gradle|spring|jar|war|golang|cargo|rust|rustc|dotnet|nuget|php|"
    r"composer|ruby|bundler|gem|rails|puma|nginx|perl|elixir|mix"
)
NAME = re.compile(rf"(?<![A-Za-z])(?:{PRODUCTS})(?![A-Za-z])|(?:^|/)go(?= |/|$)")
"""`go` is a word of the language as well: it counts as a command and as a folder."""


def names_in(source: str) -> set[str]:
    """Products that string constants name, but for docstrings and the examples of strategies and
    checks."""
    tree = ast.parse(source)
    left_out = {
        id(inner)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or _is_strategy(node)
        or _is_example(node)
        for inner in ast.walk(node)
    }
    return {
        match[0].strip("/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in left_out
        for match in NAME.finditer(node.value)
    }


def _is_strategy(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [
        "STRATEGY"
    ]


def _is_example(node: ast.AST) -> bool:
    """A mutation of a check, which shows it at work on some image."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "Mutation"


def found() -> Iterator[tuple[str, list[str]]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if ECOSYSTEMS in path.parents:
                continue
            names = (
                set()
                if path.name.endswith(("_examples.py", "example.py"))
                else names_in(path.read_text())
            )
            if names:
                yield path.relative_to(ROOT).as_posix(), sorted(names)


FOUND = dict(found())
ALLOWED: dict[str, list[str]] = tomllib.loads(
    (Path(__file__).parent / "product_names.toml").read_text()
)


@pytest.mark.parametrize("path", sorted({*FOUND, *ALLOWED}))
def test_no_product_is_named_that_was_not_named_before(path: str) -> None:
    new = set(FOUND.get(path, ())) - set(ALLOWED.get(path, ()))
    assert new == set(), "make it a fact of its ecosystem: strategies/ecosystems/NAME/facts.toml"
    done = set(ALLOWED.get(path, ())) - set(FOUND.get(path, ()))
    assert done == set(), "named no longer: strike it from tests/product_names.toml"


SEEN = {
    "a command": ('X = ["npm", "run"]', {"npm"}),
    "a path": ('X = "/usr/local/go/bin"', {"go"}),
    "part of a pattern": (r'X = r"/(?:\.cargo|\.m2)/"', {"cargo"}),
    "part of an f-string": ('X = f"{folder}/pip-{version}"', {"pip"}),
    "an argument": ('def f(x="poetry"): ...', {"poetry"}),
    "a docstring": ('"""How pip does it."""\nX = 1\n"""As npm."""', set()),
    "a strategy's examples": ('STRATEGY = Strategy("x", examples=(Example("RUN npm ci"),))', set()),
    "a comment": ("# npm\nX = 1", set()),
    "other words": ('X = "may go in front of a nodeless piping warning"', set()),
}


@pytest.mark.parametrize(("source", "names"), SEEN.values(), ids=SEEN)
def test_names_are_seen_where_they_decide(source: str, names: set[str]) -> None:
    assert names_in(source) == names
