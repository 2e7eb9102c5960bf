"""Strategies ask the Dockerfile model: no regular expression is tried on the text of a Dockerfile
or an instruction."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import imgopt

PACKAGE = Path(imgopt.__file__).parent
ROOTS = (
    PACKAGE.parent / "strategies",
    PACKAGE / "rewrite",
    PACKAGE / "loop",
    PACKAGE / "cache",
    PACKAGE / "proof",
    PACKAGE / "ci",
)
METHODS = frozenset(["match", "search", "fullmatch", "findall", "finditer", "sub", "subn", "split"])
TEXTS = ("dockerfile.text", "item.value", "item.text", "item.source", "instruction.value", "instruction.text",
         "instruction.source", "run.value", "source.text", "situation.dockerfile")  # fmt: skip
ALLOWED = {
    (
        "rewrite/final/settings.py",
        "item.value",
    ): "names of variables that may be used; one too many only keeps an ARG",
}


def reads(tree: ast.AST) -> Iterator[str]:
    """What of a Dockerfile each call of a regular expression is given. `text.split(…)` has no
    expression before it."""
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Call)
            or not isinstance(node.func, ast.Attribute)
            or node.func.attr not in METHODS
        ):
            continue
        owner = ast.unparse(node.func.value)
        if owner != "re" and not owner.lstrip("_").isupper():
            continue
        given = " ".join(ast.unparse(argument) for argument in node.args)
        yield from (text for text in TEXTS if text in given)


def test_no_regular_expression_reads_a_dockerfile() -> None:
    found = {
        (str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else path.name, text)
        for root in ROOTS
        for path in root.rglob("*.py")
        for text in reads(ast.parse(path.read_text()))
    }
    assert found == set(ALLOWED)


def test_the_search_finds_one() -> None:
    assert list(reads(ast.parse('re.search("^RUN", situation.dockerfile.text)'))) != []
    assert list(reads(ast.parse("_COMMENT.sub('', item.value)"))) == ["item.value"]
    assert list(reads(ast.parse("item.value.split()"))) == []
