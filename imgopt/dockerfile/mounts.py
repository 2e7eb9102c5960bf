"""`RUN --mount=type=…,target=…`. Rules: moby/buildkit
frontend/dockerfile/instructions/commands_runmount.go."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

from imgopt.dockerfile.problems import CARRYING_OUT, Refused
from imgopt.dockerfile.typed import Located, Mount

Expand = Callable[[str], str | None]
"""A value with its variables expanded; None where they are not known."""

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
_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")
_SIZE = re.compile(r"[0-9]+(?:\.[0-9]*)? ?[kKmMgGtTpP]?i?[bB]?")
_NUMBER = re.compile(r"[0-9]{1,10}")
_OCTAL = re.compile(r"[0-7]{1,11}")


def read_mount(value: Located) -> Mount:
    """Raises Refused. Values with variables are kept, and not checked before `check_mount`."""
    try:
        mount, _ = _read(value, lambda text: None if "$" in text else text)
    except Refused as refused:
        refused.place = value.span.start
        raise
    return mount


def check_mount(value: Located, expand: Expand) -> None:
    """Raises Refused for what BuildKit refuses once the variables are known."""
    try:
        _read(value, expand)
    except Refused as refused:
        refused.place = value.span.start
        raise


def _read(value: str, expand: Expand) -> tuple[Mount, dict[str, str | None]]:
    """The mount as written, and its values expanded."""
    fields: dict[str, str] = {}
    known: dict[str, str | None] = {"type": "bind"}
    switches: dict[str, bool] = {}
    items = _split(value)
    _check_from(items)
    for item in items:
        key, equals, text = item.partition("=")
        key = key.lower()
        if not equals and key not in (*_SWITCHES, "required"):
            raise _refused(
                f"invalid field '{item}' must be a key=value pair", f"write {key or 'key'}=VALUE"
            )
        given = expand(text) if equals else ""
        if key in _SWITCHES:
            switches["readonly"] = _switch(key, given, bool(equals)) is _SWITCHES[key]
        elif key == "required":
            _allow("required", known["type"], ("secret", "ssh"))
            switches["required"] = _switch(key, given, bool(equals))
        elif key not in _NAMES:
            raise _refused(
                f"unexpected key '{key}' in '{item}'", "expected one of " + ", ".join(_NAMES)
            )
        else:
            fields[_NAMES[key]] = text
            known[_NAMES[key]] = _checked(key, given, known["type"])
    _check_whole(known)
    mount = Mount(fields.pop("type", "bind").lower(), value.span, **fields, **switches)  # type: ignore[attr-defined,arg-type]
    return mount, known


def _refused(message: str, hint: str | None = None) -> Refused:
    return Refused(message, hint, phase=CARRYING_OUT)


def _split(value: str) -> list[str]:
    """As Go's encoding/csv reads one record. Raises Refused."""
    try:
        items = next(csv.reader([value], strict=True), [])
    except csv.Error as error:
        raise Refused(f"failed to parse csv mounts: {error}", "write key=value,key=value") from None
    if not items:
        raise Refused("failed to parse csv mounts: EOF", "write --mount=type=TYPE,target=PATH")
    if any('"' in item for item in items) and re.search(r'(?:^|,)[^",]+"', value):
        raise Refused(
            'failed to parse csv mounts: bare " in non-quoted-field', "write key=value,key=value"
        )
    return items


def _check_from(items: list[str]) -> None:
    for item in items:
        key, _, text = item.partition("=")
        if key.lower() == "from" and "$" in text[:-1]:
            what = "'from' doesn't support variable expansion, define alias stage instead"
            raise Refused(what, "write FROM image AS name, and from=name")


def _switch(key: str, word: str | None, given: bool) -> bool:
    if word is None or not given or word in _TRUE:
        return True
    if word not in _FALSE:
        raise _refused(f"invalid value for {key}: {word}", "write true or false")
    return False


def _allow(key: str, kind: str | None, kinds: tuple[str, ...]) -> None:
    if kind is not None and kind not in kinds:
        raise _refused(
            f"unexpected key '{key}' for mount type '{kind}'", f"only {' and '.join(kinds)} have it"
        )


def _checked(key: str, word: str | None, kind: str | None) -> str | None:
    """One value; None is not known. Raises Refused."""
    if key == "size":
        _allow("size", kind, ("tmpfs",))
    if word is None:
        return None
    if key == "type":
        word = word.lower()
        _one_of(word, _TYPES, f'unsupported mount type "{word}"')
    elif key == "sharing":
        _one_of(word.lower(), _SHARING, f'unsupported sharing value "{word}"')
    elif key == "mode" and not _OCTAL.fullmatch(word):
        raise _refused(f"invalid value {word} for mode", "write an octal number, such as 0755")
    elif key in ("uid", "gid") and not (_NUMBER.fullmatch(word) and int(word) < 1 << 32):
        raise _refused(f"invalid value {word} for {key}", "write a number")
    elif key == "size" and not _SIZE.fullmatch(word):
        raise _refused(f"invalid value for size: {word}", "write a size, such as 64m")
    return word


def _one_of(word: str, words: tuple[str, ...], message: str) -> None:
    if word not in words:
        raise _refused(message, "expected one of " + ", ".join(words))


def _check_whole(known: dict[str, str | None]) -> None:
    """What does not go together. `known` has expanded values; None is one that is not known."""
    kind = known["type"]
    if kind is None:
        return
    for key in ("mode", "uid", "gid"):
        if key in known and kind in ("bind", "tmpfs"):
            raise _refused(f'{key} not allowed for "{kind}" type mounts', "leave it out")
    if kind == "secret":
        _check_secret(known)
    if known.get("sharing", "") and kind != "cache":
        raise _refused(f"invalid cache sharing set for {kind} mount", "only cache mounts have it")
    if kind == "ssh" and known.get("source", ""):
        raise _refused("ssh does not support source", "name the key with id=")


def _check_secret(known: dict[str, str | None]) -> None:
    if known.get("from_", ""):
        raise _refused("secret mount should not have a from", "leave it out")
    if known.get("sharing", ""):
        raise _refused("secret mount should not define sharing", "leave it out")
    if all(known.get(key, "") == "" for key in ("source", "target", "id")):
        raise _refused("invalid secret mount. one of source, target required", "add id=NAME")
    if known.get("source", "") and known.get("id", ""):
        raise _refused("both source and id can't be set", "keep id=")
