"""What two builds of one file do not share is no difference of a variant; what a variant loses is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from imgopt.inspect.failures import Item
from imgopt.proof.built_again import BuiltAgain, settle_files
from imgopt.proof.check import Check


def tree(**digests: str) -> Any:
    nodes = {"/" + name: SimpleNamespace(inode=1, digest=digest) for name, digest in digests.items()}
    return SimpleNamespace(resolve=nodes.get)


def settled(original: Any, again: Any, *items: Item) -> str:
    check = Check("application files", "failed", "", items)
    return settle_files([check], original, cast(BuiltAgain, SimpleNamespace(tree=lambda: again)))[0].verdict


@pytest.mark.parametrize(
    ("kind", "name", "again", "verdict"),
    [
        ("changed-file", "stamp", {"stamp": "2"}, "passed"),
        ("changed-file", "stamp", {"stamp": "1"}, "failed"),
        ("missing-file", "download-d1_ucj3r", {}, "passed"),
        ("missing-file", "download-d1_ucj3r", {"download-d1_ucj3r": "1"}, "failed"),
    ],
)
def test_a_file_is_settled_by_a_second_build(kind: str, name: str, again: dict[str, str], verdict: str) -> None:
    assert settled(tree(**{name: "1"}), tree(**again), Item(kind, "/" + name, "/" + name)) == verdict


def test_nothing_is_built_again_for_a_file_that_is_plainly_missing() -> None:
    def build() -> None:
        raise AssertionError

    check = Check("application files", "failed", "", (Item("missing-file", "/app/page.html", "/app/page.html"),))
    again = cast(BuiltAgain, SimpleNamespace(tree=build))
    assert settle_files([check], tree(), again)[0].verdict == "failed"
