"""Small mistakes made on purpose, one at a time: do the fast tests see them?

`make mutants` draws places in `imgopt/proof` and `imgopt/rewrite` by a seed, changes each in a copy
of the sources (a condition turned round, `and` for `or`, a step left out, a number by one), and
runs the tests of its package without an engine. What survives is printed with its place and what
was written there: either a test is missing, or the change makes no difference.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = {
    "proof": ("tests/proof", "tests/run", "tests/inspect", "tests/rewrite/test_worth_it.py"),
    "rewrite": ("tests/rewrite", "tests/test_strategies.py", "tests/proof"),
    "loop": ("tests/rewrite",),
}
SECONDS = 900
_OPPOSITE: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Lt: ">=",
    ast.GtE: "<",
    ast.Gt: "<=",
    ast.LtE: ">",
}


@dataclass(frozen=True)
class Mutant:
    """`node` of the file at `path` (from the root) written as `text` instead."""

    path: Path
    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.start[0]}: {self.text}"

    def applied(self, source: str) -> str:
        """The file with the mistake in it; positions of `ast` count bytes."""
        lines = source.encode().splitlines(keepends=True)
        (row, column), (last, stop) = self.start, self.end
        head, tail = lines[row - 1][:column], lines[last - 1][stop:]
        lines[row - 1 : last] = [head + self.text.encode() + tail]
        return b"".join(lines).decode()


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mistake that this file can get inside of its functions."""
    for function in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(function, ast.FunctionDef):
            for node in _inside(function):
                text = _written(node)
                if text is not None and isinstance(node, (ast.expr, ast.stmt)):
                    end = node.end_lineno or node.lineno, node.end_col_offset or 0
                    yield Mutant(path, (node.lineno, node.col_offset), end, text)


def _inside(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Its nodes, but for those of functions in it and of f-strings, whose places are not known."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (ast.JoinedStr, ast.FunctionDef)):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _written(node: ast.AST) -> str | None:
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return f"({ast.unparse(left)} {_OPPOSITE[type(operator)]} {ast.unparse(right)})"
        case ast.BoolOp(op=ast.And(), values=values):
            return f"({' or '.join(f'({ast.unparse(value)})' for value in values)})"
        case ast.BoolOp(op=ast.Or(), values=values):
            return f"({' and '.join(f'({ast.unparse(value)})' for value in values)})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"bool({ast.unparse(operand)})"
        case ast.Continue() | ast.Expr(value=ast.Yield() | ast.YieldFrom() | ast.Call()):
            return "pass"
        case ast.Return(value=ast.Constant(value=bool(value))):
            return f"return {not value}"
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return f"({value + 1})"
    return None


def survives(mutant: Mutant, copy: Path, package: str) -> bool:
    """Whether all tests of the package pass with the mistake in them."""
    target = copy / mutant.path
    source = target.read_text()
    target.write_text(mutant.applied(source))
    words = (
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not engine and not browser",
    )
    try:
        done = subprocess.run(
            [sys.executable, *words, *TESTS[package]],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False  # a loop that does not end is seen, too
    finally:
        target.write_text(source)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="how many of each package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("packages", nargs="*", default=list(TESTS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        ignored = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, copy, symlinks=True, ignore=ignored)
        for package in given.packages:
            files = sorted((ROOT / "imgopt" / package).rglob("*.py"))
            possible = [one for file in files for one in mutants(file.relative_to(ROOT))]
            drawn = random.Random(given.seed).sample(possible, min(given.count, len(possible)))
            left = 0
            for mutant in drawn:
                if survives(mutant, copy, package):
                    left += 1
                    print(f"survives: {mutant}", flush=True)
            score = 100 * (len(drawn) - left) / max(1, len(drawn))
            print(f"{package}: {len(drawn) - left} of {len(drawn)} seen, {score:.0f} %", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
