"""A stage has no more layers than an engine takes, its base's counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recipes import File, Files, Recipe

from imgopt.image import Image
from imgopt.rewrite.final.fates import Carved, PathFact
from imgopt.rewrite.final.few_layers import within_layers
from imgopt.rewrite.final.final_stage import TREE, Copy, FinalStage
from imgopt.rewrite.final.owning import owned_by
from imgopt.rewrite.final.writable import Writable

from .unasked import Service


def facts(count: int) -> dict[str, PathFact]:
    return {f"/d{i}/f": PathFact(f"/d{i}/f", "file", i, 1) for i in range(count)}


def copies(count: int) -> tuple[Copy, ...]:
    return tuple(Copy((f"/d{i}/f",), f"/d{i}/f") for i in range(count))


def test_what_fits_stays_as_it_is() -> None:
    assert within_layers(copies(40), facts(40), 9) == (copies(40), ())


def test_of_too_many_the_smallest_come_by_one() -> None:
    found, commands = within_layers(copies(120), facts(120), 9)
    assert len(found) == 76
    assert found[0].sources == ("/d45/f",)
    assert found[-1] == Copy(("/staging/tree/",), "/")
    assert "cp -a --parents /d0/f" in commands[0].replace(" \\\n    ", " ")


def test_the_layers_of_the_base_count() -> None:
    found, _ = within_layers(copies(40), facts(40), 60)
    assert len(found) == 25
    assert len(within_layers(copies(40), facts(40), 100)[0]) == 1


def test_what_has_an_owner_or_another_stage_or_another_name_stays_apart() -> None:
    special = (
        Copy(("/d0/f",), "/d0/f", chown="7:7"),
        Copy(("/d1/f",), "/d1/f", stage="other"),
        Copy(("/d2/f",), "/x"),
    )
    found, _ = within_layers((*special, *copies(120)[3:]), facts(120), 9)
    assert found[:3] == special


def test_a_service_of_very_many_folders_fits(
    image_of: Callable[[Recipe], Image], tmp_path: Path
) -> None:
    made: Files = {f"var/lib/d{i}/x": "x" for i in range(150)}
    several: Files = {f"etc/app{i}/x": "x" for i in range(60)}
    service = Service(image_of, tmp_path)
    steps = (("RUN make", made), ("RUN mkdir", {**several, "srv/q": File(folder=True)}))
    planned = service.plan({"main.py": "print(1)\n"}, steps)
    assert planned.final.count("\nCOPY") <= 85
    assert "cp -a --parents" in planned.text


def test_what_is_gathered_gets_its_owner_where_it_is_gathered() -> None:
    final = FinalStage("builder", "base", True, Carved({}, {}), (), (Copy((TREE + "/",), "/"),))
    owned = owned_by(
        final, Writable(("/var/lib/x",), ("/var/log/y",), frozenset(["/var/log/y"])), 7, None
    )
    assert owned.prepare == (
        "mkdir -p /staging/tree/var/lib/x && chown -R 7:7 /staging/tree/var/lib/x"
        " && chown 7:7 /staging/tree/var/log/y",
    )
    assert owned.copies == (Copy((TREE + "/",), "/"),)


def test_a_file_that_was_not_gathered_is_given_where_it_is_copied() -> None:
    alone = Copy(("/var/log/y",), "/var/log/y")
    final = FinalStage(
        "builder", "base", True, Carved({}, {}), (), (Copy((TREE + "/",), "/"), alone)
    )
    owned = owned_by(final, Writable((), ("/var/log/y",), frozenset(["/var/log/y"])), 7, None)
    assert owned.prepare == ()
    assert owned.copies[1].chown == "7:7"
