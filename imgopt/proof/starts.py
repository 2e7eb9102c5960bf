"""Two start commands that start the same program: shell form and exec form, a launcher and what it launches."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from imgopt.image.tree import Node
from imgopt.proof.contents import compare_contents
from imgopt.proof.model import Drop, Move, Start
from imgopt.proof.runners import run_by
from imgopt.proof.side import Side

_SHELLS = ("sh", "bash", "dash", "ash")
_PLAIN = re.compile(r"^[\w./:=@,+%~ -]+$")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_MOST_STEPS = 4
_LONGEST_SCRIPT = 16_384
_SHELL_FILES = r"/bin/(?:sh|dash|bash)$"
_NODE = r"|/bin/(?:env|sh|dash|bash)$"
_LAUNCHER_FILES = {
    "npm": r"^/usr/(?:local/)?lib/node_modules/(?:npm|corepack)/|^/usr/share/nodejs/|^/root/\.npm" + _NODE,
    "yarn": r"^/opt/yarn[^/]*/|/lib/node_modules/(?:yarn|corepack)/" + _NODE,
    "pnpm": r"/lib/node_modules/(?:pnpm|corepack)/" + _NODE,
    "pipenv": r"/site-packages/(?:pipenv|virtualenv|distlib|filelock|platformdirs|certifi)[^/]*/|/bin/pipenv$",
    "poetry": r"/site-packages/(?:poetry|cleo|crashtest|tomlkit|dulwich|keyring|build|installer)[^/]*/|/bin/poetry$",
}
"""What a launcher opens of its own: not needed where its command is started without it."""


@dataclass(frozen=True, slots=True)
class _Words:
    """A command without its launchers; `reasons` say which, `files` match what only they open, `environment` is what
    they set."""

    words: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SameStart:
    """The candidate's start as an allowance, with the launcher's files and the program's new place."""

    start: Start | None = None
    drops: tuple[Drop, ...] = ()
    moves: tuple[Move, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the original's start sets and the candidate's configuration says."""


def same_start(original: Side, candidate: Side) -> SameStart:
    """Empty where the start is the same to the letter, or starts something else.

    The split into entrypoint and command has to stay, for `docker run IMAGE ARGUMENTS` replaces the command alone; but
    for bases whose own entrypoint is the interpreter (distroless), where nothing else could be run.
    """
    before, handed = _without_entry_script(original)
    after, _ = _without_entry_script(candidate)
    if (original.config.entrypoint, original.config.cmd) == (candidate.config.entrypoint, candidate.config.cmd):
        return SameStart()
    split = [bool(part) for part in before] == [bool(part) for part in after]
    if not (split or _starts_by_its_base(candidate)):
        return SameStart()
    kept = before[0] == after[0]  # an entry script that hands over to the command: only that is looked at
    ours = unfolded(original, before[1] if kept else (*before[0], *before[1]))
    theirs = unfolded(candidate, after[1] if kept else (*after[0], *after[1]))
    moves = _same_words(original, expanded(original, ours.words), candidate, expanded(candidate, theirs.words))
    environment = dict(ours.environment)
    given = {**candidate.config.environment, **dict(theirs.environment)}
    if moves is None or any(given.get(name) != value for name, value in environment.items()):
        return SameStart()
    ours = _Words(ours.words, (*handed.reasons, *ours.reasons), (*handed.files, *ours.files))
    reasons = [*ours.reasons, *([] if split else ["the candidate's base starts the interpreter itself"])]
    reason = "; ".join(dict.fromkeys(reasons)) or "the same program by another spelling"
    pattern = re.compile("|".join(f"(?:{files})" for files in ours.files)) if ours.files else None
    drops = (Drop(reason, matches=lambda path: bool(pattern and pattern.search(path)), even_if_opened=True),)
    start = Start(candidate.config.entrypoint or (), candidate.config.cmd or (), reason)
    set_by_start = dict.fromkeys(environment, "the original's start command sets it")
    return SameStart(start, drops if pattern else (), moves, set_by_start)


def _without_entry_script(side: Side) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], _Words]:
    """Entrypoint and command, without an entry script of the base image that only starts the command."""
    entry, command = side.config.entrypoint or (), side.config.cmd or ()
    node = side.command(entry[0]) if len(entry) == 1 else None
    if node is None or not command or side.command(command[0]) is None or not _hands_over(side, node):
        return (entry, command), _Words(())
    reason = f"the base's entry script {node.name} only started the command"
    return ((), command), _Words((), (reason,), (rf"^{re.escape(node.path)}$", _SHELL_FILES))


def _hands_over(side: Side, script: Node) -> bool:
    """Node.js' script puts `node` before what is no program, Maven's copies settings for builds, Temurin's imports
    certificates where USE_SYSTEM_CA_CERTS asks for it; what else they do is `exec "$@"`."""
    below = side.base_side
    if below is None or below.config.entrypoint != side.config.entrypoint or script.size > _LONGEST_SCRIPT:
        return False
    text = script.read()
    known = {
        "docker-entrypoint.sh": b'set -- node "$@"' in text,
        "mvn-entrypoint.sh": True,
        "__cacert_entrypoint.sh": not side.config.environment.get("USE_SYSTEM_CA_CERTS"),
    }
    return known.get(script.name, False) and text.rstrip().endswith(b'exec "$@"')


def _starts_by_its_base(candidate: Side) -> bool:
    below = candidate.base_side
    if below is None or not below.config.entrypoint or candidate.command("sh") is not None:
        return False
    return candidate.config.entrypoint == below.config.entrypoint


def plain_start(side: Side) -> tuple[str, ...]:
    """The words of the start without shells, launchers and an entry script that hands over to the command."""
    words = side.config.cmd or () if side.config.entrypoint else ()
    return unfolded(side, words or (*(side.config.entrypoint or ()), *(side.config.cmd or ()))).words


def unfolded(side: Side, words: tuple[str, ...]) -> _Words:
    """Takes off shells and launchers, as long as what they do can be read."""
    result = _Words(words)
    for _ in range(_MOST_STEPS):
        inner = _without_shell(result.words) or _without_launcher(side, result.words)
        if inner is None:
            break
        result = _Words(
            inner.words,
            (*result.reasons, *inner.reasons),
            (*result.files, *inner.files),
            tuple({**dict(result.environment), **dict(inner.environment)}.items()),
        )
    return result


def _without_shell(words: tuple[str, ...]) -> _Words | None:
    if len(words) != 3 or posixpath.basename(words[0]) not in _SHELLS or words[1] not in ("-c", "-lc"):
        return None
    plain = _read(words[2].strip().removeprefix("exec "))
    if plain is None:
        return None  # expansions and lists need the shell
    return _Words(plain.words, ("the shell only started this command",), (_SHELL_FILES,), plain.environment)


def _read(text: str) -> _Words | None:
    """One plain command and the variables in front of it; None for what needs a shell."""
    if not _PLAIN.match(text):
        return None
    words, environment = shlex.split(text), {}
    while words and (words[0] == "cross-env" or _ASSIGNMENT.match(words[0])):
        name, sign, value = words.pop(0).partition("=")
        if sign:
            environment[name] = value
    return _Words(tuple(words), environment=tuple(environment.items())) if words else None


def _without_launcher(side: Side, words: tuple[str, ...]) -> _Words | None:
    name, rest = (posixpath.basename(words[0]), words[1:]) if words else ("", ())
    while name == "npx" and rest[:1] in (("-y",), ("--yes",), ("--no-install",)):
        rest = rest[1:]
    if name == "npx" and rest and not rest[0].startswith("-"):
        return _Words(rest, ("npx only started this command",), (_LAUNCHER_FILES["npm"],))
    run = run_by(side, words)
    if run is not None:
        files = (run.files, *([_LAUNCHER_FILES[name]] if name in _LAUNCHER_FILES else []))
        return _Words(run.words, (f"{name} run only started this command",), files)
    if name not in ("npm", "yarn", "pnpm") or not rest:
        return None
    script, *extra = rest[1:] if rest[0] in ("run", "run-script") and len(rest) > 1 else rest
    if name == "npm" and extra and extra.pop(0) != "--":
        return None  # npm takes it for itself
    text = None if "--" in extra else _package_script(side, script)
    plain = _read(text) if text is not None else None
    if plain is None:
        return None
    reason = f"{name} only started {text!r}"
    return _Words((*plain.words, *extra), (reason,), (_LAUNCHER_FILES[name],), plain.environment)


def _package_script(side: Side, name: str) -> str | None:
    """The text of a script of package.json; None when others run before or after it."""
    data = side.read(posixpath.join(side.workdir, "package.json"))
    try:
        scripts = msgspec.json.decode(data or b"{}").get("scripts") or {}
    except (msgspec.DecodeError, AttributeError):
        return None
    if not isinstance(scripts, dict) or f"pre{name}" in scripts or f"post{name}" in scripts:
        return None
    text = scripts.get(name)
    if text is None and name == "start" and side.is_file(posixpath.join(side.workdir, "server.js")):
        return "node server.js"  # npm's own default
    return text if isinstance(text, str) else None


def expanded(side: Side, words: tuple[str, ...]) -> tuple[str, ...]:
    """A script as the kernel starts it: its interpreter, then its path."""
    if not words:
        return ()
    node = _program(side, words[0])
    if node is None:
        return words
    shebang = " ".join(side.shebang(node)).split()
    if not shebang:
        return (node.path, *words[1:])
    interpreter = shebang[1] if posixpath.basename(shebang[0]) == "env" and len(shebang) > 1 else shebang[0]
    found = side.command(interpreter)
    return (found.path if found else interpreter, node.path, *words[1:])


def _program(side: Side, word: str) -> Node | None:
    """With node_modules/.bin, which launchers put in front of PATH."""
    local = None if "/" in word else side.file(posixpath.join(side.workdir, "node_modules/.bin", word))
    return local or side.command(word)


def _same_words(
    original: Side, ours: tuple[str, ...], candidate: Side, theirs: tuple[str, ...]
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


def _file(side: Side, word: str) -> Node | None:
    return side.file(posixpath.join(side.workdir, word))
