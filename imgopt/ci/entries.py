"""The baseline file: what each image weighed when it was last agreed on. JSON, kept in git,
reviewed like a lock file.

Keys are sorted and every layer, package and path stands on a line of its own, so that diffs can be
read and branches merge. It is written whole or not at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from imgopt.ci.facts import Facts
from imgopt.ci.partition import partition
from imgopt.errors import InputError, Location
from imgopt.report.files import write_atomic
from imgopt.results import Value
from imgopt.results.ci import FourSizes

SCHEMA = "imgopt/baseline/1"
_PACKAGES = 150


class LayerRecord(Value, frozen=True, kw_only=True):
    """An own layer. `key` is the hash of its instruction, `diff` the start of its diff ID."""

    key: str
    diff: str
    text: str
    wire: int | None = None
    tar: int | None = None
    payload: int | None = None
    live: int | None = None
    codec: str | None = None


class BaseRecord(Value, frozen=True, kw_only=True):
    """The layers that came with the base. `chain` names exactly these layers (their chain ID)."""

    reference: str | None = None
    chain: str = ""
    layers: int = 0
    sizes: FourSizes = FourSizes()
    codecs: list[str] = []


class Accepted(Value, frozen=True, kw_only=True):
    """A growth taken knowingly: findings by id, each up to the figure it had. `until` is a date,
    YYYY-MM-DD."""

    because: str
    by: str = ""
    until: str | None = None
    figures: dict[str, int] = {}


class Entry(Value, frozen=True, kw_only=True):
    """One image on one platform. Packages map "ecosystem:name" to bytes that the own layers ship of
    it."""

    image: str
    platform: str
    digest: str
    source: str
    tool: str
    sizes: FourSizes
    base: BaseRecord | None = None
    layers: list[LayerRecord] = []
    packages: dict[str, int] = {}
    small_packages: int = 0
    """Bytes of the packages that are too many to be listed."""
    all_packages: dict[str, int] = {}
    """Live bytes of every package under a budget."""
    paths: dict[str, int] = {}
    figures: dict[str, int] = {}
    """What rules measured beside the sizes: wasted, junk, layers, rebuild, budgets."""
    setuid: list[str] = []
    accepted: Accepted | None = None

    @property
    def key(self) -> str:
        return entry_key(self.image, self.platform)


def entry_key(image: str, platform: str) -> str:
    return f"{image} {platform}"


def make_entry(
    facts: Facts,
    *,
    image: str,
    platform: str,
    digest: str,
    source: str,
    tool: str,
    base: BaseRecord | None,
    texts: list[tuple[str, str]],
    figures: Mapping[str, int],
) -> Entry:
    """`texts` has key and text of every own layer."""
    packages = {name: package.own for name, package in facts.packages.items() if package.own}
    kept = dict(sorted(packages.items(), key=lambda item: (-item[1], item[0]))[:_PACKAGES])
    return Entry(
        image=image,
        platform=platform,
        digest=digest,
        source=source,
        tool=tool,
        sizes=facts.sizes,
        base=base,
        layers=[
            LayerRecord(
                key=key,
                diff=layer.diff,
                text=text,
                wire=layer.sizes.wire,
                tar=layer.sizes.tar,
                payload=layer.sizes.payload,
                live=layer.sizes.live,
                codec=layer.codec,
            )
            for (key, text), layer in zip(texts, facts.own_layers, strict=True)
        ],
        packages=dict(sorted(kept.items())),
        small_packages=sum(packages.values()) - sum(kept.values()),
        paths=partition(facts.paths),
        figures=dict(sorted(figures.items())),
        setuid=facts.setuid,
    )


def read_baseline(path: Path) -> dict[str, Entry] | None:
    """The entries by key; None where there is no file. Raises InputError for what is damaged or
    newer."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"cannot read the baseline: {error.strerror}", location=Location(str(path))
        ) from None
    return parse_baseline(data, str(path))


