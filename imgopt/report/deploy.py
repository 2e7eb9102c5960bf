"""The result of `imgopt deploy compose|kubernetes`: which files, what they set, and why."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding

from imgopt.report.common import count_text, safe_markdown, safe_terminal, table_markdown
from imgopt.report.layout import Column, Grid, Words
from imgopt.results.deploy import LEVELS, DeployFile, DeployFiles, Figure

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def text(result: DeployFiles) -> RenderableType:
    """What was measured first, then warnings, the gravest first, then the files."""
    parts: list[RenderableType] = [Words(safe_terminal(headline(result)), style="bold"), Words("")]
    rows: list[tuple[str | Words, ...]] = [_row(one) for one in ranked(result.figures)]
    if rows:
        grid = Grid([Column(), Column(), Column(wraps=True)], rows)
        parts.append(Padding(grid, (0, 0, 1, 0)))
    for level in LEVELS:
        for one in result.remarks:
            if one.level == level:
                said = Words(f"{level}: ", style=_STYLES[level])
                parts.append(said.append(safe_terminal(_remark(one.message, one.fix))))
    for refused in result.refused:
        parts.append(Words(safe_terminal(f"not written: {refused.what}: {refused.reason}")))
    parts.append(Words(""))
    parts += [
        Words(safe_terminal(f"{one.change:<9} {one.path}: {one.does}")) for one in result.files
    ]
    if not result.folder:
        parts += [Words(line) for file in result.files for line in _shown(file)]
    parts += [Words(""), Words(safe_terminal(next_step(result)))]
    return Group(*parts)


def headline(result: DeployFiles) -> str:
    """One sentence: whose files, how many, from which run."""
    files = count_text(len(result.files), "file")
    done = f"written to {result.folder}" if result.folder else "not written (--out DIR writes them)"
    return f"{result.name} for {result.target}: {files}, {done}; from {result.measured}"


def next_step(result: DeployFiles) -> str:
    return f"next: imgopt deploy prove {result.folder or 'DIR'}"


def ranked(figures: list[Figure]) -> list[Figure]:
    """What was measured before what is a rule, each thing once."""
    once = {(one.name, one.value): one for one in reversed(figures)}
    kept = [one for one in figures if once.get((one.name, one.value)) is one]
    return sorted(kept, key=lambda one: not one.measured)


def markdown(result: DeployFiles) -> str:
    """The same for a ticket or a pull request."""
    rows = [
        [safe_markdown(one.name), safe_markdown(one.value), safe_markdown(one.origin)]
        for one in ranked(result.figures)
    ]
    lines = [f"### imgopt: {safe_markdown(headline(result))}", ""]
    lines += [table_markdown(["what is set", "to", "from"], rows), ""]
    lines += [
        f"- **{one.level}**: {safe_markdown(_remark(one.message, one.fix))}"
        for level in LEVELS
        for one in result.remarks
        if one.level == level
    ]
    lines += [
        f"- not written: {safe_markdown(one.what)}: {safe_markdown(one.reason)}"
        for one in result.refused
    ]
    lines += ["", table_markdown(["file", "", "what for"], [_file(one) for one in result.files])]
    lines += ["", f"{safe_markdown(next_step(result))}", ""]
    return "\n".join(lines)


def _row(one: Figure) -> tuple[str | Words, ...]:
    return (
        f"  {safe_terminal(one.name)}",
        safe_terminal(one.value),
        Words(safe_terminal(one.origin), style="" if one.measured else "dim"),
    )


def _remark(message: str, fix: str) -> str:
    return f"{message} ({fix})" if fix else message


def _file(one: DeployFile) -> list[str]:
    return [safe_markdown(one.path), one.change, safe_markdown(one.does)]


def _shown(file: DeployFile) -> Iterator[str]:
    """A new file whole, a changed one as a difference."""
    if file.change == "unchanged":
        return
    yield ""
    if file.before is None:
        yield safe_terminal(f"--- {file.path}")
        yield from (safe_terminal(line) for line in file.text.splitlines())
    else:
        before, after = file.before.splitlines(), file.text.splitlines()
        names = (file.path, f"{file.path} with what the run showed")
        for line in difflib.unified_diff(before, after, *names, lineterm=""):
            yield safe_terminal(line)
