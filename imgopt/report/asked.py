"""What was asked, in a line, and each request that may change something with what the original
answered."""

from __future__ import annotations

from imgopt.report.common import safe_markdown, safe_terminal
from imgopt.report.layout import Words
from imgopt.results.asked import Asked, AskedRequest

_SHOWN = 12
_NAMED = 4


def asked_text(asked: Asked) -> list[Words]:
    """For a terminal: the line, what changes something, and what was not asked."""
    if not asked.line:
        return []
    told = (asked.line, changes(asked), *_tests(asked), reached(asked))
    lines = [safe_terminal(line) for line in told if line]
    return [Words(line, style="dim") for line in (*lines, *map(safe_terminal, asked.unasked))]


def asked_markdown(asked: Asked) -> list[str]:
    """The same as a folded list of everything."""
    if not asked.line:
        return []
    rows = [f"- {safe_markdown(_with_answer(request))}" for request in asked.requests]
    rows += [
        f"- {safe_markdown(line)}"
        for line in (*asked.unasked, *_tests(asked), reached(asked))
        if line
    ]
    summary = f"<details><summary>{safe_markdown(asked.line)}</summary>"
    return [summary, "", *rows, "", "</details>", ""]


def _tests(asked: Asked) -> tuple[str, str]:
    return asked.tests, asked.tests_offer


def reached(asked: Asked) -> str:
    """The line, with what was not reached by name."""
    if not asked.unread:
        return asked.reached
    more = f", and {len(asked.unread) - _NAMED} more" if len(asked.unread) > _NAMED else ""
    return f"{asked.reached}; not read: {', '.join(asked.unread[:_NAMED])}{more}"


def changes(asked: Asked) -> str:
    """`POST :8000/notes (201), ...`; "" where nothing but GET was asked."""
    wanted = [one for one in asked.requests if not one.name.startswith(_READING)]
    shown = ", ".join(map(_with_answer, wanted[:_SHOWN]))
    more = f", and {len(wanted) - _SHOWN} more" if len(wanted) > _SHOWN else ""
    return shown + more


_READING = ("GET ", "HEAD ", "OPTIONS ", "connect ", "run: ", "HEALTHCHECK")


def _with_answer(request: AskedRequest) -> str:
    return f"{request.name} ({'no answer' if request.status is None else request.status})"
