"""Scripts that only set variables and start one program: what they come down to.

Anything else in them (another program, a condition, a computed word) needs the shell, and the
script stays.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field

from imgopt.dockerfile import parse, read_shell
from imgopt.dockerfile.shellmodel import Command
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView

_SHELLS = ("sh", "bash", "dash", "ash")
_SOURCES = (".", "source")
_ALL = ('"$@"', "${@}", '"${@}"')
_OPTIONS = re.compile(r"(?:-[eux]+|-o|-[eux]*o|pipefail|errexit|nounset)")
_DEFAULT = re.compile(r'"?\$\{(?P<name>[A-Za-z_]\w*):?[-=](?P<value>[\w./:@,+-]*)\}"?')
_FIRST_FOLDERS = re.compile(r'"?[\w./:-]+:(?:\$PATH|\$\{PATH\})"?')
_PLAIN = re.compile(r"[\w ./:@,+=%~&?;*()\[\]{}!-]*")
"""A value that says the same in a Dockerfile."""
_CALL = re.compile(r"[\w./:=@,+%~ -]+")
_LONGEST = 16_384
_END = "END_OF_THE_SCRIPT"


@dataclass(frozen=True, slots=True)
class ScriptStart:
    """`words`: what the script starts, with the words that it was given; `script` its path."""

    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    script: str


@dataclass
class _Reading:
    view: ImageView
    arguments: tuple[str, ...]
    assigned: dict[str, str] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)

    def sets(self, command: Command) -> bool:
        """Whether the command only sets something, which is noted, or says something."""
        if command.redirections or command.negated or command.background or command.conditional:
            return False
        values = command.values
        if not values:
            return all(self._assign(a.name, a.value, a.word.text) for a in command.assignments)
        if values[0] in ("export", ":"):
            return self._declares(command)
        if None in values[1:] and values[0] != "echo":
            return False
        if values[0] == "set":
            return all(_OPTIONS.fullmatch(word or "") for word in values[1:])
        if values[0] in _SOURCES and len(values) == 2:
            return self._activates(values[1] or "")
        return values[0] in ("echo", "cd", "true")

    def _declares(self, command: Command) -> bool:
        given = {a.name: a for a in command.assignments}
        for word in command.arguments:
            default = _DEFAULT.fullmatch(word.text)
            if default is not None and command.name == ":":
                self._keep(default["name"], default["value"], default=True)
                continue
            name = word.text.partition("=")[0]
            if command.name == ":" or not re.fullmatch(r"[A-Za-z_]\w*", name):
                return False
            if name in given and not self._assign(name, given[name].value, given[name].word.text):
                return False
            if name in self.assigned:
                self.exported[name] = self.assigned[name]
        return True

    def _assign(self, name: str, value: str | None, text: str) -> bool:
        default = _DEFAULT.fullmatch(text)
        if default is not None and default["name"] == name:
            self._keep(name, default["value"], default=True)
        elif name == "PATH" and _FIRST_FOLDERS.fullmatch(text):
            self.exported[name] = text.strip('"').replace("${PATH}", "$PATH")
        elif value is None or not _PLAIN.fullmatch(value):
            return False
        else:
            self._keep(name, value)
        return True

    def _keep(self, name: str, value: str, *, default: bool = False) -> None:
        known = self.view.config.environment
        value = known.get(name) or value if default else value
        self.assigned[name] = value
        if name in known:
            self.exported[name] = value

    def _activates(self, path: str) -> bool:
        """The script of a virtual environment, which puts its programs first."""
        folder = posixpath.dirname(posixpath.dirname(posixpath.join(self.view.workdir, path)))
        is_one = path.endswith("/bin/activate") and self.view.is_file(f"{folder}/pyvenv.cfg")
        if is_one and "PATH" not in self.exported:
            self.exported |= {"VIRTUAL_ENV": folder, "PATH": f"{folder}/bin:$PATH"}
        return is_one

    def starts(self, command: Command) -> tuple[str, ...] | None:
        """The words of the program; None where the shell computes one of them."""
        if command.redirections or command.negated or command.background or command.conditional:
            return None
        place = posixpath.join(self.view.workdir, command.cwd) if command.cwd else ""
        if posixpath.normpath(place) != posixpath.normpath(self.view.workdir):
            return None
        for one in command.assignments:
            if one.value is None or not _PLAIN.fullmatch(one.value):
                return None
            self.exported[one.name] = one.value
        words: list[str] = []
        for word in command.words:
            if word.text in _ALL:
                words += self.arguments
            elif word.value is None or word.special:
                return None
            else:
                words.append(word.value)
        words = words[1:] if words[:1] == ["exec"] else words
        return tuple(words) if words and not words[0].startswith("-") else None


def script_start(view: ImageView, words: tuple[str, ...]) -> ScriptStart | None:
    """None where the words call no script of the project's, or one that does more than to set
    variables and to start one program."""
    node, arguments = _script(view, words)
    if node is None or view.in_base(node) or node.size > _LONGEST:
        return None
    text = node.read(_LONGEST).decode("utf-8", "replace")
    if _END in text or "\0" in text:
        return None
    source = parse(f"FROM x\nRUN <<'{_END}'\n{text.rstrip()}\n{_END}\n")
    script = read_shell(source.instructions[-1])
    if script.unknown or script.substituted or not script.is_plain_list:
        return None
    commands = [item.node for item in script.items if isinstance(item.node, Command)]
    if not commands or len(commands) != len(script.items):
        return None
    reading = _Reading(view, arguments)
    if not all(reading.sets(command) for command in commands[:-1]):
        return None
    found = reading.starts(commands[-1])
    if found is None or found[0] in ("export", "cd", "set", *_SOURCES):
        return None
    return ScriptStart(found, tuple(reading.exported.items()), node.path)


def _script(view: ImageView, words: tuple[str, ...]) -> tuple[Node | None, tuple[str, ...]]:
    """The shell script that the words call, by itself, by a shell or read by one, and what it is
    given."""
    if not words:
        return None, ()
    if words[0] in _SOURCES and len(words) == 2:
        return view.file(posixpath.join(view.workdir, words[1])), ()
    if posixpath.basename(words[0]) in _SHELLS:
        rest = words[1:]
        if len(rest) == 2 and re.fullmatch(r"-[elux]*c", rest[0]) and _CALL.fullmatch(rest[1]):
            call = shlex.split(rest[1])
            return _script(view, tuple(call[1:] if call[0] == "exec" else call))
        while rest and re.fullmatch(r"-[eux]+", rest[0]):
            rest = rest[1:]
        if not rest or rest[0].startswith("-"):
            return None, ()
        return view.file(posixpath.join(view.workdir, rest[0])), rest[1:]
    node = view.command(words[0])
    called = " ".join(view.shebang(node)).split() if node is not None else []
    is_shell = any(posixpath.basename(word) in _SHELLS for word in called[:2])
    return (node if is_shell else None), words[1:]
