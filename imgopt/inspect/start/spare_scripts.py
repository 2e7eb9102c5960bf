"""Scripts that installers put beside an interpreter for people who type their names, and that
nothing in the image calls."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from imgopt.image.packages import Package
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import language_packages, package_root
from imgopt.inspect.remembered import remembered
from imgopt.inspect.sources.program_calls import (
    called_by_packages,
    called_by_settings,
    called_by_sources,
)
from imgopt.inspect.start.programs import running_scripts, script_text, started
from imgopt.inspect.start.shell_programs import called_programs

REASON = "its script is one for people, and nothing in the image calls it"


@remembered
def spare_scripts(view: ImageView, opened: frozenset[str]) -> frozenset[str]:
    """Paths of scripts of language packages that lie outside of their packages, whose names neither
    the start nor a script, source, setting or package calls, and that no run opened."""
    called = {posixpath.basename(word) for word in _called(view, opened)}
    return frozenset(
        path
        for package in language_packages(view)
        for path in _scripts(view, package)
        if path not in opened and posixpath.basename(path) not in called
    )


def _scripts(view: ImageView, package: Package) -> Iterator[str]:
    root = package_root(package.metadata)
    for path in package.files:
        node = None if path.startswith(f"{root}/") else view.file(path)
        if node is not None and node.mode & 0o111 and view.shebang(node):
            yield path


def _called(view: ImageView, opened: frozenset[str]) -> Iterator[str]:
    yield from (use.word for use in started(view))
    for script in running_scripts(view, opened):
        yield from called_programs(script_text(script))
    for calls in (called_by_sources(view), called_by_settings(view), called_by_packages(view)):
        yield from (word for word, _ in calls)
