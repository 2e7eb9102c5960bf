"""The interpreter that runs a service: which it is, its files, and what lies beside them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.inspect.sources.python_imports import imported_modules
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import is_below


def beside_interpreter(
    evidence: Evidence, interpreter: Ecosystem | None, folders: frozenset[str]
) -> frozenset[str]:
    """What the original's base has beside its interpreter, but for the parts that are left out on
    purpose: little, which lets a folder be named instead of its files."""
    if interpreter is None:
        return frozenset()
    left_out = interpreter.runtime.unneeded
    spare = {path for glob in left_out for path in _below(evidence, glob)}
    return frozenset(
        path
        for path, fact in evidence.facts.items()
        if fact.layer < evidence.base_layers and path not in spare and is_below(path, folders)
    )


def start_program(evidence: Evidence) -> str | None:
    """The real path of the first program that the image starts."""
    words = [*(evidence.config.entrypoint or ()), *(evidence.config.cmd or ())]
    node = evidence.view.command(words[0]) if words else None
    return node.path if node is not None else None


def start_programs(evidence: Evidence, words: Iterable[str] | None = None) -> tuple[str, ...]:
    """Real paths of every program that the start names or that the smoke run executed."""
    if words is None:
        words = [*(evidence.config.entrypoint or ()), *(evidence.config.cmd or ())]
    return tuple(
        dict.fromkeys([*start_programs_of(evidence, words), *sorted(evidence.seen.executed)])
    )


def start_programs_of(evidence: Evidence, words: Iterable[str]) -> tuple[str, ...]:
    """Real paths of the programs that these words name."""
    nodes = [evidence.view.command(word) for word in words if word and not word.startswith("-")]
    return tuple(node.path for node in nodes if node is not None)


def find_interpreter(evidence: Evidence, ecosystems: Iterable[Ecosystem]) -> Ecosystem | None:
    """The language whose interpreter runs the service: started directly, by a script's first line,
    or seen to run."""
    names = set()
    for path in start_programs(evidence):
        names.add(posixpath.basename(path))
        node = evidence.view.file(path)
        words = evidence.view.shebang(node) if node is not None else ()
        names |= {posixpath.basename(part) for word in words for part in word.split()}
    for ecosystem in ecosystems:
        if any(fnmatchcase(name, glob) for name in names for glob in ecosystem.runtime.programs):
            return ecosystem
    return None


def interpreter_files(
    evidence: Evidence, ecosystem: Ecosystem, asked: Iterable[str] = ()
) -> frozenset[str]:
    """Every path of the interpreter's own trees, but for the parts that only a build or a developer
    uses; `asked` are paths that an earlier build failed without."""
    runtime = ecosystem.runtime
    found = {path for glob in runtime.trees for path in _below(evidence, glob)}
    named = imported_modules(evidence.view)
    unneeded = {
        path
        for glob in runtime.unneeded
        if not any(_is_module(glob, name) for name in named)
        for path in _below(evidence, glob)
    }
    return frozenset(
        p for p in found if p not in unneeded or p in evidence.opened or is_below(p, asked)
    )


_WITH = {"venv": "ensurepip", "turtle": "tkinter"}
"""Modules that others of the library start."""


def _is_module(glob: str, name: str) -> bool:
    """Whether a part of the library is a module that a source imports, or what that one loads."""
    last = posixpath.basename(glob).partition(".")[0].rstrip("*").lstrip("_")
    return last in (name, _WITH.get(name, name))


def _below(evidence: Evidence, glob: str) -> Iterable[str]:
    """The paths that match, and all that lies below them."""
    depth = glob.count("/") + 1
    return (path for path in evidence.facts if fnmatchcase("/".join(path.split("/")[:depth]), glob))
