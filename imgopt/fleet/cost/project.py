"""A build context as a series: its last commits played against its Dockerfile, on the layers of the
image that it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from imgopt.cache.project import Project
from imgopt.config import Config
from imgopt.dockerfile import Dockerfile, parse
from imgopt.engine import configured
from imgopt.errors import InputError
from imgopt.fleet.cost.estimate import Series
from imgopt.fleet.cost.parameters import Parameters
from imgopt.fleet.cost.sources import image_series, replay_series
from imgopt.image import Image, open_image
from imgopt.results.replay import ReplayArm
from imgopt.rewrite.source import read_dockerfile

Tell = Callable[[str], None]
_UPPER = "a step that ran again is counted as a new layer, also where its bytes came out the same"


@contextmanager
def image_of(
    context: Path, dockerfile: Path, config: Config, named: str | None, tell: Tell
) -> Iterator[Image]:
    """The image that a context makes: the one that is named, else built by the engine for as long
    as this is open. Raises BuildFailure (exit code 1), EnvironmentFailure where no engine answers.
    """
    if named is not None:
        yield open_image(named, config.build.platform)
        return
    from imgopt.engine import Session, connect

    with Session(connect()) as session:
        tell(f"building {dockerfile}")
        request = replace(configured(context, config), dockerfile=dockerfile, file=str(dockerfile))
        reference = session.build(request).reference
        assert reference is not None  # it is loaded unless the request says otherwise
        yield open_image(reference)


def context_series(
    context: Path,
    dockerfile: Path,
    config: Config,
    image: Image,
    values: Parameters,
    commits: int,
) -> Series:
    """Of a context. Where there is no history to play: its image alone, with the reason."""
    parsed = parsed_dockerfile(dockerfile)
    name = str(context)
    try:
        arm, pace, notes = _replayed(context, dockerfile, config, commits)
    except InputError as error:
        alone = image_series(image, values, parsed)
        notes = (error.message, *alone.notes)
        return replace(alone, name=name, notes=notes, next=f"imgopt fleet layout {name}")
    series = replay_series(name, image, parsed, arm, values, pace, (*notes, _UPPER))
    return replace(series, next=f"imgopt fleet layout {name}")


def _replayed(
    context: Path, dockerfile: Path, config: Config, commits: int
) -> tuple[ReplayArm, float | None, tuple[str, ...]]:
    project = Project(replace(configured(context, config), dockerfile=dockerfile))
    result = project.replay(commits)
    return result.arms[0], result.builds_per_month, tuple(result.notes)


def parsed_dockerfile(dockerfile: Path) -> Dockerfile:
    """Raises InputError where it is missing or BuildKit refuses it."""
    return parse(read_dockerfile(dockerfile), str(dockerfile)).check()
