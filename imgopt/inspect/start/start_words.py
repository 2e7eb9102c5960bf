"""The words of a start command without the shells and launchers in front of what is started."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from imgopt.context.facts.starts import Runner
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.json_manifests import json_manifests, keys, read_manifest
from imgopt.inspect.start.entry_scripts import script_start
from imgopt.inspect.start.environment_runners import run_by
from imgopt.inspect.start.launcher_settings import handed_on
from imgopt.inspect.start.runners import runner_of

SHELLS = ("sh", "bash", "dash", "ash")
_PLAIN = re.compile(r"^[\w./:=@,+%~ -]+$")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_MOST_STEPS = 4
SHELL_FILES = r"/bin/(?:sh|dash|bash)$"


@dataclass(frozen=True, slots=True)
class StartWords:
    """A command without its launchers; `reasons` say which, `files` match what only they open,
    `environment` is what they set."""

    words: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


def plain_start(view: ImageView) -> tuple[str, ...]:
    """The words of the start without shells, launchers and an entry script that hands over to the
    command."""
    words = view.config.cmd or () if view.config.entrypoint else ()
    return unfolded(
        view, words or (*(view.config.entrypoint or ()), *(view.config.cmd or ()))
    ).words


def unfolded(view: ImageView, words: tuple[str, ...]) -> StartWords:
    """Takes off shells and launchers, as long as what they do, and what they hand on, can be
    read."""
    result = StartWords(words)
    for _ in range(_MOST_STEPS):
        inner = (
            _without_shell(result.words)
            or _without_launcher(view, result.words)
            or _without_script(view, result.words)
        )
        handed = handed_on(view, result.words)
        if inner is None or handed.refused:
            break
        result = StartWords(
            inner.words,
            (*result.reasons, *inner.reasons),
            (*result.files, *inner.files),
            tuple(
                {
                    **dict(result.environment),
                    **dict(handed.environment),
                    **dict(inner.environment),
                }.items()
            ),
        )
    return result


def _without_shell(words: tuple[str, ...]) -> StartWords | None:
    if (
        len(words) != 3
        or posixpath.basename(words[0]) not in SHELLS
        or words[1] not in ("-c", "-lc")
    ):
        return None
    plain = _read(words[2].strip().removeprefix("exec "))
    if plain is None:
        return None  # expansions and lists need the shell
    return StartWords(
        plain.words, ("the shell only started this command",), (SHELL_FILES,), plain.environment
    )


def _without_script(view: ImageView, words: tuple[str, ...]) -> StartWords | None:
    found = script_start(view, words)
    if found is None:
        return None
    name = posixpath.basename(found.script)
    return StartWords(
        found.words,
        (f"{name} only sets variables and starts this command",),
        (rf"^{re.escape(found.script)}$", SHELL_FILES, "/bin/env$"),
        found.environment,
    )


def _read(text: str) -> StartWords | None:
    """One plain command and the variables in front of it; None for what needs a shell."""
    if not _PLAIN.match(text):
        return None
    words, environment = shlex.split(text), {}
    while words and (words[0] == "cross-env" or _ASSIGNMENT.match(words[0])):
        name, sign, value = words.pop(0).partition("=")
        if sign:
            environment[name] = value
    return StartWords(tuple(words), environment=tuple(environment.items())) if words else None


def _without_launcher(view: ImageView, words: tuple[str, ...]) -> StartWords | None:
    runner = runner_of(words)
    if runner is None or len(words) < 2 or plugs_and_plays(view, words):
        return None
    if runner.reads == "command":
        return _command(runner, words[1:])
    if runner.reads == "script":
        return _script(view, runner, words[1:])
    run = run_by(view, words)
    if run is None:
        return None
    files = (run.files, *([runner.files] if runner.files else []))
    return StartWords(run.words, (f"{runner.program} run only started this command",), files)


def _command(runner: Runner, rest: tuple[str, ...]) -> StartWords | None:
    while rest and rest[0] in runner.options:
        rest = rest[1:]
    if not rest or rest[0].startswith("-"):
        return None
    return StartWords(rest, (f"{runner.program} only started this command",), (runner.files,))


def _script(view: ImageView, runner: Runner, rest: tuple[str, ...]) -> StartWords | None:
    script, *extra = rest[1:] if rest[0] in ("run", "run-script") and len(rest) > 1 else rest
    if runner.own_words and extra and extra.pop(0) != "--":
        return None
    text = None if "--" in extra else _package_script(view, script)
    plain = _read(text) if text is not None else None
    if plain is None:
        return None
    reason = f"{runner.program} only started {text!r}"
    files = (runner.files, *(_development_programs(view) if runner.looks_at_programs else ()))
    return StartWords((*plain.words, *extra), (reason,), files, plain.environment)


def plugs_and_plays(view: ImageView, words: tuple[str, ...]) -> bool:
    """Whether the launcher tells the program where each package is: without it none is found."""
    runner = runner_of(words)
    note = runner.not_without if runner is not None else ""
    return bool(note) and view.is_file(posixpath.join(view.workdir, note))


def _development_programs(view: ImageView) -> Iterator[str]:
    """Programs of the project's development packages, which a launcher looks at before it starts
    anything. One that the service runs, too, opens other files of its package, which are not
    excused."""
    for kind in json_manifests():
        listed = keys(read_manifest(view, view.workdir, kind).get(kind.developers))
        for package in listed if kind.programs else ():
            folder = posixpath.join(view.workdir, kind.packages, package)
            given = read_manifest(view, folder, kind).get("bin")
            for path in given.values() if isinstance(given, dict) else [given]:
                if isinstance(path, str):
                    yield f"^{re.escape(posixpath.normpath(posixpath.join(folder, path)))}$"


def _package_script(view: ImageView, name: str) -> str | None:
    """The text of a script of the project's manifest; None when others run before or after it."""
    for kind in json_manifests():
        scripts = read_manifest(view, view.workdir, kind).get("scripts") or {}
        if not kind.programs or not isinstance(scripts, dict):
            continue
        if f"pre{name}" in scripts or f"post{name}" in scripts:
            return None
        text = scripts.get(name)
        if text is None and name == "start":
            usual = kind.usual_starts.items()
            here = ((posixpath.join(view.workdir, file), start) for file, start in usual)
            text = next((start for path, start in here if view.is_file(path)), None)
        return text if isinstance(text, str) else None
    return None


def expanded(view: ImageView, words: tuple[str, ...]) -> tuple[str, ...]:
    """A script as the kernel starts it: its interpreter, then its path."""
    if not words:
        return ()
    node = _program(view, words[0])
    if node is None:
        return words
    shebang = " ".join(view.shebang(node)).split()
    if not shebang:
        return (node.path, *words[1:])
    interpreter = (
        shebang[1] if posixpath.basename(shebang[0]) == "env" and len(shebang) > 1 else shebang[0]
    )
    found = view.command(interpreter)
    return (found.path if found else interpreter, node.path, *words[1:])


def _program(view: ImageView, word: str) -> Node | None:
    """With the folders of packages' programs, which launchers put in front of PATH."""
    kinds = (kind for kind in json_manifests() if kind.programs and "/" not in word)
    places = (posixpath.join(view.workdir, kind.packages, kind.programs, word) for kind in kinds)
    return next(filter(None, map(view.file, places)), None) or view.command(word)
