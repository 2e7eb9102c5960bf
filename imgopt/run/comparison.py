"""Compares observed runs: does the candidate answer and end as the original does?

The original is observed at least twice, so that what differs between its own runs is known. A
difference that could be a value that changes, but happened not to, is settled by observing the
original once more (`settle`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from imgopt.engine import Session
from imgopt.run.masks import canonical, differs, mask_of, mismatch
from imgopt.run.observation import Observation
from imgopt.run.observe import observe
from imgopt.run.probes import COMPARED_HEADERS, UNKNOWN_PATH, Answer
from imgopt.run.settings import SmokeSettings

_MOST_ORIGINALS = 4
_TEXT = ("text/", "json", "xml", "javascript", "x-www-form", "yaml", "csv")

Aspect = Literal["start", "ports", "status", "header", "body", "text", "end", "log"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the candidate does otherwise. `changing`: it may be a value that changes from
    run to run."""

    probe: str
    aspect: Aspect
    before: str
    after: str
    changing: bool = False
    noticed: str = ""
    """What a user of the service would notice of it."""

    def __str__(self) -> str:
        if self.aspect == "start":
            return f"{self.after} (the original: {self.before})"
        if self.aspect == "ports":
            return f"{self.probe} is {self.after}, in the original it is {self.before}"
        noticed = f" ({self.noticed})" if self.noticed else ""
        return (
            f"{self.probe}: {self.aspect} is {_in_a_line(self.after)} instead of"
            f" {_in_a_line(self.before)}{noticed}"
        )


def _in_a_line(text: str) -> str:
    """A part of an answer as a message can show it: on one line, and not at all where it is no
    text."""
    line = " ".join(text.split())
    odd = sum(sign == "\ufffd" or not sign.isprintable() for sign in line)
    return "no text" if odd * 8 > len(line) else line or "nothing"


def compare(originals: Sequence[Observation], candidate: Observation) -> tuple[Difference, ...]:
    """Everything that differs outside of what differs between the originals' own runs."""
    first = originals[0]
    if not candidate.started:
        end = "; ".join((candidate.reason, *candidate.log_tail[-3:]))
        return (Difference("start", "start", first.reason, end[:1000]),)
    found: list[Difference] = []
    if first.output is not None:
        found += _compare_ends(originals, candidate)
    found += _compare_ports(originals, candidate)
    found += _compare_logs(originals, candidate)
    answers = {answer.probe.name: answer for answer in candidate.answers}
    for answer in first.answers:
        again = [
            other
            for run in originals[1:]
            for other in run.answers
            if other.probe.name == answer.probe.name
        ]
        given = answers.get(answer.probe.name, Answer(answer.probe, None, error="it was not asked"))
        found += _compare_answers([answer, *again], given)
    return tuple(found)


def settle(
    session: Session,
    originals: Sequence[Observation],
    candidate: Observation,
    settings: SmokeSettings,
    rebuilt: Callable[[], str] | None = None,
) -> tuple[tuple[Observation, ...], tuple[Difference, ...]]:
    """As `compare`, observing the original again while all differences may be changing values (at
    most twice).

    `rebuilt` gives another build of the original, made without cache: where only answers differ, it
    is observed once, for some builds never give the same twice (a build id, a time stamp). Returns
    all observations of the original, for the next comparison.
    """
    runs = tuple(originals)
    differences = compare(runs, candidate)
    while (
        differences and all(item.changing for item in differences) and len(runs) < _MOST_ORIGINALS
    ):
        runs += (_again(session, runs[0], runs[0].image, settings),)
        differences = compare(runs, candidate)
    only_answers = all(item.aspect in ("body", "header", "status") for item in differences)
    if (
        differences
        and only_answers
        and rebuilt is not None
        and all(run.image == runs[0].image for run in runs)
    ):
        runs += (_again(session, runs[0], rebuilt(), settings),)
        differences = compare(runs, candidate)
    return runs, differences


def _again(
    session: Session, first: Observation, image: str, settings: SmokeSettings
) -> Observation:
    return observe(session, image, settings, plan=first.plan, trace=False)


