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
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import PathFact, is_below
from imgopt.rewrite.final.final_stage import ROOT, TREE, Copy, FinalStage, Folder
from imgopt.rewrite.final.writable import Writable
from imgopt.rewrite.lines.quoting import shell_word

EMPTY = "/staging/empty"
"""A folder of the builder that is copied to where the user needs one."""
FOLDERS = "/staging/owned"
"""Folders that a base without shell has already, with their new owner: a copy of their parent gives
it to them."""

HOMES = "/staging/homes"
"""A closed folder of a base without shell, open to all that know what is in it."""


def owned_by(final: FinalStage, owned: Writable, user: int, base: Tree | None) -> FinalStage:
    """The stage with its folders given to `user`; `base` is the tree of its base image."""
    chown = f"{user}:{user}"
    copies = tuple(
        replace(copy, chown=chown)
        if _lies_in(copy, owned.trees) or (copy.sources[0] in owned.files and _is_one(copy))
        else copy
        for copy in final.copies
    )
    there = [path for path in owned.all if base is not None and base.resolve(path) is not None]
    brought = [path for path in owned.all if path not in there and _brought(copies, path)]
    unmade = [path for path in owned.all if path not in (*there, *brought)]
    folders = [
        path for path in unmade if path not in owned.files and not _made_with_owner(copies, path)
    ]
    gathered = any(copy.sources == (TREE + "/",) for copy in copies)
    in_tree = folders if gathered else []
    folders = [] if gathered else folders
    by_packages = folders if final.shell and final.packages else []
    folders = [path for path in folders if path not in by_packages]
    builder = [
        *_commands(brought, owned, chown),
        *_below(ROOT, _with_links(final, owned.trees), chown),
        *_below(TREE, in_tree, chown),
        *(_files_below(TREE, _gathered_files(owned, unmade, copies), chown) if gathered else []),
    ]
    early = [f"mkdir -p {EMPTY}"] if folders else []
    given = there if not final.shell else []
    return replace(
        final,
        folders=tuple(
            replace(one, uid=user, gid=one.gid or user) if is_below(one.path, owned.all) else one
            for one in final.folders
        ),
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


def special_folders(
    copies: Iterable[Copy],
    facts: Mapping[str, PathFact],
    base: Tree,
    *,
    shell: bool,
    changed: Iterable[str] = (),
) -> tuple[Folder, ...]:
    """Folders with an owner or a mode that no COPY gives them (`chmod 1777 /data`, `install -d -g
    shared -m 2770 /pool`): BuildKit makes the folder that it copies to, and those above it, for
    root with mode 755. `changed`: folders of the base that the author gave another mode or owner.
    Without a shell those above come along, for a copy gives them its own attributes."""
    found: dict[str, Folder] = {}
    copies = tuple(copies)
    given = {copy.destination: copy.chown for copy in copies if copy.sources == (EMPTY,)}
    for copy in copies:
        folder = _folder_of(copy, facts)
        owner = given.get(folder) or copy.chown or "0:0"
        while folder not in ("", "/") and base.resolve(folder) is None:
            fact = facts.get(folder)
            if fact is not None and (
                fact.mode & 0o7777 != 0o755 or f"{fact.uid}:{fact.gid}" != owner
            ):
                found[folder] = _folder(fact)
            folder = posixpath.dirname(folder)
            owner = given.get(folder, "0:0")
    for path in changed:
        there = base.resolve(path)
        fact = facts[path]
        if there is not None and _attributes(fact) != (there.mode & 0o7777, there.uid, there.gid):
            found[path] = _folder(fact)
    if not shell:
        for path in list(found):
            above = posixpath.dirname(path)
            while above != "/":
                if above in facts:
                    found.setdefault(above, _folder(facts[above]))
                above = posixpath.dirname(above)
    return tuple(found[path] for path in sorted(found))


def changed_folders(evidence: Evidence) -> tuple[str, ...]:
    """Folders of the base to which a step of the author gave another mode or owner."""
    base = evidence.view.base
    if base is None:
        return ()
    found = []
    for path, fact in evidence.facts.items():
        if fact.kind != "dir" or fact.layer < evidence.base_layers:
            continue
        there = base.tree().get(path)
        if there is not None and _attributes(fact) != (there.mode & 0o7777, there.uid, there.gid):
            found.append(path)
    return tuple(found)


def _folder(fact: PathFact) -> Folder:
    return Folder(fact.path, *_attributes(fact))


def _attributes(fact: PathFact) -> tuple[int, int, int]:
    return fact.mode & 0o7777, fact.uid, fact.gid


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


def _is_one(copy: Copy) -> bool:
    return copy.sources == (copy.destination,)


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


def _gathered_files(owned: Writable, unmade: Iterable[str], copies: Iterable[Copy]) -> list[str]:
    """Files of the user that no copy of their own brings."""
    places = {copy.destination for copy in copies}
    return [path for path in unmade if path in owned.files and path not in places]


def _files_below(root: str, files: Iterable[str], chown: str) -> list[str]:
    listed = " ".join(shell_word(root + path) for path in files)
    return [f"chown {chown} {listed}"] if listed else []


def _below(root: str, folders: Iterable[str], chown: str) -> list[str]:
    listed = " ".join(shell_word(root + folder) for folder in folders)
    return [f"mkdir -p {listed} && chown -R {chown} {listed}"] if listed else []
