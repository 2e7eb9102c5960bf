"""What the author put into a home folder: settings, keys and models that a program finds by way of
HOME, or by the folder of its user in /etc/passwd."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from imgopt.image.tree import Node
from imgopt.inspect.application_files import application_files
from imgopt.inspect.image_view import ImageView


def home_files(side: ImageView, home: str) -> Iterator[Node]:
    """Files and links of the author below `home`; not the application that works there, and not a
    virtual environment, which its program finds by its own path."""
    below = home.rstrip("/") + "/"
    work = side.workdir.rstrip("/") + "/"
    for node in application_files(side):
        if not node.path.startswith(below) or node.kind not in ("file", "symlink"):
            continue
        if (work == below or not node.path.startswith(work)) and not _in_environment(side, node):
            yield node


def _in_environment(side: ImageView, node: Node) -> bool:
    folder = posixpath.dirname(node.path)
    while folder != "/":
        if side.is_file(f"{folder}/pyvenv.cfg"):
            return True
        folder = posixpath.dirname(folder)
    return False
