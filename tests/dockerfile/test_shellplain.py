"""What is read without a tree is read as the tree reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgopt.dockerfile.shellmodel import Item
from imgopt.dockerfile.shellplain import read_plain
from imgopt.dockerfile.shelltree import TreeReader, Unreadable
from imgopt.dockerfile.spans import Span

WORDS = [
    "apt-get", "pip", "install", "-y", "a=b", "x+=1", "=", "A=", "--opt=v", "80", "/x/*", "**", "--", ".", ":", "..",
    "@", "++", "test", "time", "cd", "12:30", "a,b", "1.2", "&", "in", "if", "[",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from([*WORDS, "&&", "&&"]), max_size=9).map(" ".join),
    st.text("abA_01.-/=:@+,*& \t", max_size=14),
)


def _plain(items: tuple[Item, ...]) -> list[tuple[str, dict[str, object]]]:
    return [(item.operator, vars(item.node)) for item in items]


@given(TEXTS)
def test_as_the_tree_reads_it(text: str) -> None:
    found = read_plain(text, Span)
    if found is None:
        return
    try:
        tree = TreeReader(text, Span).read()
    except Unreadable:
        return  # a word that the tree's grammar has no place for; the shell has
    assert _plain(found) == _plain(tree)


@pytest.mark.parametrize(
    "text",
    ["make", "apt-get update && apt-get install -y a=1.2 b", " rm -rf /var/lib/apt/lists/* "],
)
def test_most_steps_are_plain(text: str) -> None:
    assert read_plain(text, Span)


@pytest.mark.parametrize(
    "text",
    ["", "A=b make", "if true", "cd /x && make", "make &", "&& make", "make &&", "make; make", "make | cat", "a && - b",
     "test -f x", "export A=b", "echo $A", "echo 'a'", "make > x", "make # all", "! make", "a\nb", "time make",
     "[ -f x ]"],
)  # fmt: skip
def test_what_takes_the_shells_grammar_is_left_to_the_tree(text: str) -> None:
    assert read_plain(text, Span) is None
