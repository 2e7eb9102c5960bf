"""Packages and versions that lock files pin: read by the patterns of locks.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import msgspec

from imgopt.image.packages.names import plain_name


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of file."""

    files: list[str]
    ecosystem: str
    pattern: str
    plain: bool = False
    """Letters, `-`, `_` and `.` of names are the same in many spellings."""


@cache
def known() -> tuple[Lock, ...]:
    text = files("imgopt.fleet.layout").joinpath("locks.toml").read_text(encoding="utf-8")
    return tuple(msgspec.convert(tomllib.loads(text)["lock"], list[Lock]))


def lock_of(path: str) -> Lock | None:
    """The kind of a file by its name."""
    name = path.rpartition("/")[2]
    return next(
        (lock for lock in known() if any(fnmatchcase(name, glob) for glob in lock.files)), None
    )


def pinned(lock: Lock, text: str) -> Mapping[str, str]:
    """Name -> version; a name that stands several times has all of its versions."""
    found: dict[str, list[str]] = {}
    for match in re.finditer(lock.pattern, text, re.MULTILINE):
        name = plain_name(match["name"]) if lock.plain else match["name"]
        found.setdefault(name, []).append(match["version"].strip())
    return {name: " ".join(versions) for name, versions in found.items()}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> frozenset[str]:
    """Names that are new, gone, or have another version."""
    names = before.keys() | after.keys()
    return frozenset(name for name in names if before.get(name) != after.get(name))
