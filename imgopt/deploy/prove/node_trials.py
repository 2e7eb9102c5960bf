"""Trials of what is around a service: a node that dies, the autoscaler, the limit of memory."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

from imgopt.deploy.prove import pods as said
from imgopt.deploy.prove.cluster import LocalNode
from imgopt.deploy.prove.loaded import RunningLoad
from imgopt.deploy.prove.stage import Stage, under_load
from imgopt.results.deploy import Case

_NODE_SECONDS = 120.0
_SCALE_SECONDS = 90.0
_MEMORY_SECONDS = 20.0
_SCALING_WORKERS = 16


def killed_node(stage: Stage) -> Case:
    """A node of our own is switched off and on again. Requests to its pods fail until the cluster
    has noticed: they are counted; judged is that it becomes whole elsewhere."""
    name = "killed node"
    if not stage.cluster.local:
        return _not_measured(name, "only nodes of the local cluster are switched off")
    nodes = stage.cluster.nodes
    if len(nodes) < 2:
        return _not_measured(name, "the cluster has one node")
    node = next((one for one in nodes if _pods_on(stage, one.name)), nodes[-1])
    found: list[str] = []

    def act(load: RunningLoad) -> None:
        began = time.monotonic()
        load.mark("node off")
        _run(node.stop)
        try:
            wrong = _whole_elsewhere(stage, node.name)
            load.mark("whole again")
            found.append(wrong)
            found.append(f"whole again on other nodes after {time.monotonic() - began:.0f} s")
        finally:
            _run(node.start)
        load.mark("node on")
        found.append(f"{node.name} back after {time.monotonic() - began:.0f} s")

    measured = under_load(stage, act, at_least=0)
    late = [one for one in measured.loaded.failures if one.at > measured.marks["whole again"] + 1.0]
    wrong = found[0] or (f"{len(late)} requests failed after it was whole again" if late else "")
    return measured.judged_by(name, wrong, "; ".join(found[1:]))


def _pods_on(stage: Stage, node: str) -> bool:
    return any(pod.get("spec", {}).get("nodeName") == node for pod in stage.pods())


def _whole_elsewhere(stage: Stage, node: str) -> str:
    deadline = time.monotonic() + _NODE_SECONDS
    wanted = int(stage.deployment().get("spec", {}).get("replicas", 1))
    while True:
        others = [one for one in stage.pods() if one.get("spec", {}).get("nodeName") != node]
        if sum(said.is_ready(one) for one in others) >= wanted:
            return ""
        if time.monotonic() > deadline:
            return f"not whole on the other nodes: {said.why_not_ready(others, stage.events())}"
        time.sleep(1.0)


def _run(command: list[str]) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=180, check=False)


def load_images(node: LocalNode, archive: Any) -> str:
    """`docker save` into a node's store; "" or why not. `archive` yields its bytes."""
    process = subprocess.Popen(
        node.load, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stdin is not None and process.stderr is not None
    try:
        for piece in archive:
            process.stdin.write(piece)
        process.stdin.close()
    except BrokenPipeError:
        pass
    said_last = process.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
    return "" if process.wait() == 0 else (said_last or ["the import failed"])[0]


def scaled(stage: Stage) -> Case:
    """Up under load and down again without it, by what the files say."""
    scaler = stage.target.scaler
    if scaler is None:
        return _scaled_by_hand(stage)
    name = "autoscaler"
    if scaler.kind != "HorizontalPodAutoscaler":
        return _not_measured(name, f"nothing here acts on a {scaler.kind}")
    if not stage.cluster.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes").ok:
        return _not_measured(
            name, "the cluster measures no pods: no metrics API (metrics-server is missing)"
        )
    return _scaled_by_measure(stage, scaler.name)


def _scaled_by_hand(stage: Stage) -> Case:
    """No autoscaler is written: one more and one less, and no request fails."""
    replicas = stage.target.replicas
    wrong: list[str] = []

    def act(load: RunningLoad) -> None:
        for what, count in (("scaled up", replicas + 1), ("scaled down", replicas)):
            words = (f"deployment/{stage.target.name}", f"--replicas={count}")
            stage.kubectl("scale", *words)
            wrong.append(stage.wait_rolled_out())
            load.mark(what)

    measured = under_load(stage, act, at_least=0)
    detail = f"{replicas} to {replicas + 1} pods and back; no autoscaler is written"
    return measured.case("scaling", next((one for one in wrong if one), ""), detail)


def _scaled_by_measure(stage: Stage, scaler: str) -> Case:
    window = {"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}}}}
    stage.kubectl("patch", "hpa", scaler, "--type=merge", "-p", json.dumps(window))
    before = _replicas(stage)
    began = time.monotonic()
    counts = [before]

    def act(load: RunningLoad) -> None:
        counts.append(_until(stage, lambda now: now > before))
        load.mark("scaled up")

    hard = stage.settings.workers
    stage.settings = _with_workers(stage, _SCALING_WORKERS)
    try:
        measured = under_load(stage, act, at_least=0)
    finally:
        stage.settings = _with_workers(stage, hard)
    counts.append(_until(stage, lambda now: now <= before))
    wrong = ""
    if counts[1] <= before:
        wrong = f"still {before} pods under load after {_SCALE_SECONDS:.0f} s"
    elif counts[2] > before:
        wrong = f"still {counts[2]} pods without load"
    detail = f"{before} to {counts[1]} pods and back in {time.monotonic() - began:.0f} s"
    return measured.case("autoscaler", wrong, f"{detail}; its window for going down cut to 5 s")


def _with_workers(stage: Stage, workers: int) -> Any:
    from dataclasses import replace

    return replace(stage.settings, workers=workers, load_seconds=_SCALE_SECONDS + 60)


def _replicas(stage: Stage) -> int:
    return int(stage.deployment().get("spec", {}).get("replicas", 1))


def _until(stage: Stage, done: Any) -> int:
    deadline = time.monotonic() + _SCALE_SECONDS
    while not done(now := _replicas(stage)) and time.monotonic() < deadline:
        time.sleep(2.0)
    return now


def at_memory_limit(stage: Stage) -> Case:
    """A load under the limit that the files set: nothing is killed, and how near it comes."""
    name, limit = "memory at the limit", stage.target.memory_limit
    if limit is None:
        return _not_measured(name, "the files set no limit")
    seen: list[int] = []
    before = said.restarts(stage.pods())

    def act(load: RunningLoad) -> None:
        deadline = time.monotonic() + _MEMORY_SECONDS
        while time.monotonic() < deadline:
            seen.append(_used(stage))
            time.sleep(2.0)
        load.mark("looked")

    measured = under_load(stage, act, at_least=0)
    pods = stage.pods()
    wrong = ""
    if said.restarts(pods) > before:
        why = "killed at the limit" if said.was_killed_for_memory(pods) else "restarted"
        wrong = f"{said.restarts(pods) - before} {why}"
    most = max(seen, default=0)
    detail = f"limit {limit >> 20} MiB"
    if most:
        detail += f", at most {most / (1 << 20):.0f} MiB seen ({100 * most / limit:.0f} %)"
    return measured.case(name, wrong, detail)


def _used(stage: Stage) -> int:
    """Of the fullest of its containers, as the kubelets say it."""
    most = 0
    container = stage.target.container.get("name")
    for node in {str(pod.get("spec", {}).get("nodeName", "")) for pod in stage.pods()} - {""}:
        path = f"/api/v1/nodes/{node}/proxy/stats/summary"
        for pod in stage.cluster.kubectl("get", "--raw", path).json().get("pods") or ():
            if (pod.get("podRef") or {}).get("namespace") == stage.namespace:
                most = max(
                    most, *(_bytes_of(one, container) for one in pod.get("containers") or ()), 0
                )
    return most


def _bytes_of(one: dict[str, Any], container: object) -> int:
    if one.get("name") != container:
        return 0
    return int((one.get("memory") or {}).get("workingSetBytes") or 0)


def _not_measured(name: str, why: str) -> Case:
    return Case(name=name, verdict="not measured", detail=why)
