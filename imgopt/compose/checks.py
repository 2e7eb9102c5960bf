"""What Compose refuses in a whole project: names that lead nowhere, circles, services without an
image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imgopt.compose.yaml_text import Document, Keys
from imgopt.errors import InputError, Location

Services = Mapping[str, Mapping[str, Any]]


def check_project(table: Mapping[str, Any], documents: Sequence[Document]) -> None:
    """Raises InputError for the first of them."""
    for said, keys in _problems(table):
        raise InputError(said, location=_place(documents, keys))


def _place(documents: Sequence[Document], keys: Keys) -> Location:
    for end in range(len(keys), 0, -1):
        for document in reversed(documents):
            if keys[:end] in document.lines:
                return document.place(*keys)
    return documents[-1].place() if documents else Location("compose.yaml")


def _problems(table: Mapping[str, Any]) -> Iterator[tuple[str, Keys]]:
    services: Services = table["services"]
    for name, service in services.items():
        at: Keys = ("services", name)
        if not service.get("image") and not service.get("build") and not service.get("provider"):
            yield f'service "{name}" has neither an image nor a build context specified', at
        yield from _depends(name, service, services)
        yield from _sections(name, service, table)
        build = service.get("build") or {}
        if build and build.get("dockerfile") and build.get("dockerfile_inline"):
            yield (
                f'service "{name}" declares mutualy exclusive dockerfile and dockerfile_inline',
                (*at, "build"),
            )
    circle = _circle(services)
    if circle:
        yield f"dependency cycle detected: {' -> '.join(circle)}", ("services", circle[0])


def _depends(
    name: str, service: Mapping[str, Any], services: Services
) -> Iterator[tuple[str, Keys]]:
    for other, how in (service.get("depends_on") or {}).items():
        if other not in services and how.get("required", True):
            said = f'service "{name}" depends on undefined service "{other}"'
            yield said, ("services", name, "depends_on")


def _sections(
    name: str, service: Mapping[str, Any], table: Mapping[str, Any]
) -> Iterator[tuple[str, Keys]]:
    for other in service.get("networks") or {}:
        if other != "default" and other not in (table.get("networks") or {}):
            said = f'service "{name}" refers to undefined network {other}'
            yield said, ("services", name, "networks")
    for volume in service.get("volumes") or ():
        source = volume.get("source")
        known = table.get("volumes") or {}
        if volume.get("type") == "volume" and source and source not in known:
            said = f'service "{name}" refers to undefined volume {source}'
            yield said, ("services", name, "volumes")
    for section in ("secrets", "configs"):
        stated = [*(service.get(section) or ())]
        stated += (service.get("build") or {}).get(section) or ()
        for item in stated:
            if item.get("source") not in (table.get(section) or {}):
                said = f'service "{name}" refers to undefined {section[:-1]} {item.get("source")}'
                yield said, ("services", name, section)


def _circle(services: Services) -> list[str]:
    """The first circle of dependencies, its first name again at its end."""
    done: set[str] = set()

    def walk(name: str, above: list[str]) -> list[str]:
        if name in above:
            return [*above[above.index(name) :], name]
        if name in done or name not in services:
            return []
        for other in services[name].get("depends_on") or {}:
            if found := walk(other, [*above, name]):
                return found
        done.add(name)
        return []

    return next((found for name in services if (found := walk(name, []))), [])
