"""What lies on disk before anything is built: the Dockerfile, its context and the facts that fit
them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imgopt.config import Config
from imgopt.context.ecosystems import Ecosystem, load_ecosystems
from imgopt.context.history import churn
from imgopt.dockerfile import Dockerfile, parse
from imgopt.errors import InputError, Location
from imgopt.results.ignored import IgnoredFiles
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True)
class Source:
    """What lies on disk: the Dockerfile, the context, the ecosystems."""

    text: str
    dockerfile: Dockerfile
    context: ContextFiles
    ecosystems: tuple[Ecosystem, ...]
    churn: dict[str, int] | None


def read_source(context: Path, dockerfile: Path, config: Config) -> Source:
    """Reads the Dockerfile and lists the context. Raises InputError for a missing or refused
    Dockerfile."""
    text = read_dockerfile(dockerfile)
    counts = churn(context).counts
    return Source(
        text,
        parse(text, str(dockerfile)).check(config.build.target, config.build.args),
        ContextFiles.read(context, dockerfile),
        load_ecosystems(config.rewrite.ecosystems, context),
        dict(counts) if counts is not None else None,
    )


def read_dockerfile(dockerfile: Path) -> str:
    """The Dockerfile's text, its line ends kept. Raises InputError where there is none, or nothing
    in it."""
    try:
        text = dockerfile.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise InputError(
            f"cannot read the Dockerfile: {error.strerror}",
            location=Location(str(dockerfile)),
            hint="give the build context, or the file with -f",
        ) from None
    if not text.strip():
        raise InputError("the Dockerfile is empty", location=Location(str(dockerfile)))
    return text


def ignored_files(context: ContextFiles) -> IgnoredFiles:
    """The ignore file of a context, for a result."""
    return IgnoredFiles(path=context.ignore_path, text=context.ignore)
