"""Where a project is built: what its Compose or Bake file says, under what the configuration and
the command line say."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from imgopt.cli import options
from imgopt.cli.streams import tell
from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from imgopt.compose.finding import Found
    from imgopt.compose.model import BuildOf
    from imgopt.config import BuildSection, Config

_INLINE = "imgopt-inline-"


def settled(
    context: Path,
    build: options.BuildOptions,
    smoke: options.SmokeOptions | None = None,
    asked: options.RequestOptions | None = None,
    *,
    links: bool = False,
) -> tuple[Path, Config]:
    """The build context and the configuration, with what the folder's Compose or Bake file says
    under it; what was found is told. A Dockerfile that is named (`-f`, `file`) leaves such files
    alone, unless a service or a target is named too. `links`: the caller builds first what the
    build is based on. Raises InputError."""
    config = options.effective_config(context, build, smoke, asked)
    chosen = config.compose
    if chosen.service and chosen.bake_target:
        said = "--service and --bake-target name two builds"
        raise InputError(said, hint="leave one of them out")
    named = chosen.service or chosen.bake_target
    if config.build.file is not None and not named:
        return context, config
    folder = context / (chosen.folder or "")
    if not named and not _says_something(folder):
        _tell_of_workflows(context, config)
        return context, config
    from imgopt.compose.finding import find

    finding = find(folder.resolve(), service=chosen.service, target=chosen.bake_target)
    for note in finding.notes:
        tell(note)
    if finding.one is None:
        return context, config
    if not links:
        _refuse_links(finding.one)
    tell(str(finding.one))
    config = _under(config, finding.one)
    if smoke is not None:
        _tell_beside(config)
    return _seen_from_here(finding.one.build.context), config


def _tell_beside(config: Config) -> None:
    from imgopt.compose.companions import beside_of

    beside = None if config.smoke.network else beside_of(config)
    if beside is None:
        return
    if beside.companions:
        tell(str(beside))
    for note in beside.notes:
        tell(note)


def _refuse_links(found: Found) -> None:
    from imgopt.compose.bake import linked

    if others := linked(found.build):
        listed = ", ".join(f"{name} ({place})" for name, place in others.items())
        raise InputError(
            f"{found.name} is built on the image of another build: {listed}",
            location=Location(str(found.file)),
            hint="`imgopt optimize` builds that one first; here: --base NAME=IMAGE with -f",
        )


def _tell_of_workflows(context: Path, config: Config) -> None:
    """Where nobody says how it is built, what the project's CI gives to the build is a hint."""
    own = config.build
    if own.target or own.args or not (context / ".github" / "workflows").is_dir():
        return
    from imgopt.compose.workflows import hint

    if said := hint(context.resolve()):
        tell(said)


def _says_something(context: Path) -> bool:
    from imgopt.compose.files import bake_files, compose_files

    return bool(compose_files(context, os.environ) or bake_files(context))


def _under(config: Config, found: Found) -> Config:
    """The configuration over what was found."""
    from msgspec import structs

    service = found.service
    compose = structs.replace(
        config.compose,
        service=found.name if service is not None else None,
        bake_target=found.name if service is None else None,
        folder=str(found.file.parent),
    )
    smoke = config.smoke
    if service is not None:
        command = list(service.command) if service.command is not None else None
        smoke = structs.replace(
            smoke,
            env={**service.environment, **smoke.env},
            command=smoke.command if smoke.command is not None else command,
        )
    build = _build_of(config.build, found.build)
    return structs.replace(config, build=build, compose=compose, smoke=smoke)


def _build_of(own: BuildSection, found: BuildOf) -> BuildSection:
    from msgspec import structs

    only = found.platforms[0] if len(found.platforms) == 1 else None
    return structs.replace(
        own,
        file=own.file or str(_seen_from_here(found.dockerfile or _written(found.inline or ""))),
        target=own.target or found.target,
        args={**found.args, **own.args},
        secrets=[*found.secrets, *own.secrets],
        ssh=[*found.ssh, *own.ssh],
        platform=own.platform or only,
        network=own.network or found.network,
        contexts={**found.contexts, **own.contexts},
        arguments=[*found.extra, *own.arguments],
    )


def _seen_from_here(path: Path) -> Path:
    """As a user of this folder would write it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _written(text: str) -> Path:
    """An inline Dockerfile as a file, until the command ends."""
    folder = tempfile.mkdtemp(prefix=_INLINE)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder, "Dockerfile")
    path.write_text(text)
    return path


def is_inline(dockerfile: Path) -> bool:
    """Whether the Dockerfile stands inside another file, so that it cannot be replaced."""
    return dockerfile.parent.name.startswith(_INLINE)
