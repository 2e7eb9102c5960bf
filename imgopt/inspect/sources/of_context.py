"""The sources of a build context as text: of what is compiled, the image often has nothing to
read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.listing import list_sizes
from imgopt.dockerfile import IgnoreFile, find_ignore_file
from imgopt.errors import ImgoptError
from imgopt.inspect.sources.texts import is_foreign, is_source, is_test
from imgopt.inspect.sources.write_routes import is_description

_LONGEST = 1 << 20
_MOST_BYTES = 16 << 20
_MOST_FILES = 3_000


def context_sources(folder: Path) -> tuple[tuple[str, str], ...]:
    """(path, text) of each source and each description of the service, in the order of paths: 1
    MiB each, 16 MiB and 3,000 files together at most. () for what cannot be listed."""
    return tuple(_texts(folder))


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    read = count = 0
    installed = {name for one in builtin_ecosystems() for name in one.installed}
    for path, size in _sizes(folder):
        wanted = is_source(path) or is_description(path)
        if not wanted or size > _LONGEST or is_foreign(f"/{path}") or is_test(path):
            continue
        if installed & set(path.split("/")) or read > _MOST_BYTES or count >= _MOST_FILES:
            continue
        read, count = read + size, count + 1
        try:
            yield f"/{path}", (folder / path).read_bytes().decode("utf-8", "replace")
        except OSError:
            continue


def _sizes(folder: Path) -> list[tuple[str, int]]:
    try:
        found = find_ignore_file(folder, folder / "Dockerfile")
        text = found.read_text(encoding="utf-8", errors="surrogateescape") if found else None
        sizes = list_sizes(folder, IgnoreFile.parse(text) if text is not None else None)
    except (ImgoptError, OSError):
        return []
    return sorted(sizes.items())
