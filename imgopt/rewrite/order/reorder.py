"""The text of another order: which COPY lines stay in front, which wait, what is copied beside
them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise

from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.typed import Copy
from imgopt.rewrite.lines.breaking import WIDTH
from imgopt.rewrite.lines.steps import SourceCopy, script_of, workdir_at
from imgopt.rewrite.order.moves import Brought, Moves
from imgopt.rewrite.strategy import Situation

_ABOUT_PACKAGES = re.compile(
    r"\b(install|depend|deps\b|package|module|requirement|librar)", re.IGNORECASE
)


@dataclass(frozen=True)
class Parts:
    """How a group of COPY lines parts."""

    group: Sequence[SourceCopy]
    kept: tuple[SourceCopy, ...] = ()
    """Lines that stay in front as they are: single files, or a folder that is read as a whole."""
    split: Mapping[int, tuple[str, ...]] | None = None
    """Lines that bring single files of both kinds: index -> those that come first."""

    def has(self, path: Brought) -> bool:
        """Whether a line that stays in front brings it, or a half of one."""
        copy = self.group[path.copy]
        return path.copy in (self.split or {}) or any(copy is one for one in self.kept)

    @property
    def waits(self) -> bool:
        """Whether anything waits behind the installation."""
        return len(self.kept) < len(self.group)


def part(situation: Situation, group: Sequence[SourceCopy], needed: Iterable[Brought]) -> Parts:
    """`needed`: what steps read that come before the source."""
    wanted = set(needed)
    kept: list[SourceCopy] = []
    split: dict[int, tuple[str, ...]] = {}
    for index, copy in enumerate(group):
        own = [path for _, path in copy.files] or [copy.source + "/"]
        first = tuple(path for path in own if Brought(path, index) in wanted)
        if not first:
            continue
        if copy.into_folder and any(
            _is_source(situation, path) for path in own if path not in first
        ):
            split[index] = first
        else:
            kept.append(copy)
    return Parts(group, tuple(kept), split)


def _is_source(situation: Situation, path: str) -> bool:
    patterns = [
        pattern for ecosystem in situation.project.ecosystems for pattern in ecosystem.sources
    ]
    return any(
        fnmatchcase(f"./{path}", pattern) or fnmatchcase(path, pattern) for pattern in patterns
    )


def commute(situation: Situation, parts: Parts) -> bool:
    """Whether the lines that stay may come before all others: what both bring is the same, and
    nothing but them stands between the lines."""
    context, text, group = situation.project.context, situation.dockerfile.text, parts.group
    if not parts.kept and not parts.split:
        return True
    first = {place: own for copy in parts.kept for place, own in copy.lays(context)}
    for index, paths in (parts.split or {}).items():
        first |= {place: own for place, own in group[index].files if own in paths}
    others = [copy for copy in group if not any(copy is one for one in parts.kept)]
    if any(first.get(place, own) != own for copy in others for place, own in copy.lays(context)):
        return False
    if any(
        getattr(copy.instruction.typed, "json", False) and _end_of_target(situation, copy)
        for copy in parts.kept
    ):
        return False
    items = [copy.instruction for copy in group]
    return all(not text[one.extent.end : begin(other)].strip() for one, other in pairwise(items))


def between(situation: Situation, parts: Parts, lines: Sequence[str]) -> tuple[Edit, ...]:
    """The lines that stay in front, the new ones, and the other lines of the group."""
    eol, group = situation.dockerfile.eol, parts.group
    new = "".join(line + eol for line in lines)
    if not parts.kept and not parts.split:
        at = begin(group[0].instruction)
        return (Edit(at, at, new),)
    text = _front(situation, parts) + new + _rest(situation, parts)
    return (Edit(begin(group[0].instruction), group[-1].instruction.extent.end, text),)


def behind(
    situation: Situation,
    parts: Parts,
    moves: Moves,
    missing: Sequence[Brought],
    fetch: Sequence[str],
) -> tuple[Edit, ...]:
    """Manifests in the place of the source, or in front of the first RUN that reads them; the
    source behind the last RUN that can do without it; between the two, the lines that fetch
    dependencies ahead."""
    text, eol, group = situation.dockerfile.text, situation.dockerfile.eol, parts.group
    first, last = group[0].instruction, group[-1].instruction
    assert moves.last is not None
    start, end = begin(first), last.extent.end
    spaced = text[:start].endswith(eol * 2) and text.startswith(eol, end)
    heading = _heading(situation, group)
    moved = "".join(line + eol for line in fetch) + _rest(situation, parts, from_=heading)
    readers = list(dict.fromkeys(moves.files[path] for path in missing))
    copies = {
        reader: "".join(
            line + eol
            for line in manifest_copies(
                situation, group, [path for path in missing if moves.files[path] is reader]
            )
        )
        for reader in readers
    }
    lines = (
        text[start:heading] + _front(situation, parts) + copies.pop(_first_run(situation, last), "")
    )
    inserted = [Edit(at, at, copy) for reader, copy in copies.items() for at in [begin(reader)]]
    if not lines and spaced:
        end += len(eol)  # one blank line is enough where the source was
    place = moves.last.extent.end
    if moves.split_at is not None:
        head, tail = _cut(situation, moves.last, moves.split_at)
        gap = eol if spaced else ""
        rest = eol + gap + moved + gap + _run_prefix(moves.last) + moves.goes_to
        return (Edit(start, end, lines), *inserted, Edit(head, tail, rest))
    lead = "" if text[place - 1 : place] == "\n" else eol
    if spaced and not text[:place].endswith(eol * 2):
        lead += eol
    follows = spaced and place < len(text) and not text.startswith(eol, place)
    return (
        Edit(start, end, lines),
        *inserted,
        Edit(place, place, lead + moved + (eol if follows else "")),
    )


def _heading(situation: Situation, group: Sequence[SourceCopy]) -> int:
    """Where the lines begin that move: comments above them that speak of the installation below
    stay."""
    first, last = group[0].instruction, group[-1].instruction
    run = _first_run(situation, last)
    about = " ".join(first.text[span.start : span.end] for span in first.comments)
    beside = not run.comments and not run.text[last.extent.end : run.span.start].strip("\r\n\t ")
    joined = beside and run.text[last.extent.end : run.span.start].count("\n") == 0
    return first.extent.start if joined and _ABOUT_PACKAGES.search(about) else begin(first)


def _front(situation: Situation, parts: Parts) -> str:
    """The lines that stay, and the first halves of those that are split."""
    eol = situation.dockerfile.eol
    return "".join(
        _as_written(situation, copy)
        if any(copy is one for one in parts.kept)
        else folded(situation, _line_of(copy, (parts.split or {})[index])) + eol
        for index, copy in enumerate(parts.group)
        if index in (parts.split or {}) or any(copy is one for one in parts.kept)
    )


def _rest(situation: Situation, parts: Parts, from_: int | None = None) -> str:
    """The lines that wait, with their comments and blank lines. `from_`: where the first of the
    group begins."""
    text, eol = situation.dockerfile.text, situation.dockerfile.eol
    first, last = parts.group[0].instruction, parts.group[-1].instruction
    start = begin(first) if from_ is None else from_
    if not parts.kept and not parts.split:
        moved = text[start : last.extent.end]
        return moved if moved.endswith("\n") else moved + eol
    found = ""
    for index, copy in enumerate(parts.group):
        if any(copy is one for one in parts.kept):
            continue
        item = copy.instruction
        at = start if item is first else begin(item)
        if found and text[:at].endswith(eol * 2):
            found += eol
        found += text[at : item.extent.start] if index in (parts.split or {}) else ""
        found += (
            _second_half(situation, copy, parts, index)
            if index in (parts.split or {})
            else _as_written(situation, copy, at)
        )
    return found


def _second_half(situation: Situation, copy: SourceCopy, parts: Parts, index: int) -> str:
    """The line without what comes first; as it is where its words are patterns."""
    own = [path for _, path in copy.files]
    typed = copy.instruction.typed
    assert isinstance(typed, Copy)
    plain = len(typed.sources) == len(own) and not typed.json
    first = (parts.split or {})[index]
    rest = [str(word) for word, path in zip(typed.sources, own, strict=False) if path not in first]
    if not plain:
        return _as_written(situation, copy, copy.instruction.extent.start)
    return folded(situation, _line_of(copy, rest)) + situation.dockerfile.eol


def _line_of(copy: SourceCopy, words: Sequence[str]) -> str:
    base = (
        copy.written
        if copy.written.endswith("/") or copy.written in (".", "..")
        else copy.written + "/"
    )
    return f"{_prefix(copy)}{' '.join(words)} {'./' if base == '.' else base}"


def _prefix(copy: SourceCopy) -> str:
    """Keyword and flags, as they are written, on one line."""
    item = copy.instruction
    prefix = item.text[item.extent.start : item.value_span.start]
    return re.sub(r"\s*[\\`]\r?\n\s*", " ", prefix.replace("ADD", "COPY").replace("add", "copy"))


def _as_written(situation: Situation, copy: SourceCopy, at: int | None = None) -> str:
    """The instruction with its comments; what goes into a folder says so, for the line that would
    have made the folder may come later now."""
    text, eol = situation.dockerfile.text, situation.dockerfile.eol
    item, end = copy.instruction, _end_of_target(situation, copy)
    slash = "" if end is None else "/"
    end = item.extent.end if end is None else end
    line = text[begin(item) if at is None else at : end] + slash + text[end : item.extent.end]
    return line if line.endswith("\n") else line + eol


def _end_of_target(situation: Situation, copy: SourceCopy) -> int | None:
    """Where the folder's name ends in the file, if it needs a slash; WORKDIR makes its own
    folder."""
    here = workdir_at(situation.dockerfile.scope_at(copy.instruction))
    made = f"{here.rstrip('/')}/".startswith(f"{copy.folder.rstrip('/')}/")
    typed = copy.instruction.typed
    assert isinstance(typed, Copy)
    return (
        typed.destination.span.end
        if copy.into_folder and not copy.written.endswith("/") and not made
        else None
    )


def _first_run(situation: Situation, source: Instruction) -> Instruction:
    """The first RUN behind the source."""
    items = situation.dockerfile.stages[source.stage].instructions
    return next(
        item for item in items if item.keyword == "RUN" and item.span.start > source.span.start
    )


def begin(instruction: Instruction) -> int:
    """Where it starts in the file, its comments included."""
    return instruction.comments[0].start if instruction.comments else instruction.extent.start


def _cut(situation: Situation, run: Instruction, index: int) -> tuple[int, int]:
    """From the end of the last command that moves to the begin of the first that stays."""
    commands = script_of(situation.dockerfile, run).commands
    return commands[index - 1].span.end, commands[index].span.start


def _run_prefix(run: Instruction) -> str:
    """The keyword and flags of the RUN, as they are written."""
    return run.text[run.span.start : run.value_span.start]


def manifest_copies(
    situation: Situation, group: Sequence[SourceCopy], files: Iterable[Brought]
) -> list[str]:
    """One COPY per folder of manifests, in the style of the COPY that brings them; a whole folder
    has its own."""
    folders: dict[tuple[int, str], list[str]] = {}
    for path, index in files:
        key = path if path.endswith("/") else posixpath.dirname(path)
        folders.setdefault((index, key), []).append(path)
    return [
        folded(situation, _copy_line(group[index], folder, paths))
        for (index, folder), paths in folders.items()
    ]


def _copy_line(copy: SourceCopy, folder: str, paths: Sequence[str]) -> str:
    inside = posixpath.relpath(folder.rstrip("/") or ".", copy.source or ".")
    base = copy.written if copy.written.endswith("/") else copy.written + "/"
    whole = folder.endswith("/")
    target = base if inside == "." else posixpath.join(base, inside) + ("" if whole else "/")
    sources = " ".join(path.rstrip("/") for path in paths)
    return f"{_prefix(copy)}{sources} {'./' if target in ('./', './/') else target}"


def folded(situation: Situation, line: str) -> str:
    """A COPY on several lines where it is too long for one."""
    if len(line) <= WIDTH:
        return line
    glue = f" {situation.dockerfile.escape}{situation.dockerfile.eol}"
    done: list[str] = []
    for word in line.split(" "):
        if done and len(done[-1]) + 1 + len(word) + 2 <= WIDTH:
            done[-1] += f" {word}"
        else:
            done.append(f"    {word}" if done else word)
    return glue.join(done)
