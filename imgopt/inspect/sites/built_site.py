"""A front end that was bundled: the folder of built pages that the start serves."""

from __future__ import annotations

import posixpath

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sites.file_servers import FileServer, file_server


def serves_built_site(view: ImageView, opened: frozenset[str] | None) -> bool:
    """A front end that was bundled: a built index.html is served, and its sources were not
    opened."""
    if opened is None or site_folder(view, opened) is None:
        return False
    return not any(path.startswith(f"{view.workdir.rstrip('/')}/src/") for path in opened)


def site_folder(view: ImageView, opened: frozenset[str]) -> str | None:
    """The folder that the start serves, or a built site below the working directory, of which the
    index was opened."""
    server = file_server(view)
    named = [server.folder] if isinstance(server, FileServer) else []
    usual = ("build", "dist", "out", "www", "_site", "public")
    folders = [*named, *(f"{view.workdir.rstrip('/')}/{name}" for name in usual)]
    pages = (f"{folder}/index.html" for folder in folders)
    return next(
        (posixpath.dirname(page) for page in pages if page in opened and view.is_file(page)), None
    )
