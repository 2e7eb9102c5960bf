"""Files: what is written, and what of the machine is mounted."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.deploy.check.examples import deployment, facts, service
from imgopt.deploy.check.names import names
from imgopt.deploy.check.quantities import mebibytes
from imgopt.deploy.check.rule import Case, Found, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Container
from imgopt.results.run_facts import ImageFacts, ReadOnlyRoot, Written


def read_only_root(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        known = situation.known(container)
        if known is None or not container.rights.read_only:
            continue
        needed = {folder: why for folder, why in _needed(known) if not _writable(container, folder)}
        if needed:
            listed = ", ".join(needed)
            yield Found(
                container.rights.read_only_node,
                one.title,
                f"the root file system of container {container.name} is read-only, and it writes to"
                f" {listed}",
                "; ".join(needed.values()),
                f"an emptyDir at {listed}" if not one.compose else f"tmpfs: [{listed}]",
            )


def _needed(known: ImageFacts) -> Iterator[tuple[str, str]]:
    """What has to be writable: found by a run under it, else what was written."""
    root = known.read_only_root
    if root.works is not None:
        for folder in root.tmpfs:
            yield folder, f"without {folder} it did not work on a read-only root"
        return
    for one in known.written:
        if not one.volume:
            yield (
                one.folder,
                f"{one.files} files, {mebibytes(one.bytes)} were written to {one.folder}",
            )


def _writable(container: Container, folder: str) -> bool:
    mount = container.covers(folder)
    return mount is not None and not mount.read_only


def machine_files(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        for mount in container.mounts:
            if mount.kind not in ("hostPath", "bind"):
                continue
            if mount.source in names().sockets.paths:
                yield Found(
                    mount.node,
                    one.title,
                    f"container {container.name} has the socket of the container engine",
                    f"{mount.source}: who may ask it is root on the machine",
                    "a proxy that lets only what is needed through, or a build service",
                    "note" if one.kind == "DaemonSet" else None,
                )
            elif mount.kind == "hostPath" and one.kind not in ("DaemonSet", "Pod"):
                if mount.read_only or mount.source.startswith(names().machine):
                    continue  # what every machine has of its own
                yield Found(
                    mount.node,
                    one.title,
                    f"container {container.name} keeps files on the node that it happens to run on",
                    f"hostPath {mount.source}: another node has other files, or none",
                    "a PersistentVolumeClaim, or an emptyDir where they may be lost",
                )


_READ_ONLY = "securityContext:\n  readOnlyRootFilesystem: true{}\n"
_WRITES = facts(written=[Written(folder="/tmp", bytes=5 << 20, files=3)])
_TMP = "volumeMounts:\n  - name: tmp\n    mountPath: /tmp\n"
_EMPTY = "volumes:\n  - name: tmp\n    emptyDir: {}\n"
READ_ONLY_ROOT = Rule(
    id="D5",
    name="read-only-root",
    level="error",
    title="The root file system is read-only, and the program writes",
    why="The write fails, at the start or on the day that somebody uploads a file.",
    reference="https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
    look=read_only_root,
    needs=("facts",),
    good=(
        Case(
            "a volume is there", deployment(_READ_ONLY.format("") + _TMP, pod=_EMPTY), facts=_WRITES
        ),
        Case("nothing was written", deployment(_READ_ONLY.format("")), facts=facts()),
        Case("writable", deployment(), facts=_WRITES),
        Case(
            "it works without",
            deployment(_READ_ONLY.format("")),
            facts=facts(written=_WRITES.written, read_only_root=ReadOnlyRoot(works=True)),
        ),
        Case("tmpfs of Compose", service("read_only: true\ntmpfs: /tmp\n"), facts=_WRITES),
    ),
    bad=(
        Case("nowhere to write", deployment(_READ_ONLY.format("  # <-")), facts=_WRITES),
        Case("in Compose", service("read_only: true  # <-\n"), facts=_WRITES),
        Case(
            "a folder that a run needed",
            deployment(_READ_ONLY.format("  # <-") + _TMP, pod=_EMPTY),
            facts=facts(read_only_root=ReadOnlyRoot(works=True, tmpfs=["/run", "/tmp"])),
        ),
    ),
)
_HOST = "volumeMounts:\n  - name: data\n    mountPath: /data{}\n"
_PATH = "volumes:\n  - name: data\n    hostPath:\n      path: {}\n"
MACHINE_FILES = Rule(
    id="D33",
    name="machine-files",
    level="warning",
    title="Files of the machine are mounted",
    why="A pod that moves finds other files; and the engine's socket is the machine.",
    reference="https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
    look=machine_files,
    good=(
        Case("a claim", deployment(_HOST.format(""), pod=_EMPTY.replace("tmp", "data"))),
        Case(
            "an agent reads the node's logs",
            deployment(_HOST.format(""), pod=_PATH.format("/var/log"), kind="DaemonSet"),
        ),
        Case(
            "the machine's own certificates",
            deployment(_HOST.format(""), pod=_PATH.format("/etc/ssl/certs")),
        ),
        Case("the source is mounted for development", service("volumes:\n  - ./src:/app\n")),
    ),
    bad=(
        Case("a folder of a node", deployment(_HOST.format("  # <-"), pod=_PATH.format("/data"))),
        Case(
            "the engine's socket",
            service("volumes:\n  - /var/run/docker.sock:/var/run/docker.sock  # <-\n"),
        ),
    ),
)
RULES = (READ_ONLY_ROOT, MACHINE_FILES)
