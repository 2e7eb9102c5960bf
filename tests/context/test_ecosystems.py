"""Where facts about ecosystems are read from."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems, load_ecosystems
from imgopt.errors import InputError

CRYSTAL = 'name = "crystal"\ntitle = "Crystal"\nmanifests = ["shard.yml"]\n'


def test_each_folder_with_facts_is_an_ecosystem_of_its_name() -> None:
    folder = Path(__file__).parents[2] / "strategies" / "ecosystems"
    written = sorted(path.parent.name for path in folder.glob("*/facts.toml"))
    assert [ecosystem.name for ecosystem in builtin_ecosystems()] == written
    assert {"apt", "common", "node", "python"} <= set(written)


def test_a_projects_own_file_stands_beside_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "crystal.toml").write_text(CRYSTAL)
    found = load_ecosystems(["crystal.toml"], tmp_path)
    assert [ecosystem.name for ecosystem in found] == [
        "crystal",
        *(each.name for each in builtin_ecosystems()),
    ]


def test_a_projects_own_folder_may_be_named_as_the_built_in_ones_are(tmp_path: Path) -> None:
    (tmp_path / "tools" / "ruby").mkdir(parents=True)
    (tmp_path / "tools" / "ruby" / "facts.toml").write_text(
        'name = "ruby"\ntitle = "our own Ruby"\n'
    )
    found = [each for each in load_ecosystems(["tools/ruby"], tmp_path) if each.name == "ruby"]
    assert [ecosystem.title for ecosystem in found] == ["our own Ruby"]


@pytest.mark.parametrize("name", ["absent.toml", "empty"])
def test_facts_that_are_not_there_are_said_with_their_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as failure:
        load_ecosystems([name], tmp_path)
    assert failure.value.location is not None
    assert failure.value.location.file.startswith(str(tmp_path / name))


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    (tmp_path / "crystal.toml").write_text(CRYSTAL + 'manifest = ["shard.yml"]\n')
    with pytest.raises(InputError, match="manifest"):
        load_ecosystems(["crystal.toml"], tmp_path)
