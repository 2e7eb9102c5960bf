"""Secrets that a COPY brings out of the build context, as findings: which file, which line, and
what to do."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial

from imgopt.context.secrets import is_likely, secret_in
from imgopt.dockerfile import Dockerfile, IgnoreFile, Instruction
from imgopt.dockerfile.typed import Copy
from imgopt.results.rewrite import Finding
from imgopt.rewrite.ignored.served_files import is_glob, sources_of
from imgopt.rewrite.strategy import ContextFiles

_HEAD = 1 << 16


def secret_files(
    dockerfile: Dockerfile, context: ContextFiles, target: str | None = None
) -> list[Finding]:
    """One finding for each such file, at the line that brings it first; what only a mount shows is
    in no layer."""
    secrets = dict(_secrets(context))
    if not secrets:
        return []
    ships = {stage.index for stage in dockerfile.target(target).chain}
    stages = sorted(dockerfile.reachable(target), key=lambda stage: stage.index not in ships)
    items = [item for stage in stages for item in stage.instructions if _is_copy(item)]
    found = []
    for path, what in secrets.items():
        item = next((item for item in items if _brings(dockerfile, item, path)), None)
        if item is not None:
            found.append(_finding(path, what, item, ships=item.stage in ships))
    return sorted(found, key=lambda finding: (finding.line, finding.file))


def _secrets(context: ContextFiles) -> Iterator[tuple[str, str]]:
    for name in context.names:
        for path in context.named(name) if is_likely(name) else ():
            what = secret_in(path, partial(context.text, path, _HEAD))
            if what:
                yield path, what


def _is_copy(item: Instruction) -> bool:
    return isinstance(item.typed, Copy) and item.typed.from_ is None


def _brings(dockerfile: Dockerfile, item: Instruction, path: str) -> bool:
    typed = item.typed
    assert isinstance(typed, Copy)
    if typed.exclude and IgnoreFile.parse("\n".join(typed.exclude)).excludes(path):
        return False
    sources = sources_of(dockerfile, item)
    return any(source == "" or (source and _is_in(path, source)) for source in sources)


def _is_in(path: str, source: str) -> bool:
    """Whether a path is what a source names, or lies in it."""
    depth = source.count("/") + 1
    own = "/".join(path.split("/")[:depth])
    return own == source or (
        is_glob(source) and own.count("/") == depth - 1 and fnmatchcase(own, source)
    )


def _finding(path: str, what: str, item: Instruction, *, ships: bool) -> Finding:
    where = "the image" if ships else "a layer of the build, where its cache keeps it"
    return Finding(
        id="secret-file",
        level="error" if ships else "warning",
        file=path,
        line=item.line,
        message=(
            f"{path} holds {what}, and `{item.keyword} {item.value[:50]}` brings it into {where}"
        ),
        hint=(
            f"write {path} into .dockerignore; give it to the container when it runs, or to a step"
            " with RUN --mount=type=secret; change the secret itself if such an image was pushed"
        ),
    )
