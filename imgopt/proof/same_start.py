"""Two start commands that start the same program: shell form and exec form, a launcher and what it
launches."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.tree import Node
from imgopt.inspect.files.contents import compare_contents
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.entry_scripts import script_start
from imgopt.inspect.start.start_words import SHELL_FILES, StartWords, expanded, unfolded
from imgopt.proof.allowances import Drop, Move, Start

_LONGEST_SCRIPT = 16_384


@dataclass(frozen=True, slots=True)
class SameStart:
    """The candidate's start as an allowance, with the launcher's files and the program's new
    place."""

    start: Start | None = None
    drops: tuple[Drop, ...] = ()
    moves: tuple[Move, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the original's start sets and the candidate's configuration says."""


def same_start(original: ImageView, candidate: ImageView) -> SameStart:
    """Empty where the start is the same to the letter, or starts something else.

    The split into entrypoint and command has to stay, for `docker run IMAGE ARGUMENTS` replaces the
    command alone; but for bases whose own entrypoint is the interpreter (distroless), where nothing
    else could be run.
    """
    before, handed = _without_entry_script(original)
    after, _ = _without_entry_script(candidate)
    if (original.config.entrypoint, original.config.cmd) == (
        candidate.config.entrypoint,
        candidate.config.cmd,
    ):
        return SameStart()
    split = [bool(part) for part in before] == [bool(part) for part in after]
    if not (split or _starts_by_its_base(candidate)):
        return SameStart()
    if before != after and script_start(candidate, (*after[0], *after[1])) is not None:
        return SameStart()  # called by other words, the same script is another start
    kept = (
        before[0] == after[0]
    )  # an entry script that hands over to the command: only that is looked at
    ours = unfolded(original, before[1] if kept else (*before[0], *before[1]))
    theirs = unfolded(candidate, after[1] if kept else (*after[0], *after[1]))
    moves = _same_words(
        original, expanded(original, ours.words), candidate, expanded(candidate, theirs.words)
    )
    environment = {**dict(handed.environment), **dict(ours.environment)}
    environment = {name: _whole(original, value) for name, value in environment.items()}
    given = {**candidate.config.environment, **dict(theirs.environment)}
    if moves is None or any(given.get(name) != value for name, value in environment.items()):
        return SameStart()
    ours = StartWords(ours.words, (*handed.reasons, *ours.reasons), (*handed.files, *ours.files))
    reasons = [
        *ours.reasons,
        *([] if split else ["the candidate's base starts the interpreter itself"]),
    ]
    reason = "; ".join(dict.fromkeys(reasons)) or "the same program by another spelling"
    pattern = re.compile("|".join(f"(?:{files})" for files in ours.files)) if ours.files else None
    drops = (
        Drop(
            reason, matches=lambda path: bool(pattern and pattern.search(path)), even_if_opened=True
        ),
    )
    start = Start(candidate.config.entrypoint or (), candidate.config.cmd or (), reason)
    set_by_start = dict.fromkeys(environment, "the original's start command sets it")
    return SameStart(start, drops if pattern else (), moves, set_by_start)


def _whole(view: ImageView, value: str) -> str:
    """As the engine has it: a search path with what the image's own has."""
    return value.replace("$PATH", view.config.environment.get("PATH", ""))


def _without_entry_script(
    view: ImageView,
) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], StartWords]:
    """Entrypoint and command, without an entry script that only starts the command: one of the base
    image, or one of the project's that sets variables before."""
    entry, command = _without_init(view.config.entrypoint or ()), view.config.cmd or ()
    node = view.command(entry[0]) if len(entry) == 1 else None
    own = script_start(view, (*entry, *command)) if command else None
    if own is not None and own.words == command:
        files = (rf"^{re.escape(own.script)}$", SHELL_FILES)
        reason = f"{posixpath.basename(own.script)} only set variables and started the command"
        return ((), command), StartWords((), (reason,), files, own.environment)
    if (
        node is None
        or not command
        or view.command(command[0]) is None
        or not _hands_over(view, node)
    ):
        return (entry, command), StartWords(())
    reason = f"the base's entry script {node.name} only started the command"
    return ((), command), StartWords((), (reason,), (rf"^{re.escape(node.path)}$", SHELL_FILES))


def _without_init(entry: tuple[str, ...]) -> tuple[str, ...]:
    """Without an init that only hands signals on."""
    known = [
        one.system.init_start.split() for one in builtin_ecosystems() if one.system is not None
    ]
    words = (posixpath.basename(entry[0]), *entry[1:]) if entry else ()
    found = next((one for one in known if one and list(words[: len(one)]) == one), [])
    return entry[len(found) :]


def _hands_over(view: ImageView, script: Node) -> bool:
    """Node.js' script puts `node` before what is no program, Maven's copies settings for builds,
    Temurin's imports certificates where USE_SYSTEM_CA_CERTS asks for it; what else they do is `exec
    "$@"`."""
    below = view.base_view
    if (
        below is None
        or (below.config.entrypoint or ()) != _without_init(view.config.entrypoint or ())
        or script.size > _LONGEST_SCRIPT
    ):
        return False
    text = script.read()
    known = {
        "docker-entrypoint.sh": b'set -- node "$@"' in text,
        "mvn-entrypoint.sh": True,
        "__cacert_entrypoint.sh": not view.config.environment.get("USE_SYSTEM_CA_CERTS"),
    }
    return known.get(script.name, False) and text.rstrip().endswith(b'exec "$@"')


def _starts_by_its_base(candidate: ImageView) -> bool:
    below = candidate.base_view
    if below is None or not below.config.entrypoint or candidate.command("sh") is not None:
        return False
    return candidate.config.entrypoint == below.config.entrypoint


def _same_words(
    original: ImageView, ours: tuple[str, ...], candidate: ImageView, theirs: tuple[str, ...]
) -> tuple[Move, ...] | None:
    """Word for word; a file may be at another place when it is the same file."""
    if len(ours) != len(theirs) or not ours:
        return None
    moves: list[Move] = []
    for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        if one == other:
            continue
        before, after = _file(original, one), _file(candidate, other)
        if before is None or after is None:
            return None
        if before.path != after.path:
            program = index == 0 and before.name == after.name
            if not program and compare_contents(original, before, candidate, after) == "different":
                return None
            moves.append(Move(before.path, after.path, "what is started, at another place"))
    return tuple(moves)


def _file(view: ImageView, word: str) -> Node | None:
    return view.file(posixpath.join(view.workdir, word))
