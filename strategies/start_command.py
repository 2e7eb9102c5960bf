"""start-command: the program is started without the launcher that only finds it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.moves import delete
from imgopt.inspect.sources.texts import is_foreign, is_source
from imgopt.inspect.start.bookkeeping import bookkeeping_of, reader_of
from imgopt.inspect.start.entry_scripts import script_start
from imgopt.inspect.start.environment_runners import Run, run_by
from imgopt.inspect.start.launcher_settings import handed_on
from imgopt.inspect.start.runners import runners
from imgopt.inspect.start.start_words import expanded, plugs_and_plays, unfolded
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.image_examples import started_by_npm, started_by_script
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.start.build_start import BuildStart, build_start
from imgopt.rewrite.start.handed_over import handed_over
from imgopt.rewrite.start.start_words import command_words
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

LAUNCHERS = frozenset(name for name, runner in runners().items() if runner.reads != "command")
LAUNCHER_VARIABLES = re.compile(r"\bnpm_(?:package|config|lifecycle|execpath)\w*")


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """The last CMD or ENTRYPOINT that calls a launcher whose command can be read in the image, or
    one that builds at every start."""
    built = build_start(situation.dockerfile, situation.project)
    if built is not None:
        yield _built(situation, built)
        return
    stage = situation.stage
    for keyword in ("ENTRYPOINT", "CMD"):
        item = next((i for i in reversed(stage.instructions) if i.keyword == keyword), None)
        words = command_words(situation, item) if item is not None else ()
        if item is None or not words:
            continue
        evidence, name = situation.evidence, posixpath.basename(words[0])
        if name not in LAUNCHERS:
            if evidence is not None:
                yield from _script(situation, evidence, item, words)
        elif evidence is None:
            yield Skip(
                f"what {name} starts is read in the built image: needs `imgopt optimize`", item.line
            )
        elif keyword == "ENTRYPOINT" and evidence.config.cmd:
            yield Skip(f"{name} is the entrypoint, and the command is its argument", item.line)
        else:
            yield _resolve(situation, evidence, item, words)


def _script(
    situation: Situation, evidence: Evidence, item: Instruction, words: tuple[str, ...]
) -> Iterator[Change | Skip]:
    """A script of the project's that only sets variables and starts one program."""
    entry, command = evidence.config.entrypoint, evidence.config.cmd
    below = evidence.view.base.config.entrypoint if evidence.view.base is not None else None
    if item.keyword == "CMD" and entry and entry != below:
        return
    if item.keyword == "CMD" or not command:
        if script_start(evidence.view, words) is not None:
            yield _resolve(situation, evidence, item, words)
        return
    found = script_start(evidence.view, (*words, _COMMAND))
    if found is None or found.words.count(_COMMAND) != 1 or found.words[-1] != _COMMAND:
        return
    first = found.words[:-1]
    name = posixpath.basename(found.script)
    given = handed_over(evidence, (*first, *command), dict(found.environment), [])
    if given:
        yield Skip(f"what {name} starts needs it: {given}", item.line)
        return
    edits = [Edit(item.value_span.start, item.value_span.end, json_words(first))]
    if not first and not below:
        edits = [delete(situation.dockerfile, item)]
    edits += _variables(situation, item, found.environment)
    because = f"{name} only sets variables, which stand in the file now, and starts the command"
    yield Change(because, item.line, tuple(edits))


_COMMAND = "\0"
"""Stands for the words of CMD behind those of an entry script."""


def _built(situation: Situation, built: BuildStart) -> Change | Skip:
    """The loop proved before that the program which is built ahead is the one that the launcher
    starts."""
    if built.refused:
        return Skip(f"what `{built.launcher}` starts is not known: {built.refused}", built.line)
    evidence = situation.evidence
    if evidence is None:
        return Skip(
            f"that `{built.launcher}` starts the same program is proven by a run: needs"
            " `imgopt optimize`",
            built.line,
        )
    if built.words not in ((*(evidence.config.entrypoint or ()),), (*(evidence.config.cmd or ()),)):
        reason = situation.project.unresolved or "it was not tried"
        return Skip(
            f"`{json_words(built.words)}` could not be proven to be what it starts: {reason}",
            built.line,
        )
    words = _interpreted(evidence, built.words) if "/" in built.words[0] else None
    if posixpath.basename(built.words[0]) in LAUNCHERS and not _launcher_variable(
        situation, built.words[0]
    ):
        found = unfolded(evidence.view, built.words)
        words = _spelled(evidence, found.words) if found.reasons and not found.environment else None
    said, better = json_words(built.words), json_words(words or built.words)
    edits = tuple(edit._replace(text=edit.text.replace(said, better)) for edit in built.edits)
    return Change(built.because, built.line, edits)


