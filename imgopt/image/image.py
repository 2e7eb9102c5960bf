"""Image: the same small view whatever the source."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from imgopt.errors import InputError
from imgopt.image.config import HistoryEntry, ImageConfig, ParsedConfig
from imgopt.image.layer import Layer
from imgopt.image.memory import Memory
from imgopt.image.tree import Merge, Tree

if TYPE_CHECKING:
    from imgopt.image.provenance import Provenance

Source = Literal["engine", "store", "archive", "layout", "registry"]


class Image:
    """An image from any source; `digest` is that of its configuration, which names the same image
    everywhere."""

    def __init__(
        self,
        reference: str,
        source: Source,
        parsed: ParsedConfig,
        layers: tuple[Layer, ...],
        memory: Memory,
        *,
        provenance: Callable[[], Provenance | None] = lambda: None,
    ) -> None:
        if len(layers) != len(parsed.diff_ids):
            raise InputError(
                f"{reference}: {len(layers)} layers, but the configuration lists"
                f" {len(parsed.diff_ids)}",
                hint="the image is damaged: save or fetch it again",
            )
        self.reference, self.source, self.layers, self.memory = reference, source, layers, memory
        self._parsed, self._read_provenance = parsed, provenance

    def __repr__(self) -> str:
        return f"Image({self.reference!r}, {self.source}, {self.digest[:19]})"

    @property
    def digest(self) -> str:
        return self._parsed.digest

    @property
    def config(self) -> ImageConfig:
        return self._parsed.config

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        return self._parsed.history

    @property
    def raw_config(self) -> bytes:
        """The configuration blob as it is."""
        return self._parsed.raw

    @property
    def platform(self) -> str:
        return self.config.platform

    @cached_property
    def provenance(self) -> Provenance | None:
        """The builder's own record of which line made which layer; None where the image has
        none."""
        return self._read_provenance()

    @cached_property
    def layer_history(self) -> tuple[HistoryEntry | None, ...]:
        """The history entry of each layer; all None when history and layers do not match
        (`config.md`: optional)."""
        steps = [step for step in self.history if not step.empty_layer]
        return tuple(steps) if len(steps) == len(self.layers) else (None,) * len(self.layers)

    @cached_property
    def merge(self) -> Merge:
        """The layers laid over each other: the final tree and every file that did not survive."""
        return Merge(self.layers)

    def tree(self) -> Tree:
        """The merged final file system."""
        return self.merge.tree
