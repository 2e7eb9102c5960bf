"""What a COPY, an ADD or a bind mount reads of a tree, and whether two trees give it the same
content.

Rules: buildkit cache/contenthash/checksum.go. A named source is followed through links and hashed
with everything under it; a wildcard gives the list of what matches, with names; `--exclude` filters
by paths under each source.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from imgopt.cache.glob import compile_glob, has_wildcards
from imgopt.context.files import Entry, Overlay, Tree
from imgopt.dockerfile import IgnoreFile


@dataclass(frozen=True)
class Selection:
    """Sources as written, cleaned: no leading `/`, "" is the root. `excludes` are `--exclude`
    patterns; `parents` is `--parents`."""

    sources: tuple[str, ...]
    excludes: tuple[str, ...] = ()
    parents: bool = False

    @cached_property
    def ignore(self) -> IgnoreFile | None:
        return IgnoreFile.parse("\n".join(self.excludes)) if self.excludes else None


@dataclass(frozen=True, slots=True)
class PathDifference:
    """One path that differs between two trees. `what`: added, removed, bytes, mode, link or
    kind."""

    path: str
    what: str
    before: Entry | None
    after: Entry | None

    def __str__(self) -> str:
        if self.what == "mode" and self.before and self.after:
            return f"{self.path}: mode {self.before.mode:o} became {self.after.mode:o}"
        if self.what == "link" and self.before and self.after:
            return f"{self.path}: link to {self.before.link} became a link to {self.after.link}"
        return f"{self.path} {_WORDS[self.what]}"


_WORDS = {
    "added": "was added",
    "removed": "is gone",
    "bytes": "changed",
    "mode": "changed its mode",
    "link": "points elsewhere",
    "kind": "is of another kind",
}

Delta = Mapping[str, PathDifference]


def clean_source(source: str) -> str:
    """A source path below its root: `./a//b/`, `/a/b` and `a/b` are the same."""
    cleaned = posixpath.normpath("/" + source).lstrip("/")
    return "" if cleaned == "." else cleaned


def differences(before: Tree, after: Tree) -> Delta:
    """Every path that BuildKit would see as different, in name order."""
    if before is after:
        return {}
    old, new = before.entries, after.entries
    found: dict[str, PathDifference] = {}
    for path in _suspects(old, new):
        was, now = old.get(path), new.get(path)
        if was is now:
            continue
        what = "removed" if now is None else _what(was, now)
        if what:
            found[path] = PathDifference(path, what, was, now)
    return dict(sorted(found.items()))


def _suspects(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> Iterable[str]:
    """The paths that may differ: those of the changes, where both trees are the same one with
    changes."""
    below = [
        entries.below.entries if isinstance(entries, Overlay) else entries for entries in (old, new)
    ]
    if below[0] is not below[1]:
        return old.keys() | new.keys()
    return {
        path for entries in (old, new) if isinstance(entries, Overlay) for path in entries.changes
    }


def _what(before: Entry | None, after: Entry) -> str:
    if before is None:
        return "added"
    if before.kind != after.kind:
        return "kind"
    if before.link != after.link:
        return "link"
    if before.kind != "link" and before.mode != after.mode:
        return (
            "mode"
            if before.same_as(Entry(after.kind, before.mode, after.content, after.link))
            else "bytes"
        )
    return "" if before.same_as(after) else "bytes"


@lru_cache(maxsize=65536)
def _matches(pattern: str, path: str) -> str | None:
    """The part of `path` that a wildcard source names (the path itself or a directory above it)."""
    depth = pattern.count("/") + 1
    parts = path.split("/")
    if len(parts) < depth:
        return None
    head = "/".join(parts[:depth])
    compiled = compile_glob(pattern)
    return head if compiled and compiled.fullmatch(head) else None


def read_by(selection: Selection, tree: Tree, path: str) -> bool:
    """Whether the content of `path` is part of what the selection reads of this tree."""
    if any(_part(selection, source, tree, path) is not None for source in selection.sources):
        return True
    return any(_is_at(path, target) for target in _targets(selection, tree))


def _is_followed(selection: Selection, source: str, tree: Tree, link: str) -> bool:
    """Whether a link counts as what it leads to: where a list of matches is hashed, the links at
    its top do (measured on BuildKit of Docker 28.5); inside a directory the text of a link
    counts."""
    inside = _part(selection, source, tree, link)
    if inside is None:
        return False
    if has_wildcards(source) or selection.parents:
        return not inside or selection.parents
    return bool(selection.excludes) and not source and "/" not in link


@lru_cache(maxsize=64)
def _targets(selection: Selection, tree: Tree) -> frozenset[str]:
    """Where the links that are followed inside the selection lead."""
    return frozenset(
        target
        for source in selection.sources
        for link in tree.links
        if _is_followed(selection, source, tree, link)
        and (target := tree.resolve(link)) is not None
    )


def _is_at(path: str, top: str) -> bool:
    return not top or path == top or path.startswith(top + "/")


def _part(selection: Selection, source: str, tree: Tree, path: str) -> str | None:
    """`path` relative to what `source` names ("" for the named path itself); None when it is not
    read."""
    if selection.parents:
        return path if _in_parents(source, path) and not _excluded(selection, path) else None
    if has_wildcards(source):
        top = _matches(source, path)
    else:
        top = tree.resolve(source)
        if top is not None and not _is_at(path, top):
            top = None
    if top is None:
        return None
    inside = path[len(top) :].lstrip("/") if top else path
    # the patterns of --exclude count below the source, so a file that is itself the source is never
    # excluded
    return None if inside and _excluded(selection, inside) else inside


def _excluded(selection: Selection, path: str) -> bool:
    return selection.ignore is not None and selection.ignore.excludes(path)


@lru_cache(maxsize=1024)
def _parents_pattern(source: str) -> IgnoreFile:
    return IgnoreFile.parse(source)


def _in_parents(source: str, path: str) -> bool:
    """`--parents` patterns know `**` and name the path or a directory above it."""
    return source == "" or _parents_pattern(source).excludes(path)


def compare(
    old: Selection, before: Tree, new: Selection, after: Tree, delta: Delta
) -> tuple[PathDifference, ...]:
    """What makes the two contents differ; empty when the content key is the same. `delta` is of the
    two trees."""
    if old == new and _same_places(old, before, after):
        return tuple(
            difference
            for path, difference in delta.items()
            if read_by(old, before if difference.after is None else after, path)
        )
    return _compare_listings(old, before, new, after)


def _same_places(selection: Selection, before: Tree, after: Tree) -> bool:
    """Whether each source leads to the same paths in both trees (no link that is followed was
    turned)."""
    if before is after:
        return True
    if _targets(selection, before) != _targets(selection, after):
        return False
    named = [
        source
        for source in selection.sources
        if not has_wildcards(source) and not selection.parents
    ]
    places = [(before.resolve(source), after.resolve(source)) for source in named]
    return all(one == other and one is not None for one, other in places)


def _compare_listings(
    old: Selection, before: Tree, new: Selection, after: Tree
) -> tuple[PathDifference, ...]:
    """Compares by what is hashed: names below each source, not where the source lies."""
    found: list[PathDifference] = []
    if len(old.sources) != len(new.sources):
        return (PathDifference(" ".join(new.sources) or ".", "kind", None, None),)
    for source, other in zip(sorted(old.sources), sorted(new.sources), strict=True):
        was = dict(_listing(old, source, before))
        now = dict(_listing(new, other, after))
        for name in sorted(was.keys() | now.keys()):
            one, two = was.get(name), now.get(name)
            what = "removed" if two is None else _what(one[1] if one else None, two[1])
            if what:
                path = (two or one or ("", None))[0]
                found.append(
                    PathDifference(path, what, one[1] if one else None, two[1] if two else None)
                )
    return tuple(found)


def _listing(
    selection: Selection, source: str, tree: Tree
) -> Iterator[tuple[str, tuple[str, Entry]]]:
    """What is hashed for one source: (name, (path, entry)). The named path itself has the name
    ""."""
    wild = has_wildcards(source) or selection.parents
    if not wild and tree.resolve(source) is None:
        return
    for path, entry in tree.entries.items():
        inside = _part(selection, source, tree, path)
        if inside is None:
            continue
        name = path if wild else inside
        if entry.kind == "link" and _is_followed(selection, source, tree, path):
            yield from _followed(tree, name, path, entry)
        else:
            yield name, (path, entry)


def _followed(
    tree: Tree, name: str, path: str, entry: Entry
) -> Iterator[tuple[str, tuple[str, Entry]]]:
    """A link in a list counts as what it leads to."""
    target = tree.resolve(path)
    if target is None:
        yield name, (path, entry)
        return
    for other, found in tree.entries.items():
        if _is_at(other, target):
            yield name + other[len(target) :], (other, found)
