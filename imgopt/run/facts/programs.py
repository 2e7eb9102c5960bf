"""What the programs of a running container are: their language, and what they use of a graphics
processor."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.files.contents import go_build
from imgopt.inspect.image_view import ImageView
from imgopt.run.facts.known import known
from imgopt.run.pictures import Picture


def language_of(picture: Picture, view: ImageView) -> tuple[str, str]:
    """The language of the program that does the work, and its path: the first process whose file is
    a run time that an ecosystem names, or a program that says how it was built; "" for others."""
    for process in picture.processes:
        name = posixpath.basename(process.program)
        for ecosystem in builtin_ecosystems():
            if any(fnmatchcase(name, pattern) for pattern in ecosystem.runtime.programs):
                return ecosystem.name, process.program
    for process in picture.processes:
        node = view.tree.resolve(process.program)
        if node is not None and node.inode is not None and go_build(node) is not None:
            return known().says_how_it_was_built, process.program
    return "", next((one.program for one in picture.processes), "")


def accelerator_bytes(view: ImageView) -> int:
    """Of files that only a graphics processor uses."""
    patterns = known().accelerator.files
    return sum(
        node.size
        for node in view.tree.files()
        if any(fnmatchcase(node.path, pattern) for pattern in patterns)
    )


def uses_accelerator(pids: list[int]) -> bool:
    """Whether one of these processes of this machine has a device of one open."""
    from pathlib import Path

    devices = tuple(known().accelerator.devices)
    for pid in pids:
        try:
            opened = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        if any(place.startswith(devices) for place in opened):
            return True
    return False
