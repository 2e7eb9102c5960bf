"""Who the first process runs as, and whether its home can be written to."""

from __future__ import annotations

from collections.abc import Mapping

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.users import EXECUTE, WRITE, Identity
from imgopt.results.run_facts import User
from imgopt.run.pictures import Picture

_PASSWD = "/etc/passwd"
_HOME = "HOME"


def user_of(said: str, picture: Picture, view: ImageView | None) -> User | None:
    """`said` is USER of the image or what the user says instead. None where the processes cannot be
    seen. `view` is the image."""
    first = next((one for one in picture.processes if one.number == 1), None)
    if first is None:
        return None
    home = (first.environment or {}).get(_HOME, "")
    identity = Identity(
        first.uid, first.gid, frozenset({first.gid, *first.groups}), said[:1].isdigit(), home
    )
    return User(
        said=said,
        uid=first.uid,
        gid=first.gid,
        name=name_of(first.uid, picture.names),
        home=home,
        home_is_writable=_may_write(view, home, identity) if view is not None and home else None,
    )


def name_of(uid: int, files: Mapping[str, str]) -> str:
    """Of the container's own table; "" for a number without a name."""
    rows = (line.split(":") for line in files.get(_PASSWD, "").splitlines())
    return next((row[0] for row in rows if len(row) > 2 and row[2] == str(uid)), "")


def _may_write(view: ImageView, path: str, identity: Identity) -> bool:
    node = view.tree.resolve(path)
    folder = node is not None and node.kind == "dir"
    return folder and view.may(WRITE | EXECUTE, path, identity)
