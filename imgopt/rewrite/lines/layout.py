"""How the lines that we write into a RUN look: as the author's own do.

Flags go behind the author's block of flags, one a line where it has one a line; commands are joined
by the `&&` of the step, else of the file, at the end of a line or at the begin; line ends, escape
character, comments and blank lines stay as they are. A line that is written or touched here has at
most `WIDTH` columns where it can be broken at all.

Every function proposes edits and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from imgopt.dockerfile import Dockerfile, Edit, Instruction, apply_edits
from imgopt.rewrite.lines.breaking import _BREAKS, WIDTH, fitted, in_quotes
from imgopt.rewrite.lines.habits import FLAG_LINE, Look, beside, habits_of, text_of


def add_flags(dockerfile: Dockerfile, run: Instruction, flags: Sequence[str]) -> tuple[Edit, ...]:
    """Whole flags (`--mount=…`) behind those that the RUN has, or as its first ones.

    A single flag stays on the line of the command where the author does not write flags on lines of
    their own.
    """
    if not flags:
        return ()
    at = run.flags[-1].span.end if run.flags else run.keyword_span.end
    gap = run.text[at : run.value_span.start]
    look = Look.of(dockerfile, run)
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
    look = Look.of(dockerfile, run)
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
    look = Look.of(dockerfile, *runs)
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
    look = Look.of(dockerfile, *([like] if like is not None else []))
    shell = dockerfile.shell_at(like) if like is not None else ("/bin/sh", "-c")
    return fitted(step, look, frozenset(), shell, (*_BREAKS, in_quotes))


def _flags_share_a_line(
    dockerfile: Dockerfile, run: Instruction, new: int, *, broken: bool
) -> bool:
    """Whether the author would write the new flags beside others, or beside the command."""
    flags = run.flags
    if len(flags) > 1:
        return "\n" not in run.text[flags[-2].span.end : flags[-1].span.start]
    if flags or broken:
        return not broken
    habit = beside(dockerfile)
    if not habit:
        return new == 1
    return habit[True] > habit[False] if new > 1 else habit[True] >= habit[False]


def _is_own_line(run: Instruction) -> bool:
    """The last flag begins a line, and the command follows on it."""
    flags = run.flags
    return len(flags) > 1 and "\n" in run.text[flags[-2].span.end : flags[-1].span.start]


def _flag_indent(dockerfile: Dockerfile, run: Instruction, look: Look) -> str:
    """Of a line that is a flag: as the step has it, else the line of its command, else the file."""
    own = FLAG_LINE.findall(text_of(run))
    if own:
        return str(own[-1])
    before = run.text[: run.value_span.start]
    line = before[before.rfind("\n") + 1 :]
    if line and not line.strip():
        return line
    plain = look.indent if 1 < len(look.indent.expandtabs(4)) <= 4 else "    "
    return habits_of(dockerfile).flag or plain


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
    made = fitted(new, Look.of(dockerfile, run), lines, dockerfile.shell_at(run), whole=whole)
    return tuple(edits) if made == new else (_difference(old, made, begin),)


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
