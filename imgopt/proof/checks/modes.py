"""Modes: executable bits, setuid bits, and whether the user can read what the original's user
could."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from imgopt.image.tree import Node
from imgopt.inspect.failures import Item
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.users import EXECUTE, READ
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, counted, judged
from imgopt.proof.example import EXPORT, File, Mutation

NAME = "modes"
_SPECIAL = 0o6000


def check_modes(original: ImageView, candidate: ImageView, allowances: Allowances) -> Outcome:
    """Application files, folders and packages' programs that are in both images."""
    items: list[Item] = []
    allowed: Counter[str] = Counter()
    files = 0
    for before, after in _pairs(original, candidate, allowances):
        files += 1
        for item in _differences(original, before, candidate, after):
            reason = allowances.configuration.get(f"mode:{before.path}")
            if reason:
                allowed[reason] += 1
            else:
                items.append(item)
    detail = (
        f"executable and setuid bits, and the user's right to read, of {counted(files, 'file')}"
    )
    return judged(
        NAME,
        detail,
        items,
        [f"{counted(count, 'file')}: {text}" for text, count in sorted(allowed.items())],
    )


def _pairs(
    original: ImageView, candidate: ImageView, allowances: Allowances
) -> Iterator[tuple[Node, Node]]:
    for node in _compared(original):
        target = original.tree.resolve(node.path)
        for path, _ in allowances.places(node.path):
            found = candidate.tree.resolve(path)
            if target is not None and found is not None and target.kind == found.kind:
                yield target, found
                break


def _compared(view: ImageView) -> Iterator[Node]:
    yield from application_files(view)
    for package in view.packages:
        if package.layer >= view.base_layers:
            yield from (
                node
                for path in package.files
                if (node := view.tree.get(path)) and node.mode & 0o111
            )


def _differences(
    original: ImageView, before: Node, candidate: ImageView, after: Node
) -> Iterator[Item]:
    path = after.path
    if before.kind == "file" and before.mode & 0o111 and not after.mode & 0o111:
        message = f"{path} is not executable any more (mode {before.mode:o}, now {after.mode:o})"
        yield Item("permission", path, path, "", message)
    if before.mode & _SPECIAL & ~after.mode or after.mode & _SPECIAL & ~before.mode:
        yield Item(
            "permission", path, path, "", f"{path} has other setuid or setgid bits ({after.mode:o})"
        )
    elif before.mode & after.mode & _SPECIAL and (before.uid, before.gid) != (after.uid, after.gid):
        message = f"{path} is of {after.uid}:{after.gid} instead of {before.uid}:{before.gid}"
        if not _is_given(before, after, candidate):
            yield Item("permission", path, path, "", f"{message}, and hands that on")
    elif not before.mode & 0o002 and after.mode & 0o002 and not after.mode & 0o1000:
        yield Item(
            "permission", path, path, "", f"{path} may be written by everybody ({after.mode:o})"
        )
    for right, word in ((READ, "read"), (EXECUTE, "execute")):
        if right == EXECUTE and after.kind == "file" and not after.mode & 0o111:
            continue  # said above
        if original.may(right, before.path) and not candidate.may(right, path):
            message = (
                f"user {candidate.config.user or 'root'} may not {word} {path} (mode"
                f" {after.mode:o})"
            )
            yield Item("permission", path, path, "", message)


def _is_given(before: Node, after: Node, candidate: ImageView) -> bool:
    """A folder that hands on its group belongs to the service's user now: the group is what
    counts."""
    user = candidate.identity
    own = user is not None and after.uid == user.uid and before.kind == "dir"
    return own and before.gid == after.gid


CHECK = Check(
    NAME,
    "executable and setuid bits, and what the user may read",
    lambda given: check_modes(given.original, given.candidate, given.allowances),
    (
        Mutation(
            "a tool is not executable",
            "not executable",
            files={"app/tool": File("#!/bin/sh\n", 0o644)},
        ),
        Mutation(
            "a tool runs as its owner", "setuid", files={"app/tool": File("#!/bin/sh\n", 0o4755)}
        ),
        Mutation(
            "a folder hands on another group",
            "/app/shared is of 1000:1000 instead of 1000:1600",
            files={"app/shared": File(folder=True, mode=0o2775, uid=1000, gid=1000)},
        ),
        Mutation(
            "a file may not be read by the user",
            "may not read",
            files={"app/export.py": File(EXPORT, mode=0o600)},
        ),
        Mutation(
            "everybody may write to a file",
            "written by everybody",
            files={"app/export.py": File(EXPORT, mode=0o666)},
        ),
    ),
)
