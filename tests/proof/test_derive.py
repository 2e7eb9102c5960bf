"""What any rewrite may leave out of language packages: tools of the build, and what only they
need."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Files, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.derive import derive

SITE = "usr/lib/python3.11/site-packages"


def package(name: str, *needs: str) -> Files:
    wanted = "".join(f"Requires-Dist: {other}\n" for other in needs)
    return {
        f"{SITE}/{name}/__init__.py": "",
        f"{SITE}/{name}-1.0.dist-info/METADATA": f"Name: {name}\nVersion: 1.0\n{wanted}",
        f"{SITE}/{name}-1.0.dist-info/RECORD": f"{name}/__init__.py,,\n{name}-1.0.dist-info/METADATA,,\n",
    }


@pytest.mark.parametrize(
    ("source", "opened", "dropped"),
    [
        ("import flask", frozenset[str](), {"pytest", "pluggy"}),
        ("import flask, pluggy", frozenset[str](), {"pytest"}),
        ("import flask, pytest", frozenset[str](), set[str]()),
        ("import flask", None, set[str]()),
    ],
    ids=[
        "a tool and what it needs",
        "what it needs is imported",
        "the tool is imported",
        "not observed",
    ],
)
def test_tools_may_go_with_what_only_they_need_unless_sources_import_it(
    source: str, opened: frozenset[str] | None, dropped: set[str], view_of: Callable[..., ImageView]
) -> None:
    packages = {**package("flask", "click"), **package("click"), **package("alone")}
    tools = {**package("pytest", "pluggy"), **package("pluggy")}
    steps = (
        ("ADD base", {"bin/sh": "x"}),
        ("RUN pip", {**packages, **tools}),
        ("COPY", {"app/main.py": source}),
    )
    view = view_of(Recipe(steps, {"WorkingDir": "/app", "Cmd": ["python", "main.py"]}), 1)
    assert {item.name for item in derive(view, view, opened).packages} == dropped


def test_reading_what_all_packages_say_of_themselves_is_no_use_of_a_tool(
    view_of: Callable[..., ImageView],
) -> None:
    steps = (("ADD base", {"bin/sh": "x"}), ("RUN pip", {**package("flask"), **package("pip")}))
    view = view_of(Recipe(steps, {"Cmd": ["python", "-m", "flask"]}), 1)
    told = {name: f"/{SITE}/{name}-1.0.dist-info/METADATA" for name in ("flask", "pip")}
    looked = derive(view, view, frozenset(told.values()))
    assert (
        looked.drop_reason(told["pip"], opened=True)
        == "read only because all packages are looked through"
    )
    assert looked.drop_reason(told["flask"], opened=True) is None
    used = derive(view, view, frozenset({*told.values(), f"/{SITE}/pip/__init__.py"}))
    assert used.drop_reason(told["pip"], opened=True) is None
