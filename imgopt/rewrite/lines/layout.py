"""How the lines that we write into a RUN look: as the author's own do.

Flags go behind the author's block of flags, one a line where it has one a line; commands are joined
by the `&&` of the step, else of the file, at the end of a line or at the begin; line ends, escape
character, comments and blank lines stay as they are. A line that is written or touched here has at
most `WIDTH` columns where it can be broken at all.

Every function proposes edits and changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from imgopt.dockerfile import Command, Dockerfile, Edit, Instruction, apply_edits, parse, read_shell
from imgopt.dockerfile.shellmodel import Item

WIDTH = 120
"""Columns of the longest line that we write."""

_FIRST = re.compile(r"\n([ \t]*)(?:&&|\|\|)")
_LAST = re.compile(r"(?:&&|\|\|)[ \t]*[\\`][ \t]*\n(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)")
_CONTINUED = re.compile(r"\n([ \t]+)(?=[^\s#])")
_FLAG_LINE = re.compile(r"\n([ \t]+)--(?:mount|network|security)=")
_ERREXIT = re.compile(r"-[a-z]*e[a-z]*|errexit")


def add_flags(dockerfile: Dockerfile, run: Instruction, flags: Sequence[str]) -> tuple[Edit, ...]:
    """Whole flags (`--mount=…`) behind those that the RUN has, or as its first ones.

    A single flag stays on the line of the command where the author does not write flags on lines of
    their own.
    """
    if not flags:
        return ()
    at = run.flags[-1].span.end if run.flags else run.keyword_span.end
    gap = run.text[at : run.value_span.start]
    look = _Look.of(dockerfile, run)
    newline = look.newline(_flag_indent(dockerfile, run, look))
    if _flags_share_a_line(dockerfile, run, len(flags), broken="\n" in gap):
        inline = "".join(f" {flag}" for flag in flags)
        if not run.flags and "\n" not in gap:  # blanks behind the keyword stay where they are
            at, inline = run.value_span.start, "".join(f"{flag} " for flag in flags)
        if "\n" in gap or _fits(run, at, len(inline)):
            return _fit(dockerfile, run, [Edit(at, at, inline)])
        at = run.flags[-1].span.end if run.flags else run.keyword_span.end
    opens = not run.flags and "\n" not in gap  # the first flag stands beside the keyword
    lead = gap + flags[0] if opens else newline + flags[0]
    block = lead + "".join(newline + flag for flag in flags[1:])
    if "\n" in gap or run.heredocs or _is_own_line(run):
        return _fit(dockerfile, run, [Edit(at, at, block)])
    return _fit(dockerfile, run, [Edit(at, run.value_span.start, block + newline)])


def add_commands(
    dockerfile: Dockerfile, run: Instruction, commands: Sequence[str], words: Sequence[Edit] = ()
) -> tuple[Edit, ...]:
    """Commands at the end of the step, on lines of their own where the step has several lines, and
    small edits within its commands: no line gets too long."""
    if not commands:
        return _fit(dockerfile, run, list(words))
    look = _Look.of(dockerfile, run)
    end = run.value_span.end
    text = "".join(look.glue + command for command in commands)
    if run.line == run.end_line:
        inline = "".join(f"{look.inline}{command}" for command in commands)
        more = len(inline) + sum(len(edit.text) - (edit.end - edit.start) for edit in words)
        text = inline if _fits(run, end, more) else text
    return _fit(dockerfile, run, [*words, Edit(end, end, text)])


def join(
    dockerfile: Dockerfile, runs: Sequence[Instruction], more: Sequence[str] = ()
) -> tuple[Edit, ...]:
    """RUN steps that follow each other made one, a line for each command, with `more` commands at
    the end."""
    look = _Look.of(dockerfile, *runs)
    edits = [
        Edit(one.value_span.end, other.value_span.start, look.glue) for one, other in pairwise(runs)
    ]
    end = runs[-1].value_span.end
    text = "".join(look.glue + command for command in more)
    return tuple(edits) + ((Edit(end, end, text),) if text else ())


def new_step(dockerfile: Dockerfile, step: str, like: Instruction | None = None) -> str:
    """A new RUN, given on one line: `RUN a && b`. Where it is too long for one line it gets a line
    for each flag and command, as `like`, a step that it belongs to, or else the file has them.
    Without a line end."""
    look = _Look.of(dockerfile, *([like] if like is not None else []))
    shell = dockerfile.shell_at(like) if like is not None else ("/bin/sh", "-c")
    return _fitted(step, look, frozenset(), shell, (*_BREAKS, _in_quotes))


_Lines = Sequence[tuple[int, int]]
"""Begin and end of each line that is too long."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How commands and lines are joined. `first`: the operator begins a line; `indent` is of such
    lines."""

    escape: str
    eol: str
    first: bool
    indent: str
    operator: str = "&&"

    @classmethod
    def of(cls, dockerfile: Dockerfile, *steps: Instruction) -> _Look:
        """What the steps show, else the file."""
        own, file = _habits([_text(step) for step in steps]), _habits_of(dockerfile)
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
class _Habits:
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


def _habits(texts: Sequence[str]) -> _Habits:
    first = [found for text in texts for found in _FIRST.findall(text)]
    last = [found for text in texts for found in _LAST.findall(text)]
    continued = [found for text in texts for found in _CONTINUED.findall(text)]
    begins = len(first) >= len(last) if first or last else None
    indent = _common(first if begins else last)
    flag = _common(found for text in texts for found in _FLAG_LINE.findall(text))
    return _Habits(begins, indent, _common(continued), min(continued, key=len, default=""), flag)


@lru_cache(maxsize=4)
def _habits_of(dockerfile: Dockerfile) -> _Habits:
    return _habits([_text(item) for item in dockerfile.instructions if item.end_line > item.line])


@lru_cache(maxsize=4)
def _beside(dockerfile: Dockerfile) -> Mapping[bool, int]:
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


def _text(step: Instruction) -> str:
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


def _flags_share_a_line(
    dockerfile: Dockerfile, run: Instruction, new: int, *, broken: bool
) -> bool:
    """Whether the author would write the new flags beside others, or beside the command."""
    flags = run.flags
    if len(flags) > 1:
        return "\n" not in run.text[flags[-2].span.end : flags[-1].span.start]
    if flags or broken:
        return not broken
    habit = _beside(dockerfile)
    if not habit:
        return new == 1
    return habit[True] > habit[False] if new > 1 else habit[True] >= habit[False]


def _is_own_line(run: Instruction) -> bool:
    """The last flag begins a line, and the command follows on it."""
    flags = run.flags
    return len(flags) > 1 and "\n" in run.text[flags[-2].span.end : flags[-1].span.start]


def _flag_indent(dockerfile: Dockerfile, run: Instruction, look: _Look) -> str:
    """Of a line that is a flag: as the step has it, else the line of its command, else the file."""
    own = _FLAG_LINE.findall(_text(run))
    if own:
        return str(own[-1])
    before = run.text[: run.value_span.start]
    line = before[before.rfind("\n") + 1 :]
    if line and not line.strip():
        return line
    plain = look.indent if 1 < len(look.indent.expandtabs(4)) <= 4 else "    "
    return _habits_of(dockerfile).flag or plain


def _fits(run: Instruction, at: int, more: int) -> bool:
    """Whether the line at an offset of the file may get `more` columns."""
    start, end = run.text.rfind("\n", 0, at) + 1, run.text.find("\n", at)
    line = run.text[start : end if end >= 0 else len(run.text)].rstrip("\r")
    return len(line) + more <= WIDTH


def _fit(dockerfile: Dockerfile, run: Instruction, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits, with further ones where a line that they touch would be too long."""
    begin, old = run.span.start, run.source
    new = apply_edits(
        old, [Edit(edit.start - begin, edit.end - begin, edit.text) for edit in edits]
    )
    lines = frozenset(old.splitlines())
    if all(len(line) <= WIDTH or line in lines for line in new.splitlines()):
        return tuple(edits)
    whole = frozenset(
        run.text[run.value_span.start : run.value_span.end].splitlines()[:1]
        if _is_too_long(run)
        else ()
    )
    fitted = _fitted(new, _Look.of(dockerfile, run), lines, dockerfile.shell_at(run), whole=whole)
    return tuple(edits) if fitted == new else (_difference(old, fitted, begin),)


