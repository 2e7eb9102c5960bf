"""What the author put into a home folder: settings, keys and models that a program finds by way of
HOME, or by the folder of its user in /etc/passwd."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.image.tree import Node
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.texts import source_texts

_HOME = re.compile(
    r"\bexpanduser\(|\bPath\.home\(|\bos\.homedir\(|\bos\.UserHomeDir\(|\bhome_dir\(|[\"']user\.home[\"']|\bDir\.home\b"
    r"|environ(?:\.get\(|\[)\s*[\"']HOME[\"']|process\.env\.HOME\b|getenv\(\s*[\"']HOME[\"']|[\"']~/"
)


def asks_for_home(view: ImageView) -> str:
    """A source that asks where the home folder is; "" for none."""
    return next((path for path, text in source_texts(view) if _HOME.search(text)), "")


def home_files(view: ImageView, home: str) -> Iterator[Node]:
    """Files and links of the author below `home`; not the application that works there, not a
    virtual environment, which its program finds by its own path, and not the cache of an
    installer."""
    below = home.rstrip("/") + "/"
    caches = tuple(folder.replace("~", home.rstrip("/"), 1) + "/" for folder in _caches())
    work = view.workdir.rstrip("/") + "/"
    for node in application_files(view):
        if not node.path.startswith(below) or node.kind not in ("file", "symlink"):
            continue
        if node.path.startswith(caches):
            continue
        if (work == below or not node.path.startswith(work)) and not _in_environment(view, node):
            yield node


@cache
def _caches() -> tuple[str, ...]:
    managers = (one for ecosystem in builtin_ecosystems() for one in ecosystem.manager)
    folders = (folder for one in managers for folder in one.caches)
    return tuple(sorted({folder for folder in folders if folder.startswith("~/")}))


def _in_environment(view: ImageView, node: Node) -> bool:
    folder = posixpath.dirname(node.path)
    while folder != "/":
        if view.is_file(f"{folder}/pyvenv.cfg"):
            return True
        folder = posixpath.dirname(folder)
    return False
