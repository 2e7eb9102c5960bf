"""Gives folders of a carved final stage to its user: while they are copied, so that no layer ships
them twice.

COPY --chown gives its owner to every folder that it makes, and not to the one that it copies into
where that is there: those of the base, and those that a package may bring, are given by a RUN.
Where the builder gathers single links, the folders that it makes for them get their owner there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import replace

from imgopt.image.tree import Tree
from imgopt.rewrite.carve import PathFact
from imgopt.rewrite.final_stage import LINKS, Copy, FinalStage
from imgopt.rewrite.quoting import shell_word
from imgopt.rewrite.writable import Writable

EMPTY = "/opt/imgopt-empty"
"""A folder of the builder that is copied to where the user needs one."""
FOLDERS = "/opt/imgopt-folders"
"""Folders that a base without shell has already, with their new owner: a copy of their parent gives
it to them."""

HOMES = "/opt/imgopt-homes"
"""A closed folder of a base without shell, open to all that know what is in it."""


def owned_by(final: FinalStage, owned: Writable, user: int, base: Tree | None) -> FinalStage:
    """The stage with its folders given to `user`; `base` is the tree of its base image."""
    chown = f"{user}:{user}"
    copies = tuple(
        replace(copy, chown=chown) if _lies_in(copy, owned.trees) else copy for copy in final.copies
    )
    there = [path for path in owned.all if base is not None and base.resolve(path) is not None]
    brought = [path for path in owned.all if path not in there and _brought(copies, path)]
    unmade = [path for path in owned.all if path not in (*there, *brought)]
    folders = [
        path for path in unmade if path not in owned.files and not _made_with_owner(copies, path)
    ]
    by_packages = folders if final.shell and final.packages else []
    folders = [path for path in folders if path not in by_packages]
    builder = _commands(brought, owned, chown) + _below(
        LINKS, _with_links(final, owned.trees), chown
    )
    early = [f"mkdir -p {EMPTY}"] if folders else []
    given = there if not final.shell else []
    return replace(
        final,
        copies=(
            *(Copy((EMPTY,), path, chown=chown) for path in folders),
            *copies,
            *([Copy((FOLDERS + "/",), "/")] if given else []),
        ),
        early=(*final.early, *early, *_below(FOLDERS, given, chown)),
        prepare=(*final.prepare, *([" && ".join(builder)] if builder else [])),
        # before anything is copied: what is copied brings its owner, and would be shipped a second
        # time
        setup=(
            *final.setup,
            *(_commands(there, owned, chown) if final.shell else []),
            *_commands(by_packages, owned, chown, make=True),
        ),
    )


def entered_by_all(final: FinalStage, folder: str) -> FinalStage:
    """The stage with a folder of the base that others than its owner may enter, though not list."""
    if final.shell:
        return replace(final, setup=(*final.setup, f"chmod o+x {folder}"))
    place = HOMES + folder
    return replace(
        final,
        early=(*final.early, f"mkdir -p {place} && chmod 711 {place}"),
        copies=(Copy((HOMES + "/",), "/"), *final.copies),
    )


def with_owners(copies: Iterable[Copy], facts: Mapping[str, PathFact]) -> tuple[Copy, ...]:
    """The copies with the owners of the folders that they make, for BuildKit makes those for root:
    where all that is copied belongs to the folder's user, the copy gives it; else the folder is
    made first, by a copy of EMPTY."""
    made: dict[str, Copy] = {}
    found: list[Copy] = []
    for copy in copies:
        folder = _folder_of(copy, facts)
        owner = (
            f"{facts[folder].uid}:{facts[folder].gid}"
            if folder in facts and facts[folder].uid
            else ""
        )
        same = bool(owner) and _is_all_of(copy, owner, facts)
        found.append(replace(copy, chown=owner) if same else copy)
        if owner and not same:
            made.setdefault(folder, Copy((EMPTY,), folder, chown=owner))
    return (*made.values(), *found)


def open_folders(
    copies: Iterable[Copy], facts: Mapping[str, PathFact], base: Tree
) -> tuple[str, ...]:
    """Commands that open the folders which copies make and which the author opened to everybody
    (`chmod 777 /data`): BuildKit makes the folder that it copies to with mode 755."""
    by_mode: dict[int, set[str]] = {}
    for copy in copies:
        folder = _folder_of(copy, facts)
        while folder not in ("", "/"):
            mode = facts[folder].mode & 0o7777 if folder in facts else 0
            if mode & 0o002 and base.resolve(folder) is None:
                by_mode.setdefault(mode, set()).add(folder)
            folder = posixpath.dirname(folder)
    return tuple(
        f"chmod {mode:o} {' '.join(map(shell_word, sorted(by_mode[mode])))}"
        for mode in sorted(by_mode)
    )


def _folder_of(copy: Copy, facts: Mapping[str, PathFact]) -> str:
    """The folder that a copy makes where it is not there."""
    place = copy.destination.rstrip("/")
    whole = copy.sources == (copy.destination,) and place in facts and facts[place].kind == "dir"
    return place if whole or copy.destination.endswith("/") else posixpath.dirname(place)


def _is_all_of(copy: Copy, owner: str, facts: Mapping[str, PathFact]) -> bool:
    below = tuple(source.rstrip("/") + "/" for source in copy.sources)
    parts = (fact for path, fact in facts.items() if path in copy.sources or path.startswith(below))
    return all(f"{part.uid}:{part.gid}" == owner for part in parts)


def _lies_in(copy: Copy, trees: Iterable[str]) -> bool:
    place = copy.destination.rstrip("/")
    return any(place == tree or place.startswith(tree + "/") for tree in trees)


def _made_with_owner(copies: Iterable[Copy], path: str) -> bool:
    return any(copy.chown and _lies_in(copy, (path,)) for copy in copies)


def _brought(copies: Iterable[Copy], path: str) -> bool:
    """Whether it comes with the owner that the builder gave it: a file that is named, or what lies
    below a folder that is copied; that folder itself is made for root."""
    without = [copy for copy in copies if not copy.chown and not copy.stage]
    whole = (copy.destination for copy in without if copy.sources == (copy.destination,))
    named = any(path in copy.sources and copy.sources != (copy.destination,) for copy in without)
    return named or any(path.startswith(place + "/") for place in whole)


def _commands(
    paths: Iterable[str], owned: Writable, chown: str, *, make: bool = False
) -> list[str]:
    trees = [shell_word(path) for path in paths if path in owned.trees]
    alone = [shell_word(path) for path in paths if path not in owned.trees]
    commands = (
        [f"mkdir -p {' '.join(trees)} && chown -R {chown} {' '.join(trees)}"] if trees else []
    )
    made = f"mkdir -p {' '.join(alone)} && " if make else ""
    return [*commands, *([f"{made}chown {chown} {' '.join(alone)}"] if alone else [])]


def _with_links(final: FinalStage, trees: Iterable[str]) -> list[str]:
    """Of these folders, those in which the builder gathers links."""
    return [tree for tree in trees if any(link.startswith(tree + "/") for link in final.links)]


def _below(root: str, folders: Iterable[str], chown: str) -> list[str]:
    listed = " ".join(shell_word(root + folder) for folder in folders)
    return [f"mkdir -p {listed} && chown -R {chown} {listed}"] if listed else []
