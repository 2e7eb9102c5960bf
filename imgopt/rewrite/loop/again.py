"""The original built once more: what differs between two builds of the same file is no difference of a variant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from imgopt.engine import Session
from imgopt.image import open_image
from imgopt.image.tree import Tree
from imgopt.proof.model import Check, Item
from imgopt.rewrite.loop.request import OptimizeRequest, Progress

_DRAWN = re.compile(
    r"(?:tmp|[-_.])(?=[a-z0-9_]*\d)[a-z0-9_]{8}(?:[/.-]|$)|[0-9a-f]{16}"
    r"|/(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{21}(?:[/.]|$)"
    r"|[/.-](?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{8}\.(?:m?js|css)(?:\.(?:map|br|gz))*$"
)
"""Names as Python's tempfile and JavaScript's nanoid draw them (Next.js' build), and digests, those of bundlers too."""
REASON = "differs between two builds of the original itself"


class BuiltAgain:
    """A second build of the original without cache, made when it is first asked for, and only once."""

    def __init__(
        self, session: Session, request: OptimizeRequest, progress: Progress, dockerfile: str | None = None
    ) -> None:
        self._session, self._request, self._progress = session, request, progress
        self._dockerfile = dockerfile
        self._image_id = ""
        self._tree: Tree | None = None

    def image(self) -> str:
        """The image's ID. Raises BuildFailure when it does not build a second time."""
        if not self._image_id:
            self._progress.stage("Building the original again: what changes from build to build?")
            request = replace(self._request.build("again", self._dockerfile), no_cache=True)
            self._image_id = self._session.build(request, self._progress.build).image_id or ""
        return self._image_id

    def tree(self) -> Tree:
        if self._tree is None:
            self._tree = open_image(self.image()).tree()
        return self._tree


def settle_files(checks: Iterable[Check], original: Tree, again: BuiltAgain) -> tuple[Check, ...]:
    """Failed checks without the files whose contents no two builds share; nothing is built where none is in doubt."""
    return tuple(_settled(check, original, again) for check in checks)


def _settled(check: Check, original: Tree, again: BuiltAgain) -> Check:
    doubtful = [item for item in check.items if item.kind in ("changed-file", "missing-file")]
    if check.verdict != "failed" or len(doubtful) != len(check.items) or not any(map(_is_doubtful, doubtful)):
        return check
    left = tuple(item for item in doubtful if not _changes_by_itself(item, original, again.tree()))
    settled = len(doubtful) - len(left)
    if not settled:
        return check
    allowed = (*check.allowed, f"{settled} files: {REASON}")
    return replace(check, verdict="failed" if left else "passed", items=left, allowed=allowed)


def _is_doubtful(item: Item) -> bool:
    """A file with other bytes, or one that is missing under a name that a program drew (`tmpab12cd34`)."""
    return item.kind == "changed-file" or _DRAWN.search(item.path) is not None


def _changes_by_itself(item: Item, original: Tree, again: Tree) -> bool:
    """A file that both builds of the original have, with other bytes, or that only one of them has; one that both have
    may not be missing."""
    ours, theirs = original.resolve(item.path), again.resolve(item.path)
    if theirs is None or item.kind == "missing-file":
        return ours is not None and theirs is None
    return ours is not None and None not in (ours.inode, theirs.inode) and ours.digest != theirs.digest
