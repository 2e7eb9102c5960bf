"""What a step takes away again of what it installed: in a step of its own, the installation would
be in the image for good."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.rewrite.caches.cleaning import REMOVERS, touches
from imgopt.rewrite.order.install_commands import begins_with, managers_called, recognise
from imgopt.rewrite.strategy import CARVED_STAGE, Situation

_MOVERS = frozenset(["mv"])


def ships(situation: Situation, run: Instruction) -> bool:
    """Whether what a step leaves is in the image: not of a builder, nor where the plan carves what
    ships out of it."""
    own = any(part.index == run.stage for part in situation.stage.chain)
    carved = situation.evidence is not None and CARVED_STAGE in situation.project.promises
    return own and not carved


def gives_back(
    command: Command,
    installed: Sequence[Command],
    places: Iterable[str],
    ecosystems: Sequence[Ecosystem],
    workdir: str,
) -> bool:
    """Whether a command takes away, or puts elsewhere, what earlier commands of its step installed.

    `places`: folders of the image that they installed to; other folders than those of the source
    are taken for such ones, and so is a path that a variable leads to.
    """
    words = command.texts
    if not words:
        return False
    taken = _taken(command, words, workdir)
    if any(not path or touches(path, places) for path in taken):
        return True
    managers = managers_called(words, ecosystems)
    ours = [one for one in managers if any(_calls(each, one, ecosystems) for each in installed)]
    return any(_removes(words, one) or _lays_anew(words, one, ecosystems) for one in ours)


def _taken(command: Command, words: Sequence[str], workdir: str) -> list[str]:
    """Paths that a command removes or moves; "" for one that only a run knows."""
    name = posixpath.basename(words[0])
    plain = [word for word in words[1:] if not word.startswith("-")]
    if name == "find":
        starts = plain[:1] if plain and not words[1].startswith("-") else ["."]
        found = starts if {"-delete", "rm"} & {*words} else []
    elif name in REMOVERS:
        found = plain
    else:
        found = plain[:-1] if name in _MOVERS else []
    return [_place(word, command, workdir) for word in found]


def _place(word: str, command: Command, workdir: str) -> str:
    if command.cwd is None or word.startswith(("/", "~", "$")) or "$" in word:
        return ""
    return posixpath.normpath(posixpath.join(workdir, command.cwd, word))


def _calls(command: Command, manager: Manager, ecosystems: Sequence[Ecosystem]) -> bool:
    install = recognise(command.texts, ecosystems)
    return install is not None and install.manager is manager


def _removes(words: Sequence[str], manager: Manager) -> bool:
    """By the manager's own command: packages by name, or those for development."""
    if any(begins_with(words, one) for one in manager.removers):
        return True
    for pruner in manager.pruner:
        said = [word for word in pruner.command.split() if "=" not in word or word.startswith("-")]
        head = " ".join(said[:2])
        if begins_with(words, head) and head not in manager.commands:
            return True
    return False


def _lays_anew(words: Sequence[str], manager: Manager, ecosystems: Sequence[Ecosystem]) -> bool:
    """Whether the project's packages are installed once more, in place of the ones before."""
    install = recognise(words, ecosystems)
    if install is None or install.manager is not manager or not manager.lays:
        return False
    return not any(option in words for option in manager.everywhere) and not any(
        begins_with(words, one) for one in manager.everywhere
    )
