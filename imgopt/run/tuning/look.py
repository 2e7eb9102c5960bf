"""What the rules look at: how a run time is started, what the image has of it, and what it takes
under the limits."""

from __future__ import annotations

import contextlib
import posixpath
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from imgopt.context.facts.tuning import Tuning, Workers
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.programs import SHELLS, running_scripts, script_text
from imgopt.run.tuning.answer import Taken
from imgopt.run.tuning.start_options import options_in_force

_SOURCED = re.compile(r"(?:^|[;&|\s])(?:\.|source)\s+[\"']?([^\s\"';&|]+)", re.MULTILINE)
_LEAST_INSIDE = 1 << 20
"""Bytes of libraries in an archive from which on a layer of their own is worth a word."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Bytes as they lie in the archive."""

    path: str
    size: int
    libraries: int


@dataclass(frozen=True)
class Look:
    """Of one image under one limit. `words` are those behind the run time's program, `texts` what a
    shell reads at the start, by where it stands: None where something else stands in front of the
    program, of which it is not known what it reads."""

    facts: Tuning
    environment: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    texts: Mapping[str, str] | None = field(default_factory=dict)
    limit: int | None = None
    processors: float | None = None
    machine_processors: int = 1
    version: str = ""
    taken: Taken | None = None
    rest: int | None = None
    """Bytes that it was seen to take beside its heap; None: not measured."""
    peak: int | None = None
    volumes: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()
    """Those that are linked into the program."""
    compilers: Mapping[str, int] = field(default_factory=dict)
    """Path -> bytes of the folder above it that only compiles; 0 where that is not known."""
    archives: tuple[Archive, ...] = ()
    workers: Workers | None = None
    said_workers: int | None = None
    """How many the start asks for; None where it does not say."""
    running_workers: int | None = None

    @property
    def major(self) -> int | None:
        match = re.match(r"\d+", self.version)
        return int(match[0]) if match else None

    @property
    def options(self) -> tuple[str, ...]:
        """All that the run time is given, the one that counts last at the end."""
        return options_in_force(self.facts, self.environment, self.words, self.major)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Those of them that do not stand in the variable that is proposed, and count over it."""
        others = {n: text for n, text in self.environment.items() if n != self.facts.set_by}
        return options_in_force(self.facts, others, self.words, self.major)


def start_texts(view: ImageView, facts: Tuning) -> dict[str, str] | None:
    """What shells read at the start, by the path of the script or "the command"; None where a
    program starts the run time of which nothing is known."""
    start = (*(view.config.entrypoint or ()), *(view.config.cmd or ()))
    called = {posixpath.basename(word) for text in start for word in text.split()}
    texts = {}
    if any(_is_shell(word) for word in start[:-1]):
        texts["the command"] = "\n".join(start)
    scripts = running_scripts(view)
    texts |= {node.path: script_text(node) for node in scripts}
    texts |= _sourced(view, list(texts.values()))
    by_name = any(fnmatchcase(name, glob) for name in called for glob in facts.programs)
    by_script = any(glob in text for text in texts.values() for glob in facts.programs)
    return texts if by_name or by_script else None


def _is_shell(word: str) -> bool:
    return posixpath.basename(word) in SHELLS


def _sourced(view: ImageView, texts: Sequence[str]) -> dict[str, str]:
    """Files that a script reads as if they stood in it, wherever a file of that name lies."""
    names = {posixpath.basename(path) for text in texts for path in _SOURCED.findall(text)}
    if not names:
        return {}
    nodes = (node for node in view.tree.files() if node.name in names)
    return {node.path: script_text(node) for node in nodes}


def compilers(view: ImageView, facts: Tuning) -> dict[str, int]:
    """Programs of the image that only compile -> their bytes."""
    return {
        node.path: node.size
        for node in (view.tree.files() if facts.compilers else ())
        if any(fnmatchcase(node.path, glob) for glob in facts.compilers)
    }


def archives(view: ImageView, facts: Tuning, words: Sequence[str]) -> tuple[Archive, ...]:
    """Archives that the words start, with the libraries in them."""
    found = []
    for word in dict.fromkeys(words):
        if facts.whole_archives and word.endswith(tuple(facts.whole_archives)):
            node = view.file(posixpath.join(view.workdir, word))
            inside = 0
            with contextlib.suppress(zipfile.BadZipFile, OSError, NotImplementedError):
                if node is not None:
                    with node.open() as file, zipfile.ZipFile(file) as archive:
                        inside = _libraries(archive, facts.inside_archives)
            if node is not None and inside >= _LEAST_INSIDE:
                found.append(Archive(node.path, node.size, inside))
    return tuple(found)


def _libraries(archive: zipfile.ZipFile, pattern: str) -> int:
    named = (one for one in archive.infolist() if re.match(pattern, one.filename))
    return sum(one.compress_size for one in named)
