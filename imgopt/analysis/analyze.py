"""One image, looked at as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from imgopt import __version__
from imgopt.analysis import rows
from imgopt.analysis.evidence import Evidence
from imgopt.analysis.habits import find_habits
from imgopt.analysis.secrets import find_secrets
from imgopt.analysis.unneeded import find_unneeded
from imgopt.analysis.wasted import find_wasted
from imgopt.image import Image
from imgopt.image.sizes import layer_wires
from imgopt.image.wire import Wire
from imgopt.results.analysis import Analysis, Finding

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile

_LEVELS = {"error": 0, "warning": 1, "info": 2}


def analyze(
    image: Image, dockerfile: Dockerfile | None = None, *, target: str | None = None, exact_wire: bool = False
) -> Analysis:
    """Layers, ledger, packages, junk and findings of an image.

    With the Dockerfile that built it, layers and findings carry its lines. What was found is kept by the image's
    digest, so a second look reads nothing of the image.
    """
    key = _key(image, exact_wire, dockerfile, target)
    result = _remembered(image, key)
    if result is None:
        with ThreadPoolExecutor(1) as beside:  # compressing needs no interpreter
            wires = beside.submit(layer_wires, image, exact=exact_wire)
            result = _measure(Evidence(image, dockerfile, target), wires)
        image.memory.keep("analysis", key, msgspec.msgpack.encode(result))
    return msgspec.structs.replace(result, image=image.reference, source=image.source)


def _remembered(image: Image, key: str) -> Analysis | None:
    data = image.memory.get("analysis", key)
    if data is None:
        return None
    try:
        return msgspec.msgpack.decode(data, type=Analysis)
    except msgspec.DecodeError:
        return None


def _key(image: Image, exact_wire: bool, dockerfile: Dockerfile | None, target: str | None) -> str:
    """Wire sizes are the source's: a registry knows them, an engine's store does not."""
    text = f"{target} {dockerfile.name} {dockerfile.text}" if dockerfile is not None else ""
    known = [layer.wire_bytes for layer in image.layers]
    more = hashlib.sha256(
        f"{__version__} {exact_wire} {known} {image.provenance} {text}".encode("utf-8", "replace")
    ).hexdigest()
    return f"{image.digest}-{more[:16]}"


def _measure(evidence: Evidence, measured: Future[tuple[Wire | None, ...]]) -> Analysis:
    image = evidence.image
    findings = rank(finding for find in _FINDERS for finding in find(evidence))
    waste, waste_rest = rows.waste(evidence)
    duplicates, duplicates_rest = rows.duplicates(evidence)
    wires = measured.result()
    return Analysis(
        image=image.reference,
        digest=image.digest,
        platform=image.platform,
        source=image.source,
        dockerfile=evidence.file,
        sizes=rows.total(evidence, wires),
        layers=rows.layers(evidence, wires),
        ledger={str(kind): size for kind, size in evidence.ledger.classes.items()},
        waste=waste,
        waste_rest=waste_rest,
        junk=rows.junk(evidence),
        duplicates=duplicates,
        duplicates_rest=duplicates_rest,
        packages=rows.packages(evidence),
        unowned=evidence.packages.unowned_bytes,
        files=rows.files(evidence),
        directories=rows.directories(evidence.tree, evidence.ledger.live),
        findings=findings,
    )


_FINDERS = (find_wasted, find_unneeded, find_habits, find_secrets)


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """By bytes; those without bytes after that, errors first."""
    return sorted(findings, key=lambda item: (-item.bytes, _LEVELS[item.level], item.id, item.message))