def _is_too_long(run: Instruction) -> bool:
    """The line of its command is the author's own, and longer than ours may be."""
    start = run.text.rfind("\n", 0, run.value_span.start) + 1
    end = run.text.find("\n", run.value_span.start)
    return (end if end >= 0 else len(run.text)) - start > WIDTH


def _difference(old: str, new: str, at: int) -> Edit:
    """One edit that makes `new` of `old`, as small as it can be."""
    head = next(
        (i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), len(old)
    )
    head = min(head, len(old), len(new))
    left = min(len(old), len(new)) - head
    tail = next((i for i in range(left) if old[-1 - i] != new[-1 - i]), left)
    return Edit(at + head, at + len(old) - tail, new[head : len(new) - tail])


_Breaks = Callable[[Instruction, _Look, _Lines, tuple[str, ...]], Iterator[Edit]]


def _fitted(
    step: str, look: _Look, known: frozenset[str], shell: tuple[str, ...], breaks: Sequence[_Breaks] | None = None,
    whole: frozenset[str] = frozenset(),
) -> str:  # fmt: skip
    """A step whose lines are broken where they are too long: at operators first, then at flags,
    then at words, but for the lines of commands that are to stay `whole`."""
    for at in breaks or _BREAKS:
        head = "# escape=`\nFROM x\n" if look.escape == "`" else "FROM x\n"
        parsed = parse(head + step)
        run = parsed.instructions[-1]
        lines = _long_lines(run, known)
        if at is _at_words:
            lines = [
                (begin, end) for begin, end in lines if parsed.text[begin:end].strip() not in whole
            ]
        edits = list(at(run, look, lines, shell))
        step = apply_edits(parsed.text, edits)[run.span.start :]
    return step


