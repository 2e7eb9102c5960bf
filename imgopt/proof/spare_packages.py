"""Development packages that another package asks for in a `try`, and does the same without.

An installation for production has none of them, and a package says in its own manifest that it can
do without (`peerDependenciesMeta`). That such a file was opened is no use of it, unless the
application's own sources name it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

import msgspec

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.texts import source_texts
from imgopt.proof.allowances import Drop

_SPARE = (("debug", "supports-color", ("has-flag",)),)
"""(who asks, for what, what that one needs): github.com/debug-js/debug, src/node.js: more colours
in its log."""


def spare_packages(original: ImageView, development: Iterable[str]) -> Drop:
    """What may be missing though it was opened, of the folders of `development` packages."""
    folders = set(development)
    found: set[str] = set()
    for asking, wanted, needs in _SPARE:
        modules = {
            posixpath.dirname(path) for path in folders if posixpath.basename(path) == wanted
        }
        optional = any(_is_optional(original, f"{place}/{asking}", wanted) for place in modules)
        if optional and not _named(original, wanted):
            found |= {path for path in folders if posixpath.basename(path) in (wanted, *needs)}
    return Drop(
        "asked for in a try, and done without in production", frozenset(found), even_if_opened=True
    )


def _is_optional(original: ImageView, package: str, wanted: str) -> bool:
    """The package's own manifest says that it works without."""
    try:
        manifest = msgspec.json.decode(original.read(f"{package}/package.json") or b"{}")
        return manifest["peerDependenciesMeta"][wanted]["optional"] is True
    except (msgspec.DecodeError, KeyError, TypeError):
        return False


def _named(original: ImageView, package: str) -> bool:
    word = re.compile(rf"[\"'`]{re.escape(package)}[\"'`/]")
    return any(word.search(text) for _, text in source_texts(original))
