"""Files that a build made twice: the same values in another order, and what is no longer the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from imgopt.proof.contents import compare_contents
from imgopt.proof.side import Side

from .conftest import Recipe

PATH = "/app/.next/server/pages-manifest.json"
MADE = '{"/_app": "a.js", "/_error": ["b.js", "c.js"]}'


@pytest.mark.parametrize(
    ("other", "step", "likeness"),
    [
        ('{"/_error": ["b.js", "c.js"], "/_app": "a.js"}', "RUN npm run build", "rebuilt"),
        ('{"/_error": ["c.js", "b.js"], "/_app": "a.js"}', "RUN npm run build", "different"),
        ('{"/_app": "a.js", "/_error": true}', "RUN npm run build", "different"),
        ("{", "RUN npm run build", "different"),
        ('{"/_error": ["b.js", "c.js"], "/_app": "a.js"}', "COPY . .", "different"),
    ],
)
def test_a_table_may_be_written_in_another_order(
    other: str, step: str, likeness: str, side_of: Callable[..., Side]
) -> None:
    one, two = (side_of(Recipe(((step, {PATH: text}),), {})) for text in (MADE, other))
    before, after = one.file(PATH), two.file(PATH)
    assert before is not None
    assert after is not None
    assert compare_contents(one, before, two, after) == likeness


def test_true_is_not_one(side_of: Callable[..., Side]) -> None:
    one, two = (side_of(Recipe((("RUN x", {PATH: text}),), {})) for text in ('{"a": 1}', '{"a": true}'))
    before, after = one.file(PATH), two.file(PATH)
    assert before is not None
    assert after is not None
    assert compare_contents(one, before, two, after) == "different"
