"""Which line of which Dockerfile made each layer, where the builder wrote it down (BuildKit's
`--provenance=mode=max`).

The statement is in-toto with a SLSA predicate, v0.2 or v1. BuildKit's part of it has `layers` (for
each step the chain of layers up to it) and `source.locations` (for each step its lines). Rule:
moby/buildkit docs/attestations/slsa-definitions.md.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

_METADATA = ("https://mobyproject.org/buildkit@v1#metadata", "buildkit_metadata")
_MAX_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Provenance:
    """`lines[i]` is the first line of the instruction that made layer i, None for layers of the
    base."""

    file: str
    text: str
    lines: tuple[int | None, ...]


def read_provenance(statement: bytes, layers: Sequence[str | None]) -> Provenance | None:
    """`layers` are the digests of the image's blobs, in order. None where the statement does not
    tell."""
    try:
        document = msgspec.json.decode(statement, type=dict[str, Any])
        metadata = _metadata(document["predicate"])
        source, chains = metadata["source"], metadata["layers"]
        lines = _lines(source["locations"], chains, list(layers))
        info = source["infos"][0]
        text = base64.b64decode(info["data"], validate=True).decode("utf-8", "replace")
        name = str(info["filename"])
    except (
        msgspec.DecodeError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        ValueError,
        RecursionError,
    ):
        return None
    return Provenance(name, text, lines) if any(lines) else None


def _metadata(predicate: Any) -> Any:
    places = (predicate.get("metadata"), (predicate.get("runDetails") or {}).get("metadata"))
    return next((place[key] for place in places if place for key in _METADATA if key in place), {})


def _lines(locations: Any, chains: Any, digests: list[str | None]) -> tuple[int | None, ...]:
    """A step made the last layer of its chain, if the chain is how the image begins."""
    lines: list[int | None] = [None] * len(digests)
    for output, found in list(chains.items())[:_MAX_STEPS]:
        ranges = [
            part
            for place in (locations.get(output.partition(":")[0]) or {}).get("locations", ())
            for part in place.get("ranges", ())
        ]
        if not ranges:
            continue
        first = min(int(part["start"]["line"]) for part in ranges)
        for chain in found:
            names = [each["digest"] for each in chain]
            if names and names == digests[: len(names)]:
                lines[len(names) - 1] = first
    return tuple(lines)
