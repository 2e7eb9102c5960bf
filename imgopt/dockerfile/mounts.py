"""`RUN --mount=type=…,target=…`. Rules: moby/buildkit frontend/dockerfile/instructions/commands_runmount.go."""

from __future__ import annotations

import csv

from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.typed import Located, Mount

_NAMES = {
    "type": "type",
    "from": "from_",
    "source": "source",
    "src": "source",
    "target": "target",
    "dst": "target",
    "destination": "target",
    "id": "id",
    "sharing": "sharing",
    "mode": "mode",
    "uid": "uid",
    "gid": "gid",
    "size": "size",
    "env": "env",
}
_SWITCHES = {"readonly": True, "ro": True, "readwrite": False, "rw": False}
_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING = ("shared", "private", "locked")
_TRUE, _FALSE = ("1", "t", "true"), ("0", "f", "false")


def read_mount(value: Located) -> Mount:
    """Raises Refused. Values with variables are kept and not checked."""
    try:
        return _mount(value)
    except Refused as refused:
        refused.place = value.span.start
        raise


def _mount(value: Located) -> Mount:
    fields: dict[str, str] = {}
    switches: dict[str, bool] = {}
    for item in _split(value):
        key, equals, text = item.partition("=")
        key = key.lower()
        if key in _SWITCHES:
            switches["readonly"] = _switch(key, text, bool(equals)) is _SWITCHES[key]
        elif key == "required":
            switches["required"] = _switch(key, text, bool(equals))
        elif key not in _NAMES:
            raise Refused(f"unexpected key '{key}' in '{item}'", "expected one of " + ", ".join(_NAMES))
        elif not equals:
            raise Refused(f"invalid field '{item}' must be a key=value pair", f"write {key}=VALUE")
        else:
            fields[_NAMES[key]] = text
    mount = Mount(fields.pop("type", "bind").lower(), value.span, **fields, **switches)  # type: ignore[arg-type]
    _check(mount)
    return mount


def _split(value: str) -> list[str]:
    try:
        return next(csv.reader([value], strict=True), [])
    except csv.Error as error:
        raise Refused(f"failed to parse csv mounts: {error}", "write key=value,key=value") from None


def _switch(key: str, text: str, given: bool) -> bool:
    word = text.lower()
    if "$" in word or not given or word in _TRUE:
        return True
    if word not in _FALSE:
        raise Refused(f"invalid value for {key}: {text}", "write true or false")
    return False


def _check(mount: Mount) -> None:
    if "$" not in mount.type and mount.type not in _TYPES:
        raise Refused(f'unsupported mount type "{mount.type}"', "expected one of " + ", ".join(_TYPES))
    if mount.from_ and "$" in mount.from_[:-1]:
        raise Refused("'from' doesn't support variable expansion, define alias stage instead", "FROM … AS name")
    if mount.sharing and "$" not in mount.sharing and mount.sharing.lower() not in _SHARING:
        raise Refused(f'unsupported sharing value "{mount.sharing}"', "expected one of " + ", ".join(_SHARING))
    if mount.type == "secret" and not (mount.source or mount.target or mount.id or mount.env):
        raise Refused("invalid secret mount. one of source, target required", "add id=NAME")
    if mount.type in ("bind", "tmpfs", "cache") and mount.required is not None:
        raise Refused(f"unexpected key 'required' for mount type '{mount.type}'", "only secret and ssh have it")
