"""The variables that a process was given: those of the original that the candidate's does not get,
or gets with another value.

What both images say in their configuration is judged there. Here is what launchers, entry scripts
and settings of theirs add to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from imgopt.inspect.failures import Item, Kind
from imgopt.inspect.files.home_files import home_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.bookkeeping import Bookkeeping, bookkeeping_of, called_programs, reader_of
from imgopt.inspect.start.variables import is_descriptive, is_for_builds
from imgopt.proof.allowances import Allowances
from imgopt.proof.checks.variables import QUIET_WHEN_ADDED, same_search_path
from imgopt.run.pictures import Process

_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?|\d{6,}|\b[0-9a-f]{12,}\b")
_NOTE = "notes of a launcher on itself, which nothing reads"
_DRAWN = frozenset(["HOSTNAME"])
"""The engine gives another one to every container."""
_OF_THE_USER = frozenset(["HOME", "USER", "LOGNAME", "MAIL", "SHELL"])


@dataclass(frozen=True)
class Given:
    """What the comparison of two environments rests on; `texts` are all that the service reads."""

    original: ImageView
    candidate: ImageView
    allowances: Allowances
    texts: Callable[[], tuple[tuple[str, str], ...]]
    launchers: tuple[str, ...] = ()
    """Words of the original's start and names of what runs above its service."""

    @cached_property
    def books(self) -> Bookkeeping:
        return bookkeeping_of(self.launchers)


def compare_environments(
    given: Given, before: tuple[Process, ...], after: Process
) -> tuple[list[Item], list[str]]:
    """The differences that matter, and the allowed ones with their reasons."""
    items: list[Item] = []
    allowed: list[str] = []
    notes: list[str] = []
    environments = [process.environment for process in before if process.environment is not None]
    if not environments or after.environment is None:
        return items, allowed
    first = environments[0]
    for name in sorted({*first, *after.environment}):
        values = {found.get(name) for found in environments}
        value = after.environment.get(name)
        if value in values or (
            value is not None and (len(values) > 1 or _at_that_time(value, values))
        ):
            continue
        if _configured(given, name, first.get(name), value):
            continue
        what, reason = _judge(given, name, first, after)
        if reason == _NOTE:
            notes.append(name)
        elif reason:
            allowed.append(f"{what}: {reason}")
        else:
            kind: Kind = "permission" if name == "HOME" else "process"
            items.append(Item(kind, f"env:{name}", message=what))
    if notes:
        allowed.append(f"{_who(after)} does not get {', '.join(notes)}: {_NOTE}")
    return items, allowed


def _at_that_time(value: str, values: Iterable[str | None]) -> bool:
    """The same but for a time, or a long number, that says when it was started."""
    masked = _TIME.sub("#", value)
    return masked != value and any(_TIME.sub("#", each) == masked for each in values if each)


def _configured(given: Given, name: str, before: str | None, after: str | None) -> bool:
    ours, theirs = given.original.config.environment, given.candidate.config.environment
    return ours.get(name) == before and theirs.get(name) == after


def _judge(
    given: Given, name: str, first: Mapping[str, str], after: Process
) -> tuple[str, str | None]:
    """What is different in words, and why it may be so."""
    said = _said(name, first, after)
    intended = given.allowances.environment.get(name)
    if intended or name in _DRAWN:
        return said, intended or "the engine draws it"
    if name == "PATH":
        lost = _lost_program(given, first.get(name, ""), after)
        return (lost or said), (None if lost else _same_path(given, first.get(name, ""), after))
    if name in _OF_THE_USER and given.allowances.user is not None:
        left = _left_at_home(given, first.get(name, ""), after) if name == "HOME" else ""
        return (left or said), (None if left else "goes with the other user")
    if name not in first and name in QUIET_WHEN_ADDED:
        return said, "changes no answer"
    if not (given.books.sets(name) or is_for_builds(name) or is_descriptive(name)):
        return said, None
    reader = reader_of(name, given.texts())
    if reader:
        return f"{said}, and {reader} reads it", None
    return said, _NOTE if name in first else "a launcher's own note"


def _said(name: str, first: Mapping[str, str], after: Process) -> str:
    """Values are told only where an image's configuration says them: others may be secrets."""
    who, value = _who(after), (after.environment or {}).get(name)
    if value is None:
        return f"{who} does not get the variable {name}, which it has in the original"
    if name not in first:
        return f"{who} gets the variable {name}, which it has not in the original"
    return f"{who} gets another value of the variable {name}"


def _who(process: Process) -> str:
    return process.arguments[0] if process.arguments else process.program


def _same_path(given: Given, before: str, after: Process) -> str | None:
    path = (after.environment or {}).get("PATH", "")
    was, now = (":".join(_kept(given, folders)) for folders in (before, path))
    same = same_search_path(was, now, given.candidate)
    if same is None and given.allowances.user is not None and _found_alike(given, was, now):
        return "goes with the other user: what the sources call is found where it was"
    return same


def _found_alike(given: Given, was: str, now: str) -> bool:
    """Whether every program that the sources call is found in the same folder: a login shell gives
    root more folders than others."""

    def found(path: str, program: str) -> str:
        folders = path.split(":")
        return next((f for f in folders if program in given.candidate.names(f)), "")

    called = (*called_programs(given.original), *given.launchers)
    return all(found(was, program) == found(now, program) for program in called)


def _kept(given: Given, path: str) -> list[str]:
    """Without the folders that a launcher adds."""
    said = given.original.search_path
    return [f for f in path.split(":") if f in said or not given.books.adds(f)]


def _lost_program(given: Given, before: str, after: Process) -> str:
    """A program that a source starts by its name and that was found in a launcher's folder."""
    now = (after.environment or {}).get("PATH", "").split(":")
    kept = {*now, *_kept(given, before)}
    lost = [folder for folder in before.split(":") if folder not in kept]
    if not lost:
        return ""
    for program, by in called_programs(given.original).items():
        had = next((folder for folder in lost if program in given.original.names(folder)), "")
        if had and not any(program in given.candidate.names(folder) for folder in now):
            return f"{by} starts {program}, which is found only with {had} in PATH"
    return ""


def _left_at_home(given: Given, before: str, after: Process) -> str:
    """What the author put into the home folder is not found by way of HOME any more."""
    now = (after.environment or {}).get("HOME", "")
    found = (node.path for node in home_files(given.original, before))
    path = next((path for path in found if given.candidate.exists(path)), "")
    if not path or now.rstrip("/") == before.rstrip("/"):
        return ""
    return f"HOME is {now or 'not set'} instead of {before}: {path} is not found by way of it"
