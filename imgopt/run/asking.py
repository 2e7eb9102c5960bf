"""What is asked behind everything else: requests that may change something, in an order that every
run keeps, and what was asked before once more."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from imgopt.inspect.sources.write_routes import Writes
from imgopt.requests import graphql
from imgopt.requests.forms import forms_of
from imgopt.requests.openapi import described
from imgopt.requests.request import FORM, JSON, Request
from imgopt.requests.schema import encoded
from imgopt.requests.text_formats import loaded
from imgopt.run.probes import TOO_SLOW, UNKNOWN_PATH, Answer, Probe

MOST_WRITES = 30
MOST_AGAIN = 30
WRITE_SECONDS = 5.0
_ALL_SECONDS = 25.0
_DESCRIPTIONS = (
    "/v3/api-docs",
    "/swagger.json",
    "/swagger/v1/swagger.json",
    "/api-json",
    "/docs-json",
    "/api/openapi.json",
    "/openapi.yaml",
    "/api/schema/",
)
_NEVER_SENT = re.compile(
    r"shutdown|restart|/stop\b|/kill|/quit|/exit\b|crash|panic|abort|boom", re.IGNORECASE
)
_NOT_HERE = (404, 405, 501)
_NUMBERS = re.compile(r"(?<=/)(?:\{\{[^}]*\}\}|\d+)(?=/|$)")
Ask = Callable[[Probe], Answer]


@dataclass
class Later:
    """Asks one container, and keeps what is worth asking again. `speaking` are the first answers of
    the ports that speak HTTP; `skip` the names of requests that ended the service."""

    ask: Ask
    speaking: Sequence[Answer]
    skip: frozenset[str] = frozenset()
    answers: list[Answer] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Names of requests that were found and got no answer, in their order."""
    _names: dict[str, int] = field(default_factory=dict)
    _seen: set[tuple[str, str, str]] = field(default_factory=set)
    _alike: set[tuple[int | None, bytes]] = field(default_factory=set)
    _end: float = field(default_factory=lambda: time.monotonic() + _ALL_SECONDS)

    def own(self, requests: Iterable[Request]) -> None:
        """The user's: all of them, in their order."""
        for request in requests:
            self._put(self._probe(request, "user"))

    def found(self, writes: Writes, known: Sequence[Answer]) -> None:
        """What the service says of itself and its sources say of it, as far as it answers."""
        listed = [*self._described(known), *writes.described]
        forms = [one for answer in known for one in _forms(answer)]
        routes = self._without_what_is_sure(writes.routes, [*listed, *forms])
        everything = [*((r, True) for r in listed), *((r, True) for r in forms)]
        everything += [(request, False) for request in routes]
        unknown = self._unknown() if routes else set()
        for request, sure in sorted(everything, key=lambda pair: pair[0].method == "DELETE"):
            self._try(request, sure, unknown)
        self._graphql(writes, known)
        for path in writes.sockets if self.speaking else ():
            self._socket(path)

    def again(self, known: Sequence[Answer]) -> None:
        """The GETs once more, so that what a request broke is seen."""
        if not any(answer.probe.changes for answer in self.answers):
            return
        plain = [
            answer.probe
            for answer in known
            if answer.probe.plain and answer.probe.path != UNKNOWN_PATH and answer.status
        ]
        for probe in plain[:MOST_AGAIN]:
            self.answers.append(self.ask(replace(probe, source="found", text=None, label="again")))

    def _try(self, request: Request, sure: bool, unknown: set[tuple[int | None, bytes]]) -> None:
        if self._is_over() or _NEVER_SENT.search(request.path) or not self._is_new(request):
            return
        answer = self._ask(request)
        if answer is None:
            return
        alike = (answer.status, answer.body)
        misses = answer.status in _NOT_HERE or (alike in unknown and alike in self._alike)
        if answer.status is None or (misses and not sure):
            return
        self._alike.add(alike)  # one stands for all that are answered as what it does not know
        self.answers.append(answer)
        if not sure and (answer.status or 0) >= 400 and _is_json(request):
            self._as_form(request)

    def _as_form(self, request: Request) -> None:
        """The same route with a form of the same fields, where JSON was not what it takes."""
        kind, body = encoded(loaded(request.body), FORM)
        form = replace(request, headers=(("Content-Type", kind),), body=body)
        answer = None if self._is_over() else self._ask(form, "form")
        if answer is not None and answer.status is not None:
            self.answers.append(answer)

    def _ask(self, request: Request, label: str = "") -> Answer | None:
        probe = self._probe(request, "found", label)
        if probe.name in self.skip:
            return None
        answer = self.ask(probe)
        if answer.status is None and answer.error != TOO_SLOW:
            self.lost.append(probe.name)
        return answer

    def _put(self, probe: Probe) -> None:
        if probe.name not in self.skip:
            self.answers.append(self.ask(probe))

    def _is_over(self) -> bool:
        writes = sum(answer.probe.changes for answer in self.answers)
        return not self.speaking or writes >= MOST_WRITES or time.monotonic() > self._end

    def _is_new(self, request: Request) -> bool:
        if not request.changes:
            return True
        kind = next((v for n, v in request.headers if n.lower() == "content-type"), "")
        key = (request.method, _NUMBERS.sub("1", request.path.rstrip("/")), kind.partition(";")[0])
        new = key not in self._seen
        self._seen.add(key)
        return new

    def _probe(self, request: Request, source: str, label: str = "") -> Probe:
        at = self._port(request.port)
        probe = Probe(
            "http",
            "user" if source == "user" else "found",
            at.port,
            request.path,
            request.text,
            at.scheme,
            method=request.method,
            headers=request.headers,
            body=request.body,
            status=request.status,
            saves=request.saves,
            label=label,
        )
        if request.method == "GET" and not label:
            probe = replace(probe, label="later")
        return self._numbered(probe)

    def _numbered(self, probe: Probe) -> Probe:
        """With a number where another one has the same name."""
        self._names[probe.name] = count = self._names.get(probe.name, 0) + 1
        if count == 1:
            return probe
        return replace(probe, label=f"{probe.label} {count}".strip())

    def _port(self, wanted: int | None) -> Probe:
        ports = {answer.probe.port: answer.probe for answer in self.speaking}
        if wanted in ports and wanted is not None:
            return ports[wanted]
        first = next(iter(ports.values()), None)
        return first if first is not None else Probe("http", "found", wanted or 0)

    def _unknown(self) -> set[tuple[int | None, bytes]]:
        """How it answers a path that it does not know: many answer everything alike."""
        request = Request("POST", UNKNOWN_PATH, headers=(("Content-Type", JSON),), body=b"{}")
        answer = self._ask(request) if self.speaking else None
        return {(answer.status, answer.body)} if answer is not None else set()

    def _described(self, known: Sequence[Answer]) -> Iterator[Request]:
        """From descriptions among the answers, or else at the places where many have one."""
        found = [one for answer in known for one in _description(answer)]
        for path in () if found or not self.speaking else _DESCRIPTIONS:
            found += _description(self.ask(replace(self._port(None), path=path, source="found")))
            if found:
                break
        yield from found

    def _without_what_is_sure(
        self, routes: Sequence[Request], sure: Sequence[Request]
    ) -> list[Request]:
        known = {(one.method, _NUMBERS.sub("1", one.path.rstrip("/"))) for one in sure}
        return [
            one
            for one in routes
            if (one.method, _NUMBERS.sub("1", one.path.rstrip("/"))) not in known
        ]

    def _graphql(self, writes: Writes, known: Sequence[Answer]) -> None:
        paths = [answer.probe.path for answer in known if "graphql" in answer.probe.path]
        paths += [graphql.USUAL] if writes.graphql else []
        paths += [request.path for request in writes.routes if "graphql" in request.path]
        for path in dict.fromkeys(paths):
            answer = None if self._is_over() else self._ask(graphql.introspection(path), "schema")
            found = graphql.operations(path, answer.body) if answer is not None else ()
            if answer is None or not found:
                continue
            self.answers.append(answer)
            for request in found:
                if not self._is_over() and (more := self._ask(request)) is not None:
                    self.answers.append(more)
            return

    def _socket(self, path: str) -> None:
        at = self._port(None)
        probe = Probe("websocket", "found", at.port, path, scheme=at.scheme)
        if probe.name in self._names or time.monotonic() > self._end:
            return
        self._names[probe.name] = 1
        answer = self.ask(probe)
        if answer.status == 101:
            self.answers.append(answer)


def _description(answer: Answer) -> tuple[Request, ...]:
    kind = answer.header("content-type")
    if answer.status != 200 or not any(sign in kind for sign in ("json", "yaml", "openapi")):
        return ()
    return described(loaded(answer.plain_body or b""))


def _forms(answer: Answer) -> tuple[Request, ...]:
    if answer.status != 200 or "html" not in answer.header("content-type"):
        return ()
    return forms_of((answer.plain_body or b"").decode(errors="replace"), answer.probe.path)


def _is_json(request: Request) -> bool:
    return any(value == JSON for _, value in request.headers)
