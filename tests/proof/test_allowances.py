"""An allowance excuses what it names and no more: what the original opened is excused only by
one that says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe, runs_that_opened

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances, Drop, DroppedPackage
from imgopt.proof.check import Comparison, Outcome
from imgopt.proof.checks import opened_files
from imgopt.proof.example import OPENED, SITE, Mutation

COLOURS = "usr/lib/python3.11/colorsys.py"
VIEWS = f"{SITE}/flask/views.py"
LOST = Mutation("an opened file is lost", without=(COLOURS,))
NEWER = {VIEWS: "import os", f"{SITE}/flask-3.0.dist-info/METADATA": "Name: Flask\nVersion: 3.1\n"}
OTHER = Mutation("an opened file of a package is another one", files=NEWER)
GONE = Mutation("an opened file of a package is lost", without=(VIEWS,))
Opened = Callable[[Mutation, Allowances], Outcome]


@pytest.fixture
def opened(view_of: Callable[..., ImageView]) -> Opened:
    original = view_of(Recipe.of(Mutation("no change")), 1)
    runs = runs_that_opened({*OPENED, f"/{VIEWS}"})

    def judge(mutation: Mutation, allowances: Allowances) -> Outcome:
        candidate = view_of(Recipe.of(mutation), 1)
        return opened_files.CHECK.judge(Comparison(original, candidate, allowances, runs))

    return judge


@pytest.mark.parametrize("path", ["/" + COLOURS, "/usr/lib/python3.11", "/usr/lib/*/colorsys.py"])
def test_a_drop_does_not_excuse_what_was_opened(path: str, opened: Opened) -> None:
    outcome = opened(LOST, Allowances(drops=(Drop("not needed", frozenset({path})),)))
    assert [item.path for item in outcome.items] == ["/" + COLOURS]


def test_a_drop_that_says_so_excuses_what_was_opened(opened: Opened) -> None:
    drop = Drop("not needed", frozenset({"/" + COLOURS}), even_if_opened=True)
    outcome = opened(LOST, Allowances(drops=(drop,)))
    assert (outcome.verdict, outcome.allowed) == ("passed", ("1 file: not needed",))


@pytest.mark.parametrize("mutation", [OTHER, GONE], ids=lambda mutation: mutation.name)
def test_a_package_that_is_left_out_does_not_excuse_its_opened_files(
    mutation: Mutation, opened: Opened
) -> None:
    outcome = opened(mutation, Allowances(packages=(DroppedPackage("Flask", "a tool"),)))
    assert [item.path for item in outcome.items] == ["/" + VIEWS]


@pytest.mark.parametrize("mutation", [OTHER, GONE], ids=lambda mutation: mutation.name)
def test_another_build_of_a_package_excuses_its_opened_files(
    mutation: Mutation, opened: Opened
) -> None:
    other = DroppedPackage("Flask", "another build of it", even_if_opened=True)
    outcome = opened(mutation, Allowances(packages=(other,)))
    assert (outcome.verdict, outcome.allowed) == ("passed", ("1 file: another build of it",))


@pytest.mark.parametrize(
    "other",
    [
        DroppedPackage("Werkzeug", "another build of it", even_if_opened=True),
        DroppedPackage("Flask", "another build of it", "npm", even_if_opened=True),
    ],
    ids=["another package", "another ecosystem"],
)
def test_another_build_of_something_else_excuses_nothing(
    other: DroppedPackage, opened: Opened
) -> None:
    assert opened(OTHER, Allowances(packages=(other,))).verdict == "failed"
    files_of_no_package = opened(LOST, Allowances(packages=(other,)))
    assert files_of_no_package.verdict == "failed"
