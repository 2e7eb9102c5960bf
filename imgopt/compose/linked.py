"""A build on what another build of the same file gives (`service:base`, `target:base`): the other
one is built first, and its image stands for the name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from msgspec import structs

from imgopt.compose.bake import linked, read_bake
from imgopt.compose.model import BuildOf
from imgopt.compose.project import read_project
from imgopt.config import Config
from imgopt.engine import Session
from imgopt.engine.build import BuildRequest
from imgopt.errors import InputError

_DEEPEST = 8


def with_linked(session: Session, config: Config) -> Config:
    """The configuration with images under [bases] for named contexts that other builds give. Raises
    BuildFailure where one of them does not build, InputError for a circle."""
    section = config.build
    links = linked_contexts(section.contexts)
    if not links:
        return config
    builds = _builds(config)
    made = {name: _image(session, place, builds, config, 0) for name, place in links.items()}
    kept = {name: place for name, place in section.contexts.items() if name not in links}
    build = structs.replace(section, contexts=kept)
    return structs.replace(config, build=build, bases={**config.bases, **made})


def linked_contexts(contexts: dict[str, str]) -> dict[str, str]:
    return linked(BuildOf(Path(), contexts=contexts))


def _builds(config: Config) -> dict[str, BuildOf]:
    """The builds of the file by their names."""
    folder = Path(config.compose.folder or "")
    if config.compose.service is not None:
        project = read_project(folder)
        services = project.built if project is not None else {}
        return {name: one.build for name, one in services.items() if one.build is not None}
    return read_bake(folder, config.compose.bake_target, linked_too=True) or {}


def _image(
    session: Session, place: str, builds: dict[str, BuildOf], config: Config, depth: int
) -> str:
    """The image of `service:base`, built on what it is itself built on."""
    name = place.partition(":")[2]
    if name in session.prepared:
        return session.prepared[name]
    build = builds.get(name)
    if build is None or depth > _DEEPEST:
        said = "is not there" if build is None else "is built on itself"
        raise InputError(f"{place} {said}")
    below = {
        inner: _image(session, other, builds, config, depth + 1)
        for inner, other in linked(build).items()
    }
    request = request_of(build, {**config.bases, **below}, "linked")
    made = session.build(replace(request, platform=config.build.platform))
    session.prepared[name] = made.reference or ""
    return session.prepared[name]


def request_of(build: BuildOf, bases: dict[str, str], name: str) -> BuildRequest:
    """The build as it is asked for, but for contexts that other builds give, which `bases` name."""
    plain = {key: place for key, place in build.contexts.items() if key not in linked(build)}
    return BuildRequest(
        build.context,
        dockerfile=build.inline if build.inline is not None else build.dockerfile,
        target=build.target,
        build_args=build.args,
        secrets=build.secrets,
        ssh=build.ssh,
        network=build.network,
        bases=bases,
        name=name,
        extra=(*(f"--build-context={key}={place}" for key, place in plain.items()), *build.extra),
        file=str(build.dockerfile or "the inline Dockerfile"),
    )
