"""How layers are compressed: the same contents weigh half as much by another codec, so that wire
sizes by two codecs are no growth and no gain."""

from __future__ import annotations

from collections.abc import Iterable

from imgopt.ci.entries import Entry
from imgopt.ci.facts import Facts


def other_codecs(before: Entry, now: Facts) -> str | None:
    """What changed ("gzip -> zstd"), in the base's or in the own layers; None where nothing did, or
    where a side does not say."""
    bases = (before.base.codecs if before.base else (), _codecs(now, base=True))
    owns = (sorted({layer.codec or "" for layer in before.layers}), _codecs(now, base=False))
    for old, new in (owns, bases):
        if old and new and "" not in (*old, *new) and list(old) != list(new):
            return f"{' and '.join(old)} -> {' and '.join(new)}"
    return _of_same_layers(before, now)


def _of_same_layers(before: Entry, now: Facts) -> str | None:
    """Layers with the same contents and another blob."""
    old = {layer.diff: layer.codec for layer in before.layers if layer.codec}
    for layer in now.own_layers:
        was = old.get(layer.diff)
        if was and layer.codec and was != layer.codec:
            return f"{was} -> {layer.codec}"
    return None


def _codecs(facts: Facts, *, base: bool) -> list[str]:
    layers = facts.layers[: facts.base_layers] if base else facts.own_layers
    return codecs_of(layer.codec for layer in layers)


def codecs_of(codecs: Iterable[str | None]) -> list[str]:
    """Each once; "" stands for one that is not known."""
    return sorted({codec or "" for codec in codecs})
