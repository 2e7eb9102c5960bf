"""Reads what `docker buildx build --progress=rawjson` writes: one JSON object of BuildKit's
SolveStatus per line.

The same vertex comes with several intervals (a cache probe, then the run): it is a hit if any of
them is `cached`, and its time is the last interval. Vertices that are no Dockerfile step
(`[internal] ...`, exports, pulls) are not steps.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

import msgspec

_STEP = re.compile(
    r"\[(?:(?P<stage>\S+) )? *(?P<index>\d+)/(?P<total>\d+)\] (?P<name>.*)", re.DOTALL
)
_PLATFORM = re.compile(r"\[[a-z0-9]+/[a-z0-9]+(?:/v\d+)? ")
_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+)")
_NANOSECONDS = re.compile(r"\.(\d{1,6})\d*")
LOG_LINES = 60
LOG_LINE_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Step:
    """One cacheable step. `stage` is "" in a file with one unnamed stage. `index` is BuildKit's:
    FROM is 1, unless the base comes from a named context, then the next one is. A FROM may carry
    the place that a build running at the same time has for it: tell steps by their names and order.
    `seconds` is None for what never ran; `started` and `completed` are seconds since the epoch."""

    stage: str
    index: int
    total: int
    name: str
    digest: str
    started: float | None
    completed: float | None
    cached: bool
    error: str
    log: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Of the last run, 0.0 for a hit."""
        if self.cached:
            return 0.0
        if self.started is None or self.completed is None:
            return None
        return max(0.0, self.completed - self.started)

    @property
    def keyword(self) -> str:
        """The instruction, in upper case."""
        return self.name.split(maxsplit=1)[0].upper() if self.name.split() else ""


@dataclass(frozen=True, slots=True)
class BuildEvent:
    """What a progress display needs: a step (or another activity, `step` None) started, wrote a
    line, or ended."""

    kind: Literal["started", "output", "finished"]
    name: str
    step: Step | None
    text: str = ""


@dataclass(slots=True)
class _Vertex:
    digest: str
    name: str = ""
    started: float | None = None
    completed: float | None = None
    cached: bool = False
    error: str = ""
    rest: str = ""
    log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    def step(self) -> Step | None:
        match = _STEP.match(_PLATFORM.sub("[", self.name, count=1))
        if match is None or match["stage"] in ("internal", "auth"):
            return None
        return Step(
            stage=match["stage"] or "",
            index=int(match["index"]),
            total=int(match["total"]),
            name=match["name"],
            digest=self.digest,
            started=self.started,
            completed=self.completed,
            cached=self.cached,
            error=self.error,
            log=tuple(self.log) + ((self.rest,) if self.rest else ()),
        )


class Progress:
    """Collects the lines of one build; `on_event` hears of every change."""

    def __init__(self, on_event: Callable[[BuildEvent], None] | None = None) -> None:
        self._vertices: dict[str, _Vertex] = {}
        self._on_event = on_event
        self._plain: deque[str] = deque(maxlen=400)

    def feed(self, line: str) -> None:
        """Takes one line; what is no JSON is buildx's own message (errors with their source
        lines)."""
        try:
            data = msgspec.json.decode(line)
        except msgspec.DecodeError:
            data = None
        if not isinstance(data, dict):
            self._plain.append(line.rstrip("\r\n"))
            return
        for vertex in _dicts(data.get("vertexes")):
            self._see(vertex)
        for log in _dicts(data.get("logs")):
            self._write(log)

    def steps(self) -> tuple[Step, ...]:
        """In the order in which BuildKit named them, each stage's steps by their number."""
        found = [step for vertex in self._vertices.values() if (step := vertex.step())]
        found = _with_own_base(found)
        stages = list(
            dict.fromkeys(
                step.stage for step in sorted(found, key=lambda s: s.started or float("inf"))
            )
        )
        return tuple(
            sorted(found, key=lambda s: (stages.index(s.stage), s.keyword != "FROM", s.index))
        )

    def activities(self) -> dict[str, float]:
        """Seconds of what is no step (`exporting to image`, `[internal] load build context`), by
        name."""
        return {
            vertex.name: vertex.completed - vertex.started
            for vertex in self._vertices.values()
            if vertex.step() is None and vertex.started is not None and vertex.completed is not None
        }

    @property
    def message(self) -> str:
        """buildx's last `ERROR:` text, without the prefixes that it always has."""
        text = next((line for line in reversed(self._plain) if line.startswith("ERROR: ")), "")
        text = text or next((line for line in reversed(self._plain) if line.strip()), "")
        return re.sub(r"^ERROR: (?:failed to build: )?(?:failed to solve: )?", "", text)

    @property
    def place(self) -> int | None:
        """The Dockerfile line that buildx names above its excerpt, if it does."""
        plain = list(self._plain)
        for line, following in pairwise(plain):
            if (match := _PLACE.fullmatch(line)) and following.startswith("----"):
                return int(match["line"])
        return None

    def failed(self) -> Step | None:
        """The step that broke the build: steps cancelled because of it carry an error, too."""
        broken = [step for step in self.steps() if step.error]
        own = [step for step in broken if "context canceled" not in step.error]
        return next(iter(own or broken), None)

    def _see(self, data: dict[str, Any]) -> None:
        digest = str(data.get("digest", ""))
        vertex = self._vertices.setdefault(digest, _Vertex(digest))
        vertex.name = str(data.get("name", vertex.name))
        vertex.cached = vertex.cached or bool(data.get("cached"))
        vertex.error = str(data.get("error") or vertex.error)
        started, completed = _seconds(data.get("started")), _seconds(data.get("completed"))
        fresh = started is not None and started != vertex.started
        if started is not None:
            vertex.started, vertex.completed = started, completed
        if fresh and completed is None:
            self._tell("started", vertex)
        if completed is not None:
            self._tell("finished", vertex)

    def _write(self, data: dict[str, Any]) -> None:
        vertex = self._vertices.get(str(data.get("vertex", "")))
        if vertex is None:
            return
        try:
            text = base64.b64decode(str(data.get("data", ""))).decode(errors="replace")
        except (binascii.Error, ValueError):
            return
        *lines, vertex.rest = (vertex.rest + text).split("\n")
        vertex.rest = vertex.rest[-LOG_LINE_CHARACTERS:]
        for line in lines:
            shown = line.rpartition("\r")[2] or line.strip("\r")
            vertex.log.append(shown[:LOG_LINE_CHARACTERS])
            self._tell("output", vertex, vertex.log[-1])

    def _tell(
        self, kind: Literal["started", "output", "finished"], vertex: _Vertex, text: str = ""
    ) -> None:
        if self._on_event is not None:
            self._on_event(BuildEvent(kind, vertex.name, vertex.step(), text))


def _with_own_base(steps: list[Step]) -> list[Step]:
    """BuildKit shares a vertex with a build that runs at the same time, and with it that build's
    name for it. The base of a file with one stage gets its own place back."""
    places = {(step.stage, step.total) for step in steps if step.keyword != "FROM"}
    if len(places) != 1:
        return steps
    [(stage, total)] = places
    only_base = sum(step.keyword == "FROM" for step in steps) == 1
    return [
        replace(s, stage=stage, total=total) if s.keyword == "FROM" and only_base else s
        for s in steps
    ]


def _dicts(value: object) -> Iterable[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _seconds(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:  # Python's clock has microseconds, BuildKit writes nanoseconds
        return datetime.fromisoformat(_NANOSECONDS.sub(r".\1", value)).timestamp()
    except ValueError:
        return None
