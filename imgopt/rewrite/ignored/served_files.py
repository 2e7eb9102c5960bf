"""The Dockerfiles that one ignore file serves: that of the build, its siblings in the context,
those in Compose files.

A `.dockerignore` in the root of a context is in force for every Dockerfile that is built with that
context and has no ignore file of its own (`NAME.dockerignore`); BuildKit reads no other.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from imgopt.dockerfile import Dockerfile, Instruction, Stage, parse
from imgopt.dockerfile.names import is_dockerfile
from imgopt.dockerfile.typed import Copy, Onbuild, Run
from imgopt.rewrite.lines.steps import workdir_at
from imgopt.rewrite.strategy import ContextFiles, Situation

_LONGEST = 1 << 18
_NAMED = re.compile(r"""(?im)^\s*"?dockerfile"?\s*[:=]\s*["']?([^"'\s,#]+)""")
_INLINE = re.compile(r"(?im)^\s*-?\s*((?:FROM|COPY|ADD|RUN|CMD|ENTRYPOINT)\s+\S.*)$")


@dataclass(frozen=True)
class FolderCopy:
    """Something of the context that comes into a stage: `source` ("" is its root) becomes `folder`.
    None: not known."""

    stage: int
    source: str | None
    folder: str | None


@dataclass(frozen=True)
class Served:
    """One of them. `name` is its path in the context, "" for the one that is rewritten."""

    name: str
    dockerfile: Dockerfile

    @cached_property
    def words(self) -> frozenset[str]:
        """Parts of all words that may name something of the context, patterns among them."""
        return frozenset(
            part
            for item in self._items
            for word in _words(item)
            for part in word.split("/")
            if part
        )

    @cached_property
    def sources(self) -> frozenset[str]:
        """What COPY, ADD and bind mounts take of the context, as paths from its root."""
        found = {
            _clean(word)
            for item in self._items
            for word in _sources(self.dockerfile, item)
            if word is not None
        }
        return frozenset(found - {""})

    @cached_property
    def copies(self) -> tuple[FolderCopy, ...]:
        """What brings folders of the context."""
        return tuple(copy for item in self._items for copy in _copies(self.dockerfile, item))

    @property
    def _items(self) -> Iterator[Instruction]:
        for item in self.dockerfile.instructions:
            yield (item.trigger or item) if isinstance(item.typed, Onbuild) else item

    def names(self, name: str) -> bool:
        """Whether a word of it is that name, or a pattern that fits it and not everything."""
        return any(
            word == name or (set(word) & set("*?[") and _fits(name, word)) for word in self.words
        )

    def takes(self, path: str) -> bool:
        """Whether it copies this path, or something in it, by its own name."""
        return any(
            source == path
            or source.startswith(path + "/")
            or _fits(path, source)
            or _below(source, path)
            for source in self.sources
        )


def served(situation: Situation) -> tuple[Served, ...]:
    """The Dockerfile at hand first."""
    own = Served("", situation.dockerfile)
    context = situation.project.context
    return (own, *siblings(context)) if context.shares_ignore else (own,)


def siblings(context: ContextFiles) -> tuple[Served, ...]:
    """The other Dockerfiles of the context, by their names and by Compose and bake files that name
    them."""
    by_name = context.beside_by_name.items()
    names = sorted(path for name, paths in by_name if is_dockerfile(name) for path in paths)
    described = sorted(path for name, paths in by_name if _describes(name) for path in paths)
    texts = [context.text(name, _LONGEST) for name in described]
    named = {posixpath.normpath(found) for text in texts for found in _NAMED.findall(text)}
    names += sorted(name for name in named if name in context.beside and name not in names)
    taken = {f"{name}.dockerignore" for name in names} & context.beside
    found = [
        Served(name, parse(context.text(name, _LONGEST), name))
        for name in names
        if name != context.dockerfile and f"{name}.dockerignore" not in taken
    ]
    inline = [
        "FROM scratch\n" + "\n".join(_INLINE.findall(text))
        for text in texts
        if "inline" in text.lower()
    ]
    return (
        *found,
        *(Served(name, parse(text)) for name, text in zip(described, inline, strict=False)),
    )


def _describes(name: str) -> bool:
    """Compose and bake files."""
    return (
        re.fullmatch(r"(docker-)?compose[\w.-]*\.ya?ml|docker-bake[\w.-]*\.(hcl|json)", name)
        is not None
    )


_BETWEEN = str.maketrans("=,:;&|()[]", " " * 10)
"""What stands between words that may be paths, in a shell's text as well as in a list."""


def _words(item: Instruction) -> Iterator[str]:
    if getattr(item.typed, "from_", None) is None and item.keyword != "FROM":
        said = " ".join([item.value, *(flag.value or "" for flag in item.flags)])
        yield from (word.strip("\"'") for word in said.translate(_BETWEEN).split())
        yield from (word for word in said.split() if "[" in word)  # a pattern in its whole length


def _sources(dockerfile: Dockerfile, item: Instruction) -> Iterator[str | None]:
    typed = item.typed
    if isinstance(typed, Copy) and typed.from_ is None:
        scope = dockerfile.scope_at(item)
        for word in typed.sources:
            if "://" not in word and not word.startswith("git@"):
                yield scope.expand_known(word)
    if isinstance(typed, Run):
        for mount in typed.mounts:
            if mount.type == "bind" and mount.from_ is None:
                yield mount.source or ""


def sources_of(dockerfile: Dockerfile, item: Instruction) -> list[str | None]:
    """What an instruction takes of the context, as paths from its root ("" is all of it); None: not
    known."""
    return [None if word is None else _clean(word) for word in _sources(dockerfile, item)]


def _copies(dockerfile: Dockerfile, item: Instruction) -> Iterator[FolderCopy]:
    typed = item.typed
    if isinstance(typed, Run):
        for mount in typed.mounts:
            if mount.type == "bind" and mount.from_ is None:
                target = dockerfile.scope_at(item).expand_known(mount.target or "")
                yield FolderCopy(
                    item.stage, _clean(mount.source or ""), _place(dockerfile, item, target)
                )
    if not isinstance(typed, Copy) or typed.from_ is not None:
        return
    scope = dockerfile.scope_at(item)
    target = None if typed.parents else scope.expand_known(typed.destination)
    for word in _sources(dockerfile, item):
        yield FolderCopy(
            item.stage, None if word is None else _clean(word), _place(dockerfile, item, target)
        )


def _place(dockerfile: Dockerfile, item: Instruction, target: str | None) -> str | None:
    if target is None:
        return None
    return posixpath.normpath(posixpath.join(workdir_at(dockerfile.scope_at(item)), target))


def stages_with(dockerfile: Dockerfile, stage: int) -> list[Stage]:
    """The stages that have what this one has: it, those it is built on, and those that are built on
    it."""
    own = dockerfile.stages[stage]
    return [other for other in dockerfile.stages if other in own.chain or own in other.chain]


def _clean(word: str) -> str:
    return posixpath.normpath("/" + word).strip("/")


def is_glob(path: str) -> bool:
    """Whether COPY takes it for a pattern."""
    return bool(set(path) & set("*?[\\"))


def _fits(name: str, pattern: str) -> bool:
    """Whether a pattern with wildcards, and one that leaves something out, fits a name."""
    return (
        bool(set(pattern) & set("*?[")) and pattern.strip("*") != "" and fnmatchcase(name, pattern)
    )


def _below(source: str, path: str) -> bool:
    """Whether a source with wildcards may fit something in the path (`*/bin`, `target/*.jar`)."""
    parts, own = source.split("/"), path.split("/")
    if not set(source) & set("*?[") or len(parts) < len(own) or source.strip("*/") == "":
        return False
    return all(fnmatchcase(one, other) for one, other in zip(own, parts, strict=False))
