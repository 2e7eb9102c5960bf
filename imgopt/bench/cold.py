"""A cold build that takes nothing away from the user: `--no-cache` for the steps, and new names for
the cache mounts.

`--no-cache` runs every step again and keeps what `RUN --mount=type=cache` holds (BuildKit: cache
mounts are no step results), so that a file with cache mounts would be measured warm. A mount with
an id that nobody used is empty.
"""

from __future__ import annotations

import csv

from imgopt.dockerfile import Edit, Flag, apply_edits, parse


def with_new_cache_mounts(text: str, token: str) -> str:
    """The Dockerfile with `id=TOKEN-...` in each of its cache mounts; others, and unreadable files,
    are unchanged."""
    dockerfile = parse(text)
    edits = [
        Edit(flag.span.start, flag.span.end, f"--mount={_renamed(flag.value, token)}")
        for instruction in dockerfile.instructions
        if instruction.keyword == "RUN"
        for flag in instruction.flags
        if flag.name == "mount" and flag.value is not None and _is_cache(flag)
    ]
    return apply_edits(text, edits)


def _fields(value: str) -> list[str]:
    return next(csv.reader([value]), [])


def _is_cache(flag: Flag) -> bool:
    return "type=cache" in [field.strip().lower() for field in _fields(flag.value or "")]


def _renamed(value: str, token: str) -> str:
    fields = _fields(value)
    pairs = dict(field.partition("=")[::2] for field in fields)
    name = (
        pairs.get("id")
        or pairs.get("target")
        or pairs.get("dst")
        or pairs.get("destination")
        or "cache"
    )
    kept = [field for field in fields if not field.startswith("id=")]
    return ",".join(
        [*(f'"{field}"' if "," in field else field for field in kept), f"id={token}-{_word(name)}"]
    )


def _word(name: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in name)