def _long_lines(run: Instruction, known: frozenset[str]) -> list[tuple[int, int]]:
    """From where to where in the file the lines are that are new and too long; bodies of
    here-documents are none."""
    found, at = [], run.span.start
    end = run.heredocs[0].span.start if run.heredocs and run.heredocs[0].span else run.span.end
    for line in run.source.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        if (
            len(bare) > WIDTH
            and bare not in known
            and at < end
            and not bare.lstrip().startswith("#")
        ):
            found.append((at, at + len(bare)))
        at += len(line)
    return found


def _at_operators(
    run: Instruction, look: _Look, lines: _Lines, shell: tuple[str, ...]
) -> Iterator[Edit]:
    """Every `&&` of such a line that joins whole commands of the step."""
    if run.heredocs:
        return
    items: Sequence[Item] = read_shell(run, shell).items
    for one, other in pairwise(items):
        start, end = one.node.span.end, other.node.span.start
        if other.operator not in ("&&", ";") or not any(
            begin <= start and end <= stop for begin, stop in lines
        ):
            continue
        if run.text[start:end].strip() != other.operator:
            continue
        if look.first and other.operator == "&&":
            yield Edit(start, end, f"{look.newline(look.indent)}&& ")
        else:
            yield Edit(
                start, end, (" &&" if other.operator == "&&" else ";") + look.newline(look.indent)
            )


def _at_flags(
    run: Instruction, look: _Look, lines: _Lines, shell: tuple[str, ...]
) -> Iterator[Edit]:
    """Between flags, and between the last one and the command."""
    del shell
    starts = [*(flag.span.start for flag in run.flags), run.value_span.start][1:]
    for (_, _, span), follow in zip(run.flags, starts, strict=True):
        within = any(begin <= span.end and follow <= stop for begin, stop in lines)
        if within and "\n" not in run.text[span.end : follow]:
            yield Edit(
                span.end, follow, look.newline(look.indent if len(look.indent) > 1 else "    ")
            )


def _at_words(
    run: Instruction, look: _Look, lines: _Lines, shell: tuple[str, ...]
) -> Iterator[Edit]:
    """Between words of one command, as late as the width allows."""
    if run.heredocs:
        return
    indent = look.indent + "    "
    for begin, stop in lines:
        gaps = list(_gaps(run, read_shell(run, shell).commands, begin, stop))
        at, room = begin, WIDTH
        while stop - at > room:
            fitting = [gap for gap in gaps if at < gap[0] <= at + room - len(" \\")]
            following = min((gap[0] for gap in gaps if fitting and gap > fitting[-1]), default=stop)
            if not fitting or following - fitting[-1][1] > WIDTH - len(indent):
                break  # what follows is one long word: it is no shorter on a line of its own
            yield Edit(*fitting[-1], look.newline(indent))
            at, room = fitting[-1][1], WIDTH - len(indent)


def _gaps(
    run: Instruction, commands: Iterable[Command], begin: int, stop: int
) -> Iterator[tuple[int, int]]:
    """The blanks between the words of commands that lie in one line."""
    for command in commands:
        for one, other in pairwise(command.words):
            start, end = one.span.end, other.span.start
            if begin <= start and end <= stop and not run.text[start:end].strip():
                yield start, end


def _in_quotes(
    run: Instruction, look: _Look, lines: _Lines, shell: tuple[str, ...]
) -> Iterator[Edit]:
    """Behind a semicolon of a quoted program: lines are joined before the shell sees them, so
    nothing is indented."""
    del shell
    for begin, stop in lines if not run.heredocs else ():
        at = begin
        while stop - at > WIDTH:
            found = run.text.rfind("; ", at, at + WIDTH - 2)
            if found < 0 or run.text[found + 2] in "# ":
                break
            at = found + 2
            yield Edit(at, at, look.escape + look.eol)


_BREAKS: tuple[_Breaks, ...] = (_at_operators, _at_flags, _at_words)
