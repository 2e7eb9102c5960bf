"""Which build of a folder is meant: a service of its Compose file, a target of its Bake file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path

from imgopt.compose.bake import read_bake
from imgopt.compose.files import bake_files
from imgopt.compose.model import BuildOf, Project, Service, same_build
from imgopt.compose.project import read_project
from imgopt.compose.refused import Lacking
from imgopt.errors import EnvironmentFailure, InputError, Location

_FINISHED = "service_completed_successfully"


@dataclass(frozen=True, slots=True)
class Found:
    """One build. `name` is the service's or target's; `file` says it; `project` is there for a
    service."""

    name: str
    build: BuildOf
    file: Path
    project: Project | None = None

    @property
    def service(self) -> Service | None:
        return self.project.services[self.name] if self.project is not None else None

    def __str__(self) -> str:
        """`compose.yaml: the service web is built from web/Dockerfile, target run`."""
        kind = "target" if self.project is None else "service"
        return (
            f"{self.file.name}: the {kind} {self.name} is built from {self.told(self.file.parent)}"
        )

    def told(self, folder: Path) -> str:
        """What it is built from, seen from a folder."""
        build = self.build
        inline = "its inline Dockerfile"
        what = relpath(build.dockerfile, folder) if build.dockerfile is not None else inline
        around = build.dockerfile.parent if build.dockerfile is not None else None
        context = f" in {relpath(build.context, folder)}" if build.context != around else ""
        return f"{what}{context}" + (f", target {build.target}" if build.target else "")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a folder says. `one` is None where its own Dockerfile is to be taken as it is; `notes`
    are for the user."""

    one: Found | None = None
    notes: tuple[str, ...] = ()


def find(folder: Path, *, service: str | None = None, target: str | None = None) -> Finding:
    """The one build that is meant. Raises InputError where a name is unknown, where several could
    be meant, and for files that cannot be read."""
    folder = folder.resolve()
    if target is not None:
        return Finding(_named_target(folder, target))
    try:
        project = read_project(folder)
    except Lacking as lacking:
        if service is not None or not _top(folder).is_file():
            raise
        said = f"{lacking}; {_top(folder)} is taken without its services"
        return Finding(notes=(said + (f" (mend it: {lacking.hint})" if lacking.hint else ""),))
    if service is not None:
        return Finding(_named_service(folder, project, service))
    if project is not None:
        return _chosen(folder, builds_of(project))
    try:
        return _chosen(folder, _targets(folder))
    except (EnvironmentFailure, Lacking) as lacking:
        if not _top(folder).is_file():
            raise
        return Finding(notes=(f"{lacking}; {_top(folder)} is taken by itself",))


def find_all(folder: Path) -> list[Found]:
    """Every build of a folder's files, those that give the same image once. Raises InputError where
    nothing says any."""
    folder = folder.resolve()
    project = read_project(folder)
    found = builds_of(project) if project is not None else _targets(folder)
    if not found:
        raise InputError(
            "neither a Compose nor a Bake file builds anything here", location=Location(str(folder))
        )
    return found


def builds_of(project: Project) -> list[Found]:
    """The services that are built, one for each image: of those that share one, the service that
    others reach."""
    groups: list[list[Service]] = []
    for one in project.built.values():
        if not _active(one):
            continue
        same = next((group for group in groups if same_build(group[0].build, one.build)), None)
        groups.append([one]) if same is None else same.append(one)
    ends = {
        other
        for one in project.services.values()
        for other, condition in one.depends_on.items()
        if condition == _FINISHED
    }
    chosen = [min(group, key=lambda one: (one.name in ends, not one.ports)) for group in groups]
    return [_of_service(project, one) for one in chosen]


def _active(service: Service) -> bool:
    wanted = {name.strip() for name in os.environ.get("COMPOSE_PROFILES", "").split(",")}
    return not service.profiles or bool(wanted & {*service.profiles, "*"})


def _of_service(project: Project, service: Service) -> Found:
    assert service.build is not None
    return Found(service.name, service.build, project.files[0], project)


def _targets(folder: Path) -> list[Found]:
    files, targets = bake_files(folder), read_bake(folder)
    return [Found(name, build, files[0]) for name, build in (targets or {}).items()]


def _named_service(folder: Path, project: Project | None, name: str) -> Found:
    if project is None:
        raise InputError(
            f"--service {name}: there is no Compose file", location=Location(str(folder))
        )
    service = project.services.get(name)
    if service is None or service.build is None:
        said = "has no build" if service is not None else "is not there"
        known = ", ".join(project.built) or "none"
        place = Location(str(project.files[0]))
        raise InputError(f"the service {name} {said}", location=place, hint=f"built are: {known}")
    return _checked(_of_service(project, service))


def _named_target(folder: Path, name: str) -> Found:
    files, targets = bake_files(folder), read_bake(folder, name)
    if targets is None:
        raise InputError(
            f"--bake-target {name}: there is no Bake file", location=Location(str(folder))
        )
    if len(targets) != 1:
        several = ", ".join(targets)
        raise InputError(
            f"{name} is a group of several targets: {several}", location=Location(str(files[0]))
        )
    return _checked(next(Found(target, build, files[0]) for target, build in targets.items()))


def _chosen(folder: Path, every: Sequence[Found]) -> Finding:
    """One of all of them: the only one, or the one that is built from the folder's own
    Dockerfile."""
    top = _top(folder)
    if not every or (len(every) > 1 and not top.is_file()):
        return Finding() if not every else _several(every, folder)
    if not top.is_file():
        return Finding(_checked(every[0]))
    own = [one for one in every if one.build.dockerfile == top and one.build.context == folder]
    if len(own) == 1:
        return Finding(_checked(own[0]))
    return Finding(notes=(_beside(top, own or every),))


def _beside(top: Path, others: Sequence[Found]) -> str:
    """What is said where the folder's own Dockerfile is taken though a file names others."""
    listed = "; ".join(f"{one.name} ({one.told(top.parent)})" for one in others)
    option = _option(others[0])
    return (
        f"{top} is taken by itself: {others[0].file.name} builds {listed}."
        f" {option} NAME takes one of them"
    )


def _several(every: Sequence[Found], folder: Path) -> Finding:
    listed = "\n".join(f"  {one.name}: {one.told(folder)}" for one in every)
    option = _option(every[0])
    raise InputError(
        f"builds several images\n{listed}",
        location=Location(str(every[0].file)),
        hint=f"{option} NAME takes one of them; `imgopt optimize --all` all, one after the other",
    )


def _option(one: Found) -> str:
    return "--bake-target" if one.project is None else "--service"


def _checked(found: Found) -> Found:
    """Raises InputError for a build that cannot be done from here."""
    build, place = found.build, Location(str(found.file))
    if not build.local:
        raise InputError(
            f"{found.name} is built from {build.context}, which is no folder", location=place
        )
    if build.dockerfile is not None and not build.dockerfile.is_file():
        raise InputError(
            f"{found.name} is built from {build.dockerfile}, which is not there", location=place
        )
    return found


def _top(folder: Path) -> Path:
    return folder / "Dockerfile"
