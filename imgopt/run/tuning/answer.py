"""What a run time says that it takes, read from its own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from imgopt.context.facts.tuning import Asked, Report
from imgopt.run.tuning.amounts import bytes_of


@dataclass(frozen=True, slots=True)
class Taken:
    """`values` by their names; `chosen` are those that somebody chose, not the run time itself."""

    heap_bytes: int
    version: str = ""
    collector: str = ""
    container: bool = True
    values: Mapping[str, str] | None = None
    chosen: frozenset[str] = frozenset()


def read_answer(asked: Asked, said: str) -> Taken | None:
    """None where it does not say its heap: it did not start, or is another run time."""
    values: dict[str, str] = {}
    chosen: set[str] = set()
    for match in filter(None, map(re.compile(asked.value).match, said.splitlines())):
        values[match["name"]] = match["value"]
        if match.groupdict().get("default") is None:
            chosen.add(match["name"])
    if not values.get(asked.heap, "").isdigit():
        return None
    version = re.search(asked.version, said, re.MULTILINE) if asked.version else None
    taken = (called for name, called in asked.collectors.items() if values.get(name) == "true")
    return Taken(
        heap_bytes=int(values[asked.heap]),
        version=version["version"] if version else "",
        collector=next(taken, ""),
        container=values.get(asked.container, "true") == "true",
        values=values,
        chosen=frozenset(chosen),
    )


def beside_the_heap(report: Report, said: str) -> int | None:
    """Bytes that it took beside its heap, by the report at its end; None where there is none."""
    found = [_bytes(pattern, said) for pattern in (report.whole, report.heap)]
    whole, heap = found
    return max(whole - heap, 0) if whole is not None and heap is not None else None


def _bytes(pattern: str, said: str) -> int | None:
    match = re.search(pattern, said, re.MULTILINE)
    return bytes_of(match["bytes"], match["unit"] or "") if match else None


def major(version: str) -> int | None:
    """The first number of a version; None where it says none."""
    match = re.match(r"\d+", version)
    return int(match[0]) if match else None
