"""Looks inside any image: layers, the merged tree, the ledger of bytes, packages, ELF files.

>>> from imgopt.image import open_image, ledger
>>> image = open_image("image.tar")                      # doctest: +SKIP
>>> ledger(image).classes["deleted"]                     # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from imgopt.image.config import Healthcheck, HistoryEntry, ImageConfig
from imgopt.image.entries import Entry, printable
from imgopt.image.image import Image
from imgopt.image.layer import Layer
from imgopt.image.ledger import Ledger, Waste, ledger
from imgopt.image.memory import Memory, default_memory
from imgopt.image.sizes import Sizes, sizes
from imgopt.image.sources import open_image
from imgopt.image.tree import Node, Tree

if TYPE_CHECKING:
    from imgopt.image.elf import Elf, is_elf, read_elf
    from imgopt.image.packages import Package, Packages, find_packages

__all__ = [
    "Elf",
    "Entry",
    "Healthcheck",
    "HistoryEntry",
    "Image",
    "ImageConfig",
    "Layer",
    "Ledger",
    "Memory",
    "Node",
    "Package",
    "Packages",
    "Sizes",
    "Tree",
    "Waste",
    "default_memory",
    "find_packages",
    "is_elf",
    "ledger",
    "open_image",
    "printable",
    "read_elf",
    "sizes",
]

_LATER = {
    **dict.fromkeys(("Elf", "is_elf", "read_elf"), "imgopt.image.elf"),
    **dict.fromkeys(("Package", "Packages", "find_packages"), "imgopt.image.packages"),
}


def __getattr__(name: str) -> Any:
    """Imported when first used: a second look at an image needs neither, and imports would be most
    of its time."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
