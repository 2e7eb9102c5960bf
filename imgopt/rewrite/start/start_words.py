"""What a Dockerfile starts: ENTRYPOINT and CMD of the shipped stage, with what the base says where
it says nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable

from imgopt.dockerfile import Instruction
from imgopt.dockerfile.typed import Command
from imgopt.image.tree import Tree
from imgopt.inspect.start.start_words import unfolded
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.strategy import Situation

SHELLS = frozenset(["sh", "bash", "dash", "ash", "zsh", "busybox", "env"])
"""Programs that start other programs; `env` finds the interpreter of a launcher's script."""
ONLY_STARTS = re.compile(
    r"""set\ -[a-z]+|set\ -o\ \w+
    |(if|elif)\ (\[|!|\{|test|command)[^&;`]*(;\ then)?(\s*(\|\||&&).*)?|then|else|fi
    |set\ --\ [\w./-]+\ "\$@"|exec\ "\$@"|:""",
    re.VERBOSE,
)


def start_words(situation: Situation) -> tuple[str, ...]:
    """The words that the engine executes, the shell of a shell form included."""
    evidence = situation.evidence
    base = (
        evidence.view.base.config
        if evidence is not None and evidence.view.base is not None
        else None
    )
    entrypoint = base.entrypoint if base is not None else None
    cmd = base.cmd if base is not None else None
    own_cmd: set[int] = set()
    for part in situation.stage.chain:
        for item in part.instructions:
            if item.keyword == "ENTRYPOINT":
                entrypoint = command_words(situation, item)
                cmd = cmd if part.index in own_cmd else None
            elif item.keyword == "CMD":
                cmd = command_words(situation, item)
                own_cmd.add(part.index)
    return (*(entrypoint or ()), *(cmd or ()))


def command_words(situation: Situation, item: Instruction) -> tuple[str, ...]:
    """Of a CMD or an ENTRYPOINT; a shell form with the shell that runs it."""
    typed = item.typed
    if not isinstance(typed, Command):
        return ()
    if typed.json is not None:
        return typed.json
    return (*situation.dockerfile.shell_at(item), str(typed.shell or ""))


def original_start(evidence: Evidence) -> tuple[str, ...]:
    """The words that the original image starts with."""
    return (*(evidence.config.entrypoint or ()), *(evidence.config.cmd or ()))


def idle_entry_script(evidence: Evidence, known: Iterable[str]) -> str:
    """The path of the base's entry script when a service does not need it: it is `known` from the
    ecosystem's facts, or its text shows that it only starts the command; "" otherwise."""
    words, command = evidence.config.entrypoint or (), evidence.config.cmd or ()
    node = evidence.view.command(words[0]) if len(words) == 1 and command else None
    if node is not None and node.path in known and evidence.view.in_base(node):
        return node.path
    return only_hands_over(evidence)


def only_hands_over(evidence: Evidence) -> str:
    """The path of the base's entry script, when all it does is to start the command; "" when it
    does more.

    The scripts of official images put an interpreter in front of a command that is no program (`set
    -- node "$@"`); where the command is a program they come down to `exec "$@"`.
    """
    words, command = evidence.config.entrypoint or (), evidence.config.cmd or ()
    node = evidence.view.command(words[0]) if len(words) == 1 and command else None
    if node is None or not evidence.view.in_base(node) or not evidence.view.shebang(node):
        return ""
    lines = [line.strip() for line in node.read(20000).decode("utf-8", "replace").splitlines()[1:]]
    code = [line for line in lines if line and not line.startswith("#")]
    plain = all(ONLY_STARTS.fullmatch(line) for line in code) and code[-1:] == ['exec "$@"']
    return node.path if plain and evidence.view.command(command[0]) is not None else ""


def explained_by_start(
    evidence: Evidence, new_start: tuple[str, ...], script: str = ""
) -> Callable[[str], bool]:
    """Which opened files only the original's shell, entry script or launcher needed, when the new
    start has none; `script` is the entry script that was left out. A shell stays where the new
    start has one."""
    before = original_start(evidence)
    if before == new_start or not new_start:
        return frozenset([script]).__contains__
    hands_over = script or only_hands_over(evidence)
    command = (evidence.config.cmd or ()) if hands_over else before
    rest = new_start[1:] if hands_over and new_start[:1] == before[:1] else new_start
    still = unfolded(evidence.view, rest).files
    patterns = [
        re.compile(each)
        for each in unfolded(evidence.view, tuple(command)).files
        if each not in still
    ]
    launchers = {
        path
        for word in before[:2]
        if (path := _launcher_path(evidence, word)) and word not in new_start
    }
    shell = _has_shell(evidence, new_start)

    def explained(path: str) -> bool:
        if posixpath.basename(path) in SHELLS:
            return not shell
        return (
            path == script or path in launchers or any(pattern.search(path) for pattern in patterns)
        )

    return explained


def paths_through_links(evidence: Evidence, words: Iterable[str], base: Tree) -> dict[str, str]:
    """Paths that the start names by a folder that is a link in the original and none in the new
    base (`/bin/app` of a merged /usr, on a base with a /bin of its own) -> where the file lies."""
    found = {}
    for word in words:
        node = evidence.tree.resolve(word) if word.startswith("/") else None
        if node is None or node.layer < evidence.base_layers or node.kind != "file":
            continue
        here, there = (
            evidence.tree.resolve(posixpath.dirname(word)),
            base.resolve(posixpath.dirname(word)),
        )
        if (
            here is not None
            and here.path != posixpath.dirname(word)
            and (there is None or there.path != here.path)
        ):
            found[word] = node.path
    return found


def explained_in(situation: Situation) -> Callable[[str], bool]:
    """As explained_by_start, for the start that the draft has so far."""
    evidence, final = situation.evidence, situation.final
    assert evidence is not None
    words = final.start_words if final is not None else start_words(situation)
    return explained_by_start(evidence, words, final.entry_script if final is not None else "")


def _launcher_path(evidence: Evidence, word: str) -> str:
    node = evidence.view.command(word)
    return node.path if node is not None else ""


def _has_shell(evidence: Evidence, words: tuple[str, ...]) -> bool:
    for word in words:
        node = evidence.view.command(word) if word and not word.startswith("-") else None
        if node is None:
            continue
        shebang = " ".join(evidence.view.shebang(node)).split()
        if posixpath.basename(node.path) in SHELLS or (
            shebang and posixpath.basename(shebang[0]) in SHELLS
        ):
            return True
    return False
