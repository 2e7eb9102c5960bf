"""`make fleet-test`: the rollout model beside real controllers: `python benchmarks/rollouts.py
[--nodes N]`.

A control plane of `samples/cluster` (API server, controllers, scheduler, no kubelet) with nodes
that kwok simulates: a pod is ready after the seconds that the cost model says for its pull and
start. A Deployment of one pod a node is rolled out anew for each case, and the seconds until it is
complete stand beside the model's. Writes results/rollouts-N.json and the table between the
`rollouts` marks of docs/fleet.md. The modules of `samples/cluster` are on PYTHONPATH, as make has
it. The first time builds the parts and kwok by the Go toolchain (minutes).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from building import build, go_environment, go_program
from control import Control, free_ports, start_api
from layout import Layout, data_folder
from processes import wait_for
from put_back import put_back

from imgopt.fleet.cost.model import Layer, pull, ready, rollout
from imgopt.fleet.cost.parameters import Parameters
from imgopt.report import write_atomic
from imgopt.report.common import table_markdown

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "fleet.md"
MARKS = re.compile(r"(<!-- rollouts -->\n).*?(<!-- /rollouts -->)", re.DOTALL)
KWOK = "sigs.k8s.io/kwok"
KWOK_VERSION = "v0.8.0"
STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/general/pod-create.yaml",
    "pod/general/pod-ready.yaml",
    "pod/general/pod-delete.yaml",
)
LEASE = 200
"""Seconds; a lease is renewed after a quarter of them, within the controllers' patience below."""
PATIENCE = "300s"
APPS = "/apis/apps/v1/namespaces/default/deployments"
MB = 1_000_000


@dataclass(frozen=True)
class Case:
    """A release: what of the image changes, and how it is rolled out."""

    what: str
    layers: tuple[tuple[int, int, int], ...]
    """Wire bytes, raw bytes and files."""
    surge: str
    unavailable: str
    app_seconds: float = 2.0


CODE = ((1 * MB, 3 * MB, 80),)
DEPENDENCIES = ((90 * MB, 270 * MB, 7000), *CODE)
WHOLE = ((43 * MB, 130 * MB, 3500), (257 * MB, 770 * MB, 20000), (69 * MB, 200 * MB, 5400), *CODE)
CASES = (
    Case("code", CODE, "10%", "0"),
    Case("code", CODE, "25%", "25%"),
    Case("dependencies", DEPENDENCIES, "10%", "0"),
    Case("dependencies", DEPENDENCIES, "25%", "25%"),
    Case("whole image", WHOLE, "25%", "0"),
    Case("whole image", WHOLE, "25%", "25%"),
)
FEW = (CASES[1], CASES[3])
"""For a thousand nodes: what they cost is the controllers' work."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=100)
    options = parser.parse_args(arguments)
    with cluster() as control, simulated(control):
        api = Api(control)
        api.make_nodes(options.nodes)
        began = time.monotonic()
        api.deploy(options.nodes)
        rate = options.nodes / (time.monotonic() - began) / 2  # one is made, and one is removed
        cases = CASES if options.nodes <= 200 else FEW
        rows = [tried(api, case, options.nodes, rate) for case in cases]
    load = os.getloadavg()[0]
    result = {"nodes": options.nodes, "pods_per_second": rate, "rows": rows, "load": load}
    path = ROOT / "benchmarks" / "results" / f"rollouts-{options.nodes}.json"
    write_atomic(path, json.dumps(result, indent=1) + "\n")
    _write_page()
    print(table(rows))
    return 0


def tried(api: Api, case: Case, nodes: int, rate: float) -> dict[str, Any]:
    """One release, predicted and seen. `rate`: pods a second that these controllers replace, by
    their first deployment."""
    values = Parameters({"nodes": nodes, "app_seconds": case.app_seconds, "pods_per_second": rate})
    layers = [Layer(str(n), *sizes) for n, sizes in enumerate(case.layers)]
    told = rollout(case.surge, case.unavailable, values, layers)
    seconds = ready(pull(layers, values, active=told.batch), values).seconds
    api.roll(seconds, case.surge, case.unavailable)
    began = time.monotonic()
    least = api.wait_until_complete(nodes)
    seen = time.monotonic() - began
    error = told.seconds / seen - 1
    print(f"{case.what} {case.surge}: {told.seconds:.1f} s, {seen:.1f} s", file=sys.stderr)
    return {
        "nodes": nodes,
        "what": case.what,
        "surge": case.surge,
        "unavailable": case.unavailable,
        "ready_seconds": seconds,
        "batch": told.batch,
        "waves": told.waves,
        "predicted": told.seconds,
        "seen": seen,
        "error": error,
        "least_available": least,
    }


@contextmanager
def cluster() -> Iterator[Control]:
    """A control plane on loopback in a folder of its own; ended whatever happens."""
    os.environ.setdefault("IMGOPT_CLUSTER_NICE", "19")
    data = data_folder()
    programs = build(data, "node")
    layout = Layout(data / "fleet", "api")
    put_back(layout)
    layout.run.mkdir(parents=True)
    first, second, third = free_ports(3)
    control = Control(layout, programs, ports=(first, second, third))
    try:
        start_api(control)
        _start_controllers(control)
        yield control
    finally:
        put_back(layout)


def _start_controllers(control: Control) -> None:
    """As the cluster's own, with patience for leases of nodes that are simulated."""
    layout, keys = control.layout, control.layout.folder("certificates")
    own = ("--kubeconfig", str(layout.kubeconfig), "--leader-elect=false", "--secure-port=0")
    quick = ("--kube-api-qps", "500", "--kube-api-burst", "1000")
    control.spawn(
        "kube-controller-manager",
        *(*own, *quick, "--node-monitor-grace-period", PATIENCE),
        *("--service-account-private-key-file", str(keys / "accounts.key")),
        *("--root-ca-file", str(keys / "apiserver.crt")),
        *("--flex-volume-plugin-dir", str(layout.folder("flex"))),
    )
    control.spawn("kube-scheduler", *own, *quick)
    wait_for(
        layout,
        "kube-controller-manager",
        lambda: control.kubectl("get", "serviceaccount", "default").returncode == 0,
    )


