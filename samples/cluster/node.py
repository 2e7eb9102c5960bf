"""One node: containerd and runc of the system with folders of its own, CNI's bridge, the kubelet.

All lies below the run folder and in one control group; what is mounted is mounted in the mount
namespace of the cluster alone."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from control import NODES, Control, wait_for_node
from layout import Layout, give_up
from processes import end, end_parts, marked, spawn, until, wait_for
from put_back import cgroup_roots, end_group

PAUSE = "imgopt.local/pause:1"
_TOOLS = ("containerd", "ctr", "runc", "ip", "iptables", "nsenter", "unshare", "openssl")


_UNUSED = [
    *(f"io.containerd.snapshotter.v1.{name}" for name in ("btrfs", "zfs", "aufs", "devmapper")),
    "io.containerd.internal.v1.tracing",
    "io.containerd.tracing.processor.v1.otlp",
]
"""They only write errors."""


def missing_tools() -> list[str]:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [tool for tool in _TOOLS if shutil.which(tool, path=path) is None]


@dataclass(frozen=True)
class Node:
    control: Control
    number: int

    @property
    def layout(self) -> Layout:
        return self.control.layout

    @property
    def name(self) -> str:
        return f"node-{self.number}"

    @property
    def address(self) -> str:
        return f"{NODES}.{self.number}"

    @property
    def socket(self) -> Path:
        return self.layout.sockets / self.name / "containerd.sock"

    @property
    def group(self) -> str:
        return f"{self.layout.name}/{self.name}"

    def folder(self, *names: str) -> Path:
        return self.layout.folder(self.name, *names)

    def ctr(self, *words: str) -> tuple[str, ...]:
        return ("ctr", "-a", str(self.socket), "-n", "k8s.io", *words)


def start_node(node: Node) -> None:
    for root in cgroup_roots():
        _make_group(root, node.group)
    node.socket.parent.mkdir(parents=True, exist_ok=True)
    (node.folder() / "containerd.toml").write_text(_containerd(node))
    (node.folder("cni") / "10-bridge.conflist").write_text(json.dumps(_network(node)))
    _start(node, "containerd", "containerd", "--config", str(node.folder() / "containerd.toml"))
    answers = node.ctr("version")
    wait_for(
        node.layout,
        f"containerd-{node.number}",
        lambda: subprocess.run(answers, capture_output=True).returncode == 0,
    )
    archive = _pause_archive(node.control.programs / "pause")
    subprocess.run(
        node.ctr("images", "import", "-"), input=archive, check=True, capture_output=True
    )
    (node.folder() / "kubelet.json").write_text(json.dumps(_kubelet(node), indent=1))
    _start(
        node,
        "kubelet",
        str(node.control.programs / "kubelet"),
        *("--config", str(node.folder() / "kubelet.json")),
        *("--kubeconfig", str(node.layout.kubeconfig), "--root-dir", str(node.folder("kubelet"))),
        *("--cert-dir", str(node.folder("pki")), "--hostname-override", node.name),
        *("--node-ip", node.address),
    )


def wait_until_ready(node: Node) -> None:
    if not wait_for_node(node.control, node.name):
        give_up(f"{node.name} does not become ready; its logs are in {node.layout.run / 'log'}")


def stop_node(node: Node) -> None:
    """As a machine that is switched off: nothing is told to anybody, no pod is asked to end."""
    parts = (f"kubelet-{node.number}", f"containerd-{node.number}")
    end_parts(node.layout, parts, grace=0.0)
    end_group(node.group)
    socket = str(node.socket).encode()
    end([pid for pid in marked(node.layout) if socket in _words_of(pid)], grace=0.0)
    until(lambda: not end_group(node.group), 10.0)


def _words_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _start(node: Node, part: str, *command: str) -> None:
    spawn(node.layout, f"{part}-{node.number}", [*node.control.enter, *command])


def _make_group(root: Path, group: str) -> None:
    """cpuset groups begin empty, and nothing runs in one that has no processors."""
    path = root
    for name in group.split("/"):
        above, path = path, path / name
        path.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            own = path / setting
            if own.exists() and not own.read_text().strip() and (above / setting).exists():
                own.write_text((above / setting).read_text())


def _containerd(node: Node) -> str:
    plugin = 'plugins."io.containerd.grpc.v1.cri"'
    # a score of its own for a sandbox takes a right that a container often has not: runc dies with
    # "can't get final child's PID from pipe: EOF"
    return f"""version = 2
