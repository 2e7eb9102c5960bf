"""A base's name as a FROM writes it: with the variables of ARG in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from imgopt.dockerfile import Dockerfile, Stage
from imgopt.dockerfile.expand import ExpansionError
from imgopt.dockerfile.typed import From

_VARIABLE = re.compile(r"\$\{[^}]+\}|\$\w+")


def spelled(dockerfile: Dockerfile, stage: Stage, name: str, args: Mapping[str, str]) -> str | None:
    """The name of a base as the FROM of this stage would write it: with its variables, so that a
    version which is changed there is changed for both. None where they leave no room for it."""
    source = image_text(stage)
    if "$" not in source:
        return name
    if source in words_of(source):
        return None
    scope, text = dockerfile.global_scope(args), name
    try:
        for word in _VARIABLE.findall(source):
            value = scope.expand(word)
            if value and text.count(value) == 1:
                text = text.replace(value, word)
        return text if "$" in text and scope.expand(text) == name else None
    except ExpansionError:
        return None


def image_text(stage: Stage) -> str:
    typed = stage.root.start.typed
    return str(typed.image) if isinstance(typed, From) else ""


def variables_of(stage: Stage) -> set[str]:
    return {
        match[0]
        for word in _VARIABLE.findall(image_text(stage))
        if (match := re.search(r"\w+", word))
    }


def words_of(source: str) -> frozenset[str]:
    return frozenset(_VARIABLE.findall(source))
