"""Who the container runs as, and whether that user may write where the original wrote."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from imgopt.inspect.failures import Item
from imgopt.inspect.files.tool_state import is_state
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.programs import running_scripts
from imgopt.inspect.system.users import WRITE, Identity
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Comparison, Outcome, judged
from imgopt.proof.checks.lost_rights import lost_rights
from imgopt.proof.example import File, Mutation
from imgopt.run.observation import Observation

NON_ROOT = "non-root"
_PRIVILEGED = 1024
_ENGINES_OWN = ("/proc", "/sys", "/dev", "/run/secrets")
_OF_ROOT = re.compile(r"^/root(?:/|$)|/__pycache__(?:/|$)|\.pyc$")
"""What goes with root's home, and bytecode that is not written where it may not be: neither is
needed."""


def check_non_root(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    before: Observation | None = None,
    after: Observation | None = None,
) -> Outcome:
    """The user is the original's or the intended one; what the original wrote, the candidate's user
    may write."""
    items: list[Item] = []
    allowed: list[str] = []
    identity = candidate.identity
    if identity is None:
        what = f"the image does not know the user {candidate.config.user}"
        return judged(NON_ROOT, what, [Item("configuration", "user", message=what)])
    reason = _user_reason(original, candidate, identity, allowances)
    if reason is None:
        items.append(
            Item("configuration", "user", message=_user_message(original, candidate, allowances))
        )
    elif reason:
        allowed.append(f"runs as {candidate.config.user}: {reason}")
    if (
        identity.is_root is False
        and not identity.numeric
        and original.config.user != candidate.config.user
    ):
        allowed.append(
            f"user {candidate.config.user!r} is a name: Kubernetes' runAsNonRoot asks for a number"
        )
    items.extend(_lost_accounts(original, candidate))
    written = _written_folders(before, original)
    items.extend(_not_writable(original, candidate, identity, written))
    told = {item.path for item in items}
    items.extend(
        item for item in lost_rights(original, candidate, identity) if item.path not in told
    )
    items.extend(_other_uid(identity, after))
    detail = f"user {candidate.config.user or 'root'} ({identity.uid}:{identity.gid})"
    detail += (
        f", {len(written)} folders that the original writes to"
        if before
        else ", what it writes was not observed"
    )
    detail += ", those that its sources name, volumes, temporary files, home"
    return judged(NON_ROOT, detail, items, [*allowed, *_ports(identity, before)])


def _user_reason(
    original: ImageView, candidate: ImageView, identity: Identity, allowances: Allowances
) -> str | None:
    """ "" for the same user, a reason for an intended one, None for a difference."""
    ours = original.identity
    if allowances.user is not None:
        return (
            allowances.user_reason or "as intended"
            if candidate.config.user == allowances.user
            else None
        )
    same = ours is not None and (ours.uid, ours.gid) == (identity.uid, identity.gid)
    return "" if same else allowances.configuration.get("user")


def _user_message(original: ImageView, candidate: ImageView, allowances: Allowances) -> str:
    wanted = allowances.user if allowances.user is not None else original.config.user
    return f"user is {candidate.config.user or 'root'} instead of {wanted or 'root'}"


def _lost_accounts(original: ImageView, candidate: ImageView) -> Iterator[Item]:
    """Users that the author made and that a running script names (`gosu app`)."""
    if original.base_view is None:
        return
    made = _accounts(original) - _accounts(original.base_view) - _accounts(candidate)
    for script in running_scripts(candidate):
        said = set(re.findall(r"[\w-]+", script.read(1 << 20).decode("utf-8", "replace")))
        for name in sorted(made & said):
            message = f"{script.path} names the user {name}, who is not there"
            yield Item("configuration", f"account:{name}", "/etc/passwd", script.path, message)


def _accounts(view: ImageView) -> set[str]:
    lines = (view.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines()
    return {line.partition(":")[0] for line in lines if ":" in line}


def _written_folders(before: Observation | None, original: ImageView) -> list[str]:
    """Folders in which the original made, changed or deleted something, not for a tool of its own.
    The engine also names the folders above, and those that it makes itself to mount a volume."""
    mounts = {posixpath.normpath(volume) for volume in original.config.volumes}
    mounts |= {parent for mount in mounts for parent in _parents(mount)}
    paths = (
        [change.path for change in before.written if change.path not in mounts] if before else []
    )
    above = {parent for path in paths for parent in _parents(path)}
    own = (path for path in paths if path not in above and not _OF_ROOT.search(path))
    written = {path for path in own if not is_state(original, path)}
    found = {posixpath.dirname(path) or "/" for path in written}
    return sorted(
        folder for folder in found if not any(parent in found for parent in _parents(folder))
    )


def _parents(path: str) -> Iterator[str]:
    while path not in ("/", ""):
        path = posixpath.dirname(path)
        yield path


def _not_writable(
    original: ImageView, candidate: ImageView, identity: Identity, folders: list[str]
) -> Iterator[Item]:
    for folder in folders:
        if folder.startswith(_ENGINES_OWN) or folder == "/etc":
            continue  # the engine's own mounts and files
        path = folder
        while path != "/" and not candidate.exists(path) and not original.exists(path):
            path = posixpath.dirname(path)
        if not candidate.exists(path):
            yield Item(
                "not-writable",
                path,
                path,
                "",
                f"{path} is not there, and the original writes to {folder}",
            )
        elif not candidate.may(WRITE, path, identity):
            node = candidate.tree.resolve(path)
            owner = f"{node.uid}:{node.gid}, mode {node.mode:o}" if node else ""
            user = candidate.config.user or "root"
            yield Item(
                "not-writable",
                path,
                path,
                "",
                f"user {user} may not write to {path} (owner {owner})",
            )


def _other_uid(identity: Identity, after: Observation | None) -> Iterator[Item]:
    if (
        after is not None
        and after.started
        and after.uid is not None
        and after.uid != identity.uid
        and identity.uid
    ):
        yield Item(
            "configuration",
            "user",
            message=f"its first process runs as {after.uid} instead of {identity.uid}",
        )


def _ports(identity: Identity, before: Observation | None) -> Iterator[str]:
    low = (
        sorted({item.port for item in before.listening if item.port < _PRIVILEGED})
        if before
        else []
    )
    if low and not identity.is_root:
        ports = ", ".join(map(str, low))
        yield (
            f"port {ports} without root: engines allow it (ip_unprivileged_port_start), not every"
            " cluster does"
        )


def _judge(given: Comparison) -> Outcome:
    first = given.runs.originals[0] if given.runs.originals else None
    return check_non_root(
        given.original, given.candidate, given.allowances, first, given.runs.candidate
    )


CHECK = Check(
    NON_ROOT,
    "the user, and whether it may write where the original does, its sources name, and volumes lie",
    _judge,
    (
        Mutation("the user is root", "user is 0 instead of 1000", config={"User": "0"}),
        Mutation(
            "another user",
            "user is 2000 instead of 1000",
            config={"User": "2000"},
            seen={"uid": 2000},
        ),
        Mutation("another group", "user is 1000:0 instead of 1000", config={"User": "1000:0"}),
        Mutation("a folder may not be written", "/data", files={"data": File(folder=True)}),
        Mutation("its process runs as another user", "runs as 0 instead of 1000", seen={"uid": 0}),
    ),
)