@contextmanager
def simulated(control: Control) -> Iterator[None]:
    """kwok beside the control plane."""
    data = data_folder()
    program = data / "bin" / f"kwok-{KWOK_VERSION.removeprefix('v')}" / "kwok"
    if not program.exists():
        environment = {**go_environment(data), "GOBIN": str(program.parent)}
        environment["GOFLAGS"] = "-modcacherw"
        command = [go_program(), "install", f"{KWOK}/cmd/kwok@{KWOK_VERSION}"]
        subprocess.run(["nice", "-n", "19", *command], env=environment, check=True)
    stages = data / "go" / "modules" / f"{KWOK}@{KWOK_VERSION}" / "kustomize" / "stage"
    config = control.layout.run / "stages.yaml"
    config.write_text("\n---\n".join((stages / name).read_text() for name in STAGES))
    (port,) = free_ports(1)
    Control(control.layout, program.parent).spawn(
        "kwok",
        *("--kubeconfig", str(control.layout.kubeconfig), "--config", str(config)),
        *("--manage-nodes-with-annotation-selector", "kwok.x-k8s.io/node=fake"),
        *("--cidr", "10.128.0.0/12", "--node-ip", "127.0.0.1"),
        *("--node-lease-duration-seconds", str(LEASE)),
        *("--server-address", f"127.0.0.1:{port}"),
    )
    yield


