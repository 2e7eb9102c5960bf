"""Tier 3 from the first `apply` to the last trial, in a namespace that is gone at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from imgopt.deploy.prove import node_trials, trials
from imgopt.deploy.prove.cluster import Cluster
from imgopt.deploy.prove.loaded import Address
from imgopt.deploy.prove.namespace import own_namespace
from imgopt.deploy.prove.objects import Object
from imgopt.deploy.prove.prepared import Prepared, as_list, prepared
from imgopt.deploy.prove.proxy import service_through_server
from imgopt.deploy.prove.stage import Settings, Stage
from imgopt.deploy.prove.target import Target, targets
from imgopt.results.deploy import Case

TRIALS: Mapping[str, trials.Trial] = {
    "probes": trials.probes_hold,
    "update": trials.rolling_update,
    "drain": trials.drained_node,
    "pod": trials.killed_pod,
    "node": node_trials.killed_node,
    "bad-release": trials.bad_release,
    "scale": node_trials.scaled,
    "memory": node_trials.at_memory_limit,
}
"""In the order in which they are made; "roll out" comes before all."""


def try_on_nodes(
    cluster: Cluster,
    objects: Sequence[Object],
    settings: Settings,
    wanted: Sequence[str],
    absent: Mapping[str, str],
    say: Callable[[str], None],
) -> list[Case]:
    found = targets(objects)
    if not found:
        return [_nothing("no Deployment behind a Service in these files")]
    if absent:
        named = "; ".join(f"{image}: {why}" for image, why in absent.items())
        return [Case(name="roll out", verdict="failed", detail=f"image is not here: {named}")]
    with own_namespace(cluster) as namespace:
        files = prepared(
            objects, namespace, local=cluster.local is not None, known_kinds=known_kinds(cluster)
        )
        stage = Stage(cluster, namespace, found[0], settings, say)
        return _all(stage, files, wanted)


def _nothing(why: str) -> Case:
    return Case(name="roll out", verdict="not measured", detail=why)


def _all(stage: Stage, files: Prepared, wanted: Sequence[str]) -> list[Case]:
    with ExitStack() as stack:
        first = _roll_out(stage, files, stack)
        cases = [first]
        if first.verdict == "failed":
            return cases
        for name, trial in TRIALS.items():
            if wanted and name not in wanted:
                continue
            stage.say(name)
            cases.append(trial(stage))
            if why := stage.wait_rolled_out() or stage.answers():
                cases.append(Case(name=f"whole after {name}", verdict="failed", detail=why))
                break
        return cases


def _roll_out(stage: Stage, files: Prepared, stack: ExitStack) -> Case:
    began = time.monotonic()
    stage.say("roll out")
    applied = stage.cluster.kubectl(
        *("apply", "--server-side", "--force-conflicts", "-f", "-"),
        text=json.dumps(as_list(files.objects)),
    )
    said = "; ".join(files.said)
    if not applied.ok:
        return Case(name="roll out", verdict="failed", detail=f"{applied.said}; {said}")
    why = stage.wait_rolled_out()
    ready = time.monotonic() - began
    if not why:
        stage.address = stack.enter_context(_address(stage))
        why = stage.answers()
    where = f"{stage.target.replicas} pods ready after {ready:.0f} s, asked at {stage.address.path}"
    return Case(
        name="roll out",
        verdict="failed" if why else "passed",
        detail="; ".join(part for part in (why or where, said) if part),
        seconds=round(time.monotonic() - began, 1),
    )


@contextmanager
def _address(stage: Stage) -> Iterator[Address]:
    """Within the network of the local cluster by the service's own address, as its users do;
    elsewhere through the API server, on loopback."""
    target = stage.target
    if not stage.cluster.local:
        name = target.service.name
        with service_through_server(stage.cluster, stage.namespace, name, target.port) as found:
            yield found
        return
    service = stage.cluster.get("service", target.service.name, "-n", stage.namespace)
    spec = service.get("spec") or {}
    if spec.get("clusterIP") in (None, "", "None"):
        with service_through_server(
            stage.cluster, stage.namespace, target.service.name, target.port
        ) as found:
            yield found
        return
    yield Address(str(spec["clusterIP"]), target.port, enter=stage.cluster.enter)


def known_kinds(cluster: Cluster) -> frozenset[str]:
    """ "apps/v1/Deployment" and so on, as the server lists them."""
    found = set()
    for line in cluster.kubectl("api-resources", "--no-headers").out.splitlines():
        words = line.split()
        if len(words) >= 4:
            found.add(f"{words[-3]}/{words[-1]}")
    return frozenset(found)


def target_of(objects: Sequence[Object]) -> Target | None:
    return next(iter(targets(objects)), None)