def _resolve(
    situation: Situation, evidence: Evidence, item: Instruction, words: tuple[str, ...]
) -> Change | Skip:
    unproven = situation.project.unresolved
    if unproven and not unproven.startswith("stop"):  # for which there is an init
        return Skip(f"{words[0]} stays: without it the proof failed by {unproven}", item.line)
    found = unfolded(evidence.view, words)
    if plugs_and_plays(evidence.view, words):
        return Skip(f"what {words[0]} starts finds its packages by it alone (.pnp.cjs)", item.line)
    handed = handed_on(evidence.view, found.words)
    if handed.refused:
        return Skip(
            f"{found.words[0]} hands settings on to what it starts: {handed.refused}", item.line
        )
    if not found.reasons:
        return Skip(f"what `{' '.join(words)}` starts is more than one plain command", item.line)
    used = _launcher_variable(situation, words[0])
    if used:
        return Skip(f"{used} reads a variable that only {words[0]} sets", item.line)
    plain = _spelled(evidence, found.words)
    if plain is None:
        return Skip(
            f"`{found.words[0]}`, which {words[0]} starts, is not on the search path", item.line
        )
    run = run_by(evidence.view, words)
    folder = [f"{run.environment}/bin"] if run is not None and run.environment else []
    given = handed_over(evidence, words, dict(found.environment), folder)
    if given:
        return Skip(f"what {words[0]} starts needs it: {given}", item.line)
    edits = [Edit(item.value_span.start, item.value_span.end, json_words(plain))]
    if run is not None and run.environment and run.words == found.words:
        edits = _activated(situation, item, run)
    edits += _variables(situation, item, found.environment)
    because = (
        f"{'; '.join(found.reasons)}: it gets the stop signal, and {words[0]} is not needed at run"
        " time"
    )
    return Change(because, item.line, tuple(edits))


def _variables(
    situation: Situation, item: Instruction, environment: tuple[tuple[str, str], ...]
) -> list[Edit]:
    """An ENV in front of the start, with what it set itself."""
    at = item.comments[0].start if item.comments else item.extent.start
    said = " ".join(f"{name}={_quoted(value)}" for name, value in environment)
    return [Edit(at, at, f"ENV {said}{situation.dockerfile.eol}")] if environment else []


def _quoted(value: str) -> str:
    return value if re.fullmatch(r"[\w./:@,+=%~$-]+", value) else f'"{value}"'


def _activated(situation: Situation, item: Instruction, run: Run) -> list[Edit]:
    """The command by its name, with the environment in front of the search path, as the launcher
    puts it there."""
    at = item.comments[0].start if item.comments else item.extent.start
    folder = run.environment
    line = f"ENV VIRTUAL_ENV={folder} PATH={folder}/bin:$PATH{situation.dockerfile.eol}"
    words = (posixpath.basename(run.words[0]), *run.words[1:])
    return [Edit(at, at, line), Edit(item.value_span.start, item.value_span.end, json_words(words))]


def _spelled(evidence: Evidence, words: tuple[str, ...]) -> tuple[str, ...] | None:
    """The command as the search path finds it; a script below node_modules with its interpreter."""
    if evidence.view.command(words[0]) is not None:
        return words
    return _interpreted(evidence, words)


def _interpreted(evidence: Evidence, words: tuple[str, ...]) -> tuple[str, ...] | None:
    """A script of the project's packages with its interpreter; None for anything else."""
    full = expanded(evidence.view, words)
    if len(full) > len(words) and full[1].startswith(evidence.view.workdir.rstrip("/") + "/"):
        inside = posixpath.relpath(full[1], evidence.view.workdir)
        return (posixpath.basename(full[0]), inside, *full[2:])
    return None


