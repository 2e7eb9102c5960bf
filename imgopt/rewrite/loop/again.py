"""The original built once more: what differs between two builds of the same file is no difference of a variant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from imgopt.engine import BuildFailure, Session
from imgopt.image import open_image
from imgopt.image.tree import Tree
from imgopt.inspect.application_files import copied_layers
from imgopt.inspect.failures import Item
from imgopt.proof.check import Check
from imgopt.rewrite.drawn import is_drawn, is_of_one_build
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final_stage import FinalStage
from imgopt.rewrite.loop.request import OptimizeRequest, Progress

REASON = "differs between two builds of the original itself"
ONLY_HERE = "state of a tool: each build gives it another name"
_TOOLS_OWN = re.compile(r"^/(?:(?:root|home/[^/]+)/)?\.[^/]+/|^/(?:var/)?tmp/|^/var/cache/")
"""Hidden folders of a home and folders for what is temporary: what COPY and the build command make lies elsewhere."""


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

    def failure(self) -> BuildFailure | None:
        """Builds the original without cache, whether it was built again before or not; why it does not build now."""
        self._progress.stage("Building the original again: does it still build?")
        request = replace(self._request.build("again", self._dockerfile), no_cache=True, output="cacheonly")
        try:
            self._session.build(request, self._progress.build)
        except BuildFailure as failure:
            return failure
        return None

    def tree(self) -> Tree:
        if self._tree is None:
            self._tree = open_image(self.image()).tree()
        return self._tree


def drawn_state(final: FinalStage, evidence: Evidence, again: BuiltAgain) -> tuple[str, ...]:
    """What a final stage keeps in places of tools, that nothing opened and that only this build has; nothing is built
    where no COPY line would tell a name that a build draws."""
    named = {path for copy in final.copies if not copy.stage for path in copy.sources}
    if not any(_TOOLS_OWN.match(path) and is_of_one_build(path) for path in named):
        return ()
    kept = [path for path in final.carved.paths("kept") if _TOOLS_OWN.match(path) and path not in evidence.opened]
    copied = copied_layers(evidence.side)
    own = [path for path in kept if evidence.facts[path].layer not in copied]
    try:
        return tuple(sorted(path for path in own if again.tree().get(path) is None)) if own else ()
    except BuildFailure:
        return ()


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
    return item.kind == "changed-file" or is_drawn(item.path)


def _changes_by_itself(item: Item, original: Tree, again: Tree) -> bool:
    """A file that both builds of the original have, with other bytes, or that only one of them has; one that both have
    may not be missing."""
    ours, theirs = original.resolve(item.path), again.resolve(item.path)
    if theirs is None or item.kind == "missing-file":
        return ours is not None and theirs is None
    return ours is not None and None not in (ours.inode, theirs.inode) and ours.digest != theirs.digest
