"""How an explanation of a miss is shown: the line, the cause, the paths, the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgopt.report.common import code_markdown, safe_markdown, safe_terminal, without_instruction
from imgopt.results.explain import ChangedPath, ExplainResult

if TYPE_CHECKING:
    from rich.console import RenderableType

_SHOWN = 12
_STYLES = {"hit": "green", "miss": "red", "unknown": "yellow"}
_WORDS = {
    "hit": "is found in the cache",
    "miss": "runs again",
    "unknown": "may run again: only a build can tell",
}


def text(result: ExplainResult) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.layout import Words

    lines: list[RenderableType] = [
        Words(safe_terminal(_headline(result)), style=f"bold {_STYLES[result.verdict]}")
    ]
    lines += [Words(safe_terminal(line)) for line in _body(result)]
    lines += [Words(f"  {safe_terminal(one.detail)}") for one in _shown(result)]
    more = len(result.changed) - _SHOWN + result.changed_more
    if more > 0:
        lines.append(Words(f"  and {more} more", style="dim"))
    lines += [
        Words(f"trap {one.name}: {safe_terminal(one.advice)}", style="yellow")
        for one in result.traps
    ]
    return Group(*lines)


def _shown(result: ExplainResult) -> list[ChangedPath]:
    """The changed paths; none where the cause has said the only one."""
    said = _cause(result)
    return (
        []
        if len(result.changed) == 1 and said == result.changed[0].detail
        else result.changed[:_SHOWN]
    )


def _cause(result: ExplainResult) -> str:
    """Without the instruction, which the lines above name."""
    return without_instruction(
        result.cause or result.reason, result.first_instruction or result.instruction or ""
    )


def _headline(result: ExplainResult) -> str:
    if result.line is None:
        return f"Every step is found in the cache, compared with {result.compared_with}"
    return (
        f"line {result.line} {_WORDS[result.verdict]}, compared with {result.compared_with}:"
        f" {result.instruction}"
    )


def _body(result: ExplainResult) -> list[str]:
    found = []
    if result.first_line is not None and result.first_line != result.line:
        found.append(f"it starts at line {result.first_line}: {result.first_instruction}")
    if result.verdict != "hit" and (result.cause or result.reason):
        found.append(f"because {_cause(result)}")
    elif result.line is not None:
        found.append(result.reason)
    return found


def markdown(result: ExplainResult) -> str:
    """For a pull request."""
    parts = [
        f"**{safe_markdown(_headline(result))}**",
        "\n".join(f"- {safe_markdown(line)}" for line in _body(result)),
        "\n".join(
            f"- {code_markdown(one.path)}: {safe_markdown(one.detail)}" for one in _shown(result)
        ),
        "\n".join(
            f"- **{safe_markdown(one.name)}**: {safe_markdown(one.advice)}" for one in result.traps
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
