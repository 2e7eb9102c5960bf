"""The files of the context as the image has them at a step: where the COPY lines above it put them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from imgopt.rewrite.steps import SourceCopy
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True)
class LaidFiles(ContextFiles):
    """Paths are absolute ones of the image. Files that no COPY brings are not in it."""

    origin: Mapping[str, str] = field(default_factory=dict)
    """Path in the image -> path in the context."""
    bringer: Mapping[str, SourceCopy] = field(default_factory=dict)
    """Path in the image -> the COPY that it is from, the last of several."""

    def said(self, path: str) -> str:
        """As it is called in the context."""
        return self.origin.get(path, path)

    def text(self, path: str, limit: int = 1 << 20) -> str:
        """As ContextFiles.text, of a path in the image."""
        own = self.origin.get(path)
        return ContextFiles(self.root, {}).text(own, limit) if own is not None else ""


def lay(context: ContextFiles, copies: Iterable[SourceCopy]) -> LaidFiles:
    """What the copies bring, one after the other."""
    origin: dict[str, str] = {}
    bringer: dict[str, SourceCopy] = {}
    for copy in copies:
        for place, own in copy.lays(context):
            origin[place], bringer[place] = own, copy
    sizes = {place: context.sizes.get(own, 0) for place, own in origin.items()}
    return LaidFiles(context.root, sizes, origin=origin, bringer=bringer)
