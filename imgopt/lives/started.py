"""Which source of the context an image starts, and how a line of it is written that uses something
new."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.lives import LaterSource, StartedFile
from imgopt.rewrite.strategy import ContextFiles

_NO_SOURCE = frozenset(["test", "tests", "__tests__", "vendor", "dist", "build", "target"])
"""Folders without the source that is started."""


@dataclass(frozen=True, slots=True)
class Start:
    """What an image starts: all words that say so, launchers' and their own, and its variables."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"

    @property
    def text(self) -> str:
        lines = [f"{name}={value}" for name, value in self.environment.items()]
        return "\n".join([" ".join(self.words), *lines])


@dataclass(frozen=True, slots=True)
class Started:
    """The source that runs first. `root` is the folder of the context that the program works in,
    `module` the dotted name of the source's folder; both are "", or end as they are joined on
    (`/`, `.`)."""

    path: str
    root: str
    ecosystem: Ecosystem
    source: LaterSource
    module: str = ""

    @property
    def folder(self) -> str:
        return self.path[: self.path.rfind("/") + 1]


def find_started(
    context: ContextFiles, start: Start, ecosystems: Iterable[Ecosystem]
) -> Started | str:
    """The source, or why none can be told."""
    known = [one for one in ecosystems if one.lives.started]
    languages = [one for one in known if one.sources]
    by_name = [
        (one, fact) for one in languages for fact in one.lives.started if fact.words or fact.listed
    ]
    by_text = [(one, fact) for one in languages for fact in one.lives.started if fact.holds]
    scripts = [(one, fact) for one in known if not one.sources for fact in one.lives.started]
    for ecosystem, fact in (*by_name, *by_text, *scripts):
        for path, root, module in _Finder(context, start, ecosystem, fact).found():
            source = _source_of(ecosystem, path, read(context, path))
            if source is not None:
                return Started(path, root, ecosystem, source, module)
    return "which source of the context is started is not known"


def read(context: ContextFiles, path: str) -> str:
    """The text of a file of the context, so that it can be written back as it was; "" where it
    cannot be read."""
    try:
        return (context.root / path).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _source_of(ecosystem: Ecosystem, path: str, text: str) -> LaterSource | None:
    name = posixpath.basename(path)
    return next(
        (
            one
            for one in ecosystem.lives.source
            if any(fnmatchcase(name, glob) for glob in one.files)
            and re.search(one.when, text)
            and (one.own or re.search(one.after, text))
        ),
        None,
    )


@dataclass(frozen=True, slots=True)
class _Finder:
    context: ContextFiles
    start: Start
    ecosystem: Ecosystem
    fact: StartedFile

    def found(self) -> Iterator[tuple[str, str, str]]:
        """Path, root and module of what the fact finds."""
        if self.fact.holds:
            yield from self._holding()
            return
        for name in self._names():
            path, root = self._file(name)
            if path:
                yield path, root, self._module(name, path)

    def _names(self) -> Iterator[str]:
        fact = self.fact
        said = (
            [match["file"] for match in re.finditer(fact.words, self.start.text)]
            if fact.words
            else [""]
        )
        if not fact.listed:
            yield from said
            return
        file, _, pattern = fact.listed.partition(": ")
        texts = [read(self.context, path) for path in self.context.named(file)]
        for name in said:
            filled = re.compile(pattern.replace("{file}", re.escape(name)))
            yield from (match["file"] for text in texts for match in filled.finditer(text))

    def _file(self, name: str) -> tuple[str, str]:
        """The one file that a name stands for, and the folder that the name begins in."""
        whole = name.replace(".", "/") if self.fact.dotted else self._relative(name)
        parts = [part for part in whole.split("/") if part not in ("", ".")]
        cuts = range(len(parts)) if self.fact.built or name.startswith("/") else range(1)
        for cut in cuts:
            stem = "/".join(parts[cut:])
            stem = stem if self.fact.dotted else _without_ending(stem)
            for ending in self.fact.endings:
                path = self._only(f"{stem}{ending}".lstrip("/"))
                if path:
                    at = len(path) - len(stem + ending)
                    return path, path[:at] if not cut else self._project(path)
        return "", ""

    def _relative(self, name: str) -> str:
        inside = self.start.workdir.rstrip("/") + "/"
        return name.removeprefix(inside) if name.startswith(inside) else name

    def _only(self, wanted: str) -> str:
        if wanted in self.context.sizes:
            return wanted
        found = [
            path
            for path in self.context.named(posixpath.basename(wanted))
            if path.endswith(f"/{wanted}") and self._may_be(path)
        ]
        return found[0] if len(found) == 1 else ""

    def _may_be(self, path: str) -> bool:
        folders = set(path.split("/")[:-1])
        return folders.isdisjoint(_NO_SOURCE) and folders.isdisjoint(self.ecosystem.installed)

    def _module(self, name: str, path: str) -> str:
        if not self.fact.dotted:
            return ""
        whole = posixpath.basename(path).startswith("__")
        module = name if whole else name.rpartition(".")[0]
        return f"{module}." if module else ""

    def _holding(self) -> Iterator[tuple[str, str, str]]:
        found = [
            path
            for path in self.context.ordered
            if path.endswith(tuple(self.fact.endings))
            and self._may_be(path)
            and re.search(self.fact.holds, read(self.context, path))
        ]
        named = [path for path in found if len(found) == 1 or self._is_named(path)]
        if len(named) == 1:
            yield named[0], self._project(named[0]), ""

    def _is_named(self, path: str) -> bool:
        folder, name = posixpath.split(path)
        words = {posixpath.basename(folder), _without_ending(name)} - {""}
        said = set(re.findall(r"[\w-]+", self.start.text))
        return bool(words & said)

    def _project(self, path: str) -> str:
        """The nearest folder above with a manifest."""
        folder = posixpath.dirname(path)
        while folder:
            names = map(posixpath.basename, self.context.children.get(folder, ()))
            if any(fnmatchcase(name, one) for name in names for one in self.ecosystem.manifests):
                return f"{folder}/"
            folder = posixpath.dirname(folder)
        return ""


def _without_ending(name: str) -> str:
    return posixpath.splitext(name)[0]
