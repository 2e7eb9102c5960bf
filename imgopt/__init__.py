"""imgopt: evidence-driven Dockerfile and image optimizer.

The command line uses nothing that a script could not: `imgopt.optimize`, `imgopt.dockerfile.parse`,
`imgopt.image.open_image`, `imgopt.proof`, `imgopt.cache`, `imgopt.ci`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgopt.config import Config
    from imgopt.loop.request import Progress
    from imgopt.results.optimize import OptimizeResult

__version__ = "0.1.0"


def optimize(
    context: str | Path,
    *,
    dockerfile: str | Path | None = None,
    variants: Iterable[str] = (),
    config: Config | None = None,
    timings: bool = True,
    progress: Progress | None = None,
) -> OptimizeResult:
    """The main job on one project; writes nothing into it.

    `config` is that of the nearest imgopt.toml where None. Raises children of
    imgopt.errors.ImgoptError: InputError for a bad file, EnvironmentFailure without an engine,
    BuildFailure when the original does not build.

    >>> result = optimize("samples/flask-notes", variants=["slim"])      # doctest: +SKIP
    >>> result.verdict, result.recommended                                # doctest: +SKIP
    ('proven', 'slim')
    """
    from imgopt.config import load_config
    from imgopt.engine import Session, connect
    from imgopt.loop.request import OptimizeRequest, Silent
    from imgopt.loop.run import optimize as run

    folder = Path(context)
    settings = config if config is not None else load_config(folder)[0]
    file = (
        Path(dockerfile)
        if dockerfile is not None
        else folder / (settings.build.file or "Dockerfile")
    )
    request = OptimizeRequest(folder, file, settings, tuple(variants), timings=timings)
    with Session(connect()) as session:
        return run(session, request, progress if progress is not None else Silent())
