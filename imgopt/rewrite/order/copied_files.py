"""The files of the context as the image has them at a step: where the COPY lines above it put
them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from imgopt.rewrite.lines.steps import SourceCopy
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
    return LaidFiles(context.root, _Sizes(origin, context.sizes), origin=origin, bringer=bringer)


class _Sizes(Mapping[str, int]):
    """Path in the image -> size in bytes, looked up when it is asked for: a context may be
    large."""

    def __init__(self, origin: Mapping[str, str], sizes: Mapping[str, int]) -> None:
        self._origin, self._sizes = origin, sizes

    def __getitem__(self, place: str) -> int:
        return self._sizes.get(self._origin[place], 0)

    def __contains__(self, place: object) -> bool:
        return place in self._origin

    def __iter__(self) -> Iterator[str]:
        return iter(self._origin)

    def __len__(self) -> int:
        return len(self._origin)
