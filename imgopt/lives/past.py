"""The project's own last commits, as later edits backwards: each with its own context, while the
Dockerfile is today's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from imgopt.cache.edits import Edit
from imgopt.cache.roles import Role, Roles
from imgopt.cache.workspace import copy_tree
from imgopt.context.files import Tree, sifted
from imgopt.context.history import Commit, Repository
from imgopt.dockerfile import IgnoreFile
from imgopt.lives.later import LaterEdit
from imgopt.lives.trials import Tried
from imgopt.results.lives import Past

_INSTALLED: frozenset[Role] = frozenset(["manifest", "lock"])
_MOST_SEARCHED, _MOST_SHOWN = 500, 5
_SHORT = 10


@dataclass(frozen=True, slots=True)
class PastState:
    """One commit as an edit; `changed` are its manifests, sources and data, `installs`: a manifest
    or lock file is among them."""

    commit: Commit
    edit: LaterEdit
    changed: tuple[str, ...]
    installs: bool


@dataclass(frozen=True, slots=True)
class PastStates:
    """Newest first; `ended` says why there are no more."""

    states: tuple[PastState, ...]
    ended: str = ""


def past_states(
    context: Path, dockerfile: str, text: str, ignore: str | None, most: int
) -> PastStates:
    """The last `most` commits that touched what an image is made of. `dockerfile` is the path of
    the original in the context ("": it lies elsewhere), `text` what stands in it."""
    repository = Repository.of(context)
    if isinstance(repository, str):
        return PastStates((), repository)
    found = repository.history(_MOST_SEARCHED)
    if found.commits is None:
        return PastStates((), found.reason)
    states: list[PastState] = []
    for commit, changed, installs in _touching(found.commits, Roles(), dockerfile):
        if len(states) == most:
            return PastStates(tuple(states))
        tree = repository.tree(commit.id)
        then = tree.get(dockerfile) if dockerfile else None
        if dockerfile and (then is None or then.content is None):
            return PastStates(tuple(states), f"{dockerfile} is not in {commit.id[:_SHORT]}")
        if then is not None and then.content is not None and _text(then.content.read()) != text:
            said = f"the Dockerfile itself was another one in {commit.id[:_SHORT]}"
            return PastStates(tuple(states), said)
        kept = IgnoreFile.parse(ignore) if ignore is not None else None
        states.append(PastState(commit, _edit(commit, sifted(tree, kept)), changed, installs))
    return PastStates(tuple(states), "no older commit touched manifests, sources or data")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _touching(
    commits: Iterable[Commit], roles: Roles, dockerfile: str
) -> Iterator[tuple[Commit, tuple[str, ...], bool]]:
    for commit in commits:
        paths = {change.path: roles.of(change.path) for change in commit.changes}
        changed = tuple(
            path
            for path, role in paths.items()
            if role not in ("test", "docs") and path not in (dockerfile, ".dockerignore")
        )
        if changed:
            yield commit, changed, any(paths[path] in _INSTALLED for path in changed)


def _edit(commit: Commit, tree: Tree) -> LaterEdit:
    short = commit.id[:_SHORT]
    return LaterEdit(short, f"the context of commit {short}", tree=partial(_written, tree))


def _written(tree: Tree, folder: Path) -> None:
    folders = {path: entry for path, entry in tree.entries.items() if entry.kind == "dir"}
    copy_tree(folder, Tree(folders), folder)
    rest = {path: entry for path, entry in tree.entries.items() if entry.kind != "dir"}
    Edit("a commit", rest).write(folder)


def shown(state: PastState, tried: Tried) -> Past:
    """As the results have it."""
    return Past(
        commit=state.commit.id,
        time=state.commit.time,
        changed=list(state.changed[:_MOST_SHOWN]),
        installs=state.installs,
        verdict=tried.verdict,
        detail=tried.detail,
        check=tried.check,
        seconds=round(tried.seconds, 1),
    )
