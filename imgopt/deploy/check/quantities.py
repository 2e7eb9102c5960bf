"""Amounts as the files write them: bytes, processors, seconds."""

from __future__ import annotations

from imgopt.deploy.check.nodes import Node
from imgopt.deploy.quantities import read_quantity


def quantity(node: Node) -> float | None:
    """A Kubernetes quantity; None for what is none, or for a variable."""
    return None if node.varies else read_quantity(node.text)


def in_bytes(node: Node) -> int | None:
    found = quantity(node)
    return int(found) if found is not None else None


def mebibytes(size: float) -> str:
    """ "212 MiB", "1.5 GiB"."""
    if size >= 1 << 30:
        return f"{size / (1 << 30):.4g} GiB"
    return f"{size / (1 << 20):.4g} MiB"


def in_seconds(seconds: float) -> str:
    """ "6.2 s", "30 s"."""
    return f"{seconds:.3g} s"
