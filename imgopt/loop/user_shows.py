"""Whether an answer differs by the user alone: his name, his number or his home folder is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView

_INSTEAD = " instead of "


def shows_the_user(items: Iterable[Item], original: ImageView, candidate: ImageView) -> bool:
    """Whether all answers that differ have the candidate's user where the original's was."""
    differing = [item for item in items if item.kind == "answer"]
    before, after = _words(original), _words(candidate)
    names, others = after - before, before - after
    if not differing or not names or not others:
        return False
    return all(_differs_by(str(item), names, others) for item in differing)


def _differs_by(message: str, names: set[str], others: set[str]) -> bool:
    now, instead, was = message.partition(_INSTEAD)
    return bool(instead) and _has(now, names - others) and _has(was, others - names)


def _has(text: str, words: set[str]) -> bool:
    return any(re.search(rf"(?<![\w/.-]){re.escape(word)}(?![\w-])", text) for word in words)


def _words(view: ImageView) -> set[str]:
    """What an answer may say of who asks: name, number, home."""
    identity = view.identity
    if identity is None:
        return set()
    accounts = (view.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines()
    rows = [row for line in accounts if len(row := line.split(":")) > 6]
    names = {row[0] for row in rows if row[2] == str(identity.uid)}
    home = view.config.environment.get("HOME") or identity.home
    return {*names, str(identity.uid), *({home} if len(home) > 1 else set())}
