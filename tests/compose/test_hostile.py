"""Whatever a Compose file says, it is read or refused: never a traceback."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from grammar import GOOD, written
from ruamel.yaml import YAML

from imgopt.compose.companions import beside
from imgopt.compose.project import read_project
from imgopt.errors import InputError

ODD: tuple[Any, ...] = (
    None,
    3,
    -1,
    2.5,
    True,
    "",
    "x",
    "a:b:c:d",
    "${",
    "~",
    [],
    [[]],
    [None],
    [1],
    {},
    {"a": None},
)
ODD += (
    {"x": {"y": [1]}},
    [{"a": 1}],
    "http://x/y.git",
    "\x00",
    "${A:?}",
    "8000:http",
    {"source": 3},
)
ROUNDS = int(os.environ.get("IMGOPT_FUZZ", "400")) // len(GOOD) + 1


def _places(value: Any, keys: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [keys, *(place for key, item in inside for place in _places(item, (*keys, key)))]


def _changed(value: Any, keys: tuple[Any, ...], odd: Any) -> Any:
    if not keys:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[keys[0]] = _changed(value[keys[0]], keys[1:], odd)
    return copy


@pytest.mark.parametrize("name", GOOD)
def test_a_value_of_another_kind_is_read_or_refused(name: str, tmp_path: Path) -> None:
    files = GOOD[name]
    main = next(file for file in files if file.endswith(("yaml", "yml")))
    plain = YAML(typ="safe", pure=True)
    plain.constructor.add_multi_constructor("!", lambda *_: "x")
    whole = plain.load(files[main])
    dice = random.Random(name)
    for number in range(ROUNDS):
        keys, odd = dice.choice(_places(whole)), dice.choice(ODD)
        folder = tmp_path / str(number)
        written(files, folder)
        with (folder / main).open("w") as out:
            YAML(typ="safe", pure=True).dump(_changed(whole, keys, odd), out)
        try:
            project = read_project(folder, own=True)
        except InputError as error:
            assert error.location is not None, (keys, odd)
        else:
            for service in project.services if project is not None else ():
                str(beside(project, service))
