"""The result of `imgopt lives`, and the one line that other results say of later edits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding

from imgopt.report.common import safe_markdown, safe_terminal, table_markdown
from imgopt.report.layout import Column, Grid, Words
from imgopt.results.lives import History, LaterEdit, Lives, LivesResult, Past

_RANK = {"breaks": 0, "not tried": 1, "holds": 2, "does not count": 3, "does not apply": 4}
_MARKS = {
    "breaks": ("breaks", "bold red"),
    "holds": ("holds", "bold green"),
    "not tried": ("not tried", "yellow"),
}
_HEADS = {"lives": "bold green", "breaks": "bold red", "unproven": "bold yellow"}


def text(result: LivesResult) -> RenderableType:
    """What breaks first, then what holds, then what says nothing."""
    parts: list[RenderableType] = [_headline(result)]
    for lives in result.candidates:
        parts.append(Words(safe_terminal(f"{lives.name}: {line(lives)}"), style="bold"))
        parts.append(Padding(_table(lives), (0, 0, 1, 0)))
    for found in result.history:
        parts.append(Words(safe_terminal(f"{found.name}: {past_line(found)}"), style="bold"))
        parts += [Words(f"  {_past(one)}") for one in found.commits if one.verdict != "holds"]
    return Group(*parts)


def markdown(result: LivesResult) -> str:
    """The same for a pull request comment."""
    lines = [f"### imgopt: {result.verdict}: {safe_markdown(result.message)}", ""]
    for lives in result.candidates:
        rows = [
            [one.name, safe_markdown(one.means), one.verdict, safe_markdown(why(one))]
            for one in ranked(lives.edits)
        ]
        lines += [f"**{safe_markdown(lives.name)}**: {safe_markdown(line(lives))}", ""]
        lines += [table_markdown(["later edit", "what changes", "", "why"], rows), ""]
    for found in result.history:
        lines += [f"**{safe_markdown(found.name)}**: {safe_markdown(past_line(found))}", ""]
        rest = [one for one in found.commits if one.verdict != "holds"]
        lines += [*(f"- {safe_markdown(_past(one))}" for one in rest), ""]
    return "\n".join(lines)


def line(lives: Lives) -> str:
    """All of them in a sentence."""
    if lives.why_not:
        return f"not tried: {lives.why_not}"
    counts = Counter(one.verdict for one in lives.edits)
    held, broken = counts["holds"], counts["breaks"]
    if not held + broken:
        return "no later edit could be tried"
    names = [one.name for one in lives.edits if one.verdict == "breaks"]
    said = f"{held} of {held + broken} later edits hold"
    said += f" (broken: {', '.join(names)})" if names else ""
    for verdict in ("not tried", "does not count", "does not apply"):
        said += f", {counts[verdict]} {_SHORT[verdict]}" if counts[verdict] else ""
    return said


_SHORT = {
    "not tried": "not tried",
    "does not count": "that the original does not survive",
    "does not apply": "that this project has nothing for",
}


def past_line(found: History) -> str:
    """ "holds for the last 8 commits that changed what is installed" """
    tried = [one for one in found.commits if one.verdict in ("holds", "breaks")]
    broken = [one for one in tried if one.verdict == "breaks"]
    ended = f" ({found.ended})" if found.ended else ""
    if not tried:
        return f"no commit could be tried{ended}"
    installs = sum(one.installs for one in tried)
    about = "that changed manifests, sources or data"
    if installs == len(tried):
        about = "that changed what is installed"
    elif installs:
        about += f", {installs} of them what is installed"
    if broken:
        return f"breaks for {len(broken)} of the last {len(tried)} commits {about}{ended}"
    return f"holds for the last {len(tried)} commits {about}{ended}"


def ranked(edits: Iterable[LaterEdit]) -> list[LaterEdit]:
    return sorted(edits, key=lambda one: _RANK.get(one.verdict, 9))


def _headline(result: LivesResult) -> Words:
    head = Words()
    head.append(f"{result.verdict}: ", style=_HEADS.get(result.verdict, "bold"))
    head.append(safe_terminal(result.message))
    return head


def _table(lives: Lives) -> Grid:
    columns = [Column(), Column(), Column(wraps=True)]
    return Grid(columns, [_row(one) for one in ranked(lives.edits)])


def _row(one: LaterEdit) -> tuple[str | Words, ...]:
    word, style = _MARKS.get(one.verdict, (one.verdict, "dim"))
    said = why(one) or one.means
    return (f"  {safe_terminal(one.name)}", Words(word, style=style), safe_terminal(said))


def why(one: LaterEdit | Past) -> str:
    """What failed, and how."""
    return ": ".join(filter(None, (one.check, one.detail)))


def _past(one: Past) -> str:
    said = safe_terminal(f"{one.commit[:10]} {one.verdict}: {why(one)}")
    return f"{said} ({safe_terminal(', '.join(one.changed))})" if one.changed else said
