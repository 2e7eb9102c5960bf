"""What the application's own Python sources import, also inside of functions that no probe
calls."""

from __future__ import annotations

import re
from functools import lru_cache

from imgopt.image.packages import Package
from imgopt.inspect.application_files import application_files
from imgopt.inspect.image_view import ImageView

_IMPORT = re.compile(
    r"""^[ \t]*(?:import|from)[ \t]+(?P<names>[\w.]+(?:[ \t]*,[ \t]*[\w.]+)*)""", re.MULTILINE
)
_BY_NAME = re.compile(r"""(?:import_module|__import__)\(\s*["'](?P<names>[\w.]+)""")
_OF_TESTS = re.compile(r"/(?:tests?|testing)/|/(?:test_[^/]*|[^/]*_test|conftest|setup)\.py$")
_LONGEST = 1 << 20


@lru_cache(maxsize=16)
def imported_modules(side: ImageView) -> frozenset[str]:
    """Top-level names; tests and setup.py do not count."""
    found: set[str] = set()
    for node in application_files(side):
        if (
            not node.name.endswith(".py")
            or node.inode is None
            or node.size > _LONGEST
            or _OF_TESTS.search(node.path)
        ):
            continue
        text = node.read().decode("utf-8", "replace")
        for match in (*_IMPORT.finditer(text), *_BY_NAME.finditer(text)):
            found.update(name.strip().partition(".")[0] for name in match["names"].split(","))
    return frozenset(found)


def modules_of(package: Package) -> frozenset[str]:
    """The top-level modules that a Python package brings."""
    site = package.metadata.rpartition("/")[0].rpartition("/")[0] + "/"
    inside = (path.removeprefix(site) for path in package.files if path.startswith(site))
    return frozenset(
        name.partition("/")[0].partition(".")[0] for name in inside if not _is_about(name)
    )


def _is_about(path: str) -> bool:
    return (
        ".dist-info/" in path
        or ".egg-info" in path
        or not (path.endswith((".py", ".so")) or "/" in path)
    )
