"""Files that a build made twice: the same values in another order, and what is no longer the
same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe

from imgopt.inspect.files.contents import compare_contents
from imgopt.inspect.image_view import ImageView

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
    other: str, step: str, likeness: str, view_of: Callable[..., ImageView]
) -> None:
    one, two = (view_of(Recipe(((step, {PATH: text}),), {})) for text in (MADE, other))
    before, after = one.file(PATH), two.file(PATH)
    assert before is not None
    assert after is not None
    assert compare_contents(one, before, two, after) == likeness


def test_true_is_not_one(view_of: Callable[..., ImageView]) -> None:
    one, two = (
        view_of(Recipe((("RUN x", {PATH: text}),), {})) for text in ('{"a": 1}', '{"a": true}')
    )
    before, after = one.file(PATH), two.file(PATH)
    assert before is not None
    assert after is not None
    assert compare_contents(one, before, two, after) == "different"


MANIFEST = '{"name": "a", "version": "1.0.0", "type": "module", "dependencies": {"ms": "2.1.3"}}'
REWRITTEN = """{
  "type": "module",
  "name": "a",
  "version": "1.0.0",
  "dependencies": {"ms": "2.1.3"},
  "devDependencies": {"typescript": "^6.0.3"}
}
"""
PROJECT = '[project]\nname = "a"\ndependencies = ["flask==3.1.0"]\n'
MANIFESTS = {
    "another version is another program": (
        "package.json",
        MANIFEST.replace("1.0.0", "1.0.1"),
        "different",
    ),
    "another kind of modules runs otherwise": (
        "package.json",
        MANIFEST.replace("module", "commonjs"),
        "different",
    ),
    "another dependency is wanted at run time": (
        "package.json",
        MANIFEST.replace("2.1.3", "2.0.0"),
        "different",
    ),
    "no manifest of npm": ("settings.json", REWRITTEN, "different"),
    "a development package was added": ("package.json", REWRITTEN, "rebuilt"),
}


@pytest.mark.parametrize(("name", "other", "likeness"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_a_build_rewrites_is_compared_by_meaning(
    name: str, other: str, likeness: str, view_of: Callable[..., ImageView]
) -> None:
    one, two = (
        view_of(
            Recipe(
                (
                    ("COPY . .", {f"/app/{name}": MANIFEST}),
                    ("RUN npm i -D x", {f"/app/{name}": text}),
                ),
                {},
            )
        )
        for text in (MANIFEST + "\n", other)
    )
    before, after = one.file(f"/app/{name}"), two.file(f"/app/{name}")
    assert before is not None
    assert after is not None
    assert compare_contents(one, before, two, after) == likeness


@pytest.mark.parametrize(
    ("other", "likeness"),
    [
        (PROJECT.replace("3.1.0", "3.0.0"), "different"),
        (PROJECT + "[", "different"),
        ('[project]\ndependencies = [\n  "flask==3.1.0",\n]\nname = "a"\n', "rebuilt"),
    ],
)
def test_settings_in_toml_are_compared_by_their_values(
    other: str, likeness: str, view_of: Callable[..., ImageView]
) -> None:
    path = "/app/pyproject.toml"
    one, two = (
        view_of(Recipe((("RUN poetry add x", {path: text}),), {})) for text in (PROJECT, other)
    )
    before, after = one.file(path), two.file(path)
    assert before is not None
    assert after is not None
    assert compare_contents(one, before, two, after) == likeness
