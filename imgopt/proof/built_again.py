"""The original built once more: what differs between two builds of the same file is no
difference of a candidate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import Protocol

from imgopt.engine import BuildEvent, BuildFailure, BuildRequest, Session
from imgopt.image import open_image
from imgopt.image.tree import Tree
from imgopt.inspect.failures import Item
from imgopt.inspect.files.drawn_names import is_drawn
from imgopt.proof.check import Outcome

REASON = "differs between two builds of the original itself"


class BuiltAgain:
    """A second build of the original without cache, made when it is first asked for, and only once.

    `request` is the original's own build; `say` is told that a build begins, `on_event` what it
    does.
    """

    def __init__(
        self,
        session: Session,
        request: BuildRequest,
        say: Callable[[str], None] = lambda _: None,
        on_event: Callable[[BuildEvent], None] | None = None,
    ) -> None:
        self._session, self._say, self._on_event = session, say, on_event
        self._request = replace(request, name="again", no_cache=True)
        self._image_id = ""

    def image(self) -> str:
        """The image's ID. Raises BuildFailure when it does not build a second time."""
        if not self._image_id:
            self._say("Building the original again: what changes from build to build?")
            self._image_id = self._session.build(self._request, self._on_event).image_id or ""
        return self._image_id

    def failure(self) -> BuildFailure | None:
        """Builds the original without cache, whether it was built again before or not; why it
        does not build now."""
        self._say("Building the original again: does it still build?")
        try:
            self._session.build(replace(self._request, output="cacheonly"), self._on_event)
        except BuildFailure as failure:
            return failure
        return None

    @cached_property
    def _opened(self) -> Tree:
        return open_image(self.image()).tree()

    def tree(self) -> Tree:
        """The files of the second build. Raises BuildFailure when it does not build a second
        time."""
        return self._opened


class SecondBuild(Protocol):
    """The files of another build of the original."""

    def tree(self) -> Tree: ...


def settle_files(
    checks: Iterable[Outcome], original: Tree, again: SecondBuild
) -> tuple[Outcome, ...]:
    """Failed checks without the files whose contents no two builds share; nothing is built where
    none is in doubt."""
    return tuple(_settled(check, original, again) for check in checks)


def _settled(check: Outcome, original: Tree, again: SecondBuild) -> Outcome:
    doubtful = [item for item in check.items if item.kind in ("changed-file", "missing-file")]
    if (
        check.verdict != "failed"
        or len(doubtful) != len(check.items)
        or not any(map(_is_doubtful, doubtful))
    ):
        return check
    left = tuple(item for item in doubtful if not _changes_by_itself(item, original, again.tree()))
    settled = len(doubtful) - len(left)
    if not settled:
        return check
    allowed = (*check.allowed, f"{settled} files: {REASON}")
    return replace(check, verdict="failed" if left else "passed", items=left, allowed=allowed)


def _is_doubtful(item: Item) -> bool:
    """A file with other bytes, or one that is missing under a name that a program drew
    (`tmpab12cd34`)."""
    return item.kind == "changed-file" or is_drawn(item.path)


def _changes_by_itself(item: Item, original: Tree, again: Tree) -> bool:
    """A file that both builds of the original have, with other bytes, or that only one of them
    has; one that both have may not be missing."""
    ours, theirs = original.resolve(item.path), again.resolve(item.path)
    if theirs is None or item.kind == "missing-file":
        return ours is not None and theirs is None
    return (
        ours is not None and None not in (ours.inode, theirs.inode) and ours.digest != theirs.digest
    )
