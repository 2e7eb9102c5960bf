"""Application files: what the author put into the image is there, at its path, with the same contents.

Application files are those that COPY and ADD brought, wherever they are, and those that RUN made in places that belong
to the application: working directories, folders outside the system's own, /usr/local, /var/www, /etc. Files of system
and language packages are judged by package, in checks of their own.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from imgopt.image.image import Image
from imgopt.image.tree import Node
from imgopt.proof.contents import compare_contents, was_copied
from imgopt.proof.model import Allowances, Check, Item, counted, judged
from imgopt.proof.packages import SYSTEM
from imgopt.proof.side import Side
from imgopt.proof.state import is_state

NAME = "application files"
_SYSTEM = re.compile(
    r"^/(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|media|mnt|proc|run|sbin|sys|tmp|usr|var|root)(?:/|$)"
)
_OWN = re.compile(r"^/(?:usr/local|usr/src|usr/share/nginx|var/www|srv|root)/")
_GENERATED = re.compile(
    r"^/etc/(?:passwd|group|shadow|gshadow|subuid|subgid|ld\.so\.cache|mtab|hosts|hostname|resolv\.conf|\.pwd\.lock|"
    r"mailcap|mailname|aliases|apparmor\.d/.*|runit(?:/.*)?|environment|shells|machine-id|[^/]*-|alternatives/.*|apt/.*|dpkg/.*|ssl/certs/.*|"
    r"networks|inputrc|papersize|xml/.*|sgml/.*|ca-certificates(?:\.conf.*|/.*)|rc[S0-9]\.d/.*|init\.d/.*|fonts/conf\.d/.*|systemd/.*|pam\.d/.*|java[^/]*/.*)$"
)
_INSTALLERS_NOTES = (
    *("/node_modules/.package-lock.json", "/node_modules/.yarn-integrity", "/node_modules/.modules.yaml"),
    *("/node_modules/.pnpm/lock.yaml", "/node_modules/.pnpm-workspace-state.json"),
)
_LOCKS = frozenset(["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"])
"""`npm install` writes its own notes into the author's lock file, over which the source is copied where it comes later;
what is installed is compared package by package."""
_MAVENS_NOTES = re.compile(
    r"/\.m2/repository/.*/(?:resolver-status\.properties|_remote\.repositories|maven-metadata-[^/]*\.xml(?:\.sha1)?)$|"
    r"/target/maven-(?:status|archiver)/"
)
"""What Maven writes for itself about a download or a compilation, with times."""
_COPY = re.compile(r"^(?:/bin/sh -c #\(nop\) )?(?:COPY|ADD)\s", re.IGNORECASE)


def check_application_files(
    original: Side, candidate: Side, allowances: Allowances, *, opened: frozenset[str] | None = None
) -> Check:
    """Every application file of the original; no rule excuses one that was opened."""
    used = opened or frozenset()
    items: list[Item] = []
    allowed: Counter[str] = Counter()
    files = size = 0
    for node in application_files(original):
        files += 1
        size += node.size
        problem, reason = _compare(original, node, candidate, allowances, node.path in used)
        if problem:
            items.append(problem)
        elif reason:
            allowed[reason] += 1
    what = counted(files, "file or empty folder", "files and empty folders")
    detail = f"{what} that the author added, {size} bytes, compared by path and contents"
    return judged(
        NAME, detail, items, [f"{counted(count, 'file')}: {reason}" for reason, count in sorted(allowed.items())]
    )


def application_files(side: Side) -> Iterator[Node]:
    """Files, links and empty folders above the base that belong to the application, not to a tool."""
    workdirs = _workdirs(side)
    copied = copied_layers(side)
    installed = package_layers(side.image) - copied
    for node in side.tree.root.nodes():
        if node.layer < side.base_layers or not node.path or side.owner(node.path) is not None:
            continue
        if node.kind not in ("file", "symlink") and (node.kind != "dir" or node.children):
            continue  # a folder counts where it is empty: something is meant to be put there
        if node.kind == "dir" and node.layer in installed and node.path.startswith(_FOLDERS_OF_PACKAGES):
            continue  # packages leave empty folders, and their databases do not say whose they are
        if (node.kind == "dir" and MADE_BY_TOOLS.match(node.path)) or is_state(side, node.path):
            continue
        if node.layer in copied or is_application_path(node.path, workdirs) or _is_alone(side, node.path):
            yield node


def copied_layers(side: Side) -> frozenset[int]:
    """The layers that COPY and ADD made, counted from 0."""
    steps = enumerate(side.image.layer_history)
    return frozenset(index for index, step in steps if step and _COPY.match(step.created_by))


_DATABASES = ("/var/lib/dpkg/status", "/lib/apk/db/installed", "/usr/lib/sysimage/rpm", "/var/lib/rpm")
_FOLDERS_OF_PACKAGES = ("/etc/", "/usr/bin/", "/usr/lib/", "/usr/local/", "/usr/share/", "/var/cache/", "/var/lib/")


@lru_cache(maxsize=16)
def package_layers(image: Image) -> frozenset[int]:
    """Layers in which the system's package database was written."""
    return frozenset(layer.index for layer in image.layers if _writes_database(entry.path for entry in layer.entries()))


