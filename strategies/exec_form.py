"""exec-form: the program itself is process 1 and gets the stop signal, not a shell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.shell import read_shell
from imgopt.dockerfile.shellmodel import Command as ShellCommand
from imgopt.dockerfile.typed import Command, Env
from imgopt.inspect.sources.texts import is_foreign, is_source
from imgopt.inspect.start.bookkeeping import bookkeeping_of, reader_of
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.start.program_files import not_startable
from imgopt.rewrite.start.start_words import only_hands_over
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

BUILTINS = frozenset(
    [
        "cd",
        "export",
        "set",
        "source",
        ".",
        "eval",
        "ulimit",
        "umask",
        "wait",
        "trap",
        ":",
        "command",
        "exit",
        "type",
        "unset",
        "alias",
        "unalias",
        "read",
        "shift",
        "times",
        "return",
        "readonly",
        "local",
        "getopts",
        "hash",
        "jobs",
        "fg",
        "bg",
        "fc",
        "let",
        "break",
        "continue",
        "chdir",
        "builtin",
        "declare",
        "typeset",
        "shopt",
        "pushd",
        "popd",
        "echo",
        "printf",
        "test",
        "[",
        "kill",
        "pwd",
        "true",
        "false",
        "time",
        "exec",
    ]
)
"""Commands that a shell knows itself: there is no such program, or it does not do quite the same
(`echo`)."""
KEEPS: Mapping[str, tuple[str, str]] = {
    "unread": ("its text cannot be read", "{what}"),
    "list": ("it is more than one command", "it is more than one command"),
    "variables": ("it sets variables or redirects", "it sets variables or redirects"),
    "variable": (
        "the shell puts in the value of a variable",
        "the shell puts in the value of a variable",
    ),
    "pattern": ("the shell expands a pattern", "the shell expands a pattern"),
    "characters": (
        "a word has a line end or another control character",
        "a word has a control character",
    ),
    "path": ("PATH has a folder that is not absolute, in which only a shell looks",) * 2,
    "file": ("its file is a text without a first line (#!), or nothing is known of it", "{what}"),
    "append": (
        "it is an ENTRYPOINT, and there is a CMD, which the exec form would append",
        "it takes no notice of CMD, and an exec form would append it",
    ),
    "entrypoint": (
        "it is a CMD, and an ENTRYPOINT takes it",
        "{what} ENTRYPOINT takes it as it is",
    ),
    "shell": ("SHELL is another one", "SHELL is {what}"),
    "reads": (
        "a source reads a variable that only a shell sets",
        "{what}, which only a shell sets",
    ),
    "builtin": ("it is one of the shell's own commands", "`{what}` is a command of the shell"),
}
"""What the exec form has no shell for: a row of the table, and the words of its refusal. There is
no other refusal."""


def _keeps(key: str, what: str = "") -> str:
    return KEEPS[key][1].format(what=what)


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """The last CMD or ENTRYPOINT of the stage that ships, when its shell text is one plain
    command."""
    stage = situation.stage
    starts = {
        item.keyword: item for item in stage.instructions if item.keyword in ("CMD", "ENTRYPOINT")
    }
    entrypoint = starts.get("ENTRYPOINT")
    if entrypoint is not None:
        yield from _one(situation, entrypoint)
        return
    if "CMD" in starts:
        yield from _one(situation, starts["CMD"])


def _one(situation: Situation, item: Instruction) -> Iterator[Change | Skip]:
    typed = item.typed
    if not isinstance(typed, Command) or typed.shell is None:
        return
    words = plain_words(situation, item)
    if isinstance(words, str):
        yield Skip(f"{item.keyword} stays in shell form: {words}", item.line)
        return
    if item.keyword == "CMD" and _has_entrypoint(situation, words[0]):
        taken = _keeps("entrypoint", "the base's")
        yield Skip(f"CMD stays in shell form: {taken}", item.line)
        return
    refusal = _needs_shell(situation, item, words)
    if refusal:
        yield Skip(f"{item.keyword} stays in shell form: {refusal}", item.line)
        return
    span = item.value_span
    because = f"{words[0]} is process 1 and gets the stop signal; no shell stands in between"
    yield Change(because, item.line, (Edit(span.start, span.end, json_words(words)),))


def plain_words(situation: Situation, item: Instruction) -> tuple[str, ...] | str:
    """The words of the one plain command, or the reason why it needs a shell."""
    shell = situation.dockerfile.scope_at(item).shell
    if shell != ("/bin/sh", "-c"):
        return _keeps("shell", shell[0])
    script = read_shell(item, shell)
    if script.unknown:
        return _keeps("unread", script.unknown)
    if len(script.commands) != 1 or not script.is_plain_list or script.substituted:
        return _keeps("list")
    return _plain(script.commands[0])


def _plain(command: ShellCommand) -> tuple[str, ...] | str:
    if command.assignments or command.redirections or command.negated:
        return _keeps("variables")
    words = [value for value in command.values if value is not None]
    if len(words) != len(command.words):
        return _keeps("variable")
    if any(word.special for word in command.words):
        return _keeps("pattern")
    plain = tuple(words[1:] if words[:1] == ["exec"] else words)
    if not plain or plain[0] in BUILTINS or plain[0].startswith("-"):
        return _keeps("builtin", plain[0] if plain else "exec")
    if any(ord(char) < 32 or ord(char) == 127 for word in plain for char in word):
        return _keeps("characters")
    return plain


def _read_by_source(situation: Situation) -> str:
    """A source that reads what a shell exports by itself (PWD); one that is a shell's has it
    anyway."""
    context = situation.project.context
    names = bookkeeping_of(["sh"]).variables
    for path in context.sizes:
        if not is_source(path) or is_foreign(f"/{path}"):
            continue
        texts = [(path, context.text(path))]
        name = next((name for name in sorted(names) if reader_of(name, texts)), "")
        if name:
            return f"{path} reads {name}"
    return ""


def _needs_shell(situation: Situation, item: Instruction, words: tuple[str, ...]) -> str:
    """What the shell does besides starting the program: it drops CMD, runs files without a first
    line, and says where it is."""
    reader = _read_by_source(situation)
    if reader:
        return _keeps("reads", reader)
    if item.keyword == "ENTRYPOINT" and any(
        other.keyword == "CMD" for other in situation.stage.instructions
    ):
        return _keeps("append")
    if item.keyword == "CMD" and any(
        other.keyword == "ENTRYPOINT"
        for part in situation.stage.chain
        for other in part.instructions
    ):
        return _keeps("entrypoint", "the")
    if "/" not in words[0] and _has_relative_path(situation):
        return _keeps("path")
    return _keeps("file", not_startable(situation, words[0]))


def _has_relative_path(situation: Situation) -> bool:
    """A folder of PATH that is no absolute one: an engine takes no program from there, a shell
    does."""
    values = [
        pair.value or ""
        for part in situation.stage.chain
        for item in part.instructions
        if isinstance(item.typed, Env)
        for pair in item.typed.pairs
        if pair.key == "PATH"
    ]
    return any(
        not folder.startswith(("/", "$"))
        for value in values
        for folder in value.strip("\"'").split(":")
    )


def _has_entrypoint(situation: Situation, program: str) -> bool:
    """Whether the base has an ENTRYPOINT that may do something else with the program than with a
    shell."""
    evidence = situation.evidence
    base = evidence.view.base if evidence is not None else None
    if evidence is None or base is None or not base.config.entrypoint:
        return False
    hands_over = evidence.config.entrypoint == base.config.entrypoint and only_hands_over(evidence)
    return not (hands_over and evidence.view.command(program) is not None)


STRATEGY = Strategy(
    name="exec-form",
    does="Starts the program itself, without a shell around it.",
    why=(
        "In the shell form a shell is process 1: it does not pass the stop signal on, so the"
        " service is killed after the grace period, and the image needs a shell. One plain command"
        " can be started directly."
    ),
    safety="text",
    doubt=65,
    failures=frozenset(["stop", "process"]),
    wrong="a shell is process 1 and does not pass the stop signal on",
    references=("https://docs.docker.com/reference/build-checks/json-args-recommended/",),
    rewrite=rewrite,
    refuses=(
        "Variables, redirections, several commands, patterns, commands of the shell, another SHELL,"
        " a program whose file is a text without a first line (#!) or of which nothing is known, or"
        " an ENTRYPOINT of the base that does more than to start it."
    ),
    table=(
        ("CMD or ENTRYPOINT of one plain command", "may become the exec form"),
        *((row, "the shell form stays") for row, _ in KEEPS.values()),
    ),
    examples=(
        Example(
            "one plain command",
            before="FROM python:3.12\n# start\nCMD gunicorn --bind 0.0.0.0:80 'my app:app'\n",
            after=(
                'FROM python:3.12\n# start\nCMD ["gunicorn", "--bind", "0.0.0.0:80", "my'
                ' app:app"]\n'
            ),
        ),
        Example(
            "a variable needs the shell",
            before="FROM python:3.12\nCMD gunicorn --bind 0.0.0.0:$PORT app\n",
            after=None,
            refused="value of a variable",
        ),
        Example(
            "two commands",
            before="FROM a\nCMD ./migrate && ./serve\n",
            after=None,
            refused="more than one command",
        ),
        Example("exec form already", before='FROM a\nCMD ["x"]\n', after=None),
        Example(
            "another shell",
            before='FROM a\nSHELL ["/bin/bash", "-c"]\nCMD x\n',
            after=None,
            refused="SHELL is",
        ),
        Example(
            "an entrypoint in shell form drops CMD",
            before='FROM a\nENTRYPOINT ./entry.sh\nCMD ["x"]\n',
            after=None,
            refused="would append it",
        ),
        Example(
            "a script without a first line",
            before="FROM a\nCOPY . .\nCMD ./run.sh\n",
            after=None,
            refused="does not begin with #!",
            files={"run.sh": "exec app\n"},
        ),
        Example(
            "a script without a first line, under another name",
            before="FROM a\nCOPY bin/start /usr/local/bin/serve\nCMD serve\n",
            after=None,
            refused="does not begin with #!",
            files={"bin/start": "exec app\n"},
        ),
        Example(
            "a script that a step writes",
            before="FROM a\nRUN echo 'exec app' > /run.sh && chmod +x /run.sh\nCMD /run.sh\n",
            after=None,
            refused="without a first line",
        ),
        Example(
            "a file that a step fetches",
            before=(
                "FROM a\nRUN curl -Lo /bin/serve https://example.org/serve && chmod +x"
                " /bin/serve\nCMD serve\n"
            ),
            after=None,
            refused="its first line is not known",
        ),
        Example(
            "a file that a step compiles",
            before="FROM golang\nCOPY . .\nRUN go build -o /srv/serve .\nCMD /srv/serve\n",
            after='FROM golang\nCOPY . .\nRUN go build -o /srv/serve .\nCMD ["/srv/serve"]\n',
        ),
        Example(
            "the shell's own echo",
            before="FROM a\nCMD echo a\\\\tb\n",
            after=None,
            refused="command of the shell",
        ),
        Example(
            "a folder of PATH that is not absolute",
            before="FROM a\nENV PATH=bin:$PATH\nCMD x\n",
            after=None,
            refused="PATH has a folder",
        ),
        Example(
            "a pattern",
            before="FROM a\nCMD java -jar target/*.jar\n",
            after=None,
            refused="expands a pattern",
        ),
    ),
)
