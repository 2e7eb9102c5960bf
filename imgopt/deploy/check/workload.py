"""What runs, as the rules see it: one model for Kubernetes objects and Compose services. Each value
that a rule may speak of comes with the node that says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from imgopt.deploy.check.nodes import Node

NOTHING = Node()
SERVED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "DaemonSet")
"""Kinds whose pods may answer requests; jobs end."""


@dataclass(frozen=True, slots=True)
class Probe:
    """kind: startup, readiness, liveness, or "health check" of Compose. Seconds. `handler` is http,
    tcp, grpc, exec, or "" for none."""

    kind: str
    node: Node
    handler: str = ""
    words: tuple[str, ...] = ()
    path: str = ""
    host: str = ""
    port: Node = NOTHING
    delay: float = 0.0
    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3

    @property
    def window(self) -> float:
        """Seconds from the start until it has failed so often that it acts."""
        return self.delay + self.period * self.failures

    @property
    def target(self) -> tuple[object, ...]:
        """What it asks; two probes with the same one cannot tell two things."""
        return self.handler, self.words, self.path or "/", self.host, self.port.text


@dataclass(frozen=True, slots=True)
class Hook:
    """Of a container's life: before the signal to stop, or after its start."""

    node: Node
    words: tuple[str, ...] = ()
    sleep: float | None = None
    """Seconds that it waits, where that is all it does."""


@dataclass(frozen=True, slots=True)
class Port:
    number: int | None
    name: str
    node: Node
    transport: str = "tcp"


@dataclass(frozen=True, slots=True)
class Variable:
    """Of the environment. `origin`: value, secret, config, field, "" for one without a value."""

    name: str
    value: Node
    origin: str = "value"
    source: str = ""
    """The secret or config that has it."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Of memory (bytes), processors, ephemeral storage (bytes); None where nothing is said."""

    memory: int | None = None
    processors: float | None = None
    storage: int | None = None
    node: Node = NOTHING
    varies: bool = False
    """A variable or a template says one of them."""
    storage_node: Node = NOTHING


@dataclass(frozen=True, slots=True)
class Rights:
    """The container's own, over the pod's."""

    user: int | None = None
    group: int | None = None
    user_text: str = ""
    """As written: Compose knows names, too."""
    user_node: Node = NOTHING
    non_root: bool | None = None
    non_root_node: Node = NOTHING
    read_only: bool = False
    read_only_node: Node = NOTHING
    privileged: bool = False
    escalation: bool | None = None
    dropped: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    seccomp: str = ""
    node: Node = NOTHING


@dataclass(frozen=True, slots=True)
class Mount:
    """kind: emptyDir, claim, hostPath, configMap, secret, bind, volume, tmpfs, other."""

    path: str
    kind: str
    node: Node
    source: str = ""
    read_only: bool = False
    part: bool = False
    """One file or folder of the volume (subPath): it does not follow later changes."""
    most: int | None = None
    """Bytes that an emptyDir or tmpfs may hold."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    name: str
    node: Node
    image: str = ""
    image_node: Node = NOTHING
    built: bool = False
    """Compose builds it: its name is no public one."""
    kind: str = "main"
    """main, sidecar (an init container that goes on), init."""
    command: tuple[str, ...] | None = None
    """In the place of the image's ENTRYPOINT; None: the image's."""
    command_node: Node = NOTHING
    arguments: tuple[str, ...] | None = None
    """In the place of the image's CMD."""
    arguments_node: Node = NOTHING
    working_dir: str = ""
    ports: tuple[Port, ...] = ()
    environment: Mapping[str, Variable] = field(default_factory=dict)
    whole_sources: tuple[Variable, ...] = ()
    """Config maps and secrets that are taken whole (envFrom)."""
    probes: Mapping[str, Probe] = field(default_factory=dict)
    pre_stop: Hook | None = None
    post_start: Hook | None = None
    requests: Amounts = Amounts()
    limits: Amounts = Amounts()
    gpus: Node = NOTHING
    rights: Rights = Rights()
    mounts: tuple[Mount, ...] = ()
    pull_policy: str = ""
    pull_node: Node = NOTHING
    init: bool = False
    """Compose puts an init in front of its program."""
    stop_signal: str = ""
    platform: str = ""
    platform_node: Node = NOTHING

    @property
    def varies(self) -> bool:
        """Its image is named by a variable, a template, or a word for a tool to fill in: a name has
        no address and no capital letters."""
        name = self.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
        filled = "://" in self.image or name != name.lower()
        return self.image_node.varies or not self.image or filled

    def covers(self, path: str) -> Mount | None:
        """The mount that a path lies in, the deepest."""
        found = [one for one in self.mounts if one.path and _below(path, one.path)]
        return max(found, key=lambda one: len(one.path), default=None)


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a new version comes. `unavailable` is None where nothing is said."""

    kind: str = "RollingUpdate"
    unavailable: Node = NOTHING
    surge: Node = NOTHING
    node: Node = NOTHING


@dataclass(frozen=True, slots=True)
class Workload:
    """kind as Kubernetes says it, or "service" of Compose."""

    kind: str
    name: str
    node: Node
    namespace: str = ""
    containers: tuple[Container, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of its pods."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    selector: Node = NOTHING
    replicas: Node = NOTHING
    rollout: Rollout = Rollout()
    grace: float = 30.0
    grace_node: Node = NOTHING
    architectures: tuple[str, ...] = ()
    """Of the nodes that it asks for."""
    architecture_node: Node = NOTHING
    spread: bool = False
    """It says how its pods are spread, or keeps them apart."""
    host: tuple[Node, ...] = ()
    """What it shares of the machine: hostNetwork, hostPID, hostIPC."""
    token: bool | None = None
    pod: Node = NOTHING
    depends: Mapping[str, str] = field(default_factory=dict)
    """Compose: the condition by the other service's name."""
    depends_node: Node = NOTHING

    @property
    def compose(self) -> bool:
        return self.kind == "service"

    @property
    def title(self) -> str:
        return f"service {self.name}" if self.compose else f"{self.kind}/{self.name}"

    @property
    def main(self) -> Iterator[Container]:
        """Those that run for as long as it does."""
        yield from (one for one in self.containers if one.kind != "init")

    @property
    def count(self) -> int | None:
        """Replicas that it says; None for nothing or a variable."""
        return None if self.replicas.varies else self.replicas.whole


def _below(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return path == folder or path.startswith(f"{folder}/")