def _writes_database(paths: Iterable[str]) -> bool:
    return any(path.startswith(_DATABASES) for path in paths)


MADE_BY_TOOLS = re.compile(r"/(?:root|home/[^/]+)/\.(?:local|cache|config)(?:/|$)")
"""Where an empty folder is what a tool of the build left behind, not a place for files to come."""
_SHARED = re.compile(r"^/(?:usr/(?:share|lib|libexec)|var/lib)/(?!python3|dpkg/|apt/|systemd/|ucf/|pam/|misc/)")


def _is_alone(side: Side, path: str) -> bool:
    """Below /usr/share, /usr/lib or /var/lib in a folder where no system package has anything: data that a RUN put
    there, not a list that a package's installation makes."""
    if not _SHARED.match(path):
        return False
    return posixpath.join("/", *path.split("/")[1:4]) not in side.package_folders


def is_application_path(path: str, workdirs: tuple[str, ...] = ()) -> bool:
    """Is this a place where a RUN instruction makes files of the application?"""
    if any(path.startswith(folder + "/") for folder in workdirs) or _OWN.match(path):
        return True
    if path.startswith("/etc/"):
        return not _GENERATED.match(path)
    return not _SYSTEM.match(path)


def _workdirs(side: Side) -> tuple[str, ...]:
    """The working directory, and those that WORKDIR named on the way."""
    steps = (re.match(r"^(?:/bin/sh -c #\(nop\) )?WORKDIR\s+(\S+)", step.created_by) for step in side.image.history)
    named = {posixpath.normpath(match[1]) for match in steps if match and match[1].startswith("/")}
    return tuple(sorted({*named, side.workdir} - {"/", "/usr", "/etc", "/var", "/tmp", "/root"}))


def _compare(
    original: Side, node: Node, candidate: Side, allowances: Allowances, opened: bool
) -> tuple[Item | None, str | None]:
    if node.path.endswith(_INSTALLERS_NOTES) or _MAVENS_NOTES.search(node.path):
        return None, "a note of the package manager"
    for path, reason in allowances.places(node.path):
        other = candidate.tree.get(path)
        if other is None:
            continue
        problem, note = _same(original, node, candidate, other)
        if problem and not opened and node.name in _LOCKS and not was_copied(original, node) and other.kind == "file":
            return None, "a lock file that the installation writes into"
        return (problem, None) if problem else (None, reason or note)
    target = original.tree.resolve(node.path) if "/node_modules/.bin/" in node.path else None
    if target is not None and allowances.drop_reason(target.path, opened=opened):
        return None, allowances.drop_reason(target.path, opened=opened)
    dropped = allowances.drop_reason(node.path, opened=opened)
    if not dropped and not opened and _of_lost_package(original, node, candidate):
        dropped = "made by the installation of a system package that is left out"
    return (None, dropped) if dropped else (Item("missing-file", node.path, node.path), None)


def _of_lost_package(original: Side, node: Node, candidate: Side) -> bool:
    """Below /etc or /var/lib, made in a step of the package manager, and named after a package that the candidate has
    not (`/var/lib/exim4/...` of exim4-config): what is configured is not there."""
    if not node.path.startswith(("/etc/", "/var/lib/")) or node.layer not in package_layers(original.image):
        return False
    names = {part.partition(".")[0] for part in node.path.split("/")[2:]}
    before, after = _named_like(original, names), _named_like(candidate, names)
    return bool(before) and not after


def _named_like(side: Side, names: set[str]) -> set[str]:
    found = (package.name for package in side.packages if package.ecosystem in SYSTEM)
    return {each for each in found if each in names or any(each.startswith(f"{name}-") for name in names if name)}


def _same(original: Side, node: Node, candidate: Side, other: Node) -> tuple[Item | None, str | None]:
    if node.kind == "dir":
        target = candidate.tree.resolve(other.path)
        problem = None if target and target.kind == "dir" else Item("missing-file", node.path, node.path)
        return problem, None
    if node.kind == "symlink":
        return _same_link(original, node, candidate, other), None
    found = candidate.file(other.path)
    if found is None:
        message = f"{node.path} is a {other.kind} that leads to no file"
        return Item("changed-file", node.path, node.path, message=message), None
    likeness = compare_contents(original, node, candidate, found)
    if likeness == "different":
        message = f"{node.path} has other contents ({node.size} bytes, {found.size} in the candidate)"
        return Item("changed-file", node.path, node.path, message=message), None
    return None, "built anew with the same contents" if likeness == "rebuilt" else None


def _same_link(original: Side, node: Node, candidate: Side, other: Node) -> Item | None:
    """A link may become the file that it led to; a link that dangles may dangle."""
    if other.kind == "symlink" and other.linkname == node.linkname:
        return None
    target, found = original.tree.resolve(node.path), candidate.tree.resolve(other.path)
    if target is None or (found is not None and target.kind == found.kind != "file"):
        return None
    both = target.inode is not None and found is not None and found.inode is not None
    if found is not None and both and compare_contents(original, target, candidate, found) != "different":
        return None
    return Item("changed-file", node.path, node.path, message=f"link {node.path} leads to something else")