class Api:
    """The API server, asked over one connection at a time."""

    def __init__(self, control: Control) -> None:
        config = json.loads(control.layout.kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._server = cluster["server"]
        self._token = config["users"][0]["user"]["token"]
        self._trust = ssl.create_default_context(cafile=cluster["certificate-authority"])

    def ask(self, method: str, path: str, body: object = None, kind: str = "json") -> Any:
        types = {"json": "application/json", "merge": "application/merge-patch+json"}
        request = urllib.request.Request(
            f"{self._server}{path}",
            json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"Bearer {self._token}", "Content-Type": types[kind]},
            method=method,
        )
        with urllib.request.urlopen(request, context=self._trust, timeout=60) as answer:
            return json.load(answer)

    def make_nodes(self, count: int) -> None:
        room = {"cpu": "8", "memory": "32Gi", "pods": "110"}
        for number in range(count):
            name = f"fake-{number}"
            node = {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "annotations": {"kwok.x-k8s.io/node": "fake"},
                    "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
                },
                "status": {"allocatable": room, "capacity": room},
            }
            self.ask("POST", "/api/v1/nodes", node)
        self._wait(lambda: self._ready_nodes() == count, "nodes")

    def _ready_nodes(self) -> int:
        items = self.ask("GET", "/api/v1/nodes")["items"]
        return sum(
            one["type"] == "Ready" and one["status"] == "True"
            for item in items
            for one in item["status"].get("conditions", ())
        )

    def deploy(self, pods: int) -> None:
        """One pod a node, as far as the scheduler can spread them; ready at once."""
        labels = {"app": "fleet"}
        spread = {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels},
        }
        template = {
            "metadata": {"labels": labels, "annotations": _delay(0.0)},
            "spec": {
                "containers": [{"name": "app", "image": "app:1"}],
                "terminationGracePeriodSeconds": 0,
                "topologySpreadConstraints": [spread],
            },
        }
        spec = {"replicas": pods, "selector": {"matchLabels": labels}, "template": template}
        kind = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "fleet"}}
        self.ask("POST", APPS, {**kind, "spec": spec})
        self.wait_until_complete(pods)

    def roll(self, seconds: float, surge: str, unavailable: str) -> None:
        def number(word: str) -> int | str:
            return word if word.endswith("%") else int(word)

        stamp = {"at": str(time.time()), **_delay(seconds)}
        rolling = {"maxSurge": number(surge), "maxUnavailable": number(unavailable)}
        spec = {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": {"metadata": {"annotations": stamp}},
        }
        self.ask("PATCH", f"{APPS}/fleet", {"spec": spec}, "merge")

    def wait_until_complete(self, pods: int) -> int:
        """The least pods that were available at any look."""
        least = [pods]

        def complete() -> bool:
            found = self.ask("GET", f"{APPS}/fleet")
            status = found["status"]
            available = status.get("availableReplicas", 0)
            least[0] = min(least[0], available)
            counts = [status.get(name, 0) for name in ("updatedReplicas", "replicas")]
            seen = status.get("observedGeneration") == found["metadata"]["generation"]
            return seen and [*counts, available] == [pods] * 3

        self._wait(complete, "rollout")
        return least[0]

    def _wait(self, test: Any, what: str, seconds: float = 900.0) -> None:
        end = time.monotonic() + seconds
        while not test():
            if time.monotonic() > end:
                raise SystemExit(f"{what}: not within {seconds:.0f} s")
            time.sleep(0.2)


def _delay(seconds: float) -> dict[str, str]:
    """kwok's own annotations: a pod is ready after so long, no random part later, and made and
    removed at once."""
    stages = {"pod-create": 0.0, "pod-ready": seconds, "pod-delete": 0.0}
    return {
        f"{stage}.stage.kwok.x-k8s.io/{name}": f"{value:.3f}s"
        for stage, value in stages.items()
        for name in ("delay", "jitter-delay")
    }


def _write_page() -> None:
    files = sorted(
        (ROOT / "benchmarks" / "results").glob("rollouts-*.json"),
        key=lambda path: json.loads(path.read_text())["nodes"],
    )
    rows = [row for path in files for row in json.loads(path.read_text())["rows"]]
    write_atomic(PAGE, MARKS.sub(lambda m: f"{m[1]}\n{table(rows)}\n\n{m[2]}", PAGE.read_text()))


def table(rows: Sequence[dict[str, Any]]) -> str:
    cells = [
        (
            f"{row['nodes']:,}",
            row["what"],
            f"{row['surge']} + {row['unavailable']}",
            f"{row['ready_seconds']:.1f} s",
            f"{row['waves']} of {row['batch']}",
            f"{row['predicted']:.1f} s",
            f"{row['seen']:.1f} s",
            f"{row['error']:+.0%}",
        )
        for row in rows
    ]
    head = ("nodes", "what changes", "surge + unavailable", "ready after", "waves")
    return table_markdown((*head, "predicted", "seen", "error"), cells, right=(0, 3, 5, 6, 7))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
