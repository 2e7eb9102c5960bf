"""The text of a pull request for a proven variant: what changes, why, the proof in a few lines, and
what to know before it is shipped."""

from __future__ import annotations

from imgopt.report.common import (
    block_markdown,
    code_markdown,
    new_user_text,
    safe_markdown,
)
from imgopt.report.file_diff import change_lines
from imgopt.report.lives import line
from imgopt.report.words import edit_text, recommended, sizes_text, times_text
from imgopt.results.optimize import OptimizeResult, Variant
from imgopt.results.size_text import NOT_MEASURED, size_text

_MOST_CHANGES = 12
_TIMED = {"cold": "build without cache", "edit-source": "rebuild after an edit of the source"}


def pr(result: OptimizeResult) -> str:
    """Markdown, to be pasted or handed to `gh pr create --body-file`."""
    best = recommended(result)
    if best is None:
        said = result.message.splitlines()[0] if result.message else result.verdict
        return f"Nothing to propose: {safe_markdown(said)}\n"
    parts = [
        f"{safe_markdown(_gain(result, best))}\n",
        f"### What changes, and why\n\n{_changes(best)}",
        f"### Proof\n\n{_proof(result, best)}",
        f"### Before you ship it\n\n{_before_shipping(result, best)}",
        "<details><summary>The change</summary>\n\n"
        + block_markdown(
            "\n".join(change_lines(result, best)),
            "diff",
        )
        + "\n\n</details>\n",
    ]
    return "\n".join(parts)


def _gain(result: OptimizeResult, best: Variant) -> str:
    edit = edit_text(result, best)
    after = f" After an edit of the source: {edit}." if edit else ""
    return f"The image shrinks: {sizes_text(result.original.sizes, best.sizes)}.{after}"


def _changes(best: Variant) -> str:
    rows = [
        f"- {code_markdown(change.strategy)}"
        + (f", line {change.line}" if change.line else "")
        + f": {safe_markdown(change.because)}"
        for change in best.changes[:_MOST_CHANGES]
    ]
    more = len(best.changes) - _MOST_CHANGES
    rows += [f"- and {more} more, in the diff below"] if more > 0 else []
    return "\n".join([*rows, ""])


def _proof(result: OptimizeResult, best: Variant) -> str:
    """At most five lines."""
    passed = [check.name for check in best.checks if check.verdict == "passed"]
    unknown = [check.name for check in best.checks if check.verdict == "not measured"]
    before, after = result.original.sizes, best.sizes
    rows = [
        f"- Both files were built, both images run and asked the same: {len(passed)} checks passed,"
        f" among them {', '.join(passed[:3])}."
    ]
    asked = result.asked
    if asked.line:
        said = asked.line.removeprefix("asked: ")
        own = f"; the project's own {asked.tests}" if asked.tests else ""
        rows.append(f"- Asked: {safe_markdown(said + own)}")
    if best.lives is not None:
        rows.append(f"- Later edits, on copies: {safe_markdown(line(best.lives))}.")
    if before is not None and after is not None:
        rows.append(f"- Files in the image: {size_text(before.live)} → {size_text(after.live)}.")
    for name, said in _TIMED.items():
        timed = times_text(best.timings.get(name))
        if timed != NOT_MEASURED:
            rows.append(f"- {said.capitalize()}: {timed}.")
    if unknown:
        rows = [*rows[:4], f"- Not measured: {', '.join(unknown)}."]
    return "\n".join([*rows[:5], ""])


def _before_shipping(result: OptimizeResult, best: Variant) -> str:
    user = new_user_text(result.original.user, best.user)
    rows = [f"- {safe_markdown(user)}"] if user else []
    if best.base:
        rows.append(
            f"- The base is now {code_markdown(best.base)}: what is called by hand in a container"
            " (a shell, curl) may not be there."
        )
    if result.asked.unasked:
        rows += [f"- Not asked: {safe_markdown(line)}" for line in result.asked.unasked[:3]]
    rows += [f"- {safe_markdown(skip.reason)}" for skip in best.skips if "left out:" in skip.reason]
    return "\n".join([*(rows or ["- Nothing: it does what the original does."]), ""])
