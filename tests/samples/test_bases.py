"""samples/bases/bases.py: which recipe stands in for which image, in which order, and when it is
built again."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "samples" / "bases"


@pytest.fixture(scope="module")
def bases() -> ModuleType:
    specification = importlib.util.spec_from_file_location("sample_bases", FOLDER / "bases.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["sample_bases"] = module
    specification.loader.exec_module(module)
    return module


def test_what_a_recipe_builds_on_comes_before_it(bases: ModuleType) -> None:
    kitchen = bases.Kitchen()
    order = [recipe.name for recipe in kitchen.in_order(kitchen.recipes.values())]
    assert sorted(order) == sorted(kitchen.recipes)
    for recipe in kitchen.recipes.values():
        for image in recipe.below:
            assert order.index(kitchen.named(image).name) < order.index(recipe.name)


def test_no_two_recipes_give_the_same_name(bases: ModuleType) -> None:
    names = [name for recipe in bases.Kitchen().recipes.values() for name in recipe.table]
    assert len(names) == len(set(names))


def test_a_changed_byte_changes_the_recipes_above_and_no_other(bases: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "bases")
    before = bases.Kitchen(tmp_path / "bases")
    digests = {name: before.digest(recipe) for name, recipe in before.recipes.items()}
    with (tmp_path / "bases" / "python-3.11-slim" / "Dockerfile").open("a") as file:
        file.write("# changed\n")
    after = bases.Kitchen(tmp_path / "bases")
    changed = {name for name, recipe in after.recipes.items() if after.digest(recipe) != digests[name]}
    assert changed == {"python-3.11-slim", "python-3.11"}


def test_a_name_that_nobody_gives_is_refused_with_those_that_exist(bases: ModuleType) -> None:
    with pytest.raises(bases.Failure, match=r"alpine:3\.20.*python:3\.11"):
        bases.Kitchen().named("alpine:3.20")


def test_the_table_is_toml_that_imgopt_reads(bases: ModuleType, tmp_path: Path) -> None:
    bases.write_table({"python:3.11": "imgopt.local/python:3.11"}, tmp_path / "build" / "bases.toml")
    table = tomllib.loads((tmp_path / "build" / "bases.toml").read_text())
    assert table == {"bases": {"python:3.11": "imgopt.local/python:3.11"}}


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_base_that_is_there_is_not_built_again(bases: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    kitchen = bases.Kitchen()
    usual = [kitchen.named(name) for name in bases.USUAL]
    if bases.public_images_can_be_pulled():
        return  # none of the recipes runs here
    monkeypatch.setattr(bases, "build", lambda recipe, *_: pytest.fail(f"{recipe.name} is built again"))
    bases.make(kitchen, usual, verbose=False)
    there = bases.table_of_what_is_there(kitchen)
    assert there["python:3.11-slim"] == "imgopt.local/python:3.11-slim"
