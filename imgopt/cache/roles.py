"""What a file of a project is to a developer: source, test, documentation, manifest or lock
file."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

from imgopt.context.ecosystems import Ecosystem, builtin_ecosystems

Role = Literal["source", "test", "docs", "manifest", "lock", "other"]

_LOCK = re.compile(r"lock|\.sum$|shrinkwrap", re.IGNORECASE)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|e2e)/|(?:^|/)test_[^/]*$|_test\.\w+$|\.(?:test|spec)\.\w+$|Tests?\.\w+$"
)
_DOCS = re.compile(
    r"(?:^|/)docs?/|\.(?:md|rst|adoc|mdx)$|(?:^|/)(?:README|CHANGELOG|LICEN[CS]E|CONTRIBUTING|AUTHORS)[^/]*$",
    re.IGNORECASE,
)
_NO_SOURCE = re.compile(
    r"(?:^|/)(?:\.git|\.hg|\.svn|node_modules|\.venv|venv|__pycache__|vendor|dist|build|target)/"
)


class Roles:
    """Tells the role of a path by the ecosystems' own names of manifests, lock files and
    sources."""

    def __init__(self, ecosystems: Iterable[Ecosystem] | None = None) -> None:
        self._ecosystems = tuple(builtin_ecosystems() if ecosystems is None else ecosystems)

    @cached_property
    def _manifests(self) -> re.Pattern[str]:
        names = {name for one in self._ecosystems for name in one.manifests}
        names |= {
            name
            for one in self._ecosystems
            for manager in one.manager
            for name in manager.manifests
        }
        return _any_of(name for name in names if not _LOCK.search(name))

    @cached_property
    def _locks(self) -> re.Pattern[str]:
        managers = [manager for one in self._ecosystems for manager in one.manager]
        names = {name for one in managers for name in (*one.optional, *one.manifests)}
        return _any_of(name for name in names if _LOCK.search(posixpath.basename(name)))

    @cached_property
    def _sources(self) -> re.Pattern[str]:
        return _any_of(name for one in self._ecosystems for name in one.sources)

    def of(self, path: str) -> Role:
        """The role of one path of a context."""
        if _NO_SOURCE.search(path):
            return "other"
        if self._locks.fullmatch(path):
            return "lock"
        if self._manifests.fullmatch(path):
            return "manifest"
        if _TEST.search(path):
            return "test"
        if _DOCS.search(path):
            return "docs"
        return "source" if self._sources.fullmatch(path) else "other"

    def by_role(
        self, paths: Iterable[str], churn: Mapping[str, int]
    ) -> Mapping[Role, tuple[str, ...]]:
        """Paths of each role, the ones that change most first, then the shallow ones, then the
        short names (requirements.txt before requirements-dev.txt), then by name."""
        found: dict[Role, list[str]] = {}
        for path in paths:
            found.setdefault(self.of(path), []).append(path)
        return {
            role: tuple(
                sorted(
                    members,
                    key=lambda path: (-churn.get(path, 0), path.count("/"), len(path), path),
                )
            )
            for role, members in found.items()
        }


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    """Paths that match one of the patterns; a pattern without `/` is a name in any directory."""
    parts = [_glob(glob) for glob in sorted(set(globs))]
    return re.compile("|".join(parts) or r"(?!)", re.DOTALL)


def _glob(glob: str) -> str:
    glob = glob.removeprefix("**/")
    pieces = [
        fnmatch.translate(piece).removeprefix("(?s:").removesuffix(r")\Z")
        for piece in glob.split("**/")
    ]
    return r"(?:.*/)?" + r"(?:.*/)?".join(piece.replace(".*", "[^/]*") for piece in pieces)
