"""Which image and which facts are meant; an image that is not here leaves the files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from imgopt.deploy.check.examples import deployment, facts
from imgopt.deploy.check.opened import plain
from imgopt.deploy.check.run import check
from imgopt.errors import EnvironmentFailure, InputError
from imgopt.image import Image, Memory, open_image
from imgopt.image.recipe import PROGRAM, write_image
from imgopt.results.run_facts import RunFacts

LIMIT = "resources:\n  limits:\n    memory: 64Mi\n"


def no_image(reference: str) -> Image:
    raise EnvironmentFailure(f"the engine has no image {reference}")


def test_an_image_that_is_not_here_is_told_and_the_files_are_judged(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(deployment().replace("shop:1.4", "shop"))
    result = check([path], open_=no_image)
    assert "D34" in [one.id for one in result.findings]
    assert "image shop" in [one.what for one in result.not_checked]
    assert result.exit_code() == 0


def test_an_engine_that_does_not_answer_is_asked_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def silent(reference: str) -> Image:
        asked.append(reference)
        raise EnvironmentFailure("no engine answers")

    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    paths[0].write_text(deployment())
    paths[1].write_text(deployment().replace("shop:1.4", "other:1"))
    result = check(paths, open_=silent)
    assert asked == ["store:shop:1.4"]
    assert sum("no engine answers" in one.reason for one in result.not_checked) == 2


def test_the_engine_alone_is_asked_for_names_of_files(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(deployment().replace("shop:1.4", "/etc/passwd"))
    asked: list[str] = []

    def recorded(reference: str) -> Image:
        asked.append(reference)
        raise EnvironmentFailure("the engine has no image")

    check([path], open_=recorded)
    assert asked == ["store:/etc/passwd"]


def test_an_image_is_given_by_the_name_of_its_container(tmp_path: Path) -> None:
    path, tar = tmp_path / "web.yaml", tmp_path / "image.tar"
    path.write_text(deployment("command: [/app/absent]\n"))
    write_image(tar, (("COPY . .", {"/app/web": PROGRAM}),), {})

    def opened(reference: str) -> Image:
        return open_image(reference, memory=Memory(None))

    for given in (f"web={tar}", f"shop:1.4={tar}", str(tar)):
        result = check([path], [given], open_=opened)
        assert result.images == ["shop:1.4"]
        assert "D10" in [one.id for one in result.findings]
    with pytest.raises(InputError, match="no container or image has this name"):
        check([path], [f"other={tar}"], open_=opened)


def test_facts_are_matched_by_the_reference_or_by_the_only_image(tmp_path: Path) -> None:
    path, measured = tmp_path / "web.yaml", tmp_path / "facts.json"
    path.write_text(deployment(LIMIT))
    for reference in ("docker.io/library/shop:1.4", "build-of-yesterday"):
        known = RunFacts(images=[facts(reference=reference)])
        measured.write_bytes(msgspec.json.encode(known))
        result = check([path], facts=[str(measured)], open_=no_image)
        assert "D6" in [one.id for one in result.findings]
    path.write_text(deployment(LIMIT) + "---\n" + deployment().replace("shop:1.4", "db:2"))
    with pytest.raises(InputError, match="no container runs build-of-yesterday"):
        check([path], facts=[str(measured)], open_=no_image)
    result = check([path], facts=[f"shop:1.4={measured}"], open_=no_image)
    assert "D6" in [one.id for one in result.findings]


def test_facts_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(deployment())
    with pytest.raises(InputError, match="cannot be read"):
        check([path], facts=[str(tmp_path / "absent.json")], open_=no_image)
    with pytest.raises(InputError, match="not a result of imgopt"):
        check(
            [path], facts=[str(path.with_suffix(".json"))] if _written(path) else [], open_=no_image
        )


def _written(path: Path) -> bool:
    path.with_suffix(".json").write_text("{}")
    return True


def test_one_image_has_one_name() -> None:
    names = ("redis", "redis:latest", "library/redis", "docker.io/library/redis")
    assert {plain(name) for name in names} == {"redis:latest"}
    assert plain("r.example:5000/shop") == "r.example:5000/shop:latest"
