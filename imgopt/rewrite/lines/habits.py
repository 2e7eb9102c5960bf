"""How the author lays out his steps: the habits of a file, seen in its own lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from imgopt.dockerfile import Dockerfile, Instruction

_FIRST = re.compile(r"\n([ \t]*)(?:&&|\|\|)")
_LAST = re.compile(r"(?:&&|\|\|)[ \t]*[\\`][ \t]*\n(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)")
_CONTINUED = re.compile(r"\n([ \t]+)(?=[^\s#])")
FLAG_LINE = re.compile(r"\n([ \t]+)--(?:mount|network|security)=")
_ERREXIT = re.compile(r"-[a-z]*e[a-z]*|errexit")


@dataclass(frozen=True, slots=True)
class Look:
    """How commands and lines are joined. `first`: the operator begins a line; `indent` is of such
    lines."""

    escape: str
    eol: str
    first: bool
    indent: str
    operator: str = "&&"

    @classmethod
    def of(cls, dockerfile: Dockerfile, *steps: Instruction) -> Look:
        """What the steps show, else the file."""
        own, file = _habits([text_of(step) for step in steps]), habits_of(dockerfile)
        shown = own if own.first is not None else file
        indent = shown.indent or own.least or file.continued or "    "
        operator = ";" if steps and _stops_by_itself(dockerfile, steps[0]) else "&&"
        first = shown.first is not False and operator == "&&"
        return cls(dockerfile.escape, dockerfile.eol, first, indent, operator)

    def newline(self, indent: str) -> str:
        return f" {self.escape}{self.eol}{indent}"

    @property
    def glue(self) -> str:
        """Between two commands on two lines."""
        if self.first:
            return f"{self.newline(self.indent)}{self.operator} "
        return f"{self.inline.rstrip()}{self.newline(self.indent)}"

    @property
    def inline(self) -> str:
        return "; " if self.operator == ";" else f" {self.operator} "


@dataclass(frozen=True, slots=True)
class Habits:
    """What texts of steps show. `first` is None and an indent is empty where they do not show
    it."""

    first: bool | None
    indent: str
    """Of lines that begin with an operator, or that follow one."""
    continued: str
    """Of most continued lines."""
    least: str
    flag: str
    """Of most lines that are a flag."""


def _habits(texts: Sequence[str]) -> Habits:
    first = [found for text in texts for found in _FIRST.findall(text)]
    last = [found for text in texts for found in _LAST.findall(text)]
    continued = [found for text in texts for found in _CONTINUED.findall(text)]
    begins = len(first) >= len(last) if first or last else None
    indent = _common(first if begins else last)
    flag = _common(found for text in texts for found in FLAG_LINE.findall(text))
    return Habits(begins, indent, _common(continued), min(continued, key=len, default=""), flag)


@lru_cache(maxsize=4)
def habits_of(dockerfile: Dockerfile) -> Habits:
    return _habits([text_of(item) for item in dockerfile.instructions if item.end_line > item.line])


@lru_cache(maxsize=4)
def beside(dockerfile: Dockerfile) -> Mapping[bool, int]:
    """How often flags stand beside what follows them (True) or end their line, in steps with a flag
    and with more."""
    runs = [item for item in dockerfile.instructions if item.keyword == "RUN" and item.flags]
    return Counter(
        "\n"
        not in run.text[
            run.flags[0].span.end : (run.flags[1].span if run.flags[1:] else run.value_span).start
        ]
        for run in runs
    )


def text_of(step: Instruction) -> str:
    """A step's own lines, without the bodies of here-documents, with bare line ends."""
    end = step.heredocs[0].span.start if step.heredocs and step.heredocs[0].span else step.span.end
    return step.text[step.span.start : end].replace("\r\n", "\n")


def _common(indents: Iterable[str]) -> str:
    counted = Counter(indents).most_common(1)
    return counted[0][0] if counted else ""


def _stops_by_itself(dockerfile: Dockerfile, step: Instruction) -> bool:
    """Under `set -e` the author parts commands by semicolons, and a failed one ends the step all
    the same."""
    script = dockerfile.script_at(step)
    sets = [command for command in script.commands if command.name == "set"]
    if {item.operator for item in script.items[1:]} != {";"} or sets != list(script.commands[:1]):
        return False
    return any(_ERREXIT.fullmatch(value or "") for value in sets[0].values[1:])
