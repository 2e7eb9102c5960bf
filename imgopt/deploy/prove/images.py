"""Images of this machine's engine in the nodes of the local cluster, while a trial takes place."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from imgopt.deploy.prove.cluster import Cluster, LocalNode

_PIECE = 1 << 20


@contextmanager
def images_in_nodes(cluster: Cluster, images: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yields what could not be brought there, by name with the reason. A user's cluster pulls its
    own."""
    absent: dict[str, str] = {}
    brought: list[tuple[LocalNode, set[str]]] = []
    try:
        for node in cluster.nodes:
            before = _in(node)
            brought.append((node, before))
            for image in images:
                is_new = full_name(image) not in before and image not in absent
                if is_new and (why := _bring(node, image)):
                    absent[image] = why
        yield absent
    finally:
        for node, before in brought:
            if new := sorted(_in(node) - before):
                _run([*node.forget, *new])


def full_name(image: str) -> str:
    """As containerd keeps it: docker.io/library/redis:8."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{image}"
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def _in(node: LocalNode) -> set[str]:
    return set(_run(node.images).stdout.split())


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )


def _bring(node: LocalNode, image: str) -> str:
    """ "" or why not. What the engine writes goes straight into the node's store."""
    try:
        save = subprocess.Popen(
            ["docker", "save", image], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        return f"no docker client: {error.strerror}"
    assert save.stdout is not None and save.stderr is not None
    taken = subprocess.run(
        node.load, stdin=save.stdout, capture_output=True, text=True, timeout=600
    )
    save.stdout.close()
    said = save.stderr.read().decode(errors="replace").strip()
    save.stderr.close()
    if save.wait():
        return (said.splitlines() or ["docker save failed"])[-1]
    if taken.returncode:
        return (taken.stderr.strip().splitlines() or ["the node did not take it"])[-1]
    return ""
