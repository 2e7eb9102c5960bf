"""What `imgopt fleet` was asked about: images, build contexts, repositories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgopt.cli import options
from imgopt.cli.found import settled
from imgopt.cli.streams import tell
from imgopt.errors import InputError

if TYPE_CHECKING:
    from imgopt.fleet.cost.estimate import Series
    from imgopt.fleet.cost.parameters import Parameters
    from imgopt.fleet.layout.project import Asked
    from imgopt.results.fleet import FleetLayout


def series_of(
    words: Sequence[str],
    build: options.BuildOptions,
    image: str | None,
    values: Parameters,
    commits: int,
) -> tuple[list[Series], list[str]]:
    """One series or more for each word, and what could not be read. Raises InputError,
    EnvironmentFailure."""
    from imgopt.fleet.cost.repositories import is_repository, repository_series

    contexts = [word for word in words if is_context(word)]
    if image is not None and len(contexts) != 1:
        raise InputError("--image names the image of one build context", hint="give one context")
    found: list[Series] = []
    repositories = [word for word in words if is_repository(word)]
    for word in words:
        if word in contexts:
            found.append(_context(Path(word), build, image, values, commits))
        elif word not in repositories:
            found.append(_image(word, build, values))
    skipped: list[str] = []
    if repositories:
        listed, skipped = repository_series(repositories, values, build.platform, tell)
        found += listed
    return found, skipped


def is_context(word: str) -> bool:
    """A folder that is no image: an OCI layout has its own mark."""
    path = Path(word)
    return path.is_dir() and not (path / "oci-layout").is_file()


def _context(
    context: Path,
    build: options.BuildOptions,
    named: str | None,
    values: Parameters,
    commits: int,
) -> Series:
    from imgopt.fleet.cost.project import context_series, image_of

    folder, config = settled(context, build)
    dockerfile = options.find_dockerfile(folder, config)
    with image_of(folder, dockerfile, config, named, tell) as image:
        return context_series(folder, dockerfile, config, image, values, commits)


def _image(word: str, build: options.BuildOptions, values: Parameters) -> Series:
    from imgopt.fleet.cost.project import parsed_dockerfile
    from imgopt.fleet.cost.sources import image_series
    from imgopt.image import open_image

    dockerfile = parsed_dockerfile(build.file) if build.file is not None else None
    return image_series(open_image(word, build.platform), values, dockerfile)


def layout_of(
    word: str, build: options.BuildOptions, named: str | None, asked: Asked
) -> FleetLayout:
    """An image's or a context's layout. Raises InputError, EnvironmentFailure."""
    from imgopt.fleet.cost.project import image_of
    from imgopt.fleet.layout.project import context_layout, image_layout
    from imgopt.image import open_image

    if not is_context(word):
        if named is not None:
            raise InputError("--image names the image of a build context", hint="give a context")
        return image_layout(open_image(word, build.platform), asked)
    folder, config = settled(Path(word), build)
    dockerfile = options.find_dockerfile(folder, config)
    with image_of(folder, dockerfile, config, named, tell) as image:
        return context_layout(folder, dockerfile, config, image, asked)
