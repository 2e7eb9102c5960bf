"""Gives folders to the user of a stage that stays the author's own: by COPY --chown, so that no
layer ships them twice.

COPY --chown gives its owner to what it copies and to every folder that it makes. Folders that
WORKDIR made are given by a RUN in front of it, and only what a RUN put there is given, file by
file, afterwards.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imgopt.dockerfile import Edit, Instruction
from imgopt.dockerfile.typed import Copy
from imgopt.inspect.files.application_files import copied_layers
from imgopt.rewrite.final.fates import is_below
from imgopt.rewrite.final.writable import Writable
from imgopt.rewrite.lines.quoting import shell_word
from imgopt.rewrite.lines.steps import workdir_at
from imgopt.rewrite.strategy import Situation


@dataclass(frozen=True, slots=True)
class OwningLines:
    """`edits` of the author's COPY lines; shell commands for the place behind FROM and for the end
    of the stage."""

    edits: tuple[Edit, ...] = ()
    early: tuple[str, ...] = ()
    late: tuple[str, ...] = ()


def owning_lines(situation: Situation, owned: Writable, user: int) -> OwningLines:
    """How these folders come to belong to `user` in the target stage."""
    if not owned:
        return OwningLines()
    copies = list(_copies(situation))
    folders = _folders(situation, owned, copies)
    if folders is None:
        return OwningLines(late=(owned.command(user),))
    edits = tuple(
        _chown(item, user)
        for item, place in copies
        if is_below(place, owned.trees) and not _has_owner(item)
    )
    listed = " ".join(map(shell_word, folders))
    early = (f"mkdir -p {listed} && chown {user}:{user} {listed}",) if folders else ()
    alone = Writable(paths=owned.paths, files=owned.files)
    return OwningLines(edits, early, (alone.command(user),) if alone else ())


def _copies(situation: Situation) -> Iterator[tuple[Instruction, str]]:
    """COPY and ADD of the target stage, each with its place in the image; "" for one that is not
    known."""
    for item in situation.stage.instructions:
        if isinstance(item.typed, Copy):
            scope = situation.dockerfile.scope_at(item, situation.project.args)
            target = scope.expand_known(item.typed.destination)
            yield (
                item,
                posixpath.normpath(posixpath.join(workdir_at(scope), target))
                if target is not None
                else "",
            )


def _folders(
    situation: Situation, owned: Writable, copies: list[tuple[Instruction, str]]
) -> list[str] | None:
    """The folders of the trees that may be there before a COPY fills them; None where files lie
    there that COPY --chown does not reach."""
    evidence, stage = situation.evidence, situation.stage
    assert evidence is not None
    unclear = any(
        not place or _has_owner(item) or _above(place, owned.trees) for item, place in copies
    )
    if unclear or len(stage.chain) > 1:
        return None
    places = [place for _, place in copies]
    copied = copied_layers(evidence.view)
    folders = {
        *owned.trees,
        *(path for path in _workdirs(situation) if is_below(path, owned.trees)),
    }
    for path, fact in evidence.facts.items():
        if is_below(path, owned.trees) and not (fact.layer in copied and is_below(path, places)):
            if fact.kind != "dir":
                return None
            folders.add(path)
    return sorted(folders)


def _workdirs(situation: Situation) -> Iterator[str]:
    """Where WORKDIR leads, behind each of the stage's own."""
    for item in situation.stage.instructions:
        if item.keyword == "WORKDIR":
            found = (
                situation.dockerfile.scope_into(item, situation.project.args).add([item]).scope()
            )
            yield posixpath.normpath(workdir_at(found))


def _has_owner(item: Instruction) -> bool:
    return isinstance(item.typed, Copy) and item.typed.chown is not None


def _chown(item: Instruction, user: int) -> Edit:
    at = item.flags[0].span.start if item.flags else item.value_span.start
    return Edit(at, at, f"--chown={user}:{user} ")


def _above(place: str, trees: Iterable[str]) -> bool:
    return any(tree.startswith(place.rstrip("/") + "/") for tree in trees)
