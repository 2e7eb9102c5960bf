"""Which run time an image starts, by the processes that were seen, else by its start's words."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem, builtin_ecosystems
from imgopt.context.facts.tuning import Workers
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.start_words import expanded, plain_start
from imgopt.run.pictures import Process


@dataclass(frozen=True, slots=True)
class Found:
    """`program` is the path of its file; `words` stand behind it; `environment` is the process's
    own, None where that was not seen."""

    ecosystem: Ecosystem
    program: str
    words: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    process: Process | None = None


def find(view: ImageView, processes: Sequence[Process]) -> Found | None:
    """None for a run time of which no facts are known."""
    seen = [(one, process) for process in processes if (one := _runs(view, process.program))]
    if seen:
        parents = {process.number: process.parent for process in processes}
        others = [process for _, process in seen]
        ecosystem, process = next(
            pair for pair in seen if not _starts_another(pair[1], others, parents)
        )
        return Found(
            ecosystem, process.program, process.arguments[1:], process.environment, process
        )
    if processes:
        return None
    words = expanded(view, plain_start(view))
    known = _runs(view, words[0]) if words else None
    return Found(known, words[0], words[1:]) if known is not None else None


def _starts_another(
    process: Process, others: Sequence[Process], parents: Mapping[int, int]
) -> bool:
    """Whether it started something of its kind by other words: a launcher, not a server with its
    workers."""
    for other in others:
        number = other.parent
        if other.arguments[:2] == process.arguments[:2] or not _is_own(other):
            continue
        while number and number != process.number:
            number = parents.get(number, 0)
        if number == process.number:
            return True
    return False


def _is_own(process: Process) -> bool:
    """Not what a run time starts of itself by code in its words."""
    return process.arguments[1:2] != ("-c",)


def _runs(view: ImageView, path: str) -> Ecosystem | None:
    name = posixpath.basename(path)
    for one in builtin_ecosystems():
        if any(fnmatchcase(name, glob) for glob in one.tuning.programs):
            return one
        if one.tuning.linked and linked_packages(view, one, path):
            return one
    return None


def linked_packages(view: ImageView, ecosystem: Ecosystem, path: str) -> dict[str, str]:
    """What is linked into a program, by name -> version; empty where the run time is not."""
    node = view.file(path)
    if node is None or not ecosystem.tuning.linked:
        return {}
    linked = {
        package.name: package.version
        for package in view.packages
        if package.ecosystem == ecosystem.name and node.path in (package.metadata, *package.files)
    }
    return linked if ecosystem.tuning.linked in linked else {}


def server(
    ecosystem: Ecosystem, program: str, words: Sequence[str]
) -> tuple[Workers, tuple[str, ...]] | None:
    """The server with workers that the run time runs, and the words behind its name."""
    all_words = (program, *words)
    for at, word in enumerate(all_words):
        name = posixpath.basename(word)
        for facts in ecosystem.workers:
            if any(fnmatchcase(name, glob) for glob in facts.programs):
                return facts, all_words[at + 1 :]
        if at and word.startswith("-") and word != "-m":
            return None
    return None


def said_workers(
    facts: Workers, words: Sequence[str], environment: Mapping[str, str]
) -> int | None:
    """How many the start asks for, by its options or by variables; None where nothing says it."""
    given = [word for name in facts.option_variables for word in _split(environment.get(name, ""))]
    for option in facts.options:
        for text in (tuple(words), tuple(given)):
            count = _value(option, text)
            if count is not None:
                return count
    for name in facts.variables:
        if environment.get(name, "").isdigit():
            return int(environment[name])
    return None


def _value(option: str, words: Sequence[str]) -> int | None:
    for at, word in enumerate(words):
        value = ""
        if word == option:
            value = words[at + 1] if at + 1 < len(words) else ""
        elif word.startswith(f"{option}="):
            value = word.partition("=")[2]
        elif not option.startswith("--") and re.fullmatch(rf"{re.escape(option)}\d+", word):
            value = word[len(option) :]
        if value.isdigit():
            return int(value)
    return None


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def running_workers(facts: Workers, process: Process, processes: Sequence[Process]) -> int | None:
    """Processes that a server was seen to have below it; None where it has none."""
    below = [
        one
        for one in processes
        if one.parent == process.number
        and one.program == process.program
        and not (facts.aside and re.search(facts.aside, " ".join(one.arguments)))
    ]
    return len(below) or None
