"""Packages that are there for development only, as an installer noted it beside them."""

from __future__ import annotations

import posixpath

from imgopt.context.facts.runs import JsonManifest
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.json_manifests import json_manifests, read_object


def marked_for_development(view: ImageView, project: str) -> tuple[str, ...] | None:
    """Folders of packages that nothing but a development dependency wants; None where there is no
    such note.

    docs.npmjs.com/cli/configuring-npm/package-lock-json: `dev` is said of these alone. What is
    `devOptional` is wanted by an optional dependency of production as well."""
    found = (_noted(view, project, kind) for kind in json_manifests() if kind.notes)
    return next((marked for marked in found if marked is not None), None)


def _noted(view: ImageView, project: str, kind: JsonManifest) -> tuple[str, ...] | None:
    notes = posixpath.join(project, kind.packages, kind.notes)
    listed = read_object(view, notes).get("packages")
    if not isinstance(listed, dict):
        return None
    marked = (
        path
        for path, about in listed.items()
        if isinstance(about, dict) and about.get("dev") is True
    )
    inside = (path for path in sorted(marked) if f"{kind.packages}/" in path)
    return tuple(posixpath.join(project, path) for path in inside)
