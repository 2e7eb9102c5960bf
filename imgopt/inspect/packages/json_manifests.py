"""Manifests in JSON, which projects and their packages have; the ecosystems say what each is called
and where it lies."""

from __future__ import annotations

import posixpath
from functools import cache

import msgspec

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.runs import JsonManifest
from imgopt.inspect.image_view import ImageView


@cache
def json_manifests() -> tuple[JsonManifest, ...]:
    found = (ecosystem.json_manifest for ecosystem in builtin_ecosystems())
    return tuple(manifest for manifest in found if manifest is not None)


@cache
def package_folders() -> frozenset[str]:
    """Names of the folders that hold installed packages with such manifests."""
    return frozenset(kind.packages for kind in json_manifests() if kind.packages)


def read_manifest(view: ImageView, folder: str, kind: JsonManifest) -> dict[str, object]:
    """The manifest in this folder; empty where there is none."""
    return read_object(view, posixpath.join(folder, kind.file))


def read_object(view: ImageView, path: str) -> dict[str, object]:
    """The object that a JSON file holds; an empty one for anything else."""
    try:
        found = msgspec.json.decode(view.read(path) or b"{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def keys(table: object) -> tuple[str, ...]:
    """The names that a section lists."""
    return tuple(table) if isinstance(table, dict) else ()
