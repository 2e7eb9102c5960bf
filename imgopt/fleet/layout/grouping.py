"""Which group a package lies in: decided by its name alone, so that it stays there whatever becomes
of the others and of its own size."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from imgopt.context.ecosystems import Ecosystem
from imgopt.image.packages.names import plain_name

GroupName = Literal["base", "system", "heavy", "light", "code"]
ORDER: tuple[GroupName, ...] = ("base", "system", "heavy", "light", "code")
"""From the lowest layer up: what changes least lies lowest."""
MEANINGS = {
    "base": "the base image",
    "system": "what steps install or make beside packages",
    "heavy": "large packages, seldom raised",
    "light": "all other packages",
    "code": "what is copied from the context",
}


class Names:
    """The table of heavy names: each ecosystem's, and those that the user adds."""

    def __init__(self, ecosystems: Iterable[Ecosystem], more: Collection[str] = ()) -> None:
        ecosystems = tuple(ecosystems)
        self._lists = frozenset(
            glob
            for ecosystem in ecosystems
            for manager in ecosystem.manager
            for glob in (*ecosystem.manifests, *manager.manifests, *manager.optional)
        )
        self._heavy: Mapping[str, Sequence[str]] = {
            ecosystem.name: ecosystem.heavy for ecosystem in ecosystems
        }
        self._more = frozenset(plain_name(name) for name in more)

    def group(self, name: str, ecosystem: str) -> GroupName:
        """ "heavy" or "light"."""
        plain = plain_name(name)
        globs = self._heavy.get(ecosystem, ())
        if plain in self._more or any(fnmatchcase(plain, glob) for glob in globs):
            return "heavy"
        return "light"

    def is_list(self, name: str) -> bool:
        """Whether a file of that name says which packages are installed."""
        return any(fnmatchcase(name, glob) for glob in self._lists)
