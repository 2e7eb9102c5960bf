"""From the kept paths to COPY lines: the fewest that hold.

A folder is copied whole where nothing in it was dropped, and where a file in it has a name that
only this build knows. What the new base has at the same path with the same bytes is harmless: it is
shipped once more at most, so a folder that holds some is copied whole when that saves enough lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from posixpath import dirname

from imgopt.inspect.files.drawn_names import is_of_one_build
from imgopt.rewrite.final.fates import PathFact, is_below
from imgopt.rewrite.final.final_stage import Copy
from imgopt.rewrite.final.runtime import is_shared_library

LINE_WORTH_BYTES = 2_000_000
"""A line more in the Dockerfile is worth this many bytes of the image that are shipped twice."""
LEAST_REMOVED_BYTES = 500_000
"""Leftovers that sum to less than this stay where they are."""
MOST_LINES = 6
"""A folder that would need more lines is cleaned in the builder and copied whole."""
MOST_REMOVALS = 10
"""Parts that are removed from a folder of SHARED_FOLDERS to copy it whole."""
MOST_IN_HOME = 16
"""Parts that are removed from the folder that a program works in: a compiler leaves a dozen."""
MOST_SOURCES = 8
"""Files of a folder that are named one by one; of more the folder is copied, where little in it is
not wanted."""
LARGE_BYTES = 1_000_000
"""A part of this size is worth a place in front of smaller ones."""
SHARED_FOLDERS = frozenset(
    {
        "/",
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/lib64",
        "/media",
        "/mnt",
        "/opt",
        "/proc",
        "/root",
    }
    | {
        "/run",
        "/sbin",
        "/srv",
        "/sys",
        "/tmp",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/sbin",
        "/usr/share",
        "/usr/src",
    }
    | {"/var"}
    | {"/usr/local", "/usr/local/lib", "/usr/local/share", "/var/lib", "/var/log", "/var/cache"}
    | {
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/lib/x86_64-linux-gnu",
        "/lib/aarch64-linux-gnu",
    }
)
"""Folders that a base image has already: they are never copied whole."""


PROGRAM_FOLDERS = frozenset({"/usr/local/bin", "/usr/local/sbin"})
"""Folders for programs of all kinds: one that is alone in them is named."""
STABLE_ROOTS = ("/usr/", "/opt/", "/etc/")


@dataclass
class _Folder:
    path: str
    shared: bool = True
    """A base image has it already: it is never copied whole."""
    free: bool = False
    """One that other bases have something in, and this one has not: it is copied whole where it
    can be, for whatever is installed there next."""
    is_home: bool = False
    """The program works in it."""
    folders: dict[str, _Folder] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    kept_count: int = 0
    kept_bytes: int = 0
    other_count: int = 0
    harmless_bytes: int = 0
    is_kept_leaf: bool = False
    holds_leaf: bool = False
    """It is an empty folder that is kept, or there is one below."""
    removable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CopyPlan:
    """COPY lines, symbolic links to be made as links, and what to remove from the builder before
    copying."""

    copies: tuple[Copy, ...]
    links: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    left_in: tuple[str, ...] = ()
    """Paths that could be left out, but are too small to take a folder apart for."""


def plan_copies(
    everything: Mapping[str, PathFact],
    kept: frozenset[str],
    harmless: Callable[[str], bool],
    installed: frozenset[str] = frozenset(),
    elsewhere: Mapping[str, str] | None = None,
    free: frozenset[str] = frozenset(),
    homes: Mapping[str, bool] | None = None,
) -> CopyPlan:
    """`everything`: the builder's final file system; `harmless`: the new base has the same file;
    `installed`: names of folders of packages, which an edit of the source leaves as they are;
    `elsewhere`: folders that another stage than the builder gives -> its name; `free`: folders of
    SHARED_FOLDERS that the new base has nothing in; `homes`: folders that the program works in,
    where it finds what is put beside its files tomorrow -> whether small leftovers go from them,
    too (sources of what is compiled)."""
    given = elsewhere or {}
    kept = frozenset(path for path in kept if not is_below(path, given))
    root = _tree(everything, kept, harmless, SHARED_FOLDERS - free, free, homes or {})
    copies, links, removals = _visit(root, everything, installed)
    copies += [Copy((folder,), folder, stage=stage) for folder, stage in given.items()]
    cleaned = [path for path, clean in (homes or {}).items() if clean]
    left_in = [
        path for path in removals if _is_small(path, everything) and not is_below(path, cleaned)
    ]
    small = sum(everything[path].size for path in left_in) <= LEAST_REMOVED_BYTES
    gone = [path for path in removals if path not in left_in] if small else removals
    left = tuple(sorted(left_in)) if small else ()
    return CopyPlan(
        _merged(copies, everything, installed), tuple(sorted(links)), tuple(sorted(gone)), left
    )


def _is_small(path: str, facts: Mapping[str, PathFact]) -> bool:
    """A file that is left where it is; a library is none, for it would bring those that it asks
    for."""
    return (
        path in facts
        and facts[path].kind != "dir"
        and facts[path].size <= LEAST_REMOVED_BYTES
        and not is_shared_library(path)
    )


def _tree(
    everything: Mapping[str, PathFact],
    kept: frozenset[str],
    harmless: Callable[[str], bool],
    shared: frozenset[str],
    free: frozenset[str],
    homes: Iterable[str],
) -> _Folder:
    root = _Folder("/")
    nodes = {"/": root}
    for path in free & everything.keys():
        _folder(nodes, path, shared).free = True
    for path in set(homes) - shared:
        _folder(nodes, path, shared).is_home = True
    for path, fact in everything.items():
        if fact.kind == "dir":
            _folder(nodes, path, shared)
    for path in kept:
        if path in nodes:
            nodes[path].is_kept_leaf = True
            _mark_above(nodes, path)
    for path in kept & everything.keys():
        if everything[path].kind != "dir":
            _count(_folder(nodes, dirname(path), shared), nodes, everything[path], True, harmless)
    for path, fact in everything.items():
        if fact.kind != "dir" and path not in kept and _may_be_copied(nodes, dirname(path)):
            _count(_folder(nodes, dirname(path), shared), nodes, fact, False, harmless)
    return root


def _mark_above(nodes: dict[str, _Folder], folder: str) -> None:
    while not nodes[folder].shared and not nodes[folder].holds_leaf:
        nodes[folder].holds_leaf = True
        folder = dirname(folder)


def _may_be_copied(nodes: dict[str, _Folder], folder: str) -> bool:
    """Whether some folder above that is not shared holds something kept: only there do other files
    matter."""
    while folder != "/":
        node = nodes.get(folder)
        if node is not None and node.shared:
            return False
        if node is not None and (node.kept_count or node.holds_leaf):
            return True
        folder = dirname(folder)
    return False


def _folder(nodes: dict[str, _Folder], path: str, shared: frozenset[str]) -> _Folder:
    if path not in nodes:
        parent = _folder(nodes, dirname(path), shared)
        nodes[path] = parent.folders[path] = _Folder(path, path in shared)
    return nodes[path]


def _count(
    parent: _Folder,
    nodes: dict[str, _Folder],
    fact: PathFact,
    is_kept: bool,
    harmless: Callable[[str], bool],
) -> None:
    path = fact.path
    if is_kept:
        parent.kept.append(path)
    same = not is_kept and harmless(path)
    if not is_kept and not same:
        parent.removable.append(path)
    folder: str = parent.path
    while True:
        node = nodes[folder]
        node.kept_count += is_kept
        node.kept_bytes += fact.size if is_kept else 0
        node.other_count += not is_kept and not same
        node.harmless_bytes += fact.size if same else 0
        if folder == "/":
            return
        folder = dirname(folder)


def _visit(
    node: _Folder, facts: Mapping[str, PathFact], installed: frozenset[str]
) -> tuple[list[Copy], list[str], list[str]]:
    if node.kept_count == 0:
        return _empty_folders(node)
    apart = _apart(node, facts, installed)
    alone = node.path in PROGRAM_FOLDERS and len(node.kept) == node.kept_count == 1
    if node.shared or alone:
        return apart
    lines = len(apart[0]) + bool(apart[1])
    removals = _removals(node)
    large = [path for path in removals if not _is_small(path, facts)]
    if node.free and node.harmless_bytes <= LARGE_BYTES and len(large) <= MOST_REMOVALS:
        return [Copy((node.path,), node.path)], [], removals
    drawn = any(is_of_one_build(path.removeprefix(node.path)) for path in node.kept)
    many = (
        (len(node.kept) > MOST_SOURCES or node.is_home)
        and len(removals) <= (MOST_IN_HOME if node.is_home else MOST_LINES)
        and not _holds_packages(node, installed)
    )
    if (drawn or many) and node.harmless_bytes <= LARGE_BYTES:
        return [Copy((node.path,), node.path)], [], removals
    if _holds_packages(node, installed):
        if lines > MOST_LINES:
            apart = _apart(node, facts, installed, whole=True)
        if len(apart[0]) + bool(apart[1]) <= MOST_LINES:
            return apart
    whole = [Copy((node.path,), node.path)]
    if (
        node.other_count == 0
        and node.harmless_bytes <= max(lines - 1, 0) * LINE_WORTH_BYTES + 65536
    ):
        return whole, [], []
    if lines > MOST_LINES and node.harmless_bytes <= lines * LINE_WORTH_BYTES:
        return whole, [], removals
    return apart


def _empty_folders(node: _Folder) -> tuple[list[Copy], list[str], list[str]]:
    """The kept ones in a folder without any kept file. All at once where nothing else is in it, or
    where they are many: a COPY is a layer, of which an image has no more than 128."""
    parts = [_empty_folders(child) for child in node.folders.values()]
    inner = [copy for copies, _, _ in parts for copy in copies]
    if node.is_kept_leaf and not node.folders and not node.other_count and not node.shared:
        return [Copy((node.path,), node.path)], [], []
    alone = not node.other_count and len(inner) > 1
    if (alone or len(inner) > MOST_LINES) and not node.harmless_bytes and not node.shared:
        return [Copy((node.path,), node.path)], [], _removals(node)
    return inner, [], [path for _, _, removals in parts for path in removals]


def _holds_packages(node: _Folder, installed: frozenset[str]) -> bool:
    """Whether packages worth a layer of their own lie in this folder beside what an edit of the
    source changes."""
    if is_installed(node.path, installed):
        return False
    return any(
        child.kept_bytes >= LARGE_BYTES
        and (is_installed(name, installed) or _holds_packages(child, installed))
        for name, child in node.folders.items()
    )


def is_installed(path: str, names: frozenset[str]) -> bool:
    """Whether it is a folder of installed packages, or lies in one."""
    return not names.isdisjoint(path.split("/"))


def _apart(
    node: _Folder, facts: Mapping[str, PathFact], installed: frozenset[str], *, whole: bool = False
) -> tuple[list[Copy], list[str], list[str]]:
    """`whole`: the folders in it are cleaned in the builder where they have something that is not
    kept."""
    files = [path for path in node.kept if facts[path].kind != "symlink"]
    links = [path for path in node.kept if facts[path].kind == "symlink"]
    copies: list[Copy] = []
    if files:
        many = len(files) > 1
        folder = node.path.rstrip("/") + "/"
        copies.append(Copy(tuple(sorted(files)), folder if many or node.path == "/" else files[0]))
    removals: list[str] = []
    for name, child in sorted(node.folders.items()):
        plain = not is_installed(name, installed) and not _holds_packages(child, installed)
        if whole and plain and child.kept_count and not child.harmless_bytes:
            copies.append(Copy((name,), name))
            removals += _removals(child)
            continue
        inner, inner_links, inner_removals = _visit(child, facts, installed)
        copies += inner
        links += inner_links
        removals += inner_removals
    return copies, links, removals


def _removals(node: _Folder) -> list[str]:
    """The highest paths below a folder that hold nothing kept."""
    found = list(node.removable)
    for child in node.folders.values():
        if (
            child.other_count
            and not child.kept_count
            and not child.holds_leaf
            and not child.harmless_bytes
        ):
            found.append(child.path)
        elif child.other_count:
            found += _removals(child)
    return found


def _merged(
    copies: list[Copy], facts: Mapping[str, PathFact], installed: frozenset[str] = frozenset()
) -> tuple[Copy, ...]:
    """What lies in system folders first, for it changes less often than the application; then
    installed packages; then what is large, for whatever comes before a change is not shipped
    again."""
    large = {copy.sources: _bytes(copy, facts) >= LARGE_BYTES for copy in copies}

    def order(copy: Copy) -> tuple[bool, bool, bool, tuple[str, ...]]:
        first = copy.sources[0]
        packages = is_installed(first, installed)
        return (
            not first.startswith(STABLE_ROOTS),
            not packages,
            not large[copy.sources],
            copy.sources,
        )

    return tuple(sorted(copies, key=order))


def _bytes(copy: Copy, facts: Mapping[str, PathFact]) -> int:
    named = sum(facts[path].size for path in copy.sources if path in facts)
    below = tuple(
        path + "/" for path in copy.sources if path not in facts or facts[path].kind == "dir"
    )
    return named + (
        sum(fact.size for path, fact in facts.items() if path.startswith(below)) if below else 0
    )
