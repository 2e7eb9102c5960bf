"""What launchers and shells tell the programs that they start of themselves, and who reads it.

Such a variable is nothing to a service as long as nothing that it runs names it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.program_calls import called_by_packages, called_by_sources
from imgopt.inspect.sources.texts import is_foreign, source_texts
from imgopt.inspect.start.runners import runners

_LONGEST = 1 << 20
_READ = (
    r"\benv(?:iron|ironment)?\b\s*(?:\.\s*get\s*\(|\[|\.|\()\s*[\"'`]?",
    r"(?i:getenv|environmentvariable|env::var\w*|env!|hasenv)\s*\(\s*[\"'`]",
    r"\bENV(?:\.fetch\(|\[)\s*[\"']",
    r"\$_(?:ENV|SERVER)\[\s*[\"']",
    r"\$\{?",
)
_TAKEN = r"\{{[^{{}}]*\b{name}\b[^{{}}]*\}}\s*=\s*(?:\w+\.)*env\b"
_SHELL = (".sh", ".bash")


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """Glob patterns of variables, and of folders of PATH, that these launchers set."""

    variables: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()

    def sets(self, name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in self.variables)

    def adds(self, folder: str) -> bool:
        return any(fnmatchcase(folder, glob) for glob in self.folders)


def bookkeeping_of(words: Iterable[str]) -> Bookkeeping:
    """Of the launchers and shells among the words of a start or of what runs."""
    programs = {posixpath.basename(part) for word in words for part in word.split()}
    facts = [
        fact
        for ecosystem in builtin_ecosystems()
        for fact in ecosystem.bookkeeping
        if any(fnmatchcase(name, glob) for glob in fact.programs for name in programs)
    ]
    return Bookkeeping(
        frozenset(name for fact in facts for name in fact.sets),
        frozenset(folder for fact in facts for folder in fact.path),
    )


def own_files(words: Iterable[str]) -> re.Pattern[str] | None:
    """What the launchers among these words open of their own; None where there is none."""
    programs = {posixpath.basename(part) for word in words for part in word.split()}
    found = [runner for name, runner in runners().items() if name in programs]
    patterns = [f"(?:{each})" for one in found for each in (one.files, one.aside) if each]
    return re.compile("|".join(patterns)) if patterns else None


def reader_of(name: str, texts: Iterable[tuple[str, str]]) -> str:
    """The first of the sources (path, text) that reads this variable; "" for none. What shells set
    is nothing that a package can rest on, and a script of a shell has it anyway."""
    pattern = _reads(name)
    own = name in _of_shells()
    return next(
        (
            path
            for path, text in texts
            if name in text
            and not (own and (path.endswith(_SHELL) or is_foreign(path)))
            and pattern.search(text)
        ),
        "",
    )


@lru_cache(maxsize=512)
def _reads(name: str) -> re.Pattern[str]:
    word = re.escape(name)
    if "_" in name.strip("_") and len(name) > 5:
        return re.compile(rf"(?<!\w){word}(?!\w)")
    reads = "|".join(_READ)
    return re.compile(rf"(?:{reads}){word}(?!\w)|{_TAKEN.format(name=word)}")


@lru_cache(maxsize=1)
def _of_shells() -> frozenset[str]:
    return bookkeeping_of(["sh"]).variables


def read_texts(
    view: ImageView, opened: Iterable[str], words: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The application's sources, and all text that the run opened, but for the files of the
    launchers among these words."""
    yield from source_texts(view)
    known, launchers = {path for path, _ in source_texts(view)}, own_files(words)
    for path in sorted(opened):
        own = launchers is not None and launchers.search(path)
        node = view.file(path) if path not in known and not own else None
        if node is None or node.size > _LONGEST:
            continue
        data = node.read()
        if b"\0" not in data[:4096]:
            yield path, data.decode("utf-8", "replace")


def called_programs(view: ImageView) -> dict[str, str]:
    """Program -> the source or package that starts it by its name."""
    found = (*called_by_packages(view), *called_by_sources(view))
    return {program: by for program, by in found if "/" not in program}
