"""The ledger: every byte that the image ships, in exactly one class; the classes sum to the
payload."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

from imgopt.image.image import Image
from imgopt.image.tree import Death, Inode

LedgerClass = Literal[
    "live",
    "overwritten",
    "deleted",
    "deleted-directory",
    "opaque-hidden",
    "metadata-only",
    "identical-rewrite",
    "hardlink-copy-up",
]
CLASSES: tuple[LedgerClass, ...] = get_args(LedgerClass)


@dataclass(frozen=True, slots=True)
class Waste:
    """Bytes that are shipped for nothing. Layers are indexes from 0."""

    path: str
    bytes: int
    kind: LedgerClass
    shipped_by: int
    killed_by: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """`classes` has every class, in bytes; `layers[i]` the same for what layer i ships."""

    classes: dict[LedgerClass, int]
    layers: tuple[dict[LedgerClass, int], ...]
    waste: tuple[Waste, ...]

    @property
    def payload(self) -> int:
        return sum(self.classes.values())

    @property
    def live(self) -> int:
        return self.classes["live"]


def ledger(image: Image) -> Ledger:
    """Classifies every byte of the image. Reads contents only where equal sizes leave it open what
    happened."""
    waste = tuple(sorted((_waste(death) for death in image.merge.deaths), key=_rank))
    lost = [Counter[LedgerClass]() for _ in image.layers]
    for item in waste:
        lost[item.shipped_by][item.kind] += item.bytes
    layers = []
    for layer, counts in zip(image.layers, lost, strict=True):
        counts["live"] = layer.payload_bytes - counts.total()
        layers.append({kind: counts[kind] for kind in CLASSES})
    totals = {kind: sum(counts[kind] for counts in layers) for kind in CLASSES}
    return Ledger(totals, tuple(layers), waste)


def _rank(item: Waste) -> tuple[int, str, int]:
    return (-item.bytes, item.path, item.shipped_by)


def _waste(death: Death) -> Waste:
    inode = death.inode
    return Waste(death.path, inode.entry.size, _class(death), inode.layer.index, death.killer)


def _class(death: Death) -> LedgerClass:
    if death.cause == "opaque":
        return "opaque-hidden"
    if death.cause != "replaced":
        return death.cause
    successor = death.successor
    if successor is None or not _same_contents(death.inode, successor):
        return "overwritten"
    before, after = death.inode.entry, successor.entry
    if (before.mode, before.uid, before.gid, before.mtime, before.xattrs) != (
        after.mode,
        after.uid,
        after.gid,
        after.mtime,
        after.xattrs,
    ):
        return "metadata-only"
    return "hardlink-copy-up" if successor.names > death.inode.names else "identical-rewrite"


def _same_contents(one: Inode, other: Inode) -> bool:
    before, after = one.entry, other.entry
    if before.size != after.size:
        return False
    if before.checksum and after.checksum and before.checksum != after.checksum:
        return False
    return one.layer.file_digest(before) == other.layer.file_digest(after)
