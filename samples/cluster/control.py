"""The control plane: etcd, the API server, and, for nodes, the controllers and the scheduler."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from definitions import files_of
from layout import Layout, give_up, write_whole
from processes import pid_of, spawn, until, wait_for

SERVICES = "198.19.0.0/24"
"""Networks for tests of network devices (RFC 2544): nothing else has these addresses."""
NODES = "198.18.0"
ADMIN = "admin"


@dataclass(frozen=True)
class Control:
    """`enter` is what goes in front of a command that talks to it: in a network of its own nobody
    else reaches it."""

    layout: Layout
    programs: Path
    enter: tuple[str, ...] = ()
    ports: tuple[int, int, int] = field(default=(2379, 2380, 6443))

    def kubectl(self, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [*self.enter, str(self.programs / "kubectl"), "--kubeconfig"]
        return subprocess.run(
            [*command, str(self.layout.kubeconfig), *words],
            input=text,
            capture_output=True,
            text=True,
        )

    def spawn(self, part: str, *words: str, name: str = "") -> None:
        program = str(self.programs / part)
        spawn(self.layout, name or part, [*self.enter, program, *words])


def free_ports(count: int) -> list[int]:
    """On loopback, all free at one moment."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def start_api(control: Control) -> None:
    layout, certificates = control.layout, control.layout.folder("certificates")
    clients, peers, secure = control.ports
    etcd = f"http://127.0.0.1:{clients}"
    control.spawn(
        "etcd",
        *("--data-dir", str(layout.folder("etcd")), "--log-level", "warn"),
        *("--listen-client-urls", etcd, "--advertise-client-urls", etcd),
        *("--listen-peer-urls", f"http://127.0.0.1:{peers}"),
        *("--initial-advertise-peer-urls", f"http://127.0.0.1:{peers}"),
        *("--initial-cluster", f"default=http://127.0.0.1:{peers}"),
        "--unsafe-no-fsync",  # what it holds lives no longer than it does
    )
    _make_keys(certificates)
    token = _token(layout)
    control.spawn(
        "kube-apiserver",
        *("--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", str(secure)),
        *("--advertise-address", f"{NODES}.1", "--service-cluster-ip-range", SERVICES),
        *("--endpoint-reconciler-type", "none", "--cert-dir", str(certificates)),
        *("--token-auth-file", str(layout.run / "tokens.csv"), "--authorization-mode", "Node,RBAC"),
        *("--service-account-issuer", "https://kubernetes.default.svc"),
        *("--service-account-key-file", str(certificates / "accounts.key")),
        *("--service-account-signing-key-file", str(certificates / "accounts.key")),
        *("--allow-privileged", "--enable-priority-and-fairness=false"),
        # a name of a node is looked up nowhere, and a dead node is noticed within seconds
        *("--kubelet-preferred-address-types", "InternalIP"),
        *("--default-not-ready-toleration-seconds", "4"),
        *("--default-unreachable-toleration-seconds", "4"),
        *_front_proxy(certificates),
        # without controllers nobody makes the account that this plugin looks for
        *(("--disable-admission-plugins", "ServiceAccount") if layout.kind == "api" else ()),
    )
    wait_for(layout, "kube-apiserver", (certificates / "apiserver.crt").is_file)
    write_whole(layout.kubeconfig, json.dumps(_kubeconfig(control, token), indent=1))
    layout.kubeconfig.chmod(0o600)
    wait_for(
        layout, "kube-apiserver", lambda: control.kubectl("get", "--raw", "/readyz").stdout == "ok"
    )


def install_definitions(control: Control) -> None:
    """Those of Gateway API and KEDA; applied by the server, because the largest does not fit into
    an annotation."""
    named = [word for path in files_of(control.layout.data) for word in ("-f", str(path))]
    done = control.kubectl("apply", "--server-side", *named)
    if done.returncode:
        give_up(f"definitions were not taken: {done.stderr.strip()}")
    wanted = ("wait", "--for", "condition=established", "crd", "--all", "--timeout=60s")
    control.kubectl(*wanted)


def start_controllers(control: Control) -> None:
    layout, certificates = control.layout, control.layout.folder("certificates")
    own = ("--kubeconfig", str(layout.kubeconfig), "--leader-elect=false")
    quick = ("--kube-api-qps", "500", "--kube-api-burst", "1000", "--bind-address", "127.0.0.1")
    control.spawn(
        "kube-controller-manager",
        *(*own, *quick),
        *("--service-account-private-key-file", str(certificates / "accounts.key")),
        *("--root-ca-file", str(certificates / "apiserver.crt")),
        *("--flex-volume-plugin-dir", str(layout.folder("flex"))),
        *("--node-monitor-grace-period", "12s", "--node-monitor-period", "1s"),
        *("--horizontal-pod-autoscaler-sync-period", "5s"),
        *("--horizontal-pod-autoscaler-initial-readiness-delay", "1s"),
        *("--horizontal-pod-autoscaler-cpu-initialization-period", "5s"),
    )
    control.spawn("kube-scheduler", *own, *quick)
    wait_for(
        layout,
        "kube-controller-manager",
        lambda: control.kubectl("get", "serviceaccount", "default").returncode == 0,
    )


def is_up(layout: Layout) -> bool:
    return all(pid_of(layout, part) for part in ("etcd", "kube-apiserver"))


def _token(layout: Layout) -> str:
    token = secrets.token_hex(16)
    path = layout.run / "tokens.csv"
    path.touch(mode=0o600)
    path.write_text(f"{token},{ADMIN},1,system:masters\n")
    return token


def _kubeconfig(control: Control, token: str) -> dict[str, object]:
    server = {
        "server": f"https://127.0.0.1:{control.ports[2]}",
        "certificate-authority": str(control.layout.folder("certificates") / "apiserver.crt"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "imgopt", "cluster": server}],
        "users": [{"name": ADMIN, "user": {"token": token}}],
        "contexts": [{"name": "imgopt", "context": {"cluster": "imgopt", "user": ADMIN}}],
        "current-context": "imgopt",
    }


def _make_keys(folder: Path) -> None:
    """One for the accounts of pods; one for the front proxy, behind which a metrics server may
    stand. The API server makes its own certificate."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("genrsa", "-out", "accounts.key", "2048")
    made = ("-newkey", "rsa:2048", "-nodes")
    openssl(
        "req",
        "-x509",
        *made,
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
        "-subj",
        "/CN=front-ca",
        "-days",
        "3650",
    )
    openssl("req", *made, "-keyout", "front.key", "-out", "front.csr", "-subj", "/CN=front-proxy")
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650")
    openssl("x509", "-req", "-in", "front.csr", *signed, "-out", "front.crt")


def _front_proxy(folder: Path) -> tuple[str, ...]:
    return (
        *("--requestheader-client-ca-file", str(folder / "ca.crt")),
        *("--requestheader-allowed-names", "front-proxy"),
        *("--requestheader-username-headers", "X-Remote-User"),
        *("--requestheader-group-headers", "X-Remote-Group"),
        *("--requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        *("--proxy-client-cert-file", str(folder / "front.crt")),
        *("--proxy-client-key-file", str(folder / "front.key")),
    )


def node_names(control: Control) -> list[str]:
    return control.kubectl(
        "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"
    ).stdout.split()


def wait_for_node(control: Control, name: str, seconds: float = 90.0) -> bool:
    path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    return until(
        lambda: control.kubectl("get", "node", name, "-o", path).stdout == "True", seconds, 0.3
    )
