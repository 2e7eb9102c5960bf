"""What another user than root would miss though no probe asked for it: places to write to, a home,
a name.

Root may write everywhere, so every change of the user takes something away. What counts: volumes,
folders for temporary files, the places that the sources are seen to write to, and a home or an
entry in /etc/passwd where sources ask for it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from imgopt.inspect.failures import Item
from imgopt.inspect.files.application_files import application_files, made_by_author
from imgopt.inspect.files.home_files import asks_for_home
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.texts import source_texts
from imgopt.inspect.sources.written_places import written_by_sources
from imgopt.inspect.start.root_programs import programs_for_root
from imgopt.inspect.system.users import WRITE, Identity

_OWNED = "the original's user may"
_PROGRAMS = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/local/", "/bin/", "/sbin/", "/lib/")
TEMPORARY = ("/tmp", "/var/tmp")
_ACCOUNT = re.compile(
    r"\bgetpass\.getuser\(|\bgetpwuid\(|\bgetlogin\(|\bos\.userInfo\(|\buser\.Current\(|\bposix_getpwuid\(|\bgetpwuid_r\("
)


def lost_rights(original: ImageView, candidate: ImageView, identity: Identity) -> Iterator[Item]:
    """Items for what the original's user may do and `identity` in the candidate may not."""
    lost: set[str] = set()
    for folder, by in dict(_places(original)).items():
        if by == _OWNED and (not candidate.exists(folder) or posixpath.dirname(folder) in lost):
            continue  # that it is missing is said elsewhere; of a folder one line is enough
        path, there = nearest(folder, original, candidate), nearest(folder, candidate)
        if original.may(WRITE, path) and not candidate.may(WRITE, there, identity):
            lost.add(folder)
            yield Item("not-writable", there, there, by, _said(candidate, there, folder, by))
    yield from _home(original, candidate, identity)
    yield from _account(original, candidate, identity)
    before = original.identity
    if before is not None and before.is_root and not identity.is_root:
        for program, script in programs_for_root(candidate):
            message = f"{script} calls {program}, which works for root alone"
            yield Item("configuration", f"root:{program}", script, script, message)


def _made(original: ImageView) -> Iterator[tuple[str, str]]:
    """Empty folders are there to be written to, and files where programs keep data."""
    for path in sorted(made_by_author(original)):
        node = original.tree.get(path)
        if node is not None and node.kind in ("dir", "file") and not path.startswith(_PROGRAMS):
            kind = "a folder that the author made empty" if node.kind == "dir" else "made for data"
            yield node.path, kind


def nearest(folder: str, *sides: ImageView) -> str:
    """The folder itself where one of the images has it, else the lowest one above it that is
    there."""
    while folder != "/" and not any(view.exists(folder) for view in sides):
        folder = posixpath.dirname(folder)
    return folder


def _places(original: ImageView) -> Iterator[tuple[str, str]]:
    for folder, source in written_by_sources(original):
        if not folder.startswith(("/proc", "/sys", "/dev")):
            yield folder, source
    yield from _own(original)
    yield from _made(original)
    yield from ((path, "a temporary file") for path in TEMPORARY if original.exists(path))
    yield from ((posixpath.normpath(path), "a volume") for path in original.config.volumes)


def _own(original: ImageView) -> Iterator[tuple[str, str]]:
    """What a user that is not root may write was given to it on purpose: files of the application
    and their folders."""
    user = original.identity
    if user is None or user.is_root:
        return
    for node in application_files(original):
        folder = node.parent
        if folder is not None and folder.path not in ("", "/") and original.may(WRITE, folder.path):
            yield folder.path, _OWNED
        if node.kind in ("file", "dir") and original.may(WRITE, node.path):
            yield node.path, _OWNED


def _said(candidate: ImageView, path: str, folder: str, by: str) -> str:
    node = candidate.tree.resolve(path)
    owner = f"owner {node.uid}:{node.gid}, mode {node.mode:o}" if node else "not there"
    wanted = f", so {folder} cannot be made" if folder != path else ""
    return f"user {candidate.config.user or 'root'} may not write to {path} ({owner}){wanted}: {by}"


def _home(original: ImageView, candidate: ImageView, identity: Identity) -> Iterator[Item]:
    before, after = home_of(original, original.identity), home_of(candidate, identity)
    if not original.may(WRITE, before) or candidate.may(WRITE, after, identity):
        return
    asking = asks_for_home(original)
    if asking:
        message = (
            f"user {candidate.config.user or 'root'} may not write to its home folder {after}:"
            f" {asking} asks for it"
        )
        yield Item("not-writable", after, after, asking, message)


def home_of(view: ImageView, identity: Identity | None) -> str:
    """As the engine sets it: HOME of the image, else the folder of /etc/passwd, else the root."""
    return (
        view.config.environment.get("HOME")
        or (identity.home if identity is not None else "")
        or "/"
    )


def _account(original: ImageView, candidate: ImageView, identity: Identity) -> Iterator[Item]:
    before = original.identity
    if (
        before is None
        or not _is_listed(original, before.uid)
        or _is_listed(candidate, identity.uid)
    ):
        return
    asking = next((path for path, text in source_texts(original) if _ACCOUNT.search(text)), None)
    if asking:
        message = f"/etc/passwd has no user {identity.uid}, and {asking} asks for its name"
        yield Item("configuration", f"account:{identity.uid}", "/etc/passwd", asking, message)


def _is_listed(view: ImageView, uid: int) -> bool:
    rows = (view.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines()
    return any(row.split(":")[2:3] == [str(uid)] for row in rows)
