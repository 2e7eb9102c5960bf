"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from imgopt.errors import EnvironmentFailure, Location

_HINTS = {
    errno.ENOSPC: "free some space, or give a path on another disk",
    errno.EDQUOT: "free some space, or give a path on another disk",
    errno.EACCES: "give a path in a folder that you may write to",
    errno.EPERM: "give a path in a folder that you may write to",
    errno.EROFS: "give a path in a folder that you may write to",
}
_OTHER = "give another path"


def write_atomic(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Replaces `path` in one step, keeping its permissions where `mode` says no other; makes
    missing folders. Follows a link to its file. A device or a pipe (`/dev/stdout`) stays what it is
    and is written to.

    Raises EnvironmentFailure when it cannot be written; then the old content is still there.
    """
    target = path.resolve()
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_file():
            _write_through(path, data)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, data, mode)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentFailure(
            f"cannot be written: {reason}",
            location=Location(str(path)),
            hint=_HINTS.get(error.errno or 0, _OTHER),
        ) from None


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        file.write(data)


def _replace(target: Path, data: bytes, mode: int | None) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        kept = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
        temporary.chmod(kept if mode is None else mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
