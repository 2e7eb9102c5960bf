"""A service as one file says it, in the long forms: what may be written in several ways is written
in one, paths are absolute.

Forms are those that `docker compose config` prints (the compose specification's "services" page).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imgopt.compose.words import split
from imgopt.compose.yaml_text import Tagged, as_text

_PORT = re.compile(
    r"(?:(?P<ip>\[[^\]]*\]|[\d.]+):)?(?:(?P<published>[\d-]*):)?(?P<target>\d+(?:-\d+)?)"
    r"(?:/(?P<protocol>tcp|udp|sctp))?"
)
_LAST_PORT = 65_535
_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@|github\.com/)")
Table = dict[str, Any]


class Wrong(ValueError):
    """What is said cannot be read; `keys` is where it stands below the service."""

    def __init__(self, said: str, *keys: str | int) -> None:
        super().__init__(said)
        self.said, self.keys = said, keys


def long_form(service: Mapping[str, Any], folder: Path) -> Table:
    """The service in long forms; relative paths lie below `folder`. Raises Wrong."""
    return {key: _tagged(key, value, folder) for key, value in service.items()}


def _key(key: str, value: Any, folder: Path) -> Any:
    form = _FORMS.get(key)
    return value if form is None or value is None else form(value, folder)


def _tagged(key: str, value: Any, folder: Path) -> Any:
    if not isinstance(value, Tagged):
        return _key(key, value, folder)
    return value if value.kind == "reset" else Tagged(value.kind, _key(key, value.value, folder))


def _pairs(value: Any, key: str, sign: str = "=") -> dict[str, Any]:
    """`NAME=VALUE` words or a mapping; a NAME alone has None."""
    if isinstance(value, Tagged):
        return _pairs(value.value, key, sign) if value.kind == "override" else {}
    if isinstance(value, dict):
        plain = (type(None), Tagged)
        return {k: one if isinstance(one, plain) else as_text(one) for k, one in value.items()}
    if not isinstance(value, list):
        raise Wrong("must be a mapping or a list", key)
    found: dict[str, Any] = {}
    for item in value:
        name, there, rest = as_text(item).partition(sign)
        found[name] = rest if there else None
    return found


def _texts(value: Any, key: str) -> list[str]:
    if isinstance(value, (dict, Tagged)):
        raise Wrong("must be a text or a list of texts", key)
    return [as_text(item) for item in value] if isinstance(value, list) else [as_text(value)]


def _command(key: str) -> Callable[[Any, Path], list[str]]:
    def form(value: Any, _folder: Path) -> list[str]:
        if isinstance(value, str):
            try:
                return split(value)
            except ValueError as error:
                raise Wrong(f"invalid command line string: {error}", key) from None
        return _texts(value, key)

    return form


def _build(value: Any, folder: Path) -> Table:
    if isinstance(value, str):
        value = {"context": value}
    if not isinstance(value, dict):
        raise Wrong("must be a text or a mapping", "build")
    made: Table = dict(value)
    context = made.get("context")
    if isinstance(context, str):
        made["context"] = _place(context, folder)
    for key in ("args", "labels"):
        if made.get(key) is not None:
            made[key] = _pairs(made[key], key)
    if made.get("additional_contexts") is not None:
        named = _pairs(made["additional_contexts"], "additional_contexts")
        made["additional_contexts"] = {
            name: _named_context(place or "", folder) for name, place in named.items()
        }
    if isinstance(made.get("ssh"), (list, dict)):
        ssh = _pairs(made["ssh"], "ssh")
        made["ssh"] = [name if place is None else f"{name}={place}" for name, place in ssh.items()]
    if isinstance(made.get("extra_hosts"), (list, dict)):
        made["extra_hosts"] = _hosts(made["extra_hosts"], folder)
    if made.get("secrets") is not None:
        made["secrets"] = _references(made["secrets"], "secrets")
    return made


def _place(path: str, folder: Path) -> str:
    if _REMOTE.match(path):
        return path
    whole = Path(path).expanduser()
    return str(_clean(whole if whole.is_absolute() else folder / whole))


def _clean(path: Path) -> Path:
    import os.path

    return Path(os.path.normpath(path))


def _named_context(place: str, folder: Path) -> str:
    known = ("docker-image://", "oci-layout://", "service:", "target:")
    return place if place.startswith(known) else _place(place, folder)


def _references(value: Any, key: str) -> list[Table]:
    if not isinstance(value, list):
        raise Wrong("must be a list", key)
    return [{"source": item} if isinstance(item, str) else dict(item) for item in value]


def _refs(key: str) -> Callable[[Any, Path], list[Table]]:
    return lambda value, _folder: _references(value, key)


def _depends(value: Any, _folder: Path) -> Table:
    if isinstance(value, list):
        return {as_text(name): {"condition": "service_started", "required": True} for name in value}
    if not isinstance(value, dict):
        raise Wrong("must be a mapping or a list", "depends_on")
    whole = {"condition": "service_started", "required": True}
    return {name: {**whole, **(one or {})} for name, one in value.items()}


def _env_file(value: Any, folder: Path) -> list[Table]:
    found = []
    for item in value if isinstance(value, list) else [value]:
        entry = {"path": item} if not isinstance(item, dict) else dict(item)
        if entry.get("path") is None:
            raise Wrong("has no path", "env_file")
        path = _place(as_text(entry["path"]), folder)
        found.append({"required": True, **entry, "path": path})
    return found


def _ports(value: Any, _folder: Path) -> list[Table]:
    if not isinstance(value, list):
        raise Wrong("must be a array", "ports")
    found: list[Table] = []
    for number, item in enumerate(value):
        if isinstance(item, dict):
            target = _number(item.get("target"), number)
            given: Table = {"mode": "ingress", "protocol": "tcp", **item, "target": target}
            if given.get("published") is not None:
                given["published"] = as_text(given["published"])
            found.append(given)
        else:
            found += _short_port(as_text(item), number)
    return found


def _number(value: Any, number: int) -> int:
    try:
        return int(as_text(value))
    except ValueError:
        raise Wrong(f"no port: {value}", "ports", number) from None


def _short_port(text: str, number: int) -> list[Table]:
    match = _PORT.fullmatch(text)
    numbers = [] if match is None else re.findall(r"\d+", f"{match['target']} {match['published']}")
    if match is None or any(int(one[:9]) > _LAST_PORT for one in numbers):
        raise Wrong(f"invalid port: {text}", "ports", number)
    targets, published = _range(match["target"]), _range(match["published"] or "")
    spread = len(published) == len(targets)
    if len(published) > 1 and len(targets) > 1 and not spread:
        raise Wrong(f"invalid ranges: {text}", "ports", number)
    found = []
    for at, target in enumerate(targets):
        one: Table = {"mode": "ingress", "target": target, "protocol": match["protocol"] or "tcp"}
        if match["ip"]:
            one["host_ip"] = match["ip"].strip("[]")
        if match["published"]:
            one["published"] = str(published[at]) if spread else match["published"]
        found.append(one)
    return found


def _range(text: str) -> list[int]:
    if not text:
        return []
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _volumes(value: Any, folder: Path) -> list[Table]:
    if not isinstance(value, list):
        raise Wrong("must be a array", "volumes")
    return [_volume(item, folder) for item in value]


def _volume(item: Any, folder: Path) -> Table:
    if isinstance(item, dict):
        made = {"type": "volume", **item}
        if made["type"] == "bind" and isinstance(made.get("source"), str):
            made["source"] = _place(made["source"], folder)
        return made
    parts = as_text(item).split(":")
    if len(parts) == 1:
        return {"type": "volume", "target": parts[0]}
    source, target, options = parts[0], parts[1], ",".join(parts[2:]).split(",")
    bind = source.startswith((".", "/", "~"))
    made = {
        "type": "bind" if bind else "volume",
        "source": _place(source, folder) if bind else source,
        "target": target,
    }
    if "ro" in options:
        made["read_only"] = True
    return made


def _networks(value: Any, _folder: Path) -> Table:
    return {as_text(name): None for name in value} if isinstance(value, list) else value


def _hosts(value: Any, _folder: Path) -> list[str]:
    if isinstance(value, dict):
        return [
            f"{name}={one}"
            for name, places in value.items()
            for one in (places if isinstance(places, list) else [places])
        ]
    return [re.sub(r"^([^=:]+):", r"\1=", as_text(item)) for item in value]


def _healthcheck(value: Any, _folder: Path) -> Table:
    if not isinstance(value, dict):
        raise Wrong("must be a mapping", "healthcheck")
    made = dict(value)
    if isinstance(made.get("test"), str):
        made["test"] = ["CMD-SHELL", made["test"]]
    return made


def _pair_form(key: str) -> Callable[[Any, Path], dict[str, Any]]:
    return lambda value, _folder: _pairs(value, key)


def _text_form(key: str) -> Callable[[Any, Path], list[str]]:
    return lambda value, _folder: _texts(value, key)


_FORMS: Mapping[str, Callable[[Any, Path], Any]] = {
    "build": _build,
    "command": _command("command"),
    "entrypoint": _command("entrypoint"),
    "environment": _pair_form("environment"),
    "labels": _pair_form("labels"),
    "env_file": _env_file,
    "depends_on": _depends,
    "ports": _ports,
    "volumes": _volumes,
    "expose": _text_form("expose"),
    "tmpfs": _text_form("tmpfs"),
    "dns": _text_form("dns"),
    "dns_search": _text_form("dns_search"),
    "networks": _networks,
    "extra_hosts": _hosts,
    "healthcheck": _healthcheck,
    "secrets": _refs("secrets"),
    "configs": _refs("configs"),
    "sysctls": _pair_form("sysctls"),
}
