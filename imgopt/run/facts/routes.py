"""Which paths a service answers, which of them say how it is, and whom it asks for that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from imgopt.results.run_facts import Route
from imgopt.run.facts.known import known
from imgopt.run.facts.reaches import Reaches
from imgopt.run.probes import UNKNOWN_PATH, Answer, Probe, get

PATIENCE = 5.0
_MOST_ROUTES = 40
_MISSES = (400, 401, 403, 404, 405, 406, 410, 426, 501)
_ELSEWHERE = (301, 302, 303, 307, 308)
_ERROR = 400
_MOST_HEALTH_BYTES = 4096
_SAYS_HOW_IT_IS = re.compile(
    rb'"?(?:status|health|state)"?\s*:\s*"?(?:up|ok|healthy|pass|alive|running|serving|ready)\b',
    re.IGNORECASE,
)
_METRIC_HEAD = re.compile(rb"^# (?:HELP|TYPE) [a-zA-Z_:]", re.MULTILINE)
_METRIC = re.compile(rb"^[a-zA-Z_:][\w:]*(?:\{[^}\n]*\})? [-+0-9.eE]+(?: \d+)?\s*$", re.MULTILINE)
_LEAST_METRICS = 3
_ADDRESS = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?(/[^\s'\"|;]*)"
)


class Routes:
    """Of a running container. `speaking` are its ports' first answers that are HTTP, `published`
    the ports of this machine that lead to them, `words` what its own health check says."""

    def __init__(
        self, speaking: Sequence[Probe], published: Mapping[int, int], words: Sequence[str]
    ) -> None:
        self._speaking, self._published = speaking, published
        self._named = [path for word in words for path in _ADDRESS.findall(word)]

    def health(self, reaches: Reaches) -> Iterator[Route]:
        """Those that tell how it is, by their names and by the image's own check."""
        for front in self._speaking:
            unknown = self._ask(front, UNKNOWN_PATH)
            for path in self._candidates():
                answer = self._ask(front, path)
                if answer.status in _ELSEWHERE:
                    answer = self._ask(front, _moved(answer) or path)
                if path in self._named or tells_something(answer, unknown):
                    yield self._route(answer, reaches)

    def metrics(self) -> str:
        """The path where Prometheus's text format is answered; "" for none."""
        for front in self._speaking:
            for path in known().metrics:
                answer = self._ask(front, path)
                if answer.status == 200 and is_metrics(answer.body):
                    return path
        return ""

    def _candidates(self) -> tuple[str, ...]:
        names = known()
        return tuple(
            dict.fromkeys((*self._named, *names.health, *names.liveness, *names.readiness))
        )

    def _ask(self, front: Probe, path: str) -> Answer:
        probe = replace(front, path=path, text=None, source="found")
        return get(probe, self._published[front.port], PATIENCE)

    def _route(self, answer: Answer, reaches: Reaches) -> Route:
        probe = answer.probe
        asked = reaches.during(lambda: get(probe, self._published[probe.port], PATIENCE))
        return Route(
            path=probe.path,
            port=probe.port,
            status=answer.status or 0,
            seconds=answer.seconds,
            is_health=True,
            reaches=asked,
            fits=fits(probe.path, answer.status or 0, asked),
        )


def fits(path: str, status: int, reaches: Sequence[str]) -> str:
    """What a probe may take it for: what asks others is readiness, never liveness; what says an
    error is neither."""
    if not 200 <= status < _ERROR:
        return ""
    return "readiness" if reaches or path.rstrip("/") in known().readiness else "liveness"


def tells_something(answer: Answer, unknown: Answer) -> bool:
    """Whether the service knows the path: it does not answer as it does for any."""
    if answer.status is None or answer.status in (*_MISSES, *_ELSEWHERE):
        return False
    if answer.status >= 500 and answer.status != 503:
        return False
    if answer.status == unknown.status:
        html = "html" in answer.header("content-type") and "html" in unknown.header("content-type")
        return not html and answer.body != unknown.body
    return True


def is_metrics(body: bytes) -> bool:
    """Whether it is Prometheus's text format."""
    return bool(_METRIC_HEAD.search(body)) or len(_METRIC.findall(body)) >= _LEAST_METRICS


def others(answers: Iterable[Answer], known_paths: Iterable[tuple[int, str]]) -> list[Route]:
    """Further paths that were answered well; one whose body says how the service is counts as
    health, though nobody asked alone for what it reaches."""
    taken = set(known_paths)
    found = []
    for answer in answers:
        probe = answer.probe
        good = answer.status is not None and 200 <= answer.status < _ERROR
        place = (probe.port, probe.path)
        if not good or not probe.plain or probe.path == UNKNOWN_PATH or place in taken:
            continue
        taken.add(place)
        found.append(
            Route(
                path=probe.path,
                port=probe.port,
                status=answer.status or 0,
                seconds=answer.seconds,
                is_health=says_how_it_is(answer),
            )
        )
    return found[:_MOST_ROUTES]


def says_how_it_is(answer: Answer) -> bool:
    """Whether a short answer in JSON or text tells a state."""
    short = len(answer.body) <= _MOST_HEALTH_BYTES
    html = "html" in answer.header("content-type")
    return short and not html and _SAYS_HOW_IT_IS.search(answer.body) is not None


def _moved(answer: Answer) -> str:
    """Where a redirect to the same path with a slash leads; "" for others, which mostly lead to a
    log-in page."""
    target = urlsplit(answer.header("location")).path
    return target if target.rstrip("/") == answer.probe.path.rstrip("/") else ""
