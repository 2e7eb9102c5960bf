"""One Deployment behind one Service, rolled out in a namespace of its own, and how it is asked,
changed and watched there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from imgopt.deploy.prove import pods as said
from imgopt.deploy.prove.cluster import Answer, Cluster
from imgopt.deploy.prove.loaded import (
    Address,
    Loaded,
    RunningLoad,
    addresses,
    ask_until_good,
    release_names,
    said_of,
    seconds_by_release,
    start_load,
)
from imgopt.deploy.prove.target import Target
from imgopt.deploy.prove.watching import Watch, watching
from imgopt.results.deploy import Case, Verdict

_POD_LINE = "{.metadata.name} {.status.podIP} {.metadata.labels.pod-template-hash}"
_STEP_SECONDS = 0.7


_IN_A_ROW = 20
_FEW = 3
_START_SECONDS = 5.0
"""The load's own clock begins when its program has started."""


@dataclass(frozen=True)
class Settings:
    """How hard and how long: every load is bounded in workers and in seconds."""

    path: str | None = None
    """What is asked; None: "/", else what the probes ask."""
    requests: int = 2000
    """A load of a rolling update goes on until so many were asked, ..."""
    load_seconds: float = 240.0
    """... and at the most so long: what takes longer than the load around it is a failure."""
    workers: int = 4
    ready_seconds: float = 120.0
    """How long pods may take to become ready."""
    hold_seconds: float = 8.0
    """How long probes are watched once all is ready."""


@dataclass
class Stage:
    cluster: Cluster
    namespace: str
    target: Target
    settings: Settings
    say: Callable[[str], None]
    address: Address = field(default_factory=lambda: Address("127.0.0.1", 0))
    status: int | None = None
    """Of a good answer."""
    answer_seconds: float = 0.0
    """How long one takes, with nothing else to do."""

    def kubectl(self, *words: str, text: str | None = None, seconds: float = 60.0) -> Answer:
        return self.cluster.kubectl("-n", self.namespace, *words, text=text, seconds=seconds)

    def pods(self) -> list[dict[str, Any]]:
        return self.cluster.items("pods", "-n", self.namespace, "-l", self.target.selector)

    def deployment(self) -> dict[str, Any]:
        return self.cluster.get("deployment", self.target.name, "-n", self.namespace)

    def events(self) -> list[dict[str, Any]]:
        return self.cluster.items("events", "-n", self.namespace)

    def patch(self, template: Mapping[str, Any]) -> Answer:
        """A new release: something differs in the template of its pods."""
        change = json.dumps({"spec": {"template": template}})
        return self.kubectl("patch", "deployment", self.target.name, "-p", change)

    def new_release(self, name: str) -> Answer:
        return self.patch({"metadata": {"annotations": {"imgopt.local/release": name}}})

    def wait_rolled_out(self, seconds: float | None = None) -> str:
        """ "" when the newest release is whole; else why it is not."""
        deadline = time.monotonic() + (seconds or self.settings.ready_seconds)
        while True:
            found = self.deployment()
            if found and said.rolled_out(found):
                return ""
            pods = self.pods()
            if said.hopeless(pods) or time.monotonic() > deadline:
                return said.why_not_ready(pods, self.events())
            time.sleep(_STEP_SECONDS)

    @contextmanager
    def watching_pods(self) -> Iterator[Watch]:
        words = ("pods", "-n", self.namespace, "-l", self.target.selector)
        with watching(self.cluster, *words, path=_POD_LINE) as watch:
            yield watch

    @contextmanager
    def watching_available(self) -> Iterator[Watch]:
        words = ("deployment", self.target.name, "-n", self.namespace)
        with watching(self.cluster, *words, path="{.status.availableReplicas}") as watch:
            yield watch

    def load(self, *, at_least: int | None = None, at_most: float | None = None) -> RunningLoad:
        return start_load(
            self.address,
            at_most or self.settings.load_seconds,
            status=self.status,
            workers=self.settings.workers,
            spread=self.answer_seconds,
            at_least_requests=self.settings.requests if at_least is None else at_least,
        )

    def answers(self, seconds: float = 30.0) -> str:
        """Waits until it answers; "" or what it says instead. Settles what is asked."""
        last = "nothing"
        for path in self._paths():
            address = replace(self.address, path=path)
            found = ask_until_good(address, _IN_A_ROW, seconds)
            if found.good_in_a_row >= _IN_A_ROW or _is_slow_and_good(found):
                statuses = [int(status) for status in found.statuses if 0 < int(status) < 400]
                self.answer_seconds = found.middle_seconds or 0.0
                self.address, self.status = address, statuses[0] if len(statuses) == 1 else None
                return ""
            last = found.failures[-1].kind if found.failures else "nothing"
        return f"no good answer on {' or '.join(self._paths())} within {seconds:.0f} s: {last}"

    def _paths(self) -> list[str]:
        if self.settings.path is not None:
            return [self.settings.path]
        if self.status is not None or self.address.path != "/":
            return [self.address.path]
        return list(dict.fromkeys(("/", self.target.path or "/")))


def _is_slow_and_good(found: Loaded) -> bool:
    """A service whose answers take seconds shows in fewer of them that it is there."""
    return found.good_in_a_row >= _FEW and (found.middle_seconds or 0.0) > 1.0


@dataclass
class Measured:
    """What was seen while a load ran."""

    loaded: Loaded
    releases: Mapping[str, str]
    marks: Mapping[str, float]
    seconds: float

    def case(self, name: str, wrong: str, detail: str) -> Case:
        """Failed with `wrong` as the reason, or where a request failed."""
        failed = bool(wrong) or self.loaded.failed > 0
        return self._case(name, "failed" if failed else "passed", wrong, detail)

    def judged_by(self, name: str, wrong: str, detail: str) -> Case:
        """Requests may fail here; they are counted."""
        return self._case(name, "failed" if wrong else "passed", wrong, detail)

    def _case(self, name: str, verdict: Verdict, wrong: str, detail: str) -> Case:
        late = max(self.marks.values(), default=0.0) > self.loaded.seconds + _START_SECONDS
        if late and verdict == "passed":
            verdict, wrong = "failed", "it took longer than the load, which is bounded"
        parts = [wrong, said_of(self.loaded, self.releases), detail]
        return Case(
            name=name,
            verdict=verdict,
            requests=self.loaded.requests,
            failed=self.loaded.failed,
            detail="; ".join(part for part in parts if part),
            seconds=round(self.seconds, 1),
            by_second=seconds_by_release(self.loaded, self.releases),
            marks=dict(self.marks),
        )


def under_load(
    stage: Stage, act: Callable[[RunningLoad], None], *, at_least: int | None = None
) -> Measured:
    """`act` marks what it does; the load goes on around it."""
    began = time.monotonic()
    with stage.watching_pods() as watch:
        load = stage.load(at_least=at_least)
        try:
            time.sleep(2.0 + stage.answer_seconds)
            act(load)
            time.sleep(2.0)
            loaded = load.finish()
        finally:
            load.kill()
    seen = addresses(watch.texts)
    names = release_names(release for _, release in seen)
    releases = {address: names[release] for address, release in seen}
    return Measured(loaded, releases, load.marks, time.monotonic() - began)
