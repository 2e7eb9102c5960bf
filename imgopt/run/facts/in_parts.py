"""Whether an answer comes in parts over time: events, or pieces with pauses between them."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise

from imgopt.run.facts.doors import Door
from imgopt.run.probes import Answer, Probe

_STREAMS = ("text/event-stream", "application/x-ndjson", "application/stream+json")
_LISTENED = 3.0
_PAUSE = 0.04
_LEAST_PAUSES = 2
_SLOW = 0.15
_MOST_ASKED = 5


def is_stream(answer: Answer) -> bool:
    """By its kind alone."""
    return answer.status == 200 and answer.header("content-type").startswith(_STREAMS)


def worth_listening(answers: Iterable[Answer]) -> list[Probe]:
    """The slowest of the good answers, which may have come in parts."""
    slow = [
        answer
        for answer in answers
        if answer.probe.plain and answer.status == 200 and answer.seconds >= _SLOW
    ]
    return [one.probe for one in sorted(slow, key=lambda one: -one.seconds)[:_MOST_ASKED]]


def comes_in_parts(door: Door, path: str) -> bool:
    """Asks once more and notes when each piece comes; never raises for what the container does."""
    connection = door.http(_LISTENED)
    times: list[float] = []
    end = time.monotonic() + _LISTENED
    try:
        connection.request("GET", path, headers={"User-Agent": "imgopt"})
        response = connection.getresponse()
        while time.monotonic() < end and response.read1(1 << 16):
            times.append(time.monotonic())
    except (OSError, http.client.HTTPException, ValueError):
        pass
    finally:
        connection.close()
    return has_pauses(times)


def has_pauses(times: Sequence[float]) -> bool:
    """Whether there were at least two pauses between the pieces."""
    pauses = (later - earlier for earlier, later in pairwise(times))
    return sum(pause >= _PAUSE for pause in pauses) >= _LEAST_PAUSES
