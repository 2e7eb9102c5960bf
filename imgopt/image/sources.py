"""From what the user wrote to an image: a file, a directory, a registry, or the engine."""

from __future__ import annotations

from pathlib import Path

from imgopt.errors import EnvironmentFailure
from imgopt.image.image import Image
from imgopt.image.memory import Memory, default_memory

_FILE_SCHEMES = ("docker-archive:", "oci-archive:", "oci:", "archive:")


def open_image(reference: str, platform: str | None = None, memory: Memory | None = None) -> Image:
    """Opens an image without reading its layers.

    `reference` is a path (a tar of `docker save`, an OCI layout as tar or directory; `PATH#NAME`
    chooses among several images inside), or a name or ID that the engine knows, or has a prefix:
    `archive:PATH`, `oci:PATH`, `engine:NAME` (the engine's API), `store:NAME` (its store when
    readable, as without prefix), `registry:NAME`. `platform` is "os/architecture[/variant]". Raises
    InputError for damage, EnvironmentFailure where nothing is found.

    >>> image = open_image("python:3.12-slim")               # doctest: +SKIP
    >>> image.config.cmd                                     # doctest: +SKIP
    ('python3',)
    """
    image = _open(reference, platform, memory if memory is not None else default_memory())
    config = image.config
    if platform is not None:
        from imgopt.image.manifests import Platform, matches

        if not matches(Platform(config.os, config.architecture, config.variant), platform):
            raise EnvironmentFailure(
                f"{reference}: no image for {platform}", hint=f"there is: {image.platform}"
            )
    return image


def _open(reference: str, platform: str | None, memory: Memory) -> Image:
    for scheme in _FILE_SCHEMES:
        if reference.startswith(scheme):
            return _open_path(reference.removeprefix(scheme), reference, platform, memory)
    if reference.startswith("registry:"):
        from imgopt.image.registry import open_registry

        return open_registry(reference, platform, memory)
    from imgopt.image.daemon import open_engine

    if reference.startswith("engine:"):
        return open_engine(reference.removeprefix("engine:"), platform, memory, use_store=False)
    if reference.startswith("store:"):
        return open_engine(reference.removeprefix("store:"), platform, memory)
    if _is_path(reference):
        return _open_path(reference, reference, platform, memory)
    return open_engine(reference, platform, memory)


def _is_path(reference: str) -> bool:
    path = reference.partition("#")[0]
    return (
        path.startswith(("/", "./", "../", "~"))
        or path.endswith((".tar", ".tar.gz", ".tgz"))
        or Path(path).exists()
    )


def _open_path(text: str, reference: str, platform: str | None, memory: Memory) -> Image:
    from imgopt.image.archive import open_path

    path, _, name = text.partition("#")
    return open_path(Path(path).expanduser(), reference, name or None, platform, memory)
