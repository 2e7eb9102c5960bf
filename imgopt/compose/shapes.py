"""Which kind of value each key of a Compose file takes, for a mistake to be told where it stands
(the compose specification's schema, as far as keys are read here)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imgopt.compose.yaml_text import Keys, Tagged

Problem = tuple[str, Keys]
Shape = Callable[[Any, Keys], Iterator[Problem]]


def problems(value: Any) -> Iterator[Problem]:
    """What is of another kind than it has to be: in words, and where."""
    yield from _table(_TOP)(value, ())


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _scalar(value: Any, keys: Keys) -> Iterator[Problem]:
    if not _plain(value):
        yield "must be a string", keys


def _text(value: Any, keys: Keys) -> Iterator[Problem]:
    if value is not None and not isinstance(value, str):
        yield "must be a string", keys


def _whole(value: Any, keys: Keys) -> Iterator[Problem]:
    if isinstance(value, bool) or not str(0 if value is None else value).lstrip("-").isdigit():
        yield "must be a integer", keys


def _anything(_value: Any, _keys: Keys) -> Iterator[Problem]:
    yield from ()


def _list(item: Shape) -> Shape:
    def check(value: Any, keys: Keys) -> Iterator[Problem]:
        if value is not None and not isinstance(value, list):
            yield "must be a array", keys
        for number, one in enumerate(value if isinstance(value, list) else ()):
            if one is None:
                yield "must be a string", (*keys, number)
            yield from _at(item, one, (*keys, number))

    return check


def _mapping(item: Shape) -> Shape:
    def check(value: Any, keys: Keys) -> Iterator[Problem]:
        if value is not None and not isinstance(value, dict):
            yield "must be a mapping", keys
        for name, one in value.items() if isinstance(value, dict) else ():
            yield from _at(item, one, (*keys, name))

    return check


def _table(shapes: Mapping[str, Shape], must: tuple[str, ...] = ()) -> Shape:
    def check(value: Any, keys: Keys) -> Iterator[Problem]:
        yield from _mapping(_anything)(value, keys)
        if not isinstance(value, dict):
            return
        for name in must:
            if not _plain(value.get(name)) or value.get(name) in (None, ""):
                yield f"has no {name}", keys
        for name, one in value.items():
            yield from _at(shapes.get(name, _anything), one, (*keys, name))

    return check


def _either(*shapes: Shape) -> Shape:
    """The shape that fits by its outer kind: the first is for what none fits."""

    def check(value: Any, keys: Keys) -> Iterator[Problem]:
        tried = [list(shape(value, keys)) for shape in shapes]
        outer = [found for found in tried if not any(where == keys for _, where in found)]
        yield from next(iter(outer), tried[0])

    return check


def _at(shape: Shape, value: Any, keys: Keys) -> Iterator[Problem]:
    if isinstance(value, Tagged):
        if value.kind == "override":
            yield from shape(value.value, keys)
        return
    yield from shape(value, keys)


_WORDS = _either(_text, _list(_scalar))
_PATHS = _either(_text, _list(_text))
_PAIRS = _either(_mapping(_scalar), _list(_scalar))
_REFERENCES = _list(_either(_text, _table({"source": _scalar, "target": _scalar}, ("source",))))
_HOSTS = _either(_mapping(_WORDS), _list(_scalar))
_BUILD = {
    **dict.fromkeys(("context", "dockerfile", "dockerfile_inline", "target", "network"), _scalar),
    **dict.fromkeys(("args", "labels", "additional_contexts"), _PAIRS),
    "ssh": _either(_mapping(_scalar), _list(_scalar)),
    "secrets": _REFERENCES,
    "extra_hosts": _HOSTS,
    "platforms": _list(_scalar),
    "shm_size": _scalar,
}
_VOLUME = _table({"type": _scalar, "source": _scalar}, ("target",))
_HEALTH = {
    "test": _WORDS,
    "retries": _whole,
    **dict.fromkeys(("interval", "timeout", "start_period", "start_interval"), _scalar),
}
_TEXTS = (
    "image container_name hostname user working_dir network_mode ipc pid shm_size runtime"
    " stop_grace_period read_only init privileged"
)
_RESERVED = _table({"devices": _list(_table({}))})
_SERVICE: Mapping[str, Shape] = {
    **dict.fromkeys(_TEXTS.split(), _scalar),
    **dict.fromkeys(("command", "entrypoint", "tmpfs", "dns", "dns_search"), _WORDS),
    **dict.fromkeys(("environment", "labels", "sysctls"), _PAIRS),
    **dict.fromkeys(("secrets", "configs"), _REFERENCES),
    **dict.fromkeys(
        ("expose", "profiles", "links", "volumes_from", "cap_add", "cap_drop"), _list(_scalar)
    ),
    "build": _either(_text, _table(_BUILD)),
    "depends_on": _either(_mapping(_table({"condition": _scalar})), _list(_scalar)),
    "env_file": _either(_text, _list(_either(_text, _table({}, ("path",))))),
    "extends": _either(_text, _table({"file": _scalar}, ("service",))),
    "extra_hosts": _HOSTS,
    "gpus": _either(_scalar, _list(_anything)),
    "healthcheck": _table(_HEALTH),
    "networks": _either(_mapping(_table({"aliases": _list(_scalar)})), _list(_scalar)),
    "ports": _list(_either(_scalar, _table({"published": _scalar}, ("target",)))),
    "ulimits": _mapping(_either(_whole, _table({"soft": _whole, "hard": _whole}))),
    "volumes": _list(_either(_scalar, _VOLUME)),
    "deploy": _table({"resources": _table({"reservations": _RESERVED})}),
}
_GIVEN = _mapping(_table({"file": _scalar, "content": _scalar, "environment": _scalar}))
_INCLUDED = _table({"path": _PATHS, "project_directory": _text, "env_file": _PATHS})
_TOP: Mapping[str, Shape] = {
    "name": _scalar,
    "include": _list(_either(_text, _INCLUDED)),
    "services": _mapping(_table(_SERVICE)),
    "networks": _mapping(_table({})),
    "volumes": _mapping(_table({})),
    "secrets": _GIVEN,
    "configs": _GIVEN,
}
