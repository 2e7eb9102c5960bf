"""Which base images the arms stand on: their IDs, and how many layers of an image are theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from imgopt.bench.arms import ArmSpec
from imgopt.dockerfile import Stage, parse
from imgopt.engine import Engine
from imgopt.errors import ImgoptError


def base_ids(engine: Engine, arms: Iterable[ArmSpec]) -> dict[str, str]:
    """ID of every base image by the name that a Dockerfile gives it; those that cannot be had are
    left out."""
    found: dict[str, str] = {}
    for arm in arms:
        for stage in _stages(arm):
            name = str(stage.base)
            if stage.parent is None and not stage.is_scratch and name not in found:
                image = _image(engine, arm.request.bases, name)
                found |= {name: str(image["Id"])} if image else {}
    return found


def base_layers(engine: Engine, arm: ArmSpec, diff_ids: Sequence[str]) -> int:
    """How many of an image's layers came with the base of its last stage."""
    stages = _stages(arm)
    if not stages:
        return 0
    target = parse(arm.text, arm.dockerfile).target(arm.request.target).index
    root = stages[target].root
    image = None if root.is_scratch else _image(engine, arm.request.bases, str(root.base))
    below = ((image or {}).get("RootFS") or {}).get("Layers") or []
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(below, diff_ids, strict=False))
    )


def _stages(arm: ArmSpec) -> tuple[Stage, ...]:
    """Of a file that BuildKit would refuse: none."""
    dockerfile = parse(arm.text, arm.dockerfile)
    return () if dockerfile.errors else dockerfile.bind(arm.request.build_args)


def _image(engine: Engine, bases: Mapping[str, str], name: str) -> dict[str, Any] | None:
    """The engine's description of a base; None where the engine has no such image (BuildKit may
    hold it without)."""
    try:
        resolved = engine.resolve_base(name, bases)
        return engine.image(resolved) if resolved and resolved != "scratch" else None
    except ImgoptError:
        return None