def has_text(answer: Answer) -> bool:
    return answer.probe.text is None or answer.probe.text in (
        answer.plain_body or answer.body
    ).decode(errors="replace")


def _compare_ends(originals: Sequence[Observation], candidate: Observation) -> list[Difference]:
    found: list[Difference] = []
    codes = {run.exit_code for run in originals}
    if candidate.exit_code not in codes:
        tail = "; ".join(candidate.log_tail[-3:])
        found.append(
            Difference("exit code", "end", _any_of(codes), f"{candidate.exit_code} ({tail[:500]})")
        )
    for name in ("stdout", "stderr"):
        before = [
            getattr(run.output, name).decode(errors="replace") for run in originals if run.output
        ]
        after = getattr(candidate.output, name).decode(errors="replace") if candidate.output else ""
        if (wrong := differs(before, after)) is not None:
            found.append(Difference(name, "body", wrong.before, wrong.after, wrong.changing))
    return found


def _compare_ports(originals: Sequence[Observation], candidate: Observation) -> list[Difference]:
    """A port open in every run of the original has to be open; others (debuggers, random ports) are
    not compared."""
    always = set.intersection(
        *({(item.port, item.loopback) for item in run.listening} for run in originals)
    )
    opened = {(item.port, item.loopback) for item in candidate.listening}
    missing = sorted(
        port for port, loopback in always - opened if not (loopback and (port, False) in opened)
    )
    always_bound = set.intersection(*(set(run.sockets) for run in originals))
    sockets = {
        name
        for name in always_bound
        if _at_home(name, originals[0], candidate) not in candidate.sockets
    }
    named = [*(f"port {port}" for port in missing), *sorted(sockets)]
    return [Difference(name, "ports", "open", "closed") for name in named]


def _at_home(socket: str, original: Observation, candidate: Observation) -> str:
    """A socket below the home folder of the original's user lies below that of the candidate's, who
    may be another."""
    if socket in candidate.sockets or not original.home or not candidate.home:
        return socket
    below = f"unix {original.home.rstrip('/')}/"
    return (
        f"unix {candidate.home.rstrip('/')}/{socket.removeprefix(below)}"
        if socket.startswith(below)
        else socket
    )


_MENTIONS_ERROR = re.compile(
    r"\b(?:Traceback|[A-Z]\w*(?:Error|Exception)\b|panic(?:ked)?\b|FATAL|CRITICAL|ERROR|[Pp]ermission"
    r" denied|"
    r"Operation not permitted|Segmentation fault)"
)
_OF_LAUNCHERS = re.compile(r"^(?:> |npm |yarn |\$ |pnpm |Done in )")
_CHANGING_PARTS = re.compile(r"0x[0-9a-fA-F]+|[0-9a-f]{8,}|[\d.:,+TZ-]*\d[\d.:,+TZ-]*")


_NUMBERED_NAME = re.compile(r"\[ *[^\[\] ]*-\d+\]")


def _shape(line: str) -> str:
    """A line of a log without what changes from run to run: numbers, times, ids, and names of
    threads, which a column of fixed width cuts from the left as soon as their number has a digit
    more."""
    return _CHANGING_PARTS.sub("#", _NUMBERED_NAME.sub("[-#]", line.strip()))


def _compare_logs(originals: Sequence[Observation], candidate: Observation) -> list[Difference]:
    """Errors that no run of the original logs; and of a program that nobody can ask, what every run
    of it says."""
    known = {_shape(line) for run in originals for line in run.said.splitlines()}
    new = dict.fromkeys(
        line.strip() for line in candidate.said.splitlines() if _shape(line) not in known
    )
    found = [
        Difference("log", "log", "no such line", line[:300])
        for line in new
        if _MENTIONS_ERROR.search(line)
    ][:5]
    first = originals[0]
    if first.answers or first.output is not None or first.listening:
        return found
    always = set.intersection(
        *({_shape(line) for line in run.said.splitlines()} for run in originals)
    )
    lost = always - {_shape(line) for line in candidate.said.splitlines()}
    said = sorted(line for line in lost if line and not _OF_LAUNCHERS.match(line))
    return [*found, *(Difference("log", "log", line[:300], "not said") for line in said[:5])]


