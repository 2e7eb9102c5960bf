"""Packages that are there for development only, as an installer noted it beside them."""

from __future__ import annotations

import posixpath

import msgspec

from imgopt.inspect.image_view import ImageView

_NOTES = "node_modules/.package-lock.json"


def marked_for_development(view: ImageView, project: str) -> tuple[str, ...] | None:
    """Folders of packages that nothing but a development dependency wants; None where there is no
    such note.

    docs.npmjs.com/cli/configuring-npm/package-lock-json: `dev` is said of these alone. What is
    `devOptional` is wanted by an optional dependency of production as well."""
    try:
        listed = msgspec.json.decode(view.read(posixpath.join(project, _NOTES)) or b"").get(
            "packages"
        )
    except (msgspec.DecodeError, AttributeError):
        return None
    if not isinstance(listed, dict):
        return None
    marked = (
        path
        for path, about in listed.items()
        if isinstance(about, dict) and about.get("dev") is True
    )
    return tuple(
        posixpath.join(project, path) for path in sorted(marked) if "node_modules/" in path
    )
