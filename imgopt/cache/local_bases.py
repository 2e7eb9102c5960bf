"""What the engine's own images say about the bases of a Dockerfile: their layers, environment, user
and triggers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from imgopt.cache.bases import BaseConfig
from imgopt.dockerfile import Dockerfile
from imgopt.dockerfile.stages import find_stage, from_words
from imgopt.engine import Engine
from imgopt.errors import ImgoptError


def local_bases(
    engine: Engine, dockerfile: Dockerfile, build_args: Mapping[str, str], mapped: Mapping[str, str]
) -> dict[str, BaseConfig]:
    """The configurations of the images that the Dockerfile names and this engine has; `mapped` are
    `[bases]`."""
    stages = dockerfile.bind(build_args)
    names = {str(stage.base) for stage in stages if stage.parent is None and not stage.is_scratch}
    words = [one for instruction in dockerfile.instructions for one in from_words(instruction)]
    names |= {
        str(word) for word, number in words if find_stage(stages, word, numbers=number) is None
    }
    found: dict[str, BaseConfig] = {}
    for name in names:
        try:
            found[name] = _config(engine.image(mapped.get(name, name)))
        except ImgoptError:
            continue  # it is not here, or not yet: then only its name is known
    return found


def _config(about: Mapping[str, Any]) -> BaseConfig:
    config = about.get("Config") or {}
    layers = (about.get("RootFS") or {}).get("Layers") or ()
    pairs = (str(one).partition("=") for one in config.get("Env") or ())
    return BaseConfig(
        env=tuple((name, value) for name, _, value in pairs),
        workdir=str(config.get("WorkingDir") or "/"),
        user=str(config.get("User") or ""),
        shell=tuple(map(str, config.get("Shell") or ())),
        onbuild=tuple(map(str, config.get("OnBuild") or ())),
        # BuildKit knows an image by the chain of its layers, so another configuration on the same
        # layers is the same
        identity=hashlib.sha256("\n".join(map(str, layers)).encode()).hexdigest() if layers else "",
    )
