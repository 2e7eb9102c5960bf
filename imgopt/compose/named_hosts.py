"""Services that a service reaches without saying so: its own sources name them as hosts, and
`docker compose up` starts them all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from imgopt.compose.model import Project, Service
from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.listing import list_sizes
from imgopt.dockerfile import IgnoreFile, find_ignore_file

_MOST_FILES, _MOST_BYTES = 2_000, 1 << 18
_NO_SOURCES = re.compile(r"lock|\.md$")
_MADE = (".git", "target", "dist")


def named_by_sources(service: Service, project: Project) -> list[str]:
    """Services with an image of their own that its sources name as a host, and that do not wait for
    it themselves."""
    others = [
        name
        for name, other in project.services.items()
        if name != service.name
        and other.build is None
        and not _waits_for(other, service.name, project)
    ]
    build = service.build
    if not others or build is None or not build.local or not build.context.is_dir():
        return []
    texts = list(_texts(build.context, build.dockerfile))
    return [
        name
        for name in others
        if any(_host(word).search(text) for word in project.services[name].names for text in texts)
    ]


def _host(name: str) -> re.Pattern[str]:
    """In an address, or a word in quotes that is no module's name."""
    word = re.escape(name)
    return re.compile(
        rf"(?://|@){word}(?=[:/\"'\s?]|$)"
        rf"|(?<!require\()(?<!from )(?<!import )(?<!import\()[\"']{word}(?::\d+)?[\"']",
        re.MULTILINE,
    )


def _waits_for(one: Service, name: str, project: Project) -> bool:
    seen, ahead = {one.name}, list(one.depends_on)
    while ahead:
        other = ahead.pop()
        if other == name:
            return True
        if other not in seen and other in project.services:
            seen.add(other)
            ahead += project.services[other].depends_on
    return False


def _texts(context: Path, dockerfile: Path | None) -> Iterator[str]:
    found = find_ignore_file(context, dockerfile or context / "Dockerfile")
    ignore = IgnoreFile.parse(found.read_text(errors="replace")) if found is not None else None
    sizes = list_sizes(context, ignore)
    small = [path for path, size in sizes.items() if 0 < size <= _MOST_BYTES]
    folders = {*_MADE, *(name for one in builtin_ecosystems() for name in one.installed)}
    sources = [
        path
        for path in small
        if not _NO_SOURCES.search(path) and folders.isdisjoint(path.split("/")[:-1])
    ]
    for path in sources[:_MOST_FILES]:
        data = (context / path).read_bytes() if (context / path).is_file() else b""
        if b"\0" not in data:
            yield data.decode("utf-8", "replace")
