"""Who the container runs as, and what that user may do with a path: USER as the engine resolves it,
POSIX modes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

READ, WRITE, EXECUTE = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Identity:
    """A resolved user. `numeric`: USER names a number, as Kubernetes' runAsNonRoot asks for."""

    uid: int
    gid: int
    groups: frozenset[int]
    numeric: bool
    home: str = "/"

    @property
    def is_root(self) -> bool:
        return self.uid == 0

    def may(self, wanted: int, mode: int, uid: int, gid: int) -> bool:
        """May this user do `wanted` (READ, WRITE, EXECUTE) with an object of this mode and owner?
        Root needs one x."""
        if self.is_root:
            return not wanted & EXECUTE or bool(mode & 0o111)
        if uid == self.uid:
            return mode >> 6 & wanted == wanted
        if gid in self.groups:
            return mode >> 3 & wanted == wanted
        return mode & wanted == wanted


def resolve_user(user: str, read: Callable[[str], bytes | None]) -> Identity | None:
    """USER ("", "app", "1000", "app:web", "1000:1000") by the image's own passwd and group; None
    for unknown names.

    As moby/sys/user does: a number needs no entry, its group is then that of the entry or 0;
    without an explicit group the user's further groups count too.
    """
    name, _, group = user.partition(":")
    rows = [line.split(":") for line in _lines(read("/etc/passwd"))]
    entry = next(
        (row for row in rows if len(row) >= 6 and (name or "root") in (row[0], row[2])), None
    )
    if entry is None and not (name or "0").isdigit():
        return None
    uid = _number(entry[2] if entry else name or "0")
    gid = _number(entry[3]) if entry else 0
    groups = [line.split(":") for line in _lines(read("/etc/group"))]
    if group:
        found = next((row for row in groups if len(row) >= 3 and group in (row[0], row[2])), None)
        if found is None and not group.isdigit():
            return None
        gid = _number(found[2] if found else group)
    others = (
        ()
        if group or entry is None
        else (r[2] for r in groups if len(r) >= 4 and entry[0] in r[3].split(","))
    )
    known = frozenset({gid, *(_number(other) for other in others)})
    return Identity(uid, gid, known, name.isdigit(), entry[5] if entry else "/")


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "replace").splitlines()


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
