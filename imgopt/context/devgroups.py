"""Python packages that a project lists for its development alone: Poetry's and PEP 735's groups,
extras, Pipfile."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from imgopt.image.packages.names import plain_name

_DEV = re.compile(
    r"(?:^|[-_./])(?:dev|develop|development|tests?|testing|lint|linting|docs?|typing|format|quality|ci)\b"
)
_NAME = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)", re.MULTILINE)
_REQUIREMENTS = re.compile(
    r"(?:^|/)(?:requirements[^/]*|[^/]*requirements)\.(?:txt|in)$|(?:^|/)requirements/[^/]+\.txt$"
)


def development_packages(paths: Iterable[str], read: Callable[[str], str]) -> frozenset[str]:
    """Normalized names (PEP 503) in lists for development that no other list of the project has."""
    dev: set[str] = set()
    main: set[str] = set()
    for path in paths:
        for is_dev, names in _lists(path, read):
            (dev if is_dev else main).update(plain_name(name) for name in names)
    return frozenset(dev - main)


def _lists(path: str, read: Callable[[str], str]) -> Iterator[tuple[bool, Iterable[str]]]:
    name = path.rpartition("/")[2]
    if name == "pyproject.toml":
        yield from _pyproject(_toml(read(path)))
    elif name == "Pipfile":
        pipfile = _toml(read(path))
        yield True, _keys(pipfile, "dev-packages")
        yield False, _keys(pipfile, "packages")
    elif _REQUIREMENTS.search(path):
        yield _DEV.search(path) is not None, _NAME.findall(read(path))


def _pyproject(data: Mapping[str, Any]) -> Iterator[tuple[bool, Iterable[str]]]:
    project, tool = _table(data, "project"), _table(data, "tool")
    poetry = _table(tool, "poetry")
    yield False, _names(project.get("dependencies"))
    yield False, _keys(poetry, "dependencies")
    yield True, _keys(poetry, "dev-dependencies")
    yield True, _names(_table(tool, "uv").get("dev-dependencies"))
    groups = [
        *_table(project, "optional-dependencies").items(),
        *_table(data, "dependency-groups").items(),
    ]
    groups += _table(_table(tool, "pdm"), "dev-dependencies").items()
    for name, listed in groups:
        yield _DEV.search(name) is not None, _names(listed)
    for name, group in _table(poetry, "group").items():
        yield (
            _DEV.search(name) is not None,
            _keys(group if isinstance(group, dict) else {}, "dependencies"),
        )


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _table(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _keys(data: Mapping[str, Any], key: str) -> list[str]:
    return list(_table(data, key))


def _names(listed: object) -> list[str]:
    texts = [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
    return [match[1] for text in texts if (match := _NAME.match(text))]
