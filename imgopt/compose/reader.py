"""Our own reader of Compose files, for machines without Compose: what it gives has the form of
`docker compose config --format json`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imgopt.compose import keys as known
from imgopt.compose.checks import check_project
from imgopt.compose.dotenv import read_dotenv
from imgopt.compose.files import compose_files
from imgopt.compose.interpolation import Lookup, Refused, substitute
from imgopt.compose.long_form import Wrong, long_form
from imgopt.compose.merging import merged, untagged
from imgopt.compose.shapes import problems
from imgopt.compose.yaml_text import Document, Keys, Tagged, read_yaml
from imgopt.errors import InputError, Location

_SECTIONS = ("networks", "volumes", "secrets", "configs")
_DEEPEST = 16
Table = dict[str, Any]


@dataclass
class _Read:
    """What the files said so far. `places` are where each service begins."""

    table: Table = field(default_factory=lambda: {"services": {}})
    documents: list[Document] = field(default_factory=list)


def read_compose(
    files: Sequence[Path],
    folder: Path,
    environment: Mapping[str, str],
    absent: Callable[[InputError], None] | None = None,
) -> Table:
    """The files, one over the other. Raises InputError with file, line and reason; `absent` is
    given those of files of variables that are not there, in place of an end."""
    lookup = _lookup(folder, environment)
    read = _Read()
    for path in files:
        _take(read, path, folder, lookup, ())
    table = read.table
    table["services"] = {
        name: _completed(
            _with_env_files(untagged(service), name, read.documents, lookup, absent), lookup
        )
        for name, service in table["services"].items()
    }
    check_project(table, read.documents)
    return table


def _lookup(folder: Path, environment: Mapping[str, str]) -> Lookup:
    path = folder / ".env"
    beside = read_dotenv(path, environment.get) if path.is_file() else {}
    return lambda name: environment[name] if name in environment else beside.get(name)


def _take(read: _Read, path: Path, folder: Path, lookup: Lookup, above: tuple[Path, ...]) -> None:
    """Puts a file, and what it includes, over what was read."""
    if path in above or len(above) > _DEEPEST:
        raise InputError("include goes in a circle", location=Location(str(path)))
    document = filled(read_yaml(path), lookup)
    _check_top(document)
    read.documents.append(document)
    for number, one in enumerate(document.value.get("include") or ()):
        _include(read, document, number, one, (folder, lookup, (*above, path)))
    services: Table = read.table["services"]
    for name, service in (untagged(document.value.get("services")) or {}).items():
        raw = (document.value.get("services") or {}).get(name)
        made = _extended(document, name, raw if isinstance(raw, dict) else service, folder, lookup)
        services[name] = merged(services[name], made) if name in services else made
    for section in _SECTIONS:
        stated = _absolute(untagged(document.value.get(section)) or {}, folder)
        if stated:
            read.table[section] = merged(read.table.get(section, {}), stated)
    if isinstance(document.value.get("name"), str):
        read.table["name"] = document.value["name"]


def _include(
    read: _Read,
    document: Document,
    number: int,
    one: Any,
    where: tuple[Path, Lookup, tuple[Path, ...]],
) -> None:
    folder, lookup, above = where
    entry = {"path": one} if isinstance(one, str) else dict(one or {})
    paths = [entry.get("path")] if isinstance(entry.get("path"), str) else entry.get("path") or []
    if not paths:
        raise InputError("include without a path", location=document.place("include", number))
    first = folder / str(paths[0])
    own = folder / entry["project_directory"] if entry.get("project_directory") else first.parent
    stated = entry.get("env_file")
    files = [stated] if isinstance(stated, str) else stated or []
    beside: dict[str, str | None] = {}
    for file in [folder / name for name in files] or [own / ".env"]:
        if files or file.is_file():
            beside.update(read_dotenv(file, lookup))

    def inner(name: str) -> str | None:
        outer = lookup(name)
        return outer if outer is not None else beside.get(name)

    for path in paths:
        if not (folder / str(path)).is_file():
            place = document.place("include", number)
            raise InputError(f"the included {path} is not there", location=place)
        _take(read, (folder / str(path)).resolve(), own, inner, above)


def filled(document: Document, lookup: Lookup) -> Document:
    """With every variable's value in its place. Raises InputError."""

    def fill(value: Any, keys: Keys) -> Any:
        if isinstance(value, Tagged):
            return Tagged(value.kind, fill(value.value, keys))
        if isinstance(value, dict):
            return {key: fill(item, (*keys, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, (*keys, number)) for number, item in enumerate(value)]
        if not isinstance(value, str) or "$" not in value:
            return value
        try:
            return substitute(value, lookup)
        except Refused as refused:
            where = ".".join(map(str, keys))
            raise InputError(
                f"error while interpolating {where}: {refused}", location=document.place(*keys)
            ) from None

    return Document(document.path, fill(document.value, ()), document.lines)


def _check_top(document: Document) -> None:
    value = document.value
    if value is None:
        raise InputError("empty compose file", location=Location(str(document.path)))
    if not isinstance(value, dict):
        raise InputError("Top-level object must be a mapping", location=document.place())
    for said, keys in problems(value):
        raise InputError(f"{'.'.join(map(str, keys))} {said}", location=document.place(*keys))
    for key in value:
        if key not in known.TOP and not key.startswith("x-"):
            raise InputError(
                f"additional properties '{key}' not allowed", location=document.place(key)
            )
    services = untagged(value.get("services"))
    for name, service in (services or {}).items():
        place = document.place("services", name)
        if not isinstance(service, dict):
            raise InputError(f"services.{name} must be a mapping", location=place)
        for problem, key in _unknown(service):
            raise InputError(
                f"services.{name}{problem}", location=document.place("services", name, *key)
            )


def _unknown(service: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, value in service.items():
        if key not in known.SERVICE and not key.startswith("x-"):
            yield f" additional properties '{key}' not allowed", (key,)
        inner = {"build": known.BUILD, "healthcheck": known.HEALTHCHECK}.get(key)
        for name in value if inner and isinstance(value, dict) else ():
            if inner and name not in inner and not name.startswith("x-"):
                yield f".{key} additional properties '{name}' not allowed", (key, name)


def _extended(
    document: Document, name: str, service: Table, folder: Path, lookup: Lookup, depth: int = 0
) -> Table:
    """The service in long forms, over the one that it extends."""
    extends = untagged(service.get("extends"))
    try:
        own = long_form({key: v for key, v in service.items() if key != "extends"}, folder)
    except Wrong as wrong:
        where = ".".join(map(str, ("services", name, *wrong.keys)))
        place = document.place("services", name, *wrong.keys)
        raise InputError(f"{where} {wrong.said}", location=place) from None
    if extends is None:
        return own
    place = document.place("services", name, "extends")
    if isinstance(extends, str):
        extends = {"service": extends}
    wanted, other, inside = str(extends.get("service")), document, folder
    if depth > _DEEPEST or (wanted == name and not extends.get("file")):
        raise InputError(f'service "{name}" extends itself', location=place)
    if extends.get("file"):
        path = (folder / str(extends["file"])).resolve()
        if not path.is_file():
            raise InputError(f"the extended {extends['file']} is not there", location=place)
        other, inside = filled(read_yaml(path), lookup), path.parent
        _check_top(other)
    base = (other.value.get("services") or {}).get(wanted)
    if not isinstance(base, dict):
        said = f'cannot extend service "{name}" in {document.path}: service "{wanted}" not found'
        raise InputError(said, location=place)
    below = _extended(other, wanted, base, inside, lookup, depth + 1)
    return dict(merged(below, own))


def _absolute(section: Table, folder: Path) -> Table:
    return {
        name: {**one, "file": os.path.normpath(folder / Path(str(one["file"])).expanduser())}
        if isinstance(one, dict) and one.get("file")
        else one
        for name, one in section.items()
    }


def _with_env_files(
    service: Table,
    name: str,
    documents: Sequence[Document],
    lookup: Lookup,
    absent: Callable[[InputError], None] | None,
) -> Table:
    """With the variables of its files below its own."""
    found: dict[str, str | None] = {}
    for entry in service.get("env_file") or ():
        path = Path(entry["path"])
        if not path.is_file():
            if entry.get("required", True):
                place = place_of(documents, "services", name, "env_file")
                hint = missing_env_file(path)
                lacking = InputError(f"env file {path} not found", location=place, hint=hint)
                if absent is None:
                    raise lacking
                absent(lacking)
            continue
        found.update(read_dotenv(path, lookup, raw=entry.get("format") == "raw"))
    own = service.get("environment") or {}
    values = {**found, **own}
    resolved = {key: lookup(key) if one is None else one for key, one in values.items()}
    kept = {key: value for key, value in service.items() if key != "env_file"}
    return {**kept, "environment": resolved} if resolved else kept


def _completed(service: Table, lookup: Lookup) -> Table:
    """With the build's arguments that the caller's environment has, and with what a service needs
    without saying so: those that it links to or shares something with."""
    made = dict(service)
    build = service.get("build")
    if isinstance(build, dict) and build.get("args"):
        args = {k: lookup(k) if v is None else v for k, v in build["args"].items()}
        made["build"] = {**build, "args": args}
    needed = [str(link).partition(":")[0] for link in service.get("links") or ()]
    needed += [str(one).partition(":")[0] for one in service.get("volumes_from") or ()]
    for key in ("network_mode", "ipc", "pid"):
        kind, _, other = str(service.get(key) or "").partition(":")
        needed += [other] if kind == "service" else []
    started = {"condition": "service_started", "required": True}
    implied = {name: started for name in needed if name != "container"}
    if implied:
        made["depends_on"] = {**implied, **(service.get("depends_on") or {})}
    return made


def missing_env_file(path: Path) -> str | None:
    """What to do about one, where an example lies beside it."""
    names = (
        f"{path.name}.example",
        f"{path.name}.sample",
        f"{path.name}.dist",
        f"example{path.name}",
    )
    beside = next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)
    return f"cp {beside} {path}" if beside is not None else None


def place_of(documents: Sequence[Document], *keys: str | int) -> Location:
    """Where the last file that says so says it."""
    for document in reversed(documents):
        if keys in document.lines:
            return document.place(*keys)
    return documents[-1].place(*keys) if documents else Location("compose.yaml")


__all__ = ["compose_files", "read_compose"]
