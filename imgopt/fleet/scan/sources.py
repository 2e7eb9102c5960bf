"""From what the user wrote to what is read: registries, layouts, archives, engines, lists."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgopt.errors import EnvironmentFailure, InputError, Location
from imgopt.fleet.scan.protocol import split_host
from imgopt.image.registry import qualified

Kind = Literal["registry", "path", "engine"]
_FILES = ("docker-archive:", "oci-archive:", "oci:", "archive:")
_GLOB = frozenset("*?[")
_MOST_LINES = 1_000_000


@dataclass(frozen=True, slots=True)
class SourceName:
    """One source. Of a registry: its host, a pattern of repositories ("" for the whole catalog) and
    one of tags; of the others `host` is the path or the engine's image name ("" for all)."""

    kind: Kind
    host: str
    repository: str = ""
    tag: str = ""

    def __str__(self) -> str:
        rest = "".join(
            (f"/{self.repository}" if self.repository else "", f":{self.tag}" if self.tag else "")
        )
        return f"{self.kind}:{self.host}{rest}"


def read_sources(words: Iterable[str]) -> tuple[SourceName, ...]:
    """Each once, in the order that they were given. Raises InputError for what is no source."""
    return tuple(dict.fromkeys(read_source(word) for word in words))


def read_list(file: Path) -> Iterator[str]:
    """The sources of a file, one on a line; empty lines and those that begin with # are left
    out."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot be read: {error.strerror}", location=Location(str(file))
        ) from None
    except UnicodeDecodeError:
        raise InputError("is no text", location=Location(str(file))) from None
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) > _MOST_LINES:
        raise InputError(f"more than {_MOST_LINES} lines", location=Location(str(file)))
    yield from (line for line in lines if line and not line.startswith("#"))


def read_source(word: str) -> SourceName:
    """ "registry:HOST[/REPOSITORY[:TAG]]", with patterns; a path; "engine:[NAME]"; a name with a
    host in front is a registry's.

    >>> read_source("registry:127.0.0.1:5000/team/*:1.*")
    SourceName(kind='registry', host='127.0.0.1:5000', repository='team/*', tag='1.*')
    """
    if word.startswith("registry:"):
        return _registry(word.removeprefix("registry:").removeprefix("//"))
    if word.startswith("engine:"):
        return SourceName("engine", word.removeprefix("engine:"))
    for scheme in _FILES:
        if word.startswith(scheme):
            return SourceName("path", word.removeprefix(scheme))
    if word.startswith(("/", "./", "../", "~")) or Path(word.partition("#")[0]).exists():
        return SourceName("path", word)
    first, slash, _ = word.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return _registry(word)
    raise InputError(
        f"{word}: not a source",
        hint="registry:HOST[/REPOSITORY[:TAG]], a layout's folder, an archive, or engine:",
    )


def _registry(name: str) -> SourceName:
    host, rest = split_host(name)
    if not host or host.strip(".:") == "":
        raise InputError(f"registry:{name}: no host", hint="registry:HOST[:PORT][/REPOSITORY]")
    if rest and host in ("docker.io", "index.docker.io"):
        host, rest = split_host(qualified(rest))
    repository, _, digest = rest.partition("@")
    repository, _, tag = repository.partition(":")
    if any(char.isspace() or not char.isprintable() for char in rest):
        raise InputError(f"registry:{host}: a name with spaces or control characters")
    return SourceName("registry", host, repository, digest or tag)


def is_pattern(text: str) -> bool:
    return not _GLOB.isdisjoint(text)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which tags are looked at, by "repository:tag" (without the host); and how old an image may
    be, in days."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    most_days: float | None = None

    def takes(self, repository: str, tag: str) -> bool:
        name = f"{repository}:{tag}"
        return (not self.include or _any(name, repository, self.include)) and not _any(
            name, repository, self.exclude
        )

    def takes_repository(self, repository: str) -> bool:
        """Before its tags are asked for: only what no tag of it can pass is left out."""
        return not any(
            ":" not in pattern and fnmatch.fnmatchcase(repository, pattern)
            for pattern in self.exclude
        )


def _any(name: str, repository: str, patterns: Iterable[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(name if ":" in pattern else repository, pattern) for pattern in patterns
    )
