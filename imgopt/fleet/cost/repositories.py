"""Repositories of registries and layouts as series: their tags are their releases, read from
manifests and configurations alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from imgopt.errors import EnvironmentFailure
from imgopt.fleet.cost.estimate import Series
from imgopt.fleet.cost.parameters import Parameters
from imgopt.fleet.cost.sources import fleet_series
from imgopt.fleet.scan.scan import Options, list_images
from imgopt.fleet.scan.sources import read_sources
from imgopt.fleet.scan.store import Store

Tell = Callable[[str], None]


def repository_series(
    words: Sequence[str], values: Parameters, platform: str | None, tell: Tell
) -> tuple[list[Series], list[str]]:
    """The series of all repositories that the words name, and what could not be read. Raises
    EnvironmentFailure where there is no image at all."""
    options = Options(read_blobs=False)
    with (
        TemporaryDirectory(prefix="imgopt-fleet-") as folder,
        Store(Path(folder), write=True) as store,
    ):
        fleet, _, _ = list_images(read_sources(words), store, options, tell)
    found = fleet_series(fleet, values, platform)
    if not found:
        raise EnvironmentFailure(
            f"{', '.join(words)}: no image with layers",
            hint="is it a repository, and not an artifact's? another --platform?",
        )
    return found, [f"{problem.where}: {problem.what}" for problem in fleet.problems]


def is_repository(word: str) -> bool:
    """A registry's repository without a tag or a digest, or the folder of an OCI layout with all
    that its index names.

    >>> is_repository("reg.example/app"), is_repository("reg.example/app:1"), is_repository("app")
    (True, False, False)
    >>> is_repository("registry:127.0.0.1:5000/a"), is_repository("registry:reg.example/a@sha256:0")
    (True, False)
    """
    name = word.removeprefix("registry:")
    if (Path(word) / "oci-layout").is_file():
        return True
    first, slash, rest = name.partition("/")
    host = "." in first or ":" in first or first == "localhost"
    named = bool(slash) and bool(rest) and not Path(word).exists()
    return named and host and not {":", "@"} & set(rest) and first not in (".", "..", "~")
