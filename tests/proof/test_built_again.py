"""What no two builds of the original share is not held against a candidate; everything else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe

from imgopt.image import Image
from imgopt.image.tree import Tree
from imgopt.inspect.failures import Item
from imgopt.proof.built_again import REASON, settle_files
from imgopt.proof.check import Outcome


class Again:
    """A second build that is counted."""

    def __init__(self, tree: Tree) -> None:
        self._tree, self.asked = tree, 0

    def tree(self) -> Tree:
        self.asked += 1
        return self._tree


@pytest.fixture
def trees(image_of: Callable[[Recipe], Image]) -> tuple[Tree, Again]:
    """Two builds of one file: a stamp that changes, code that does not, and a log that only the
    first one has."""
    first = {"app/stamp": "10:00", "app/code": "x", "app/log": "y"}
    second = {"app/stamp": "10:07", "app/code": "x"}
    made = [image_of(Recipe((("RUN make", files),), {})).tree() for files in (first, second)]
    return made[0], Again(made[1])


def failed(*paths: str, kind: str = "changed-file") -> Outcome:
    items = tuple(Item(kind, path, path) for path in paths)  # type: ignore[arg-type]
    return Outcome("application files", "failed", "3 files", items)


def test_a_file_that_changes_from_build_to_build_is_no_difference(
    trees: tuple[Tree, Again],
) -> None:
    original, again = trees
    (check,) = settle_files([failed("/app/stamp")], original, again)
    assert (check.verdict, check.items) == ("passed", ())
    assert check.allowed == (f"1 files: {REASON}",)


def test_a_file_that_both_builds_share_stays_a_difference(trees: tuple[Tree, Again]) -> None:
    original, again = trees
    (check,) = settle_files([failed("/app/code", "/app/stamp")], original, again)
    assert check.verdict == "failed"
    assert [item.path for item in check.items] == ["/app/code"]


def test_a_file_that_only_one_build_has_is_no_difference(trees: tuple[Tree, Again]) -> None:
    original, again = trees
    assert settle_files([failed("/app/log")], original, again)[0].verdict == "passed"


def test_a_file_that_neither_build_has_stays_a_difference(trees: tuple[Tree, Again]) -> None:
    original, again = trees
    assert settle_files([failed("/app/none")], original, again)[0].verdict == "failed"


def test_a_file_that_both_builds_have_may_change_and_not_be_missing(
    trees: tuple[Tree, Again],
) -> None:
    original, again = trees
    missing = failed("/app/stamp", kind="missing-file").items
    check = Outcome("application files", "failed", "3 files", (*missing, *failed("/app/log").items))
    (found,) = settle_files([check], original, again)
    assert [item.path for item in found.items] == ["/app/stamp"]


def test_a_folder_whose_name_is_drawn_in_each_build_may_be_missing(
    image_of: Callable[[Recipe], Image],
) -> None:
    chunk = "/app/.svelte-kit/output/client/_app/immutable/chunks/DnSaViGT.js"
    path = "/app/.next/static/yoYvvaVl-sNcBYKAQjmQ5/_buildManifest.js"
    made = image_of(Recipe((("RUN make", {path: "x", chunk: "x"}),), {})).tree()
    again = Again(image_of(Recipe((("RUN make", {path.replace("yoY", "nnn"): "x"}),), {})).tree())
    for drawn in (path, chunk):
        (check,) = settle_files([failed(drawn, kind="missing-file")], made, again)
        assert check.verdict == "passed"
    usual = failed("/app/src/components-of-the-app/a.js", kind="missing-file")
    assert settle_files([usual], made, again)[0] is usual


def test_a_drawn_name_that_both_builds_have_may_not_be_missing(
    image_of: Callable[[Recipe], Image],
) -> None:
    path = "/app/download-d1_ucj3r"
    made = image_of(Recipe((("RUN make", {path: "x"}),), {})).tree()
    assert (
        settle_files([failed(path, kind="missing-file")], made, Again(made))[0].verdict == "failed"
    )


@pytest.mark.parametrize(
    "check", [failed("/app/stamp", kind="missing-file"), Outcome("modes", "passed", "3 files")]
)
def test_nothing_is_built_again_where_no_contents_are_in_doubt(
    check: Outcome, trees: tuple[Tree, Again]
) -> None:
    original, again = trees
    assert settle_files([check], original, again) == (check,)
    assert again.asked == 0
