"""Which RUN steps may be joined, or end with one more command, and which step still needs the package lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imgopt.dockerfile import Dockerfile, Instruction, Stage
from imgopt.dockerfile.shellmodel import Command, Script
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import ContextFiles

_STATE = frozenset(["cd", "pushd", "export", "unset", "umask", "source", ".", "alias", "shopt", "trap", "exec", "exit"])
"""Commands whose effect ends with their own RUN, and would go on in the next one."""
_APT = ("apt-get", "apt", "aptitude")


def extendable(dockerfile: Dockerfile, item: Instruction) -> Script | None:
    """The script of a RUN that can end with `&& more`: nothing (a comment, a semicolon) follows its last command."""
    typed = item.typed
    if not isinstance(typed, Run) or typed.json is not None or item.heredocs:
        return None
    script = script_of(dockerfile, item)
    if script.unknown or not script.commands or not script.is_plain_list:
        return None
    return script if dockerfile.text[script.commands[-1].span.end : item.value_span.end].strip() == "" else None


def joinable(dockerfile: Dockerfile, item: Instruction) -> Script | None:
    """The script of a RUN that can stand in one shell with another: no flags, no `cd`, no variables set."""
    script = extendable(dockerfile, item)
    if script is None or item.flags:
        return None
    if any(command.name in _STATE or not command.words for command in script.commands):
        return None
    return script


def lists_needed_after(dockerfile: Dockerfile, item: Instruction, context: ContextFiles) -> str:
    """A later step that installs with the package lists that this one leaves, its text cut; empty where none does."""
    for stage in dockerfile.stages:
        parts = stage.chain
        if not any(one is item for part in parts for one in part.instructions):
            continue
        found = _first_user(dockerfile, _runs_after(parts, item), context)
        if found:
            return found
    return ""


def _runs_after(parts: Iterable[Stage], item: Instruction) -> Iterator[Instruction]:
    for part in parts:
        for other in part.instructions:
            if other.keyword in ("RUN", "ONBUILD") and other.span.start > item.span.start:
                yield other


def _first_user(dockerfile: Dockerfile, runs: Iterable[Instruction], context: ContextFiles) -> str:
    for run in runs:
        script = script_of(dockerfile, run) if run.keyword == "RUN" else None
        commands = script.commands if script is not None and not script.unknown else ()
        if not commands and all(word in run.value for word in ("apt", "install")):
            return "" if "update" in run.value else run.value[:60]
        for command in commands:
            needs = _needs_lists(command, context)
            if needs is not None:
                return run.value[:60] if needs else ""
    return ""


def _needs_lists(command: Command, context: ContextFiles) -> bool | None:
    """True: it installs from the lists; False: it fetches them itself; None: it is about something else."""
    words = [value or "" for value in command.values]
    if any(tool in words for tool in _APT):
        if "update" in words:
            return False
        return True if any(verb in words for verb in ("install", "build-dep", "upgrade", "dist-upgrade")) else None
    for word in words:
        name = word.rpartition("/")[2]
        if not name.endswith((".sh", ".bash")):
            continue
        texts = [context.text(path) for path in context.named(name)]
        if any("apt" in text and "install" in text for text in texts):
            return not any("update" in text for text in texts)
    return None
