"""Files in which anything may stand anywhere: every one is judged or refused, none ends in a
traceback."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from imgopt.deploy.check.run import check
from imgopt.errors import EnvironmentFailure, InputError
from imgopt.image import Image
from imgopt.results.run_facts import RunFacts

from .check_known import FACTS

FILES = sorted((Path(__file__).parent / "files").rglob("*.yaml"))
ODD: tuple[Any, ...] = (
    None, [], {}, "", "x", 0, -1, 1e400, float("nan"), True, [[]], [None], {"a": None}, "1Gi",
    "9" * 400, f"-Xmx{'9' * 400}g", "1e999999", "${X}", "{{ x }}", "/", ":", "%", "-5%", [{}], 2**70,
    {"name": []}, "sleep 1e999", "sh -c",
)  # fmt: skip


def _changed(value: Any, draw: random.Random) -> Any:
    if draw.random() < 0.05:
        return draw.choice(ODD)
    if isinstance(value, dict):
        return {key: _changed(item, draw) for key, item in value.items()}
    return [_changed(item, draw) for item in value] if isinstance(value, list) else value


def _no_image(reference: str) -> Image:
    raise EnvironmentFailure(f"the engine has no image {reference}")


@pytest.mark.parametrize("seed", range(8))
def test_odd_values_in_real_places(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    facts = tmp_path / "facts.json"
    facts.write_bytes(msgspec.json.encode(RunFacts(images=[FACTS["facts"]])))
    for source in draw.sample(FILES, 8):
        documents = list(yaml.safe_load_all(source.read_text()))
        is_compose = "services" in documents[0]
        path = tmp_path / ("compose.yaml" if is_compose else "web.yaml")
        path.write_text(yaml.safe_dump_all([_changed(one, draw) for one in documents]))
        for measured in ([], [f"shop={facts}"]):
            try:
                result = check([path], facts=measured, open_=_no_image)
            except InputError as refused:  # no container has the name any more
                assert "shop" in str(refused)
            else:
                assert result.objects or result.not_checked
