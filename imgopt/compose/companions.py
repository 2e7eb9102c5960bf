"""What runs beside a service when it is proven: which other services of its Compose file, in which
order, and what of its own description the run takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgopt.compose.model import BuildOf, Mount, Project, Service, same_build
from imgopt.compose.named_hosts import named_by_sources
from imgopt.compose.project import read_project
from imgopt.config import Config
from imgopt.dockerfile import IgnoreFile, find_ignore_file, parse
from imgopt.dockerfile.typed import Copy

FINISHED = "service_completed_successfully"
HEALTHY = "service_healthy"
_OF_PACKAGES = (
    *(".txt", ".json", ".toml", ".lock", ".yaml", ".yml", ".cfg", ".ini", ".xml"),
    *(".mod", ".sum", ".gradle", ".kts", ".lockb", ".properties"),
)
"""How files end that only name packages."""
_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd", "/run/podman")


@dataclass(frozen=True, slots=True)
class Companion:
    """A service that runs beside the one under proof. `build` is how its image is made, None where
    it is had by its name; `own`: it runs the image under proof; `ends`: it has to have ended with
    success before others start; `needed`: another one depends on it, and not only a variable names
    it."""

    service: Service
    image: str = ""
    build: BuildOf | None = None
    own: bool = False
    ends: bool = False
    needed: bool = True

    @property
    def name(self) -> str:
        return self.service.name

    def __str__(self) -> str:
        what = "the same image" if self.own else "built here" if self.build else self.image
        return f"{self.name} ({what}{', to its end' if self.ends else ''})"


@dataclass(frozen=True, slots=True)
class Beside:
    """How a service of a Compose file runs: itself, and its `companions` in the order of their
    start. `bases` and `images` name other images for those of builds and of companions, `notes`
    say what is left out of the run."""

    service: Service
    companions: tuple[Companion, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    sharing: tuple[Service, ...] = ()
    """The services of the file that run the same image, itself among them."""
    hidden: tuple[str, ...] = ()
    """Folders of the image over which development mounts would lie."""

    def __str__(self) -> str:
        """`beside it run db (postgres:16), migrate (the same image, to its end)`."""
        listed = ", ".join(map(str, self.companions))
        return f"beside it {'run' if len(self.companions) > 1 else 'runs'} {listed}"


def beside_of(config: Config) -> Beside | None:
    """As the configuration says, in which the service that was found stands. Raises InputError."""
    section = config.compose
    if section.service is None or section.folder is None:
        return None
    project = read_project(Path(section.folder))
    if project is None or section.service not in project.services:
        return None
    return beside(
        project,
        section.service,
        images={**config.bases, **config.companions},
        bases=config.bases,
        mounts=section.mounts,
    )


def beside(
    project: Project,
    name: str,
    *,
    images: Mapping[str, str] | None = None,
    bases: Mapping[str, str] | None = None,
    mounts: bool = False,
) -> Beside:
    """`mounts`: development mounts are taken too, as copies."""
    service = project.services[name]
    left_out = [] if mounts else [one for one in service.mounts if _is_development(one, service)]
    taken = [one for one in service.mounts if not _hides(one, left_out)]
    notes, found = [], tuple(_in_order(project, service))
    if left_out:
        listed = ", ".join(f"{Path(one.source).name}:{one.target}" for one in left_out)
        notes.append(
            f"left out of the run: {listed}, which would hide what the image has there"
            " (mounts = true below [compose] takes a copy)"
        )
    if any(_is_socket(one) for one in taken):
        notes.append("left out of the run: the engine's socket")
    if service.privileged or any(one.service.privileged for one in found):
        notes.append("no privileges of this machine are given to the run")
    if service.gpus or any(one.service.gpus for one in found):
        notes.append("no GPU is given to the run")
    kept = tuple(one for one in taken if not _is_socket(one))
    return Beside(
        replace(service, mounts=kept),
        found,
        images or {},
        bases or {},
        tuple(notes),
        project.files,
        tuple(one for one in project.services.values() if _shares(one, service)),
        tuple(one.target for one in left_out),
    )


def _shares(one: Service, service: Service) -> bool:
    named = one.build is None and one.image is not None and one.image == service.image
    return named or same_build(one.build, service.build)


def _in_order(project: Project, service: Service) -> Iterator[Companion]:
    """Those that the service needs and what those need, each behind what it waits for."""
    done: set[str] = {service.name}
    every = project.services.values()
    pairs = [(other, how) for one in every for other, how in one.depends_on.items()]
    ends = {other for other, condition in pairs if condition == FINISHED}
    hard = {other for one in every for other in one.depends_on if other not in one.optional}

    def visit(one: Service) -> Iterator[Companion]:
        for other in needed(one, project):
            if other not in done:
                done.add(other)
                yield from visit(project.services[other])
                made = _companion(project.services[other], service, other in ends)
                yield replace(made, needed=other in hard)

    yield from visit(service)
    for other in named_by_sources(service, project):
        if other not in done:
            done.add(other)
            yield from visit(project.services[other])
            yield replace(_companion(project.services[other], service, False), needed=False)


def _companion(one: Service, service: Service, ends: bool) -> Companion:
    safe = replace(one, mounts=tuple(mount for mount in one.mounts if not _is_socket(mount)))
    if _shares(one, service):
        left_out = [mount for mount in safe.mounts if _is_development(mount, service)]
        kept = tuple(mount for mount in safe.mounts if not _hides(mount, left_out))
        return Companion(replace(safe, mounts=kept), own=True, ends=ends)
    if one.build is not None:
        return Companion(safe, build=one.build, ends=ends)
    return Companion(safe, image=one.image or "", ends=ends)


def needed(service: Service, project: Project) -> list[str]:
    """The services that it depends on, then those that its variables name as a host."""
    found = [name for name in service.depends_on if name in project.services]
    for name, other in project.services.items():
        if name != service.name and any(_names_host(service, word) for word in other.names):
            found.append(name)
    return list(dict.fromkeys(found))


def _names_host(service: Service, host: str) -> bool:
    name = re.escape(host)
    url = re.compile(rf"(?:://|@|^|[,;=\s(])(?:[^/@\s,;]*@)?{name}(?::\d+|[/?]|$)")
    for variable, value in service.environment.items():
        whole = value.strip() == host
        if whole and re.search(r"HOST|SERVER|ADDR|URL|URI|BROKER|ENDPOINT", variable.upper()):
            return True
        if not whole and url.search(value) and re.search(rf"://|{name}:\d", value):
            return True
    return False


def _is_development(mount: Mount, service: Service) -> bool:
    """A folder of the build context laid over what the image has of it."""
    build = service.build
    if mount.kind != "bind" or build is None or not build.local:
        return False
    source = Path(mount.source)
    if build.context.is_relative_to(source):
        return _copies_sources(build)
    if not source.is_relative_to(build.context) or not source.is_dir():
        return False
    return _is_copied(build, source)


def _copies_sources(build: BuildOf) -> bool:
    """Whether more of the context is in the image than the files that name its packages: some
    images have no source at all, and are made to be run over a mount."""
    for name in _copied(build):
        if name in (".", "*") or (build.context / name).is_dir():
            return True
        if "." not in name.strip(".") or not name.lower().endswith(_OF_PACKAGES):
            return True
    return False


def _is_copied(build: BuildOf, source: Path) -> bool:
    """Whether a folder of the context is in the image by a COPY that is not from elsewhere."""
    inside = source.relative_to(build.context).as_posix()
    own = build.dockerfile or build.context / "Dockerfile"
    ignore = find_ignore_file(build.context, own)
    if ignore is not None and IgnoreFile.parse(_text(ignore)).excludes(inside, is_dir=True):
        return False
    return any(_covers(name, inside) for name in _copied(build))


def _copied(build: BuildOf) -> Iterator[str]:
    """What the Dockerfile copies of its context, as it is written, seen from there."""
    own = build.dockerfile or build.context / "Dockerfile"
    read = parse(build.inline if build.inline is not None else _text(own))
    for one in read.instructions:
        if isinstance(one.typed, Copy) and one.typed.from_ is None:
            yield from (
                str(word).strip("/").removeprefix("./") or "." for word in one.typed.sources
            )


def _covers(name: str, inside: str) -> bool:
    return name in (".", "*") or inside == name or inside.startswith(f"{name}/")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except OSError:
        return ""


def _hides(mount: Mount, left_out: list[Mount]) -> bool:
    """Whether it goes with a development mount: itself, or a volume that keeps a folder below it
    (`/app/node_modules`)."""
    below = any(Path(mount.target).is_relative_to(one.target) for one in left_out)
    return mount in left_out or (mount.kind == "volume" and not mount.source and below)


def _is_socket(mount: Mount) -> bool:
    return mount.kind == "bind" and mount.source.startswith(_SOCKETS)