def _launcher_variable(situation: Situation, launcher: str) -> str:
    """A source file that reads what a launcher puts into the environment."""
    context = situation.project.context
    names = [name for name in bookkeeping_of([launcher, "sh"]).variables if "*" not in name]
    for path in context.sizes:
        if not is_source(path) or is_foreign(f"/{path}"):
            continue
        text = context.text(path)
        if LAUNCHER_VARIABLES.search(text) or any(
            reader_of(name, [(path, text)]) for name in names
        ):
            return path
    return ""


STRATEGY = Strategy(
    name="start-command",
    does="Starts the service itself, not `npm start` around it.",
    why=(
        "`npm start`, `poetry run` and the like start a process that stays beside the service for"
        " its whole life, take memory and time at every start, keep the stop signal to themselves,"
        " and must be in the image. What they start is one plain command, which can be started"
        " directly. `go run`, `cargo run`, `mvn spring-boot:run`, `tsc && node x` compile at every"
        " start, and need the whole toolchain for it: the program is built with the image, and"
        " proven to be the same service before anything else is changed. A script of the project's"
        " that only sets variables and starts one program is what it starts, too."
    ),
    safety="evidence",
    doubt=70,
    failures=frozenset(["stop", "process"]),
    references=(
        "https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md#cmd",
        "https://docs.npmjs.com/cli/commands/npm-run-script",
        "https://docs.spring.io/spring-boot/maven-plugin/run.html",
    ),
    rewrite=rewrite,
    refuses=(
        "A script with more than one command, or with pre or post scripts; a source file that reads"
        " npm_package_* variables or what else the launcher says of itself; settings that it hands"
        " on to what it starts, but for plain options of Node.js; a variable that the run showed"
        " and nobody explains; a command that only the launcher finds. A launcher that builds:"
        " flags or settings that are not known to the letter, a compose file that mounts the"
        " source, a program that asks for its own path or for cargo's variables."
    ),
    examples=(
        Example(
            "a program that is built at every start needs a run to be proven",
            before="FROM golang:1.22\nWORKDIR /a\nCOPY . .\nCMD go run .\n",
            after=None,
            refused="needs `imgopt optimize`",
            files={"go.mod": "module a\n", "main.go": "package main\n"},
        ),
        Example(
            "compose mounts the source that is built at every start",
            before="FROM golang:1.22\nWORKDIR /a\nCOPY . .\nCMD go run .\n",
            after=None,
            refused="compose.yaml mounts the source at /a",
            files={"go.mod": "module a\n", "main.go": "", "compose.yaml": "volumes:\n  - .:/a\n"},
        ),
    ),
    evidence_examples=(
        started_by_script(
            "a script that runs a program before",
            "python migrate.py\nexec python app.py",
            start='CMD ["./start.sh"]',
            after=None,
        ),
        started_by_script(
            "an entry script that puts a program in front of the command that it does not name",
            'exec nice -n 5 "$1"',
            start='ENTRYPOINT ["./start.sh"]\nCMD ["python", "app.py"]',
            after=None,
        ),
        started_by_script(
            "a script that sets a variable and starts one program",
            "export LEVEL=high\nexec python app.py",
            start='CMD ["./start.sh"]',
            after='ENV LEVEL=high\nCMD ["python", "app.py"]',
        ),
        started_by_script(
            "an entry script that sets a variable",
            'export LEVEL=high\nexec "$@"',
            start='ENTRYPOINT ["./start.sh"]\nCMD ["python", "app.py"]',
            after='ENV LEVEL=high\nCMD ["python", "app.py"]',
        ),
        started_by_npm(
            "a script in front of the start",
            {"prestart": "node migrate.js", "start": "node app.js"},
            refused="what `npm start` starts is more than one plain command",
        ),
        started_by_npm(
            "two commands in one script",
            {"start": "node migrate.js && node app.js"},
            refused="what `npm start` starts is more than one plain command",
        ),
        started_by_npm(
            "a source that reads what npm says of itself",
            {"start": "node app.js"},
            source="console.log(process.env.npm_package_version)\n",
            refused="app.js reads a variable that only npm sets",
        ),
        started_by_npm(
            "one plain command",
            {"start": "node app.js"},
            after='CMD ["node", "app.js"]',
        ),
    ),
)
