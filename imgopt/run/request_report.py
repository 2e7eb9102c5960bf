"""What a run was asked, for the results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.entries import printable
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.own_tests import own_tests
from imgopt.inspect.sources.texts import source_texts
from imgopt.inspect.start.started import started_program
from imgopt.results.asked import Asked, AskedRequest
from imgopt.run.observation import Observation
from imgopt.run.own_run import told
from imgopt.run.probes import Probe
from imgopt.run.runs import Runs
from imgopt.run.settings import SmokeSettings

_ORDER = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "WebSocket")


_MOST_UNREAD = 200


def asked_of(
    runs: Sequence[Observation],
    original: ImageView,
    settings: SmokeSettings | None = None,
    context: Path | None = None,
) -> Asked:
    """From the first run of the original, which the others follow. In `context` tests are looked
    for where the settings name none."""
    if not runs:
        return Asked()
    first = runs[0]
    requests = [
        AskedRequest(
            name=printable(answer.probe.name), source=answer.probe.source, status=answer.status
        )
        for answer in first.answers
    ]
    line = _line([answer.probe for answer in first.answers])
    read, unread = sources_read(runs, original)
    return Asked(
        line=line,
        requests=requests,
        unasked=list(map(printable, [*first.plan.unasked, *_untested(settings)])),
        reached=_reached(read, len(unread), original),
        unread=list(map(printable, unread[:_MOST_UNREAD])) if read else [],
        tests=printable(f"tests: {told(first.tests)}") if first.tests is not None else "",
        tests_offer=_offer(settings, context),
    )


def _untested(settings: SmokeSettings | None) -> list[str]:
    if settings is None or settings.tests != "":
        return []
    return ["the project's own tests are not run: --no-writes, or no command for them"]


def _offer(settings: SmokeSettings | None, context: Path | None) -> str:
    if settings is None or settings.tests is not None or context is None:
        return ""
    command, one = own_tests(context)
    if not command:
        return ""
    line = f"tests = {json.dumps(command, ensure_ascii=False)}"
    return printable(f"{one} asks a service: `{line}` under [smoke] runs such tests against both")


def _reached(read: int, unread: int, original: ImageView) -> str:
    if read:
        return f"reached: {read} of {read + unread} source files"
    if started_program(original) == "compiled":
        return "reached: not measured, for of a compiled program no file tells what ran"
    return ""


def sources_read(runs: Sequence[Observation], original: ImageView) -> tuple[int, list[str]]:
    """How many of the application's sources were opened, and the others; 0 where none was, so that
    nothing is known of them."""
    opened = Runs(tuple(runs)).opened
    if opened is None:
        return 0, []
    endings = tuple(ending for one in builtin_ecosystems() for ending in one.interpreted)
    sources = [path for path, _ in source_texts(original) if path.endswith(endings)]
    unread = [path for path in sources if path not in opened.files]
    return len(sources) - len(unread), unread


def _line(probes: Sequence[Probe]) -> str:
    """`asked: 12 GET, 4 POST, 1 command`."""
    kinds = Counter(map(_kind, probes))
    known = [kind for kind in _ORDER if kind in kinds]
    others = sorted(kinds.keys() - set(_ORDER))
    said = [f"{kinds[kind]} {kind}" for kind in known]
    said += [f"{kinds[kind]} {kind}{'s' if kinds[kind] > 1 else ''}" for kind in others]
    return f"asked: {', '.join(said)}" if said else "asked: nothing"


def _kind(probe: Probe) -> str:
    kinds = {"websocket": "WebSocket", "tcp": "connection", "command": "command"}
    return kinds.get(probe.kind, probe.method)