def _compare_answers(before: Sequence[Answer], after: Answer) -> list[Difference]:
    first, name = before[0], after.probe.name
    if after.status not in {answer.status for answer in before}:
        said = after.error or f"{after.status} {after.body[:300].decode(errors='replace')}".strip()
        known = _any_of({a.status if a.status is not None else a.error for a in before})
        return [Difference(name, "status", known, said, noticed=_noticed(first, after))]
    if (after.probe.path == UNKNOWN_PATH or after.probe.source == "site") and (
        after.status or 0
    ) >= 400:
        return []  # how a server words that there is no such page is its own affair
    found: list[Difference] = []
    moved = _leads_elsewhere(first) and _leads_elsewhere(after)
    for header in ("location",) if moved else COMPARED_HEADERS:
        wrong = mismatch(
            mask_of([answer.header(header) for answer in before]), after.header(header)
        )
        if wrong is not None:
            values = (f"{header}: {first.header(header)}", f"{header}: {after.header(header)}")
            found.append(Difference(name, "header", *values, wrong.changing))
    if not has_text(after):
        found.append(Difference(name, "text", repr(after.probe.text), "missing"))
    if (
        found
        or moved
        or after.cut
        or any(answer.cut for answer in before)
        or _says_little(first, after)
    ):
        return found
    return _compare_bodies(before, after)


def _noticed(before: Answer, after: Answer) -> str:
    """Of a request that may change something, in words of who sends it."""
    probe = after.probe
    if not probe.changes and not probe.label:
        return ""
    good = before.status is not None and before.status < 400
    if probe.changes and good and (after.status is None or after.status >= 400):
        return "who sends this gets an error, and what was sent is lost"
    if probe.label == "again":
        return "after the requests that change something it answers otherwise"
    return ""


def _leads_elsewhere(answer: Answer) -> bool:
    """A redirection: beside where it leads, nothing of it is read (RFC 9110, section 15.4)."""
    return answer.status in (301, 302, 303, 307, 308) and bool(answer.header("location"))


def _says_little(before: Answer, after: Answer) -> bool:
    """The page of an internal error (it may show paths of libraries), but for one that is a short
    message for its caller; or what two different health checks print."""
    failed = before.probe.kind == "http" and before.status is not None and before.status >= 500
    told = _is_message(before) and _is_message(after)
    return (failed and not told) or before.probe.command != after.probe.command


def _is_message(answer: Answer) -> bool:
    """JSON, or a few words: what an interface says of its errors, and no page with a stack."""
    body, kind = answer.plain_body or b"", answer.header("content-type")
    stack = b"Traceback" in body or b"\n    at " in body or b"\\n    at " in body
    plain = "json" in kind or (not kind and body[:1] in (b"{", b"["))
    return (plain or ("text/plain" in kind and b"\n" not in body.strip())) and not stack


def _compare_bodies(before: Sequence[Answer], after: Answer) -> list[Difference]:
    name, kind = after.probe.name, before[0].header("content-type")
    if after.body in {answer.body for answer in before}:
        return []
    bodies, given = [answer.plain_body for answer in before], after.plain_body
    if given is None or None in bodies or (kind and not any(sign in kind for sign in _TEXT)):
        if (
            len({answer.body for answer in before}) > 1
        ):  # the original's own runs give different bytes
            return []
        return [Difference(name, "body", _digest(before[0].body), _digest(after.body))]
    wrong = differs(
        [canonical(body, kind) for body in bodies if body is not None], canonical(given, kind)
    )
    if wrong is None:
        return []
    noticed = _noticed(before[0], after)
    return [Difference(name, "body", wrong.before, wrong.after, wrong.changing, noticed)]


def _digest(body: bytes) -> str:
    return f"{len(body)} bytes, sha256:{hashlib.sha256(body).hexdigest()[:12]}"


def _any_of(values: Iterable[object]) -> str:
    return " or ".join(sorted(map(str, values)))
