"""A folder's Compose project: read by Compose itself where it is installed, else by our own
reader."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from imgopt.compose.files import compose_files
from imgopt.compose.model import Project, project_of, unescaped
from imgopt.compose.reader import missing_env_file, read_compose
from imgopt.compose.refused import Lacking
from imgopt.compose.yaml_text import Document, Keys, read_yaml, yaml_value
from imgopt.errors import InputError, Location

_SECONDS = 60
_NOT_THERE = re.compile(
    r"is not a docker command|unknown command|unknown (?:shorthand )?flag|command not found"
)
_LINE = re.compile(r"(?:yaml: |: )line (\d+)")
_PATH = re.compile(r"services\.[\w.\[\]-]+")
_SERVICE = re.compile(r'service "([^"]+)"')
_ENV_FILE = re.compile(r"env file (\S+) not found")


def read_project(folder: Path, *, own: bool = False) -> Project | None:
    """None where the folder has no Compose file; `own` leaves Compose itself out. Raises InputError
    with file, line and reason."""
    try:
        return _read(folder.resolve(), own, tuple(sorted(os.environ.items())))
    except InputError as refused:
        raise _kind(refused) from None


@lru_cache(maxsize=8)
def _read(folder: Path, own: bool, _environment: object) -> Project | None:
    environment = _named(folder)
    files = compose_files(folder, environment)
    if not files:
        return None
    missing = next((path for path in files if not path.is_file()), None)
    if missing is not None:
        raise InputError("COMPOSE_FILE names it, and it is not there", location=_at(missing))
    try:
        said = None if own else _by_compose(folder, files)
    except InputError as refused:
        raise _placed(refused, files, folder, environment) from None
    if said is not None:
        ordered = _in_order(unescaped(said), files)
        return project_of(ordered, folder, tuple(files), "docker compose config")
    return project_of(read_compose(files, folder, environment), folder, tuple(files))


def _in_order(said: Mapping[str, Any], files: Sequence[Path]) -> Mapping[str, Any]:
    """The services, and what each waits for, as the files have them: Compose prints them by name,
    and what is shown and done shall not hang on whether Compose is installed."""
    services = said.get("services")
    if not isinstance(services, Mapping):
        return said
    documents = [document for path in files if (document := _readable(path)) is not None]
    ordered = {
        name: _waiting_in_order(service, ("services", name), documents)
        for name, service in _as_written(services, ("services",), documents).items()
    }
    return {**said, "services": ordered}


def _waiting_in_order(service: Any, keys: Keys, documents: Sequence[Document]) -> Any:
    waits = service.get("depends_on") if isinstance(service, Mapping) else None
    if not isinstance(waits, Mapping):
        return service
    return {**service, "depends_on": _as_written(waits, (*keys, "depends_on"), documents)}


def _as_written(
    found: Mapping[str, Any], keys: Keys, documents: Sequence[Document]
) -> dict[str, Any]:
    """A table with its keys in the order in which the documents name them, as a table or a list."""
    named = [name for document in documents for name in _named_below(document, keys)]
    return {name: found[name] for name in dict.fromkeys((*named, *found)) if name in found}


def _named_below(document: Document, keys: Keys) -> Iterator[str]:
    value = document.value
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, (Mapping, list)):
        yield from (name for name in value if isinstance(name, str))


def _placed(
    refused: InputError, files: Sequence[Path], folder: Path, environment: Mapping[str, str]
) -> InputError:
    """Compose's words at the place where our own reader finds the same mistake, where it does."""
    try:
        read_compose(files, folder, environment)
    except InputError as own:
        where = own.location or refused.location
        return InputError(refused.message, location=where, hint=refused.hint or own.hint)
    return refused


def _kind(refused: InputError) -> InputError:
    """The same as Lacking, where it is."""
    place, said = refused.location, refused.message
    if "env file" in said or ("required variable" not in said and _has_gap(place)):
        return Lacking(said, location=place, hint=refused.hint)
    return refused


def _has_gap(place: Location | None) -> bool:
    """Whether the line takes a variable."""
    if place is None or place.line is None:
        return False
    try:
        lines = Path(place.file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return "$" in "".join(lines[place.line - 1 : place.line])


def _at(path: Path) -> Location:
    return Location(str(path))


def _named(folder: Path) -> dict[str, str]:
    """The environment, with COMPOSE_FILE of `.env` where only that says it."""
    from imgopt.compose.dotenv import read_dotenv

    environment = dict(os.environ)
    beside = folder / ".env"
    if "COMPOSE_FILE" not in environment and beside.is_file():
        values = read_dotenv(beside, environment.get)
        for name in ("COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"):
            environment.update({name: value} if (value := values.get(name)) else {})
    return environment


def _by_compose(folder: Path, files: Sequence[Path]) -> Mapping[str, object] | None:
    """What Compose prints; None where it is not installed. Raises InputError where it refuses the
    files."""
    for command in _commands():
        done = _config(command, folder, "json")
        if done is not None and "MarshalJSON" in done.stderr:  # Compose 2.40 with `ssh: [id=path]`
            done = _config(command, folder, "yaml")
        if done is None or (done.returncode and _NOT_THERE.search(done.stderr)):
            continue
        if done.returncode:
            raise refusal(done.stderr, files)
        if done.stdout.startswith("{"):
            return dict(json.loads(done.stdout))
        return dict(yaml_value(done.stdout))
    return None


def _config(
    command: Sequence[str], folder: Path, form: str
) -> subprocess.CompletedProcess[str] | None:
    words = [*command, "--profile", "*", "config", "--format", form]
    try:
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None


def _commands() -> list[list[str]]:
    found = []
    if docker := shutil.which("docker"):
        found.append([docker, "compose"])
    if alone := shutil.which("docker-compose"):
        found.append([alone])
    return found


def refusal(said: str, files: Sequence[Path]) -> InputError:
    """Compose's own words, with the place that they speak of."""
    lines = [line for line in said.strip().splitlines() if "level=warning" not in line]
    text = " ".join(lines) or "docker compose config refuses it"
    env_file = _ENV_FILE.search(text)
    hint = missing_env_file(Path(env_file[1])) if env_file else None
    return InputError(text, location=_place(text, files), hint=hint)


def _place(text: str, files: Sequence[Path]) -> Location:
    named = [path for path in files if str(path) in text]
    line = _LINE.search(text)
    if line is not None:
        return Location(str((named or files)[0]), int(line[1]))
    documents = [document for path in named or files if (document := _readable(path))]
    for keys in _keys(text):
        for document in reversed(documents):
            for end in range(len(keys), 1, -1):
                if keys[:end] in document.lines:
                    return document.place(*keys)
    return _at((named or files)[0])


def _keys(text: str) -> list[Keys]:
    found: list[Keys] = []
    if path := _PATH.search(text):
        found.append(tuple(path[0].rstrip(".").split(".")))
        extra = re.search(r"additional properties '([^']+)'", text)
        found = [(*found[0], extra[1]), *found] if extra else found
    if service := _SERVICE.search(text):
        found.append(("services", service[1]))
    if found and "env file" in text:
        found.insert(0, (*found[-1], "env_file"))
    return found


def _readable(path: Path) -> Document | None:
    try:
        return read_yaml(path)
    except InputError:
        return None
