"""What is written is held against every rule of the check: it finds what is wrong with the image,
and nothing that is wrong with the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from deploy_facts import SHAPES, run_facts

from imgopt.deploy.check.run import check
from imgopt.deploy.compose.files import compose_files
from imgopt.deploy.kubernetes.files import kubernetes_files
from imgopt.deploy.model import Options
from imgopt.deploy.plan import plan_of
from imgopt.errors import EnvironmentFailure
from imgopt.image.image import Image
from imgopt.results import to_json

OF_THE_IMAGE = {
    "plain_web": {"D34"},  # it has no tag
    "jvm": {"J4"},  # a limit at which its run time collects with one thread
    "deaf": {"D7"},  # it ignores the signal: no grace helps
    "hostile": {"D41"},  # a setting whose name no environment can have
}


def absent(reference: str) -> Image:
    raise EnvironmentFailure(f"no image {reference} here")


@pytest.mark.parametrize("target", ["compose", "kubernetes"])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_found_that_is_not_the_images_own(
    shape: str, target: str, tmp_path: Path
) -> None:
    facts = SHAPES[shape]()
    plan = plan_of(facts, Options())
    made = compose_files(plan, {}) if target == "compose" else kubernetes_files(plan, {})
    for file in made.files:
        path = tmp_path / "out" / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
    measured = tmp_path / "facts.json"
    measured.write_text(to_json(run_facts(facts)))
    names = ("compose.yaml", "compose.production.yaml")
    paths = (
        [tmp_path / "out" / name for name in names] if target == "compose" else [tmp_path / "out"]
    )
    result = check(paths, (), (str(measured),), absent)
    assert result.objects > 0
    assert {one.id for one in result.findings} <= OF_THE_IMAGE.get(shape, set())
