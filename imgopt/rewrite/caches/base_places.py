"""What a base image says of the places of caches, by its name: whose home, which variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.managers import CacheFolder
from imgopt.context.facts.runs import Base
from imgopt.dockerfile import Stage
from imgopt.rewrite.bases import read_base_name


def base_environment(stage: Stage, ecosystems: Iterable[Ecosystem]) -> Mapping[str, str] | None:
    """What the base image sets of the variables that caches depend on; None where the image is in
    no fact: it may run as another user, with another home."""
    name = read_base_name(str(stage.root.base)).repository
    bare = (
        name.partition("/")[2]
        if "." in name.partition("/")[0] or ":" in name.partition("/")[0]
        else name
    )
    last = name.rpartition("/")[2]
    ecosystems = tuple(ecosystems)
    if _is_other(bare, ecosystems):
        return None
    for base in _families(last, ecosystems):
        return None if _is_another_users(base, stage) else base.env
    plain = any(
        fnmatchcase(bare, one) or fnmatchcase(last, one)
        for eco in ecosystems
        for one in eco.plain_bases
    )
    return {} if plain else None


def _families(last: str, ecosystems: Iterable[Ecosystem]) -> Iterator[Base]:
    return (base for ecosystem in ecosystems for base in ecosystem.base if base.repository == last)


def _is_another_users(base: Base, stage: Stage) -> bool:
    return (
        bool(base.other_user)
        and re.search(base.other_user, read_base_name(str(stage.root.base)).tag) is not None
    )


def is_official(stage: Stage, ecosystems: Iterable[Ecosystem]) -> bool:
    """A name without a registry and a user is an official image's: those start as root, but for
    few."""
    name = (
        read_base_name(str(stage.root.base))
        .repository.removeprefix("docker.io/")
        .removeprefix("library/")
    )
    if any(_is_another_users(base, stage) for base in _families(name, ecosystems)):
        return False
    return re.fullmatch(r"[\w.-]+", name) is not None and not _is_other(name, ecosystems)


def _is_other(name: str, ecosystems: Iterable[Ecosystem]) -> bool:
    return any(
        fnmatchcase(name, other) for ecosystem in ecosystems for other in ecosystem.other_bases
    )


def by_bases(folder: CacheFolder, ecosystems: Iterable[Ecosystem]) -> bool:
    """Whether base images are known that put this cache elsewhere: another one may do so as
    well."""
    known = {name for ecosystem in ecosystems for base in ecosystem.base for name in base.env}
    return not known.isdisjoint(re.findall(r"\$\{(\w+)", folder.folder))
