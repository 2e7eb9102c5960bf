"""The whole look into an image: evidence, findings, rows of the result."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from imgopt.analysis import rows
from imgopt.analysis.bases import find_bases
from imgopt.analysis.evidence import Evidence
from imgopt.analysis.habits import find_habits
from imgopt.analysis.secrets import find_secrets
from imgopt.analysis.unneeded import find_unneeded
from imgopt.analysis.wasted import find_wasted
from imgopt.image import Image
from imgopt.image.sizes import layer_wires
from imgopt.results.analysis import Analysis, Finding

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile
    from imgopt.image.wire import Wire

_LEVELS = {"error": 0, "warning": 1, "info": 2}


def measure(image: Image, dockerfile: Dockerfile | None, target: str | None, *, exact_wire: bool) -> Analysis:
    """Reads the image and computes all of the result."""
    evidence = Evidence(image, dockerfile, target)
    with ThreadPoolExecutor(2) as beside:  # compressing and comparing leave the interpreter to us
        wires = beside.submit(layer_wires, image, exact=exact_wire)
        evidence.ledger  # noqa: B018 - reads the layers, which the next line needs
        copies = beside.submit(lambda: evidence.duplicates)
        evidence.junk  # noqa: B018 - and the packages
        copies.result()
        return _result(evidence, wires)


def _result(evidence: Evidence, measured: Future[tuple[Wire | None, ...]]) -> Analysis:
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


_FINDERS = (find_wasted, find_unneeded, find_habits, find_bases, find_secrets)


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """By bytes; those without bytes after that, errors first."""
    return sorted(findings, key=lambda item: (-item.bytes, _LEVELS[item.level], item.id, item.message))
