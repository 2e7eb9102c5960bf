"""Sources of COPY, ADD and bind mounts that are not in the build context: misspelt, missing, or
kept out by the ignore file. A build fails there; nothing else can be said of such a line."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from imgopt.context.history import ignored
from imgopt.dockerfile import Dockerfile, IgnoreFile, Instruction
from imgopt.dockerfile.typed import Add, Copy, Run

_REMOTE = re.compile(r"(?:https?|git|ssh)://|git@", re.IGNORECASE)
_LINKS = 40
"""Linux' bound on links followed in one lookup."""
_NEAR = 20_000
"""Names of a context among which one like the missing one is looked for."""
_FOREIGN = frozenset([".git", "node_modules", "site-packages"])
_ALIKE = 0.75
"""From this likeness on a name is one that was misspelt."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A source that the build will not find. `line` is the instruction's; `like` a name that may be
    meant; `hidden`: it is there, and the ignore file keeps it out; `made`: git ignores it, as what
    is made before a build."""

    line: int
    keyword: str
    source: str
    like: str | None = None
    hidden: bool = False
    made: bool = False

    @property
    def text(self) -> str:
        """One sentence: what the line wants, and what there is."""
        where = self.keyword if self.keyword in ("COPY", "ADD") else f"{self.keyword} --mount"
        if self.hidden:
            return f"{where} {self.source}: not in the context (.dockerignore keeps it out)"
        if self.made:
            return f"{where} {self.source}: not in the context (git ignores it: is it made first?)"
        meant = f" ({self.like}?)" if self.like else ""
        return f"{where} {self.source}: not in the context{meant}"


def absent_sources(
    dockerfile: Dockerfile,
    root: Path,
    ignore: IgnoreFile | None,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
) -> list[Absent]:
    """In the order of the file, of the stages that a build of `target` runs.

    A pattern may match nothing (BuildKit allows it), and what a variable of the base image or a
    link out of the context names is not known: neither is reported.
    """
    context = _Context(root, ignore)
    found: list[Absent] = []
    for stage in dockerfile.reachable(target):
        for item in stage.instructions:
            for word in _sources(dockerfile, item, build_args):
                problem = context.problem(word)
                if problem is not None:
                    found.append(Absent(item.line, item.keyword, word, *problem))
    made = ignored(root, [_clean(one.source) for one in found]) if found else frozenset()
    return sorted(
        dict.fromkeys(
            replace(one, like=None, made=True)
            if not one.hidden and _clean(one.source) in made
            else one
            for one in found
        ),
        key=lambda absent: absent.line,
    )


def _sources(
    dockerfile: Dockerfile, item: Instruction, build_args: Mapping[str, str] | None
) -> Iterator[str]:
    """What an instruction names of the context, expanded, without patterns."""
    for word in _words(item):
        known = dockerfile.scope_at(item, build_args).expand_known(word)
        if known is not None and not set(known) & set("*?[\\"):
            yield known


def _words(item: Instruction) -> Iterator[str]:
    typed = item.typed
    if isinstance(typed, Copy) and typed.from_ is None and not typed.parents:
        for word in typed.sources:
            if not (isinstance(typed, Add) and _is_remote(word)):
                yield word
    if isinstance(typed, Run):
        for mount in typed.mounts:
            if mount.type == "bind" and mount.from_ is None and mount.source:
                yield mount.source


def _is_remote(word: str) -> bool:
    return bool(_REMOTE.match(word))


class _Context:
    """The build context on disk, as a build sees it."""

    def __init__(self, root: Path, ignore: IgnoreFile | None) -> None:
        self._root, self._ignore = root.resolve(), ignore

    def problem(self, source: str) -> tuple[str | None, bool] | None:
        """None where the source is there, or not known to be missing; else a name that may be
        meant, and whether the ignore file hides it."""
        wanted = _clean(source)
        path = self._resolved(wanted)
        if not path:
            return None
        if not (self._root / path).exists():
            return self._like(wanted), False
        return None if self._is_sent(path) else (None, True)

    def _resolved(self, path: str) -> str | None:
        """The path with its links followed inside the root; None where one leads out of it."""
        parts, done, links = path.split("/")[::-1], "", 0
        while parts:
            part = parts.pop()
            if part == "..":
                done = posixpath.dirname(done)
                continue
            step = posixpath.join(done, part)
            if not (self._root / step).is_symlink():
                done = step
                continue
            links += 1
            goal = (self._root / step).readlink().as_posix()
            if links > _LINKS or goal.startswith("/"):
                return None
            parts += [each for each in goal.split("/")[::-1] if each != "."]
        return done

    def _is_sent(self, path: str) -> bool:
        ignore = self._ignore
        if ignore is None or not ignore.excludes(path):
            return True
        if not (self._root / path).is_dir() or not ignore.keeps_below(path):
            return False
        return any(
            not ignore.excludes(self._relative(below))
            for below in (self._root / path).rglob("*")
            if not below.is_dir()
        )

    def _like(self, source: str) -> str | None:
        """A name in the same folder that differs in a letter or in case; else the same name in
        another folder."""
        folder, _, name = source.rpartition("/")
        lower = {each.lower(): each for each in sorted(self._names(folder), reverse=True)}
        close = get_close_matches(name.lower(), lower, n=1, cutoff=_ALIKE)
        if close:
            return posixpath.join(folder, lower[close[0]])
        return self._by_name.get(name)

    def _names(self, folder: str) -> list[str]:
        """What is sent of a folder."""
        try:
            names = [each.name for each in (self._root / folder).iterdir()]
        except OSError:
            return []
        return [name for name in names if self._is_sent(posixpath.join(folder, name))]

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Name -> the first path with it, of the first paths that are sent."""
        found: dict[str, str] = {}
        for _, path in zip(range(_NEAR), self._root.rglob("*"), strict=False):
            name = self._relative(path)
            if not _FOREIGN & set(name.split("/")) and self._is_sent(name):
                found.setdefault(path.name, name)
        return found

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


def _clean(source: str) -> str:
    """A source below the context's root: `./a//b/`, `/a/b` and `../a/b` are the same."""
    return posixpath.normpath("/" + source).lstrip("/")
