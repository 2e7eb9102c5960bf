"""What a refutation says beside the fact: what a user would notice, what to write, and the key that
allows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from recipes import Recipe

from imgopt.cli import choices
from imgopt.engine import Session
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.proof.advice import advise, key_of
from imgopt.proof.derive import derive
from imgopt.proof.example import CONFIG, LAYERS, NAMED, SEEN, Mutation
from imgopt.proof.judge import CHECKS
from imgopt.proof.trial import Judgement, Trial
from imgopt.report.proof import allowed_words
from imgopt.run.settings import SmokeSettings

ORIGINAL = Recipe(LAYERS, CONFIG)
NOBODY_MEANS = {"answer", "stop"}
"""A service that does not answer, or has to be killed, is no difference to allow."""
Images = Callable[..., ImageView]
MUTATIONS = [
    pytest.param(mutation, id=f"{check.name}: {mutation.name}")
    for check in CHECKS
    for mutation in check.mutations
]


@pytest.fixture
def judged(view_of: Images) -> Callable[[Mutation, tuple[str, ...]], Judgement]:
    original = view_of(ORIGINAL, 1)

    def judge(mutation: Mutation, keys: tuple[str, ...]) -> Judgement:
        candidate = view_of(Recipe.of(mutation), 1)
        trial = Trial(cast(Session, None), original, (SEEN, SEEN), SmokeSettings(), named=NAMED)
        assert trial.opened is not None
        allowances = derive(original, candidate, trial.opened.files, keys)
        return trial.judge(candidate, allowances, mutation.run)

    return judge


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_keys_that_are_printed_are_taken_and_allow_what_they_stand_for(
    mutation: Mutation,
    judged: Callable[[Mutation, tuple[str, ...]], Judgement],
) -> None:
    items = [item for found in judged(mutation, ()).checks for item in found.items]
    assert items
    keys = tuple(key for item in items if (key := key_of(item)))
    choices.check("--allow", keys, choices.DIFFERENCES)
    left = [item for found in judged(mutation, keys).checks for item in found.items]
    assert {item.kind for item in left} <= NOBODY_MEANS, left


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_refutation_says_what_is_noticed_and_what_to_write(
    mutation: Mutation,
    judged: Callable[[Mutation, tuple[str, ...]], Judgement],
    view_of: Images,
) -> None:
    original = view_of(ORIGINAL, 1)
    for found in judged(mutation, ()).checks:
        for item in found.items:
            for view in (original, None):
                advice = advise(item, view)
                assert advice.instead and "{" not in advice.instead
                assert advice.notice or item.kind == "process", item


WRITTEN = {
    "a value": (Item("configuration", "env:MODE"), "ENV MODE=web"),
    "a value with signs": (Item("configuration", "env:TZ"), 'ENV TZ="Europe/Berlin"'),
    "a variable that is new": (Item("configuration", "env:DEBUG"), "leave out ENV DEBUG"),
    "a label": (Item("configuration", "label:team"), "LABEL team=a"),
    "a command": (Item("configuration", "command"), 'CMD ["/app/run.sh"]'),
    "a folder": (
        Item("missing-file", "/app/empty", "/app/empty"),
        "RUN mkdir -p /app/empty (owner 0:0, mode 755)",
    ),
    "a mode": (
        Item("permission", "/app/tool", "/app/tool"),
        "owner 0:0 and mode 755, as in the original",
    ),
    "a program of a package": (
        Item("missing-command", "hello", "/usr/bin/hello"),
        "install the package hello",
    ),
}


@pytest.mark.parametrize(("item", "instead"), WRITTEN.values(), ids=WRITTEN)
def test_what_to_write_is_said_with_the_originals_own_values(
    item: Item, instead: str, view_of: Images
) -> None:
    assert advise(item, view_of(ORIGINAL, 1)).instead == instead


def test_keys_are_printed_as_a_shell_takes_them() -> None:
    keys = ["file:/app/my notes.txt", "env:MODE", "env:MODE"]
    assert allowed_words(keys) == "--allow 'file:/app/my notes.txt' --allow env:MODE"


def test_an_answer_has_no_key() -> None:
    assert key_of(Item("answer", "GET /")) == key_of(Item("stop", "docker stop")) == ""
