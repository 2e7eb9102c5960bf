"""Which accounts, groups and hosts the processes can look up: /etc/passwd, /etc/group and
nsswitch.conf(5), as they were while the service ran.

A slim base has fewer accounts of the system than a full one. What counts is what the author made
or the service needs: by the number of a process or of a kept file's owner, or by its name in a
source.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from imgopt.inspect.failures import Item
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.run.pictures import Picture

_BY_NAME = (
    r"(?i:getpwnam(?:_r)?|getgrnam(?:_r)?|user\.lookup\w*|lookupgroup|chown|chgrp|initgroups"
    r"|setuser|setgroup)\W{1,9}(?:\w+\s*[,=]\s*)?[\"'`]?"
    r"|^[ \t]*(?:user|group)[ \t]+(?:\S+[ \t]+)?(?=[\w-]+[ \t]*;)"
    r"|\b(?:gosu|su-exec|setpriv|runuser|su|sudo|chpst)\b[^\n|;&]{0,40}?[\s=]"
)
_SAID = r"|[\"'`]|\b(?:user|group|owner|uid|gid)\w*\s*[=:]\s*"
"""How a source may name an account that the author made; one of the system may have the name of
anything (`mail`, `list`)."""
_HOSTS = re.compile(r"^hosts:(?P<ways>.*)$", re.MULTILINE)
_TABLES = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/nsswitch.conf")
_USUAL = ("files", "dns")
"""Where nothing is said: nsswitch.conf(5)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of /etc/passwd or /etc/group."""

    name: str
    number: int


def lost_names(
    original: ImageView,
    candidate: ImageView,
    before: Sequence[Picture],
    after: Picture,
    texts: Callable[[], tuple[tuple[str, str], ...]],
) -> Iterator[Item]:
    """Items for what the original's processes can look up and the candidate's cannot."""
    used = {process.uid for one in before for process in one.processes}
    for path, word in (("/etc/passwd", "account"), ("/etc/group", "group")):
        have = entries(after.names.get(path, ""))
        for entry in entries(before[0].names.get(path, "")).values():
            there = have.get(entry.name)
            if there is not None and there.number == entry.number:
                continue
            why = _needed(original, candidate, entry, word, used, texts)
            if why:
                said = "is not there" if there is None else f"has the number {there.number}"
                message = f"the {word} {entry.name} ({entry.number}) {said}: {why}"
                yield Item("configuration", f"{word}:{entry.name}", path, message=message)
    ways, given = (_ways(one.names.get("/etc/nsswitch.conf", "")) for one in (before[0], after))
    base = original.base_view
    inherited = set(_ways(_read(base, "/etc/nsswitch.conf"))) - set(_USUAL) if base else set()
    for way in sorted(set(ways) - set(given) - inherited):
        message = f"hosts are not looked up by way of {way} (nsswitch.conf), as in the original"
        yield Item("configuration", f"hosts:{way}", "/etc/nsswitch.conf", message=message)


def entries(text: str) -> dict[str, Entry]:
    """Of passwd(5) or group(5), whose third field is a number, by name."""
    rows = (line.split(":") for line in text.splitlines())
    return {row[0]: Entry(row[0], int(row[2])) for row in rows if len(row) > 2 and row[2].isdigit()}


def _ways(text: str) -> tuple[str, ...]:
    match = _HOSTS.search(text)
    return tuple(re.sub(r"\[[^]]*\]", " ", match["ways"]).split()) if match else _USUAL


def _needed(
    original: ImageView,
    candidate: ImageView,
    entry: Entry,
    word: str,
    used: set[int],
    texts: Callable[[], tuple[tuple[str, str], ...]],
) -> str:
    """Why this entry is missed; "" for one that nothing needs."""
    root = original.identity is not None and original.identity.is_root
    if word == "account" and entry.number in used and not (root and entry.number == 0):
        own = original.identity is not None and original.identity.uid == entry.number
        if not own:  # the check of the user looks at its own account
            return "a process of the original runs as it"
    if entry.number and _owned(candidate, original, entry.number, word):
        return "files of the application belong to it"
    below = original.base_view
    table = "/etc/passwd" if word == "account" else "/etc/group"
    known = below is not None and entry.name in entries(_read(below, table))
    before = _BY_NAME + ("" if known else _SAID)
    pattern = re.compile(rf"(?:{before}){re.escape(entry.name)}(?![\w-])", re.MULTILINE)
    told = ((p, text) for p, text in texts() if p not in _TABLES and entry.name in text)
    by = next((p for p, text in told if pattern.search(text)), "")
    return f"{by} names it" if by else ""


def _read(view: ImageView, path: str) -> str:
    return (view.read(path, 1 << 20) or b"").decode("utf-8", "replace")


def _owned(candidate: ImageView, original: ImageView, number: int, word: str) -> bool:
    for node in application_files(original):
        there = candidate.tree.get(node.path)
        if there is not None and (there.uid if word == "account" else there.gid) == number:
            return True
    return False
