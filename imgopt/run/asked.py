"""What a run was asked, for the results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from imgopt.image.entries import printable
from imgopt.results.asked import Asked, AskedRequest
from imgopt.run.observation import Observation
from imgopt.run.probes import Probe

_ORDER = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "WebSocket")


def asked_of(runs: Sequence[Observation]) -> Asked:
    """From the first run of the original, which the others follow."""
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
    return Asked(line=line, requests=requests, unasked=list(map(printable, first.plan.unasked)))


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
