"""Dockerfiles of a project under other names and in sub-folders, for a context that has none at its
top."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from imgopt.dockerfile import Dockerfile, parse
from imgopt.dockerfile.names import is_dockerfile
from imgopt.dockerfile.typed import Copy

DEEPEST = 3
"""Folders below the context that are looked into."""
MOST_FOLDERS = 2000
_PLAIN = ("dockerfile", "containerfile")
_FOREIGN = frozenset(
    ["node_modules", "vendor", "venv", "site-packages", "target", "dist", "__pycache__", "testdata"]
)


def find_dockerfiles(context: Path, *, broken: bool = False) -> list[Path]:
    """The Dockerfiles of a folder and of its sub-folders, the nearest first; hidden and installed
    folders are left out. Only what begins as a Dockerfile does counts; with `broken` also where a
    build would refuse it."""
    found = [path for path in _named(context) if _is_dockerfile(path, broken=broken)]
    return sorted(found, key=lambda path: (len(path.relative_to(context).parts), str(path)))


def own_context(context: Path, dockerfile: Path) -> Path:
    """The folder that a Dockerfile speaks of: the context, or the file's own folder where only that
    has what its COPY lines name, or, where those copy everything, what its steps and its start
    name."""
    folder = dockerfile.parent
    if folder == context:
        return context
    read = parse(_text(dockerfile))
    named = [source for source in _sources(read) if source.strip("./")]
    if named:
        return folder if _lacks(context, named) and not _lacks(folder, named) else context
    files = [
        word
        for word in dict.fromkeys(_words(read))
        if (folder / word).is_file() or (context / word).is_file()
    ]
    return folder if _lacks(context, files) and not _lacks(folder, files) else context


def _named(context: Path) -> Iterator[Path]:
    for number, (root, folders, files) in enumerate(os.walk(context)):
        if number >= MOST_FOLDERS:
            return
        deep = len(Path(root).relative_to(context).parts) >= DEEPEST
        folders[:] = (
            []
            if deep
            else sorted(f for f in folders if f not in _FOREIGN and not f.startswith("."))
        )
        for name in files:
            if is_dockerfile(name):
                yield Path(root, name)


def _is_dockerfile(path: Path, *, broken: bool) -> bool:
    read = parse(_text(path))
    if broken and read.errors:
        return bool(read.stages) or path.name.lower() in _PLAIN
    return bool(read.stages) and not read.errors


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[: 1 << 20].decode("utf-8", "replace")
    except OSError:
        return ""


def _sources(dockerfile: Dockerfile) -> Iterator[str]:
    for item in dockerfile.instructions:
        if isinstance(item.typed, Copy) and item.typed.from_ is None:
            yield from (
                str(source)
                for source in item.typed.sources
                if "$" not in source and "://" not in source
            )


def _words(dockerfile: Dockerfile) -> Iterator[str]:
    """What may be the name of a file in commands and starts."""
    for item in dockerfile.instructions:
        if item.keyword in ("RUN", "CMD", "ENTRYPOINT"):
            yield from (
                word
                for word in re.split(r"[\s\"',;&|()\[\]]+", item.value)
                if re.fullmatch(r"[\w-][\w./-]*", word)
            )


def _lacks(folder: Path, names: Iterable[str]) -> bool:
    return not all(_has(folder, name) for name in names)


def _has(folder: Path, source: str) -> bool:
    plain = source.lstrip("/").rstrip("/") or "."
    return any(folder.glob(plain)) if set(plain) & set("*?[") else (folder / plain).exists()
