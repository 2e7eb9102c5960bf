"""Where `exec` may stand in a shell text: in front of the command that a shell waits for until it
ends itself, so that the program takes the shell's place, and gets the signals that the shell
keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from imgopt.dockerfile import parse, read_shell
from imgopt.dockerfile.shellmodel import Command, Compound, Item, Script
from imgopt.dockerfile.spans import Span
from imgopt.inspect.start.shell_programs import SHELLS_OWN
from imgopt.rewrite.lines.quoting import shell_word

_END = "END_OF_THE_SCRIPT"
_HEAD = f"FROM x\nRUN <<'{_END}'\n"
_ALL_ARGUMENTS = ('"$@"', "$@", '"${@}"', "${@}")
ARGUMENTS = "\0arguments"
_KEEPERS = {
    "trap": "it has a trap, which only the shell runs",
    "alias": "it has an alias",
    "wait": "it waits for what runs in the background",
}


@dataclass(frozen=True, slots=True)
class Last:
    """The last command of a text: `at` is where its program is named, `line` the span of its first
    line; `words` and `already` as of `Place`."""

    at: int
    line: Span
    words: tuple[str | None, ...]
    already: bool = False


def last_command(text: str) -> Last | str:
    """Of a script's text; or the reason why `exec` may not stand in front of it."""
    if _END in text or "\0" in text or "\r" in text:
        return "its text cannot be read"
    source = parse(f"{_HEAD}{text.rstrip()}\n{_END}\n")
    found = place_of_exec(read_shell(source.instructions[-1]))
    if isinstance(found, str):
        return found
    at = found.span.start - len(_HEAD)
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = Span(begin, end if end >= 0 else len(text))
    return Last(at, line, found.words, found.already)


@dataclass(frozen=True, slots=True)
class Place:
    """`span` is that of the program's name, in front of which `exec` goes, or stands `already`.
    `words` are the command's; the shell computes those that are None, and ARGUMENTS stands for all
    that it was given itself."""

    span: Span
    words: tuple[str | None, ...]
    already: bool = False


def place_of_exec(script: Script) -> Place | str:
    """In a text that was read; or the reason against it."""
    if script.unknown or not script.items:
        return script.unknown or "it has no command"
    for reason in filter(None, (_kept(script), _background(script.items))):
        return reason
    last = script.items[-1]
    if last.operator not in ("", ";", "&&"):
        return "its last command runs only where another one fails"
    if not isinstance(last.node, Command):
        kind = last.node.kind if isinstance(last.node, Compound) else "pipe or group"
        return f"it ends with no plain command ({kind.replace('_', ' ')})"
    return _plain(script, last.node)


def _kept(script: Script) -> str:
    names = [command.name for command in (*script.commands, *script.substituted)]
    return next((_KEEPERS[name] for name in names if name in _KEEPERS), "")


def _background(items: Iterable[Item]) -> str:
    for item in items:
        nodes = [item.node] if isinstance(item.node, Command) else []
        if item.operator == "&" or any(node.background for node in nodes):
            return "it starts programs in the background"
    return ""


def _plain(script: Script, command: Command) -> Place | str:
    if command.negated or not command.words:
        return "its last command starts no program"
    words = command.words
    already = words[0].value == "exec"
    if already and (len(words) < 2 or (words[1].value or "").startswith("-")):
        return "its last exec is none of a plain program"
    words = words[already:]
    values = tuple(ARGUMENTS if one.text in _ALL_ARGUMENTS else one.value for one in words)
    found = Place(words[0].span, values, already)
    name, first = values[0], words[0]
    if already or name == ARGUMENTS:
        return found
    if name is None or first.special:
        plain = "/" in first.text and not first.special
        return found if plain else "its last program is named by a variable"
    if name in SHELLS_OWN:
        return f"its last command is the shell's own ({name})"
    compounds = (item.node for item in script.items if isinstance(item.node, Compound))
    if any(node.kind.startswith("function") for node in compounds):
        return f"its last command may be a function of its own ({name})"
    return found


def sed_command(text: str, last: Last, path: str) -> str | None:
    """The shell command that puts `exec` there in a file, and changes nothing where the line does
    not begin as it does today; None where no expression says that line alone."""
    line = text[last.line.start : last.line.end]
    shown, rest = line[: last.at - last.line.start], line[last.at - last.line.start :]
    only_last = text[last.line.end :] in ("", "\n")
    word = _telling(text, shown, rest, only_last=only_last)
    mark = next((one for one in "|#,@%" if one not in shown + (word or "")), None)
    if word is None or mark is None or "\t" in shown + word:
        return None
    behind = " " if rest[len(word) :] else "$"
    if shown:
        pattern = f"^\\({_literal(shown)}\\)\\({_literal(word)}\\){behind}"
        rule = f"s{mark}{pattern}{mark}\\1exec \\2{behind.strip('$')}{mark}"
    else:
        rule = f"s{mark}^{_literal(word)}{behind}{mark}exec &{mark}"
    return f"sed -i {shell_word('$ ' * only_last + rule)} {shell_word(path)}"


def _telling(text: str, shown: str, rest: str, *, only_last: bool) -> str | None:
    """As many words of the command as tell its line from all others; the first one where it is the
    last line that is meant. None where no number does."""
    words = rest.split(" ")
    for count in range(1, len(words) + 1):
        word = " ".join(words[:count])
        begin = f"{shown}{word}"
        alike = [one for one in text.split("\n") if one == begin or one.startswith(f"{begin} ")]
        if only_last or len(alike) == 1:
            return word
    return None


def _literal(text: str) -> str:
    """As a basic regular expression takes it (POSIX, section 9.3)."""
    return re.sub(r"([\\.*\[\]^$])", r"\\\1", text)


def with_exec(text: str, at: int) -> str:
    """The text with `exec` at this place."""
    return f"{text[:at]}exec {text[at:]}"


def text_with_exec(text: str) -> str:
    """A whole text with `exec` where it may stand; unchanged where it may not."""
    last = last_command(text)
    return text if isinstance(last, str) or last.already else with_exec(text, last.at)
