"""Which folders and files have to belong to a service that is not root any more.

What the smoke run wrote is only a part of it: an upload, a form that is sent, a job of the night
write elsewhere. As root the original could write everywhere; what is the application's own stays
open to it: its working directory, the folders that the Dockerfile brings or makes for it, its
volumes, and what its sources are seen to write to. Ownership costs no byte where the files are
copied anyway. Folders of the system stay closed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from imgopt.image.tree import Tree
from imgopt.inspect.files.application_files import (
    application_files,
    copied_layers,
    made_by_author,
)
from imgopt.inspect.files.tool_state import is_state
from imgopt.inspect.sources.unseen_writes import may_write_unseen
from imgopt.inspect.sources.written_places import written_by_sources
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import is_below
from imgopt.rewrite.lines.quoting import shell_word

OPEN_TO_ALL = ("/tmp", "/var/tmp", "/dev", "/proc", "/sys", "/run/lock", "/dev/shm")
"""Folders that every user may write to, or that are not part of the image."""
OPTIONAL = ("*/__pycache__", "*.pyc", "/root", "/root/*", "/home/*", "/etc/mtab")
"""Written when it can be, done without when not: bytecode, and files of the home folder (the new
user has its own)."""
_NEVER_OWN = re.compile(
    r"^/(?:$|(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|proc|sbin|sys|tmp)(?:/|$)|usr/(?!src/|app/|app$))"
)
"""Code and settings of the system, and what is open to all."""
_SHARED = frozenset(
    [
        "/",
        "/home",
        "/media",
        "/mnt",
        "/opt",
        "/root",
        "/run",
        "/srv",
        "/usr",
        "/usr/src",
        "/var",
        "/var/cache",
    ]
    + ["/var/lib", "/var/log", "/var/opt", "/var/spool", "/var/www"]
)
"""Folders that hold the folders of several programs: never given as a whole."""


@dataclass(frozen=True, slots=True)
class Writable:
    """`trees` belong to the user with all below, and are made where they are missing; `paths`
    belong alone, `files` are those of them that are no folders. `reasons` say why, by path."""

    trees: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.trees or self.paths)

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(sorted({*self.trees, *self.paths}))

    def command(self, user: int) -> str:
        """The shell command that gives them to the user, where nothing is copied."""
        parts = []
        if self.trees:
            listed = " ".join(map(shell_word, self.trees))
            parts.append(f"mkdir -p {listed} && chown -R {user}:{user} {listed}")
        if self.paths:
            parts.append(f"chown {user}:{user} {' '.join(map(shell_word, self.paths))}")
        return " && ".join(parts)

    def told(self) -> str:
        """The folders with their reasons, in one clause."""
        return ", ".join(
            f"{path} ({self.reasons[path]})" if path in self.reasons else path for path in self.all
        )


def with_tree(owned: Writable, folder: str, reason: str) -> Writable:
    """With one more folder that belongs to the user with all below."""
    trees = _highest([*owned.trees, folder])
    paths = tuple(path for path in owned.paths if not is_below(path, [folder]))
    files = owned.files & set(paths)
    return Writable(trees, paths, files, {**owned.reasons, folder: reason})


def writable(evidence: Evidence, extra: Iterable[str] = ()) -> Writable:
    """What has to belong to the user: what the run or the sources write to, and the application's
    own folders, but where no source writes anything: then its files stay root's."""
    extra = tuple(extra)
    if not may_write_unseen(evidence.view):
        narrow = _writable(evidence, extra, with_sources=False)
        if not any(is_below(path, narrow.all) for path in _sources(evidence)):
            return narrow
    return _writable(evidence, extra, with_sources=True)


def _sources(evidence: Evidence) -> Iterator[str]:
    """What COPY brought."""
    copied = copied_layers(evidence.view)
    return (n.path for n in application_files(evidence.view) if n.layer in copied)


def _writable(evidence: Evidence, extra: Iterable[str], *, with_sources: bool) -> Writable:
    mounts = _mount_points(evidence)
    seen_made = (
        path for path in evidence.seen.written if not _is_free(path) and path not in mounts
    )
    made = [path for path in seen_made if not is_state(evidence.view, path)]
    new = {path for path in made if evidence.tree.get(path) is None}
    reasons = dict(_own_folders(evidence, with_sources=with_sources))
    reasons |= dict.fromkeys(evidence.config.volumes, "a volume")
    seen = {path for path in new if any(posixpath.dirname(other) == path for other in new)}
    for path, why in _unmade_folders(evidence):
        reasons.setdefault(path, why)
    for path in sorted({*seen, *extra}):
        reasons.setdefault(
            path,
            "written in the smoke run" if path in seen else "an earlier run could not write there",
        )
    highest = _highest(reasons)
    others = [path for path in made if not is_below(path, highest)]
    alone = {_needs_owner(evidence, path, new): "written in the smoke run" for path in others}
    alone |= dict.fromkeys(made_files(evidence), "made for data by the author")
    alone |= {
        folder: why
        for folder, why in _named_folders(evidence, highest).items()
        if folder not in alone
    }
    paths = {path: why for path, why in alone.items() if path and not is_below(path, highest)}
    files = frozenset(path for path in paths if evidence.view.is_file(path))
    trees = tuple(sorted({*highest, *_missing_volumes(evidence, reasons)}))
    return Writable(
        trees, tuple(sorted(paths)), files, {**paths, **{path: reasons[path] for path in trees}}
    )


