"""Removing what a session made in the engine, found by its label."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from imgopt.engine.client import Engine
from imgopt.errors import EnvironmentFailure

LABEL = "imgopt.session"


def remove_containers(
    engine: Engine, filters: Mapping[str, str], wanted: Callable[[str], bool]
) -> set[str]:
    """The names of those that were there."""
    found = _listed(lambda: engine.client.api.containers(all=True, filters=dict(filters)))
    mine = [item for item in found if wanted(_session_of(item))]
    for item in mine:
        quietly(partial(engine.client.api.remove_container, item["Id"], force=True, v=True))
    return {name.removeprefix("/") for item in mine for name in item.get("Names") or ()}


def remove_networks(
    engine: Engine, filters: Mapping[str, str], wanted: Callable[[str], bool]
) -> None:
    found = _listed(lambda: engine.client.api.networks(filters=dict(filters)))
    for item in found:
        if wanted(_session_of(item)):
            quietly(partial(engine.client.api.remove_network, item["Id"]))


def remove_volumes(
    engine: Engine, filters: Mapping[str, str], wanted: Callable[[str], bool]
) -> None:
    answer: dict[str, Any] = {}
    quietly(lambda: answer.update(engine.client.api.volumes(filters=dict(filters))))
    for item in answer.get("Volumes") or ():
        if wanted(_session_of(item)):
            quietly(partial(engine.client.api.remove_volume, item["Name"], force=True))


def remove_images(engine: Engine, filters: Mapping[str, str], wanted: Callable[[str], bool]) -> int:
    found = _listed(lambda: engine.client.api.images(filters=dict(filters)))
    mine = [item for item in found if wanted(_session_of(item))]
    for item in mine:
        tags = [tag for tag in item.get("RepoTags") or () if tag != "<none>:<none>"]
        own = [tag for tag in tags if tag.startswith(f"imgopt-{_session_of(item)}/")]
        for name in (
            own if len(own) < len(tags) else [*own, item["Id"]]
        ):  # a tag that the user added keeps the image
            quietly(partial(engine.client.api.remove_image, name, force=True))
    return len(mine)


def _session_of(item: Mapping[str, Any]) -> str:
    return str((item.get("Labels") or {}).get(LABEL, ""))


def _listed(ask: Callable[[], Any]) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = []
    quietly(lambda: answer.extend(ask() or ()))
    return answer


def quietly(act: Callable[[], object]) -> None:
    """Cleaning goes on where one thing is gone already or the engine has died."""
    from docker.errors import DockerException
    from requests import RequestException

    with contextlib.suppress(DockerException, RequestException, OSError, EnvironmentFailure):
        act()
