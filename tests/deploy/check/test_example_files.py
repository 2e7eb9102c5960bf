"""Whole files: those that are good have no finding at all, each of the others has the one of its
name on the line that is marked, and no other error or warning."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from imgopt.deploy.check.examples import MARK
from imgopt.deploy.check.run import check
from imgopt.errors import EnvironmentFailure
from imgopt.image import Image, Memory, open_image
from imgopt.image.recipe import write_image
from imgopt.results.deploy import DeployCheck
from imgopt.results.run_facts import RunFacts

from .check_known import FACTS, IMAGES

FILES = Path(__file__).parent / "files"
GOOD = sorted((FILES / "good").iterdir())
BAD = sorted((FILES / "bad").iterdir())


def checked(path: Path, folder: Path) -> DeployCheck:
    """With the image and the facts that the first line names."""
    first = path.read_text().splitlines()[0]
    named = first.removeprefix("# with:").split() if first.startswith("# with:") else []
    images, facts = [], []
    for name in named:
        if name in IMAGES:
            layers = (("COPY . .", IMAGES[name].files),)
            write_image(folder / "image.tar", layers, IMAGES[name].config)
            images.append(f"shop={folder / 'image.tar'}")
        else:
            (folder / "facts.json").write_bytes(msgspec.json.encode(RunFacts(images=[FACTS[name]])))
            facts.append(f"shop={folder / 'facts.json'}")

    def opened(reference: str) -> Image:
        if not reference.endswith(".tar"):
            raise EnvironmentFailure(f"the engine has no image {reference}")
        return open_image(reference, memory=Memory(None))

    return check([path], images, facts, opened)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_nothing_is_found_in_a_good_file(path: Path, tmp_path: Path) -> None:
    result = checked(path, tmp_path)
    assert [(one.id, one.line, one.message, one.evidence) for one in result.findings] == []
    assert not any(one.bad for one in result.not_checked)
    assert result.objects


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_one_thing_that_is_wrong_is_found_on_its_line(path: Path, tmp_path: Path) -> None:
    lines = path.read_text().splitlines()
    (marked,) = [n for n, line in enumerate(lines, 1) if line.endswith(MARK)]
    result = checked(path, tmp_path)
    found = [(one.id, one.line) for one in result.findings if one.level != "note"]
    assert found == [(path.stem.partition("-")[0], marked)], [
        (one.message, one.evidence) for one in result.findings
    ]


def test_there_are_enough_files_and_more_than_half_are_good() -> None:
    assert len(GOOD) + len(BAD) >= 40
    assert len(GOOD) > len(BAD)