root = {_quoted(node.folder("containerd"))}
state = {_quoted(node.socket.parent / "state")}
disabled_plugins = {json.dumps(_UNUSED)}
[grpc]
  address = {_quoted(node.socket)}
[plugins."io.containerd.internal.v1.opt"]
  path = {_quoted(node.folder("opt"))}
[{plugin}]
  sandbox_image = "{PAUSE}"
  stream_server_address = "127.0.0.1"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [{plugin}.cni]
    bin_dir = {_quoted(cni_programs(node.layout.data))}
    conf_dir = {_quoted(node.folder("cni"))}
  [{plugin}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [{plugin}.containerd.runtimes.runc.options]
      SystemdCgroup = false
"""


def _quoted(value: object) -> str:
    return json.dumps(str(value))


def _network(node: Node) -> dict[str, object]:
    subnet = f"{NODES.rpartition('.')[0]}.{18 + node.number}.0/24"
    addresses = {
        "type": "host-local",
        "dataDir": str(node.folder("addresses")),
        "ranges": [[{"subnet": subnet}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {
        "type": "bridge",
        "bridge": f"pods{node.number}",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": node.name, "plugins": [bridge, ports]}


def _kubelet(node: Node) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "readOnlyPort": 0,
        "healthzPort": 0,
        # nobody but us reaches its address
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.group}",
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        "failSwapOn": False,
        "podLogsDir": str(node.folder("podlogs")),
        "volumePluginDir": str(node.folder("flex")),
        "resolvConf": "",
        # the disk is shared with the rest of the machine
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "nodeStatusUpdateFrequency": "2s",
        "nodeLeaseDurationSeconds": 6,
        "syncFrequency": "10s",
        "maxPods": 60,
    }


def start_proxy(control: Control) -> None:
    """One for all nodes: they share a network namespace."""
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "bindAddress": "127.0.0.1",
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "clientConnection": {"kubeconfig": str(control.layout.kubeconfig)},
        "hostnameOverride": "node-1",
        "iptables": {"minSyncPeriod": "0s", "syncPeriod": "30s", "localhostNodePorts": True},
        "nodePortAddresses": ["127.0.0.0/8"],
        # the table of connections belongs to the whole machine
        "conntrack": {"maxPerCore": 0, "min": 0},
        "detectLocalMode": "InterfaceNamePrefix",
        "detectLocal": {"interfaceNamePrefix": "veth"},
    }
    path = control.layout.run / "proxy.json"
    path.write_text(json.dumps(settings, indent=1))
    control.spawn("kube-proxy", "--config", str(path))


def cni_programs(data: Path) -> Path:
    """CNI's plugins: the system's, or Debian's package unpacked into the data folder."""
    own = data / "cni" / "usr" / "lib" / "cni"
    for folder in (own, Path("/usr/lib/cni"), Path("/opt/cni/bin")):
        if all(
            (folder / name).exists() for name in ("bridge", "host-local", "portmap", "loopback")
        ):
            return folder
    wanted = "containernetworking-plugins"
    new = data / "cni.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for command in (("apt-get", "-qq", "update"), ("apt-get", "-qq", "download", wanted)):
        done = subprocess.run(command, cwd=new, capture_output=True)
        if done.returncode and command[2] == "download":
            give_up(
                f"CNI's plugins could not be downloaded: apt-get download {wanted}",
                "or put them into /opt/cni/bin",
            )
    subprocess.run(["dpkg", "-x", *(str(deb) for deb in new.glob("*.deb")), str(new)], check=True)
    shutil.rmtree(data / "cni", ignore_errors=True)
    new.rename(data / "cni")
    return own


def _pause_archive(program: Path) -> bytes:
    """`docker save` of an image of one file, without an engine."""
    layer = _tar({"pause": (program.read_bytes(), 0o755)})
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    config = json.dumps(
        {
            "architecture": machine,
            "os": "linux",
            "config": {"Entrypoint": ["/pause"]},
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"],
            },
        }
    ).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = json.dumps([{"Config": name, "RepoTags": [PAUSE], "Layers": ["layer.tar"]}]).encode()
    return _tar(
        {name: (config, 0o644), "layer.tar": (layer, 0o644), "manifest.json": (manifest, 0o644)}
    )


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, (content, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return whole.getvalue()
