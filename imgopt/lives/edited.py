"""A copy of the context with a later edit in it, the lock files that follow included."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from imgopt.cache.edits import Edit
from imgopt.cache.workspace import copy_tree
from imgopt.context.files import BytesContent, Entry, list_files
from imgopt.dockerfile import Edit as TextEdit
from imgopt.dockerfile import IgnoreFile, Stage, apply_edits, parse
from imgopt.engine import BuildFailure, BuildRequest, Session
from imgopt.image import open_image
from imgopt.lives.later import LaterEdit, Locking
from imgopt.lives.operations import applied
from imgopt.rewrite.strategy import ContextFiles

_STAGE, _FOLDER = "later-edit", "/later-edit"
Build = Callable[[BuildRequest], str]
"""Builds, and gives the image's id. Raises BuildFailure."""


@dataclass(frozen=True, slots=True)
class Copy:
    """The edited copy, or `refused`: why the edit could not be made."""

    folder: Path
    refused: str = ""


def edited_copy(
    session: Session, context: ContextFiles, edit: LaterEdit, build: Build, request: BuildRequest
) -> Copy:
    """`request` is the original's own build, its Dockerfile a text."""
    folder = session.temp_tree("later")
    if edit.tree is not None:
        edit.tree(folder)
    else:
        ignore = IgnoreFile.parse(context.ignore) if context.ignore is not None else None
        copy_tree(context.root, list_files(context.root, ignore), folder)
    _write(folder, applied(edit.operations, lambda path: _read(folder, path)))
    for locking in edit.locking:
        try:
            _write(folder, _locked(folder, locking, build, request))
        except (BuildFailure, _NoStage) as failure:
            said = failure.log[-1] if isinstance(failure, BuildFailure) and failure.log else failure
            return Copy(folder, f"{locking.files[-1]} could not be made to follow: {said}")
    return Copy(folder)


def _read(folder: Path, path: str) -> str:
    file = folder / path
    return file.read_bytes().decode("utf-8", "surrogateescape") if file.is_file() else ""


def _write(folder: Path, texts: dict[str, str]) -> None:
    entries = {}
    for path, text in texts.items():
        file = folder / path
        mode = file.stat().st_mode & 0o777 if file.is_file() else 0o644
        data = text.encode("utf-8", "surrogateescape")
        entries[path] = Entry("file", mode, BytesContent(data))
    Edit("a later edit", entries).write(folder)


class _NoStage(Exception):
    """No stage of the original calls the tool."""


def _locked(folder: Path, locking: Locking, build: Build, request: BuildRequest) -> dict[str, str]:
    """The manifests and locks as the project's own tool writes them, in the stage of the original
    that calls it: it has the tool, and what it downloaded."""
    assert isinstance(request.dockerfile, str)
    there = [path for path in locking.files if (folder / path).is_file()]
    text = locking_file(request.dockerfile, locking, there)
    extra = (*request.extra, "--build-context", f"{_STAGE}-files={folder}")
    image = build(replace(request, dockerfile=text, target=_STAGE, extra=extra))
    tree = open_image(image).tree()
    found = {}
    for path in locking.files:
        node = tree.resolve(posixpath.join(_FOLDER, posixpath.basename(path)))
        if node is not None and node.kind == "file":
            found[path] = node.read().decode("utf-8", "surrogateescape")
    return found


def locking_file(dockerfile: str, locking: Locking, files: list[str]) -> str:
    """The original's Dockerfile with a stage more, in which the lock file follows the `files`."""
    stage = _stage_with(dockerfile, locking.programs)
    if stage is None:
        raise _NoStage(f"no step of the Dockerfile calls {locking.programs.replace('|', ' or ')}")
    name = stage.name or f"{_STAGE}-tool"
    end = stage.start.span.end
    named = [] if stage.name else [TextEdit(end, end, f" AS {name}")]
    lines = [
        f"FROM {name} AS {_STAGE}",
        "USER root",
        f"WORKDIR {_FOLDER}",
        f"COPY --from={_STAGE}-files {' '.join(files)} ./",
        f"RUN {locking.command}",
    ]
    return "\n".join([apply_edits(dockerfile, named).rstrip("\n"), "", *lines, ""])


def _stage_with(dockerfile: str, programs: str) -> Stage | None:
    word = re.compile(rf"(?<![\w/-])(?:{programs})(?![\w-])")
    for stage in parse(dockerfile).stages:
        steps = (item for item in stage.instructions if item.keyword == "RUN")
        if any(word.search(item.value) for item in steps):
            return stage
    return None
