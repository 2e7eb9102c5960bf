"""Packages of an image by kind: the system's, those of languages, and where another image has a
file of one."""

from __future__ import annotations

import posixpath

from imgopt.image.packages import Package
from imgopt.image.packages.names import plain_name
from imgopt.inspect.image_view import ImageView

SYSTEM = ("deb", "apk", "rpm")
NOT_LANGUAGES = (*SYSTEM, "runtime")


def language_packages(view: ImageView) -> list[Package]:
    """Those above the base; the base's own (pip, npm) are judged by what was opened of them."""
    return [
        p for p in view.packages if p.ecosystem not in NOT_LANGUAGES and p.layer >= view.base_layers
    ]


def package_place(original: ImageView, path: str, candidate: ImageView) -> str | None:
    """Where the candidate has this file of a package: beside the package's metadata, wherever that
    moved to."""
    owner = original.owner(path)
    if owner is None or owner.ecosystem in SYSTEM:
        return None
    other = _same_package(candidate, owner)
    if other is None:
        return None
    if path == owner.metadata:
        return other.metadata
    root, there = (package_root(package.metadata) for package in (owner, other))
    return posixpath.normpath(posixpath.join(there, posixpath.relpath(path, root)))


def _same_package(view: ImageView, package: Package) -> Package | None:
    """The same package: at the same place if it is there, else above the base before in it."""
    same = view.package_index.get(
        (package.ecosystem, plain_name(package.name), package.version), []
    )
    own = [other for other in same if other.layer >= view.base_layers]
    return next(
        (other for other in same if other.metadata == package.metadata),
        next(iter([*own, *same]), None),
    )


def package_root(metadata: str) -> str:
    """The folder that a package's paths count from: site-packages for Python, the package's own
    folder elsewhere."""
    folder = posixpath.dirname(metadata)
    return posixpath.dirname(folder) if folder.endswith((".dist-info", ".egg-info")) else folder
