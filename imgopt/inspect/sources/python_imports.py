"""What the application's own Python sources import, also inside of functions that no probe
calls."""

from __future__ import annotations

import re

from imgopt.image.packages import Package
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.files.settings_files import settings_texts
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.remembered import remembered
from imgopt.inspect.sources.texts import source_texts

_IMPORT = re.compile(
    r"""^[ \t]*(?:import|from)[ \t]+(?P<names>[\w.]+(?:[ \t]*,[ \t]*[\w.]+)*)""", re.MULTILINE
)
_BY_NAME = re.compile(r"""(?:import_module|__import__)\(\s*["'](?P<names>[\w.]+)""")
_OF_TESTS = re.compile(r"/(?:tests?|testing)/|/(?:test_[^/]*|[^/]*_test|conftest|setup)\.py$")
_LONGEST = 1 << 20


@remembered
def imported_modules(view: ImageView) -> frozenset[str]:
    """Top-level names; tests and setup.py do not count."""
    found: set[str] = set()
    for node in application_files(view):
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


_TEXT = re.compile(r"""["']([A-Za-z_]\w*)((?:\.\w+)*)(?::\w+)?["']""")
_PLAIN = re.compile(r"""(?m)(?:[:=]|^[ \t]*-)[ \t]*([A-Za-z_]\w*)((?:\.\w+)+)(?::\w+)?[ \t]*$""")
_STARTED = re.compile(r"""["']-m["']\s*,\s*["'](\w+)""")


@remembered
def named_modules(view: ImageView, *, surely: bool) -> frozenset[str]:
    """Top-level names of modules that stand as a string in sources or settings: `"a.b.Handler"` of
    a logging configuration, `"-m", "a"`. `surely`: not a single word, which may be anything."""
    found: set[str] = set()
    for path, text in (*source_texts(view), *settings_texts(view)):
        python = path.endswith(".py")
        found.update(_STARTED.findall(text) if python else ())
        patterns = (_TEXT,) if python else (_TEXT, _PLAIN)
        for pattern in patterns:
            found.update(head for head, rest in pattern.findall(text) if rest or not surely)
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
