"""Nothing is found in the files that `imgopt deploy` writes, from the files alone and with the facts
that they were written from; but for what no file can mend."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from deploy_facts import SHAPES

from imgopt.deploy.check.run import check
from imgopt.deploy.compose.files import compose_files
from imgopt.deploy.kubernetes.files import kubernetes_files
from imgopt.deploy.model import Options
from imgopt.deploy.plan import plan_of
from imgopt.errors import EnvironmentFailure
from imgopt.image import Image
from imgopt.results.run_facts import RunFacts

OF_THE_IMAGE = {"plain_web": {"D34"}, "deaf": {"D7"}}
"""A name without a version, and a program that never ends: the image's own, and true."""
WRITERS = {"kubernetes": kubernetes_files, "compose": compose_files}


def no_image(reference: str) -> Image:
    raise EnvironmentFailure(f"the engine has no image {reference}")


@pytest.mark.parametrize("target", WRITERS)
@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {"hostile"}))
def test_nothing_is_found_in_what_was_written(shape: str, target: str, tmp_path: Path) -> None:
    known = SHAPES[shape]()
    for file in WRITERS[target](plan_of(known, Options()), {}).files:
        path = tmp_path / "files" / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
    facts = tmp_path / "facts.json"
    facts.write_bytes(msgspec.json.encode(RunFacts(images=[known])))
    for measured in ([], [str(facts)]):
        result = check([tmp_path / "files"], facts=measured, open_=no_image)
        assert result.objects
        found = {
            one.id: (one.message, one.evidence)
            for one in result.findings
            if one.id not in OF_THE_IMAGE.get(shape, ())
        }
        assert found == {}
        assert not any(one.bad for one in result.not_checked)
