"""What no two builds of the original share is not held against a variant; everything else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from imgopt.image import Image
from imgopt.image.tree import Tree
from imgopt.proof.model import Check, Item
from imgopt.rewrite.loop.again import REASON, settle_files

from .conftest import Recipe


class Again:
    """A second build that is counted."""

    def __init__(self, tree: Tree) -> None:
        self._tree, self.asked = tree, 0

    def tree(self) -> Tree:
        self.asked += 1
        return self._tree


@pytest.fixture
def trees(image_of: Callable[[Recipe], Image]) -> tuple[Tree, Again]:
    """Two builds of one file: a stamp that changes, code that does not, and a log that only the first one has."""
    first = {"app/stamp": "10:00", "app/code": "x", "app/log": "y"}
    second = {"app/stamp": "10:07", "app/code": "x"}
    made = [image_of(Recipe((("RUN make", files),), {})).tree() for files in (first, second)]
    return made[0], Again(made[1])


def failed(*paths: str, kind: str = "changed-file") -> Check:
    items = tuple(Item(kind, path, path) for path in paths)  # type: ignore[arg-type]
    return Check("application files", "failed", "3 files", items)


def test_a_file_that_changes_from_build_to_build_is_no_difference(trees: tuple[Tree, Again]) -> None:
    original, again = trees
    (check,) = settle_files([failed("/app/stamp")], original, again)  # type: ignore[arg-type]
    assert (check.verdict, check.items) == ("passed", ())
    assert check.allowed == (f"1 files: {REASON}",)


def test_a_file_that_both_builds_share_stays_a_difference(trees: tuple[Tree, Again]) -> None:
    original, again = trees
    (check,) = settle_files([failed("/app/code", "/app/stamp")], original, again)  # type: ignore[arg-type]
    assert check.verdict == "failed"
    assert [item.path for item in check.items] == ["/app/code"]


def test_a_file_that_only_one_build_has_is_no_difference(trees: tuple[Tree, Again]) -> None:
    original, again = trees
    assert settle_files([failed("/app/log")], original, again)[0].verdict == "passed"  # type: ignore[arg-type]


def test_a_file_that_neither_build_has_stays_a_difference(trees: tuple[Tree, Again]) -> None:
    original, again = trees
    assert settle_files([failed("/app/none")], original, again)[0].verdict == "failed"  # type: ignore[arg-type]


@pytest.mark.parametrize("check", [failed("/app/stamp", kind="missing-file"), Check("modes", "passed", "3 files")])
def test_nothing_is_built_again_where_no_contents_are_in_doubt(check: Check, trees: tuple[Tree, Again]) -> None:
    original, again = trees
    assert settle_files([check], original, again) == (check,)  # type: ignore[arg-type]
    assert again.asked == 0
