"""A development package that another one asks for in a `try` is no reason to keep all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import File, Recipe, runs_that_opened

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.proof.check import Comparison
from imgopt.proof.checks.opened_files import check_opened_files
from imgopt.proof.derive import derive
from imgopt.proof.judge import judge
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages
from imgopt.rewrite.strategy import Change, ContextFiles, Project, Situation, Skip
from imgopt.run.opened import Opened
from imgopt.strategies.prune_dev import STRATEGY

MODULES = "app/node_modules"
DEBUG = {
    "name": "debug",
    "version": "4.4.3",
    "peerDependenciesMeta": {"supports-color": {"optional": True}},
}
LOCK = {
    "packages": {
        f"node_modules/{name}": {"dev": True}
        for name in ("supports-color", "has-flag", "chalk", "jest")
    }
}
FILES: dict[str, File | str] = {
    "app/main.js": "require('debug')('app')",
    f"{MODULES}/.package-lock.json": json.dumps(LOCK),
    f"{MODULES}/debug/package.json": json.dumps(DEBUG),
    f"{MODULES}/debug/index.js": "try { require('supports-color') } catch {}",
    **{
        f"{MODULES}/{name}/package.json": json.dumps({"name": name, "version": "1.0.0"})
        for name in ("jest", "chalk")
    },
    f"{MODULES}/jest/index.js": "x" * 600_000,
    f"{MODULES}/chalk/index.js": "1",
    **{f"{MODULES}/{name}/index.js": "1" for name in ("supports-color", "has-flag")},
    **{
        f"{MODULES}/{name}/package.json": json.dumps({"name": name, "version": "1.0.0"})
        for name in ("supports-color", "has-flag")
    },
}
ASKED = frozenset([f"/{MODULES}/supports-color/index.js", f"/{MODULES}/has-flag/index.js"])
PRUNED = [
    path
    for path in FILES
    if path.split("/")[2:3] and path.split("/")[2] in ("jest", "chalk", "supports-color")
]
PRUNED += [path for path in FILES if "/has-flag/" in path]


def image(files: dict[str, File | str]) -> Recipe:
    return Recipe((("RUN npm install", files),), {"WorkingDir": "/app", "Cmd": ["node", "main.js"]})


TRAPS = {
    "its own source names it": ({"app/color.js": "require('supports-color')"}, ASKED),
    "a manifest does not call it optional": (
        {f"{MODULES}/debug/package.json": '{"name": "debug"}'},
        ASKED,
    ),
    "another development package was read": ({}, ASKED | {f"/{MODULES}/chalk/index.js"}),
    "no list says that it is for development": ({f"{MODULES}/.package-lock.json": "{}"}, ASKED),
}


def lacking(
    view_of: Callable[..., ImageView], more: dict[str, File | str], opened: frozenset[str]
) -> list[str]:
    """What the proof says of an image without development packages."""
    files = {**FILES, **more}
    before = view_of(image(files))
    after = view_of(image({path: file for path, file in files.items() if path not in PRUNED}))
    allowed = derive(before, after, opened)
    found = check_opened_files(before, after, Opened(opened), allowed)
    comparison = Comparison(before, after, allowed, runs_that_opened(opened))
    static = [item for check in judge(comparison) for item in check.items]
    return sorted({item.path for item in (*found.items, *static) if "node_modules" in item.path})


@pytest.mark.parametrize(("more", "opened"), TRAPS.values(), ids=TRAPS)
def test_what_was_read_refutes(
    more: dict[str, File | str], opened: frozenset[str], view_of: Callable[..., ImageView]
) -> None:
    assert lacking(view_of, more, opened)


def test_what_is_asked_for_in_a_try_may_be_missing(view_of: Callable[..., ImageView]) -> None:
    assert lacking(view_of, {}, ASKED | {f"/{MODULES}/debug/index.js"}) == []


@pytest.mark.parametrize(
    ("opened", "made"), [(ASKED, Change), (ASKED | {f"/{MODULES}/chalk/index.js"}, Skip)]
)
def test_development_packages_go_where_nothing_else_of_them_was_read(
    opened: frozenset[str], made: type[Change | Skip], image_of: Callable[[Recipe], Image]
) -> None:
    evidence = Evidence(ImageView(image_of(image(FILES))), SystemPackages(), Seen(opened=opened))
    project = Project(ContextFiles(Path("/nowhere"), {}), builtin_ecosystems(), evidence=evidence)
    (found,) = STRATEGY.rewrite(
        Situation(project, parse("FROM node:24\nWORKDIR /app\nCOPY . .\nRUN npm install\n"))
    )
    assert isinstance(found, made)
    assert made is Skip or "opened but has-flag, supports-color, which" in found.because
