"""What has to be asked of a file server to know how it answers: one path of every kind.

Such a server may be replaced by another one when every kind of answer stays the same. What kinds
there are lies in the folder itself: one file of each ending, a page below another name, a folder
with and without an index, a file without an ending, and what is not there.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sites.file_servers import INDEX, FileServer, file_server

MOST_ENDINGS = 40
NO_FILE = "/imgopt/no-such-file.js"


def site_probes(view: ImageView) -> tuple[str, ...]:
    """Paths to ask of a file server, each another kind; none for any other image."""
    server = file_server(view)
    if not isinstance(server, FileServer):
        return ()
    return tuple(dict.fromkeys(kinds(view, server.folder).values()))


def kinds(view: ImageView, folder: str) -> dict[str, str]:
    """Kind -> path to ask. `.js` and the like stand for files of that ending, `bare` for one
    without; `hidden file` and `hidden name` begin with a dot; see `_pages` for the others."""
    found: dict[str, str] = {}
    files = sorted(_files(view, folder), key=lambda pair: (pair[1].size, pair[0]))
    for path, _ in files:
        ending = posixpath.splitext(path)[1].lower()
        kind = ending or "bare"
        if ending != ".html" and kind not in found and len(found) < MOST_ENDINGS:
            found[kind] = path
    found.update(_pages([path for path, _ in files]))
    hidden = [
        path
        for path in _paths(view, folder)
        if "/." in path and not path.startswith("/.well-known/")
    ]
    for path in sorted(hidden):
        found.setdefault("hidden file" if posixpath.splitext(path)[1] else "hidden name", path)
    found["missing file"] = NO_FILE
    return found


def _pages(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`index`, `index name`; `page` (/about for about.html), `page file`, `page folder`; `folder`
    (with an index, with and without the slash), `empty folder` (without one)."""
    yield "index", f"/{INDEX}"
    yield "index name", "/index"
    special = ("/" + INDEX, "/404.html", "/200.html")
    page = next(
        (path for path in files if path.endswith(".html") and not path.endswith(special)), ""
    )
    if page:
        yield "page file", page
        yield "page", page.removesuffix(".html")
        yield "page folder", page.removesuffix(".html") + "/"
    folders = {posixpath.dirname(path) for path in files} - {"/"}
    with_index = {posixpath.dirname(path) for path in files if path.endswith("/" + INDEX)} - {"/"}
    if with_index:
        yield "folder", min(with_index) + "/"
        yield "folder name", min(with_index)
        yield "folder index", f"{min(with_index)}/{INDEX}"
    if folders - with_index:
        yield "empty folder", min(folders - with_index) + "/"
        yield "empty folder name", min(folders - with_index)


def _files(view: ImageView, folder: str) -> Iterator[tuple[str, Node]]:
    """Files below the folder that a URL can name as they are; what begins with a dot is a kind of
    its own."""
    for path, node in _paths(view, folder).items():
        if "/." not in path:
            yield path, node


def _paths(view: ImageView, folder: str) -> dict[str, Node]:
    nodes = {
        node.path.removeprefix(folder): node
        for node in view.tree.walk(folder)
        if node.inode is not None
    }
    return {
        path: node
        for path, node in nodes.items()
        if re.fullmatch(r"(?:/[\w.@~+-]+)+", path, re.ASCII)
    }
