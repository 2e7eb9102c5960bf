"""Tier 3, one function for each trial: what is done to a running service, and what has to hold."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from imgopt.deploy.prove import pods as said
from imgopt.deploy.prove.loaded import Failure, RunningLoad
from imgopt.deploy.prove.stage import Stage, under_load
from imgopt.results.deploy import Case

Trial = Callable[[Stage], Case]
_DRAIN_SECONDS = 90
_BAD_RELEASE_SECONDS = 15.0
_BAD_PORT = 1
"""Where nothing listens: a release that asks for it is never ready."""


@dataclass
class _Outcome:
    """What an act found while the load ran; `wrong` is empty where all held."""

    wrong: str = ""
    detail: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "; ".join(self.detail)


def probes_hold(stage: Stage) -> Case:
    """Ready pods stay ready, and nothing restarts, while nobody touches them."""
    began = time.monotonic()
    before = said.restarts(stage.pods())
    time.sleep(stage.settings.hold_seconds)
    pods = stage.pods()
    again, waits = said.restarts(pods) - before, [pod for pod in pods if not said.is_ready(pod)]
    seconds = time.monotonic() - began
    wrong = f"{again} restarts" if again else f"{len(waits)} pods not ready" if waits else ""
    why = said.why_not_ready(pods, stage.events()) if wrong else ""
    return Case(
        name="probes hold",
        verdict="failed" if wrong else "passed",
        detail="; ".join(part for part in (wrong, why) if part)
        or f"{len(pods)} pods, no restart in {seconds:.0f} s",
        seconds=round(seconds, 1),
    )


def rolling_update(stage: Stage) -> Case:
    outcome = _Outcome()

    def act(load: RunningLoad) -> None:
        began = time.monotonic()
        load.mark("update begins")
        answer = stage.new_release("2")
        outcome.wrong = "" if answer.ok else answer.said
        outcome.wrong = outcome.wrong or stage.wait_rolled_out()
        load.mark("rolled out" if not outcome.wrong else "given up")
        if not outcome.wrong:
            outcome.detail.append(f"rolled out in {time.monotonic() - began:.0f} s")

    return under_load(stage, act).case("rolling update", outcome.wrong, outcome.text)


def drained_node(stage: Stage) -> Case:
    """On a cluster of our own the node is drained; on the user's only this service's pods are
    evicted, one after the other, and no node is touched."""
    outcome = _Outcome()
    budget = stage.target.budget

    def act(load: RunningLoad) -> None:
        with stage.watching_available() as watch:
            begun = time.monotonic()
            load.mark("drain begins")
            (_drain if stage.cluster.local else _evict_all)(stage, outcome)
            outcome.wrong = outcome.wrong or stage.wait_rolled_out()
            load.mark("drained")
            least = min(watch.numbers(begun), default=None)
        needed = _needed(stage) if budget is not None else None
        if least is not None:
            outcome.detail.append(f"never fewer than {least} available")
        if needed is not None and least is not None and least < needed:
            outcome.wrong = outcome.wrong or f"{least} available, the budget wants {needed}"
        if budget is None:
            outcome.detail.append("no PodDisruptionBudget")

    if stage.cluster.local and len(stage.cluster.nodes) < 2:
        return Case(name="node drain", verdict="not measured", detail="the cluster has one node")
    return under_load(stage, act).case("node drain", outcome.wrong, outcome.text)


def _needed(stage: Stage) -> int | None:
    assert stage.target.budget is not None
    words = ("poddisruptionbudget", stage.target.budget.name, "-n", stage.namespace)
    status = stage.cluster.get(*words).get("status") or {}
    found = status.get("desiredHealthy")
    return found if isinstance(found, int) else None


def _busiest_node(stage: Stage) -> str:
    names = [str(pod.get("spec", {}).get("nodeName", "")) for pod in stage.pods()]
    return max(sorted({*names} - {""}), key=names.count, default="")


def _drain(stage: Stage, outcome: _Outcome) -> None:
    node = _busiest_node(stage)
    options = ("--ignore-daemonsets", "--delete-emptydir-data", "--force")
    try:
        began = time.monotonic()
        answer = stage.cluster.kubectl(
            *("drain", node, *options, f"--timeout={_DRAIN_SECONDS}s"), seconds=_DRAIN_SECONDS + 20
        )
        if not answer.ok:
            outcome.wrong = f"{node} could not be drained: {answer.said}"
        else:
            outcome.detail.append(f"{node} drained in {time.monotonic() - began:.0f} s")
            refused = answer.err.count("will retry after")
            if refused:
                outcome.detail.append(f"{refused} evictions put off by the budget")
    finally:
        stage.cluster.kubectl("uncordon", node)


def _evict_all(stage: Stage, outcome: _Outcome) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    put_off = 0
    for name in [said.name_of(pod) for pod in stage.pods()]:
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": stage.namespace},
        }
        path = f"/api/v1/namespaces/{stage.namespace}/pods/{name}/eviction"
        while True:
            words = ("create", "--raw", path, "-f", "-")
            answer = stage.cluster.kubectl(*words, text=json.dumps(eviction))
            if answer.ok or "NotFound" in answer.err or "not found" in answer.err:
                break
            put_off += 1
            if time.monotonic() > deadline:
                outcome.wrong = f"{name} could not be evicted: {answer.said}"
                return
            time.sleep(1.0)
    outcome.detail.append(f"every pod evicted, {put_off} evictions put off by the budget")


def killed_pod(stage: Stage) -> Case:
    """SIGKILL at once: what it was doing is lost, what comes after is not."""
    outcome = _Outcome()

    def act(load: RunningLoad) -> None:
        names = [said.name_of(pod) for pod in stage.pods() if said.is_ready(pod)]
        began = time.monotonic()
        load.mark("pod killed")
        stage.kubectl("delete", "pod", *names[:1], "--force", "--grace-period=0", "--wait=false")
        outcome.wrong = stage.wait_rolled_out()
        load.mark("recovered")
        outcome.detail.append(f"whole again after {time.monotonic() - began:.0f} s")

    measured = under_load(stage, act, at_least=0)
    wrong = outcome.wrong or _still_failing(
        measured.marks.get("recovered"), measured.loaded.failures
    )
    return measured.judged_by("killed pod", wrong, outcome.text)


def _still_failing(recovered: float | None, failures: Sequence[Failure]) -> str:
    late = [one for one in failures if recovered is not None and one.at > recovered]
    return f"{len(late)} requests failed after it was whole again" if late else ""


def bad_release(stage: Stage) -> Case:
    """A release that is never ready takes nobody's place, and `rollout undo` takes it back."""
    outcome = _Outcome()
    name = str(stage.target.container.get("name") or "")
    probe = {"$patch": "replace", "tcpSocket": {"port": _BAD_PORT}, "periodSeconds": 1}

    def act(load: RunningLoad) -> None:
        load.mark("bad release")
        answer = stage.patch({"spec": {"containers": [{"name": name, "readinessProbe": probe}]}})
        if not answer.ok:
            outcome.wrong = answer.said
            return
        with stage.watching_available() as watch:
            begun = time.monotonic()
            time.sleep(_BAD_RELEASE_SECONDS)
            found = stage.deployment()
            least = min(watch.numbers(begun), default=None)
        if said.rolled_out(found):
            outcome.wrong = "it was rolled out, though it is never ready"
        if least is not None:
            outcome.detail.append(f"{least} old pods went on")
        load.mark("undone")
        undone = stage.kubectl("rollout", "undo", f"deployment/{stage.target.name}")
        outcome.wrong = outcome.wrong or ("" if undone.ok else undone.said)
        outcome.wrong = outcome.wrong or stage.wait_rolled_out()
        load.mark("restored")
        if not outcome.wrong:
            outcome.detail.append("`kubectl rollout undo` restored it")

    return under_load(stage, act, at_least=0).case("bad release", outcome.wrong, outcome.text)
