"""A load that runs while something is done, and what it says of each second and each release."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from imgopt.errors import EnvironmentFailure
from imgopt.results.deploy import Second

_PROGRAM = Path(__file__).with_name("load.py")
_MARGIN_SECONDS = 40.0
"""Beyond its own bound: for the last answers and the end of the program."""


class Failure(msgspec.Struct, frozen=True):
    at: float
    kind: str
    by: str = ""


class OneSecond(msgspec.Struct, frozen=True):
    second: int
    answers: dict[str, int]
    failed: dict[str, int]


class Loaded(msgspec.Struct, frozen=True):
    """What load.py prints; `answers` and `failed` are by the address of the pod, "" where that is
    not known."""

    began: float
    seconds: float
    requests: int
    failed: int
    statuses: dict[str, int] = {}
    by_second: list[OneSecond] = []
    failures: list[Failure] = []
    middle_seconds: float | None = None
    p99_seconds: float | None = None
    longest_seconds: float | None = None
    good_in_a_row: int = 0


@dataclass(frozen=True)
class Address:
    """Where a service is asked from this machine."""

    host: str
    port: int
    path: str = "/"
    enter: tuple[str, ...] = ()
    prefix: str = ""
    """In front of the path, where it is asked through the API server."""

    def settings(self, **more: Any) -> dict[str, Any]:
        path = f"{self.prefix}{self.path}"
        return {"host": self.host, "port": self.port, "path": path, **more}


@dataclass
class RunningLoad:
    process: subprocess.Popen[str]
    began: float
    at_most: float
    marks: dict[str, float] = field(default_factory=dict)

    def mark(self, what: str) -> None:
        """Notes that something was done, in seconds of the load."""
        self.marks[what] = round(time.monotonic() - self.began, 2)

    def finish(self) -> Loaded:
        """Raises EnvironmentFailure where the program itself failed."""
        left = self.at_most - (time.monotonic() - self.began) + _MARGIN_SECONDS
        try:
            out, err = self.process.communicate("", timeout=max(1.0, left))
        except subprocess.TimeoutExpired:
            self.kill()
            raise EnvironmentFailure("the load did not end in time") from None
        try:
            return msgspec.json.decode(out, type=Loaded)
        except msgspec.DecodeError:
            last = err.strip().splitlines()[-1:] or ["no answer"]
            raise EnvironmentFailure(f"the load failed: {last[0]}") from None

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.communicate()


def start_load(address: Address, at_most: float, **more: Any) -> RunningLoad:
    settings = address.settings(at_most_seconds=at_most, **more)
    command = [*address.enter, sys.executable, "-I", str(_PROGRAM), json.dumps(settings)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return RunningLoad(process, time.monotonic(), at_most)


def ask_until_good(address: Address, in_a_row: int, at_most: float) -> Loaded:
    """The rules that lead to a pod come later than "rolled out": a load begins when they are
    there."""
    load = start_load(address, at_most, good_in_a_row=in_a_row, pause=0.1, at_least_requests=10**6)
    try:
        return load.finish()
    finally:
        load.kill()


def seconds_by_release(
    loaded: Loaded, releases: Mapping[str, str], length: int | None = None
) -> list[Second]:
    """Every second from the first to the last, also those without an answer. `releases`: address
    of a pod -> what its release is called; answers of others are called "all"."""
    there = {one.second: one for one in loaded.by_second}
    last = max([int(length or 0) - 1, *there], default=-1)
    found = []
    for number in range(last + 1):
        one = there.get(number)
        answers: Counter[str] = Counter()
        for address, count in (one.answers if one else {}).items():
            answers[releases.get(address, ALL)] += count
        failed = sum(one.failed.values()) if one else 0
        found.append(Second(second=number, answers=dict(sorted(answers.items())), failed=failed))
    return found


ALL = "all"
"""What answered where nobody can say which release did."""


def failed_by_release(loaded: Loaded, releases: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Kind of failure -> release that was asked -> how many."""
    found: dict[str, Counter[str]] = {}
    for one in loaded.failures:
        found.setdefault(one.kind, Counter())[releases.get(one.by, ALL)] += 1
    return found


def said_of(loaded: Loaded, releases: Mapping[str, str]) -> str:
    """ "0 of 3,008 requests failed", with kinds and releases where some did."""
    text = f"{loaded.failed:,} of {loaded.requests:,} requests failed"
    parts = []
    for kind, counts in sorted(failed_by_release(loaded, releases).items()):
        whom = ", ".join(f"{count} {name}" for name, count in counts.most_common() if name != ALL)
        parts.append(f"{kind} {sum(counts.values())}" + (f" ({whom})" if whom else ""))
    return f"{text}: {', '.join(parts)}" if parts else text


def release_names(hashes: Iterable[str]) -> dict[str, str]:
    """ "release 1" for the first that was seen, and so on."""
    return {each: f"release {number}" for number, each in enumerate(dict.fromkeys(hashes), 1)}


def addresses(lines: Sequence[str]) -> list[tuple[str, str]]:
    """(address, hash of the release) of each pod that has an address, from lines of three words:
    name, address, hash."""
    words = [line.split() for line in lines]
    return [(found[1], found[2]) for found in words if len(found) == 3]
