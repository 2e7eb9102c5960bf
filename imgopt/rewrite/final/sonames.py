"""Under which name a shared library is copied: the one that its users ask for, once.

A base without a package manager has no `ldconfig` either, so the names that lead to a library must
be copied with it. A run opens the file that a link leads to (`libz.so.1.2.13`), a program asks for
the link (`libz.so.1`): one copy under the second name serves both.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.final.runtime import is_shared_library


def named_once(view: ImageView, libraries: Mapping[str, str]) -> dict[str, str]:
    """The same files, each library under its own name (DT_SONAME) where it has one; folders that
    are links resolved."""
    placed = {_real_folder(view, path): why for path, why in libraries.items()}
    asked = {real for path in placed if (real := _asked_by_name(view, path))}
    found: dict[str, str] = {}
    for path, why in placed.items():
        if _asked_by_name(view, path) or (real := _real(view, path)) is None or real not in asked:
            found.setdefault(_by_soname(view, path), why)
    return found


def _real(view: ImageView, path: str) -> str | None:
    node = view.file(path)
    return node.path if node is not None else None


def _soname(view: ImageView, path: str) -> str | None:
    node = view.file(path)
    elf = view.elf(node) if node is not None else None
    return elf.soname if elf is not None else None


def _asked_by_name(view: ImageView, path: str) -> str | None:
    """The real path of a library that is asked for under its own name; the loader's own place
    counts always."""
    return _real(view, path) if _soname(view, path) == posixpath.basename(path) else None


def _by_soname(view: ImageView, path: str) -> str:
    soname = _soname(view, path)
    beside = posixpath.join(posixpath.dirname(path), soname) if soname else path
    return beside if _real(view, beside) == _real(view, path) else path


def _real_folder(view: ImageView, path: str) -> str:
    """Without the links of a merged /usr; the dynamic loader stays where programs name it."""
    folder = view.tree.resolve(posixpath.dirname(path))
    name = posixpath.basename(path)
    return path if folder is None or name.startswith("ld-") else posixpath.join(folder.path, name)


CACHE = "/etc/ld.so.cache"
_ALWAYS = re.compile(r"^/(?:usr/)?lib(?:32|64|x32)?(?:/[\w]+-linux-\w+)?/[^/]+$")
"""Where the loader looks without its cache."""


def found_by_cache(view: ImageView, paths: Iterable[str]) -> list[str]:
    """Of these libraries, those that the loader finds by its cache alone, which `ldconfig` made."""
    cached = {
        real for places in view.loader.cache.values() for p in places if (real := _real(view, p))
    }
    wanted = (path for path in paths if is_shared_library(path) and not _ALWAYS.match(path))
    return sorted(path for path in wanted if _real(view, path) in cached)
