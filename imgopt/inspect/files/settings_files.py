"""Settings that the author put beside the application: what they name, the application may use."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import translate
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered
from imgopt.inspect.sources.texts import is_foreign, is_test
from imgopt.inspect.words import words

_ENDINGS = words(
    ".json .json5 .yml .yaml .toml .ini .cfg .conf .cnf .env .properties .xml .service .rc .hcl"
)
_LONGEST, _MOST_BYTES = 1 << 18, 32 << 20


@remembered
def settings_texts(view: ImageView) -> tuple[tuple[str, str], ...]:
    """(path, text) of each file of settings of the application, in the order of paths; 256 KiB each
    and 32 MiB together at most. Those of packages, of installers and of compilers are left out."""
    return tuple(_texts(view))


@cache
def _of_tools() -> re.Pattern[str]:
    """Names of files that installers, compilers, a project's host and the like read: what they name
    is not named for a run."""
    globs = {
        posixpath.basename(glob)
        for ecosystem in builtin_ecosystems()
        for glob in (
            *ecosystem.manifests,
            *ecosystem.tool_settings,
            *(name for one in ecosystem.manager for name in (*one.manifests, *one.optional)),
            *(name for one in ecosystem.stray for name in one.names),
            *(name for one in ecosystem.may_be_absent if not one.started for name in one.files),
        )
    }
    return re.compile("|".join(map(translate, sorted(globs - {"*"}))))


def _texts(view: ImageView) -> Iterator[tuple[str, str]]:
    read = 0
    for node in application_files(view):
        ending = posixpath.splitext(node.name)[1] or node.name
        known = ending in _ENDINGS or node.name.startswith(".env")
        if node.inode is None or not known or node.size > _LONGEST:
            continue
        if "/." in node.path.rpartition("/")[0]:
            continue  # of an editor, of the project's host
        if is_foreign(node.path) or is_test(node.path) or _of_tools().match(node.name):
            continue
        read += node.size
        if read > _MOST_BYTES:
            return
        yield node.path, node.read().decode("utf-8", "replace")
