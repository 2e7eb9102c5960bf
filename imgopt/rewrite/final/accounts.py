"""The users and groups of a stage that is carved: those that the author made and those that the
application names come along, with the new base's own beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from imgopt.image.config import is_root
from imgopt.image.tree import Tree
from imgopt.inspect.sources.named_accounts import named_accounts
from imgopt.rewrite.evidence import Evidence, read_users
from imgopt.rewrite.final.fates import USER_DATABASE
from imgopt.rewrite.final.final_stage import Copy
from imgopt.rewrite.lines.quoting import shell_word

ACCOUNTS = "/staging/accounts"
"""Where the builder puts the original's accounts together with those of a base that has others."""
_LISTS = ("/etc/passwd", "/etc/group")
_MAKES = re.compile(
    r"\b(?:useradd|adduser|groupadd|addgroup|usermod|groupmod|gpasswd|newusers|systemd-sysusers)\b"
    r"|/etc/(?:passwd|group)\b"
)


@dataclass(frozen=True)
class Accounts:
    """`files` of the original to copy; `added`: lines of the new base that they lack, by file."""

    files: tuple[str, ...] = ()
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def copies(self) -> tuple[Copy, ...]:
        if not self.files:
            return ()
        if self.added:
            return (Copy((ACCOUNTS + "/",), "/"),)
        return (Copy(self.files, "/etc/" if len(self.files) > 1 else self.files[0]),)

    def commands(self) -> tuple[str, ...]:
        """What the builder does for the copies."""
        if not self.added:
            return ()
        place = f"{ACCOUNTS}/etc"
        parts = [f"mkdir -p {place} && cp -p {' '.join(self.files)} {place}/"]
        parts += [
            f"printf '%s\\n' {' '.join(map(shell_word, lines))} >> {ACCOUNTS}{file}"
            for file, lines in self.added.items()
        ]
        return (" \\\n && ".join(parts),)


def accounts_of(evidence: Evidence, new_base: Tree | None, *, packages: bool) -> Accounts:
    """None where the new base has all that is asked for. Without a package manager nobody changes
    a password or an account there: the two lists are enough."""
    own = makes_accounts(evidence)
    named = {name for name, _ in named_accounts(evidence.view)}
    theirs = {file: _lines(new_base, file) for file in _LISTS}
    ours = {file: _lines(evidence.tree, file) for file in _LISTS}
    lost = any(name in named and name not in theirs[f] for f in _LISTS for name in ours[f])
    if new_base is None or not (own or lost):
        return Accounts()
    wanted = sorted(USER_DATABASE) if packages else _LISTS
    files = tuple(path for path in wanted if evidence.view.is_file(path))
    added = {
        file: tuple(line for name, line in theirs[file].items() if name not in ours[file])
        for file in _LISTS
        if file in files
    }
    return Accounts(files, {file: lines for file, lines in added.items() if lines})


def makes_accounts(evidence: Evidence) -> bool:
    """The author adds users or groups over the base, or runs the image as one that is not root."""
    base = evidence.view.base
    if not is_root(evidence.config.user):
        return True
    before = base.tree() if base is not None else None
    new = {
        name
        for file in _LISTS
        for name in _lines(evidence.tree, file).keys() - _lines(before, file).keys()
    }
    known = {name for name, _, _ in read_users(before)} if before is not None else set()
    ordinary = any(1000 <= uid < 65534 and name not in known for name, uid, _ in evidence.users)
    return ordinary or (bool(new) and _says_so(evidence, new))


def _says_so(evidence: Evidence, names: set[str]) -> bool:
    """A step of the Dockerfile makes one of these by name; what packages make for themselves is
    theirs."""
    for step in evidence.view.image.layer_history[evidence.base_layers :]:
        text = step.created_by if step is not None else ""
        if _MAKES.search(text) and any(
            re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", text) for n in names
        ):
            return True
    return False


def _lines(tree: Tree | None, file: str) -> dict[str, str]:
    """The lines of an account list by name; empty where there is none."""
    try:
        data = tree.read(file, 1 << 20) if tree is not None else b""
    except FileNotFoundError:
        data = b""
    rows = data.decode("utf-8", "replace").splitlines()
    return {row.partition(":")[0]: row for row in rows if ":" in row}
