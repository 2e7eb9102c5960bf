"""Collects evidence from a built image and its smoke run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

from imgopt.image import Image, Tree, find_packages
from imgopt.inspect.files.application_files import package_layers
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages

SYSTEM_ECOSYSTEMS = frozenset(["deb", "dpkg", "apk", "rpm"])


def gather(
    image: Image,
    base: Image | None,
    seen: Seen,
    look_into: Callable[[str], Image | None] | None = None,
    named: Iterable[str] = (),
) -> Evidence:
    """Evidence of the original. `base` is the image of its FROM; `seen` what the smoke run showed;
    `named` the system packages that the Dockerfile installs by name (some of them may have been in
    the base already)."""
    view = ImageView(image, base)
    packages = system_packages(view.tree, view.base_layers)
    chosen = {*packages.chosen, *(name for name in named if name in packages.installed)}
    return Evidence(
        view=view,
        packages=replace(packages, chosen=tuple(sorted(chosen))),
        seen=seen,
        package_layers=package_layers(image),
        look_into=look_into,
    )


@lru_cache(maxsize=16)
def system_packages(tree: Tree, base_layers: int = 0) -> SystemPackages:
    """What the system's package manager installed: owners of paths, versions, and what was asked
    for by name."""
    owners: dict[str, str] = {}
    installed: dict[str, str] = {}
    asked: list[str] = []
    found = [package for package in find_packages(tree) if package.ecosystem in SYSTEM_ECOSYSTEMS]
    for package in found:
        installed[package.name] = package.version
        owners.update(dict.fromkeys(package.files, package.name))
        if package.layer >= base_layers and package.auto is not True:
            asked.append(package.name)
    givers = {name: package.name for package in found for name in (*package.provides, package.name)}
    depends = {
        package.name: frozenset(
            givers[name] for choice in package.depends for name in choice if name in givers
        )
        for package in found
    }
    return SystemPackages(owners, installed, tuple(sorted(asked)), depends)
