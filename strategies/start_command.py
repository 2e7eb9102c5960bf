"""start-command: the program is started without the launcher that only finds it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.typed import Command
from imgopt.proof.starts import expanded, unfolded
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.quoting import json_words
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

LAUNCHERS = frozenset(["npm", "yarn", "pnpm", "pipenv", "poetry"])
LAUNCHER_VARIABLES = re.compile(r"\bnpm_(?:package|config|lifecycle|execpath)\w*")
SOURCES = (".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".py")


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """The last CMD of the stage that ships, when it calls a launcher whose command can be read in the image."""
    item = next((i for i in reversed(situation.stage.instructions) if i.keyword == "CMD"), None)
    typed = item.typed if item is not None else None
    if item is None or not isinstance(typed, Command) or not typed.json:
        return
    name = posixpath.basename(typed.json[0])
    if name not in LAUNCHERS:
        return
    evidence = situation.evidence
    if evidence is None:
        yield Skip(f"what {name} starts is read in the built image: needs `imgopt optimize`", item.line)
        return
    yield _resolve(situation, evidence, item, typed.json)


def _resolve(situation: Situation, evidence: Evidence, item: Instruction, words: tuple[str, ...]) -> Change | Skip:
    found = unfolded(evidence.side, words)
    if not found.reasons:
        return Skip(f"what `{' '.join(words)}` starts is more than one plain command", item.line)
    used = _launcher_variable(situation)
    if used:
        return Skip(f"{used} reads a variable that only {words[0]} sets", item.line)
    plain = _spelled(evidence, found.words)
    if plain is None:
        return Skip(f"`{found.words[0]}`, which {words[0]} starts, is not on the search path", item.line)
    span = item.value_span
    because = f"{'; '.join(found.reasons)}: it gets the stop signal, and {words[0]} is not needed at run time"
    return Change(because, item.line, (Edit(span.start, span.end, json_words(plain)),))


def _spelled(evidence: Evidence, words: tuple[str, ...]) -> tuple[str, ...] | None:
    """The command as the search path finds it; a script below node_modules with its interpreter."""
    if evidence.side.command(words[0]) is not None:
        return words
    full = expanded(evidence.side, words)
    if len(full) > len(words) and full[1].startswith(evidence.side.workdir.rstrip("/") + "/"):
        inside = posixpath.relpath(full[1], evidence.side.workdir)
        return (posixpath.basename(full[0]), inside, *full[2:])
    places = [f"{folder}/bin/{words[0]}" for folder in _virtual_environments(evidence)]
    found = [place for place in places if evidence.side.is_file(place)]
    return (found[0], *words[1:]) if len(found) == 1 else None


def _virtual_environments(evidence: Evidence) -> list[str]:
    """Folders with a pyvenv.cfg: where poetry and pipenv install by themselves."""
    return [posixpath.dirname(path) for path in evidence.facts if posixpath.basename(path) == "pyvenv.cfg"]


def _launcher_variable(situation: Situation) -> str:
    """A source file that reads what a launcher puts into the environment."""
    context = situation.project.context
    for path in context.sizes:
        if path.endswith(SOURCES) and "node_modules/" not in path and LAUNCHER_VARIABLES.search(context.text(path)):
            return path
    return ""


STRATEGY = Strategy(
    name="start-command",
    why="`npm start`, `poetry run` and the like start a process that stays beside the service for its whole life, take "
    "memory and time at every start, keep the stop signal to themselves, and must be in the image. What they start is "
    "one plain command, which can be started directly.",
    safety="evidence",
    references=(
        "https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md#cmd",
        "https://docs.npmjs.com/cli/commands/npm-run-script",
    ),
    rewrite=rewrite,
    refuses="A script with more than one command, with pre or post scripts or variables of its own; a source file that "
    "reads npm_package_* variables; a command that only the launcher finds.",
)
