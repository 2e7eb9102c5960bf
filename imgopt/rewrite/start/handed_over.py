"""What a launcher hands to the program that it starts, as the run of the original showed it:
without the launcher the program would not have it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from imgopt.inspect.start.bookkeeping import bookkeeping_of, called_programs, read_texts, reader_of
from imgopt.inspect.start.start_words import unfolded
from imgopt.inspect.start.variables import is_for_builds
from imgopt.rewrite.evidence import Evidence
from imgopt.run.pictures import Process

_OF_THE_ENGINE = frozenset(["HOSTNAME", "HOME"])


def handed_over(
    evidence: Evidence, words: tuple[str, ...], given: Mapping[str, str], folders: Iterable[str]
) -> str:
    """Why what these words start needs more than `given` and the image's own variables; "" where
    it does not, or where the run did not show it. `folders` are put in front of PATH."""
    process = _started(evidence, unfolded(evidence.view, words).words)
    if process is None or process.environment is None:
        return ""
    known = {**evidence.config.environment, **given}
    books = bookkeeping_of([*words, "sh"])
    texts: tuple[tuple[str, str], ...] | None = None
    for name, value in sorted(process.environment.items()):
        if known.get(name) == value or name in _OF_THE_ENGINE:
            continue
        if name == "PATH":
            called = _only_by_launcher(evidence, value, folders)
            if called:
                return called
            continue
        if not books.sets(name) and not is_for_builds(name):
            return f"{words[0]} gives it the variable {name}"
        texts = texts or tuple(read_texts(evidence.view, evidence.opened, words))
        reader = reader_of(name, texts)
        if reader:
            return f"{reader} reads {name}, which only {words[0]} sets"
    return ""


def _started(evidence: Evidence, words: tuple[str, ...]) -> Process | None:
    """The process that runs these words; the last one started, where several do."""
    name, rest = posixpath.basename(words[0]) if words else "", words[1:]
    found = [
        process
        for process in evidence.seen.processes
        if name in {posixpath.basename(word) for word in (process.program, *process.arguments[:2])}
        and process.arguments[len(process.arguments) - len(rest) :] == rest
    ]
    return max(found, key=lambda process: process.number, default=None)


def _only_by_launcher(evidence: Evidence, path: str, folders: Iterable[str]) -> str:
    """A program that a source calls by its name and that is in a folder which the launcher puts
    into PATH."""
    own = {*evidence.view.search_path, *folders}
    added = [folder for folder in path.split(":") if folder and folder not in own]
    for program, by in called_programs(evidence.view).items():
        here = any(program in evidence.view.names(folder) for folder in own)
        if not here and any(program in evidence.view.names(folder) for folder in added):
            return f"{by} starts {program}, which is found only with the launcher's PATH"
    return ""