def parse_baseline(data: bytes, name: str) -> dict[str, Entry]:
    """Reads a baseline's bytes; `name` is for messages."""
    place = Location(name)
    try:
        document = json.loads(data, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        line = re.search(r"line (\d+)", str(error))
        conflict = b"\n<<<<<<< " in data or data.startswith(b"<<<<<<< ")
        raise InputError(
            (
                "the baseline has unresolved merge conflicts"
                if conflict
                else f"the baseline is damaged: {error}"
            ),
            location=Location(name, int(line[1]) if line else None),
            hint="take one side, then run `imgopt ci baseline` again",
        ) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or not schema.startswith("imgopt/baseline/"):
        raise InputError(
            "not a baseline of imgopt",
            location=place,
            hint="write one with `imgopt ci baseline IMAGE`",
        )
    if schema != SCHEMA:
        raise InputError(
            f"the baseline is {schema}, this imgopt reads {SCHEMA}",
            location=place,
            hint="update imgopt",
        )
    images = document.get("images")
    if not isinstance(images, dict):
        hint = "write it again with `imgopt ci baseline`"
        raise InputError("the baseline is damaged: no table of images", location=place, hint=hint)
    return {key: _entry(key, value, data, name) for key, value in images.items()}


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A merge can leave a key twice; JSON readers would silently take the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        twin = next(key for key in names if names.count(key) > 1)
        raise ValueError(f"the key {twin!r} stands there twice (a merge?)")
    return found


def _entry(key: str, value: Any, data: bytes, name: str) -> Entry:
    try:
        entry = msgspec.convert(value, Entry)
    except msgspec.ValidationError as error:
        raise _damaged(key, str(error), data, name) from None
    sizes = [entry.sizes, *([entry.base.sizes] if entry.base else [])]
    if entry.key != key or any(
        (getattr(s, m) or 0) < 0 for s in sizes for m in ("wire", "tar", "payload", "live")
    ):
        raise _damaged(key, "its parts do not agree", data, name)
    _check_sums(entry, key, data, name)
    return entry


def _check_sums(entry: Entry, key: str, data: bytes, name: str) -> None:
    """Two branches that both changed an entry can merge into one that never was: the parts no
    longer sum."""
    for metric in ("tar", "payload", "live"):
        whole = getattr(entry.sizes, metric)
        parts = [getattr(layer, metric) for layer in entry.layers]
        parts.append(getattr(entry.base.sizes, metric) if entry.base else 0)
        if whole is not None and None not in parts and sum(parts) != whole:
            raise _damaged(
                key,
                f"its layers sum to {sum(parts)} bytes ({metric}), but it says {whole}",
                data,
                name,
            )


def _damaged(key: str, why: str, data: bytes, name: str) -> InputError:
    return InputError(
        f"the entry {key!r} is damaged: {why}",
        location=_place(key, data, name),
        hint="was it merged from two branches, or edited? write it again with `imgopt ci baseline`",
    )


def _place(key: str, data: bytes, name: str) -> Location:
    at = data.find(json.dumps(key, ensure_ascii=False).encode())
    return Location(name, data.count(b"\n", 0, at) + 1 if at >= 0 else None)


def write_baseline(path: Path, entries: Mapping[str, Entry]) -> None:
    """Replaces the file in one step. Raises EnvironmentFailure when it cannot be written."""
    write_atomic(path, render_baseline(entries))


def render_baseline(entries: Mapping[str, Entry]) -> str:
    """The file's text: sorted, one layer, package and path a line."""
    images = {key: msgspec.to_builtins(entries[key]) for key in sorted(entries)}
    for value in images.values():
        for name in [name for name, part in value.items() if part in (None, [], {}, 0)]:
            del value[name]
    return _lines({"images": images, "schema": SCHEMA}, 0) + "\n"


def _lines(value: Any, depth: int) -> str:
    """Tables and lists open up to a depth at which one entry fits a line."""
    inside, close = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict) and value and (depth < 3 or _opens(value, depth)):
        rows = [f"{inside}{_flat(key)}: {_lines(value[key], depth + 1)}" for key in sorted(value)]
        return "{\n" + ",\n".join(rows) + f"\n{close}}}"
    if isinstance(value, list) and value and depth < 4:
        return "[\n" + ",\n".join(inside + _flat(item) for item in value) + f"\n{close}]"
    return _flat(value)


def _opens(table: dict[str, Any], depth: int) -> bool:
    """Packages, paths and figures: many names, each with a number."""
    return depth == 3 and len(table) > 1 and not table.keys() & {"wire", "because", "chain"}


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