def _missing_volumes(evidence: Evidence, known: Iterable[str]) -> list[str]:
    """Volumes at no folder of the image, those below the application's own folders too: the engine
    makes them, for root, where the image does not have them."""
    return [
        path
        for path in known
        if path in evidence.config.volumes and evidence.tree.resolve(path) is None
    ]


def _mount_points(evidence: Evidence) -> frozenset[str]:
    """Folders that the engine makes itself to mount a volume, and those above them."""
    found = set()
    for volume in evidence.config.volumes:
        path = posixpath.normpath(volume)
        while path not in found and path != "/":
            found.add(path)
            path = posixpath.dirname(path)
    return frozenset(found)


def _own_folders(evidence: Evidence, *, with_sources: bool) -> Iterator[tuple[str, str]]:
    """The working directory and what COPY fills (`with_sources`), and what a RUN made for data;
    never a folder of the system."""
    base = evidence.view.base.tree() if evidence.view.base is not None else None
    copied, made = copied_layers(evidence.view), made_by_author(evidence.view)
    for node in application_files(evidence.view):
        if node.path in made and node.kind == "dir" and _is_for_the_service(node.path):
            yield node.path, "made empty by the author"
            continue
        if _NEVER_OWN.match(node.path) or node.path.startswith(("/root/", "/usr/local/")):
            continue
        data = node.kind == "dir" and node.layer not in evidence.package_layers
        if not with_sources:
            if data:
                yield node.path, "made for the application"
            continue
        if base is not None and (node.layer in copied or data):
            folder = _highest_new(
                node.path if node.kind == "dir" else posixpath.dirname(node.path), base
            )
            if folder and evidence.tree.get(f"{folder}/pyvenv.cfg") is None:
                yield folder, "made for the application"
    workdir = evidence.view.workdir
    if with_sources and workdir not in _SHARED and not _NEVER_OWN.match(workdir):
        yield workdir, "the working directory"


def _is_for_the_service(folder: str) -> bool:
    """An empty folder is there to be written to; not where programs are, nor one that all use."""
    programs = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/local/", "/bin/", "/sbin/", "/lib/")
    return folder not in (*_SHARED, *OPEN_TO_ALL) and not folder.startswith(programs)


def made_files(evidence: Evidence) -> Iterator[str]:
    """Files that the author made where programs keep data (`touch /var/log/app.log`)."""
    made = sorted(made_by_author(evidence.view))
    return (path for path in made if path in evidence.facts and evidence.facts[path].kind == "file")


def _highest_new(folder: str, base: Tree) -> str:
    """The highest folder above (or this one) that the base has not, and that no other program
    shares; "" for none."""
    found = ""
    while folder not in ("/", "") and folder not in _SHARED:
        if base.get(folder) is None:
            found = folder
        folder = posixpath.dirname(folder)
    return found


def _named_folders(evidence: Evidence, trees: tuple[str, ...]) -> dict[str, str]:
    """Folders elsewhere that the sources write to, as far as they are there."""
    found: dict[str, str] = {}
    for folder, source in written_by_sources(evidence.view):
        node = evidence.tree.resolve(folder)
        taken = is_below(folder, trees) or _is_free(folder) or _NEVER_OWN.match(folder)
        if node is None or node.kind != "dir" or taken:
            continue
        found.setdefault(folder, f"{posixpath.basename(source)} writes there")
    return found


def _unmade_folders(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Folders that the sources make on a path that no probe took, the highest one of each: where
    root alone may make it, it is made ahead."""
    for folder, source in written_by_sources(evidence.view):
        path = folder
        while path != "/" and evidence.tree.resolve(posixpath.dirname(path)) is None:
            path = posixpath.dirname(path)
        if (
            evidence.tree.resolve(path) is None
            and not _is_free(path)
            and not _NEVER_OWN.match(path)
        ):
            yield path, f"{posixpath.basename(source)} writes there"


def _needs_owner(evidence: Evidence, path: str, new: set[str]) -> str:
    """The folder in which something new was made, or the file that was changed."""
    if path in new:
        parent = posixpath.dirname(path)
        return "" if parent in new else parent
    node = evidence.tree.get(path)
    return path if node is not None and node.kind == "file" else ""


def _is_free(path: str) -> bool:
    if any(path == root or path.startswith(root + "/") for root in OPEN_TO_ALL):
        return True
    return any(fnmatchcase(path, glob) for glob in OPTIONAL)


def _highest(folders: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for folder in sorted(set(folders)):
        if not is_below(folder, found):
            found.append(folder)
    return tuple(found)
