"""Which files say how a project is built: those that Compose and Bake would take by themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_BAKE = ("docker-bake.json", "docker-bake.hcl")
_BAKE_OVERRIDES = ("docker-bake.override.json", "docker-bake.override.hcl")


def compose_files(folder: Path, environment: Mapping[str, str]) -> list[Path]:
    """Those of COMPOSE_FILE, where it is set; else the first of the usual names with its
    override."""
    named = environment.get("COMPOSE_FILE")
    if named:
        sign = environment.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        return [folder / name for name in named.split(sign) if name]
    first = next((folder / name for name in _COMPOSE if (folder / name).is_file()), None)
    if first is None:
        return []
    return [first, *(folder / name for name in _OVERRIDES if (folder / name).is_file())][:2]


def bake_files(folder: Path) -> list[Path]:
    """The Bake files of a folder, overrides last."""
    names = (*_BAKE, *_BAKE_OVERRIDES)
    found = [folder / name for name in names if (folder / name).is_file()]
    return found if any(path.name in _BAKE for path in found) else []
