"""The whole look into an image: evidence, findings, rows of the result."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from imgopt.analysis import rows
from imgopt.analysis.bases import find_bases
from imgopt.analysis.evidence import Evidence
from imgopt.analysis.habits import find_habits
from imgopt.analysis.hollow import find_hollow
from imgopt.analysis.secrets import find_secrets
from imgopt.analysis.unneeded import find_unneeded
from imgopt.analysis.unread import find_unread
from imgopt.analysis.wasted import find_wasted
from imgopt.image import Image
from imgopt.image.ahead import Ahead
from imgopt.results.analysis import Analysis, Finding

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile
    from imgopt.image.duplicates import Duplicate
    from imgopt.image.wire import Wire

_LEVELS = {"error": 0, "warning": 1, "info": 2}


def measure(
    image: Image, dockerfile: Dockerfile | None, target: str | None, *, exact_wire: bool
) -> Analysis:
    """Reads the image and computes all of the result."""
    with Ahead(image, exact_wire=exact_wire) as ahead, ThreadPoolExecutor(2) as beside:
        evidence = Evidence(image, dockerfile, target, ahead)
        wires = beside.submit(ahead.wires)  # compressing and comparing leave the interpreter to us
        ahead.read()
        evidence.ledger  # noqa: B018 - lays the layers over each other, which the next line needs
        copies = beside.submit(lambda: evidence.duplicates)
        return _result(evidence, wires, copies)


def _result(
    evidence: Evidence,
    measured: Future[tuple[Wire | None, ...]],
    compared: Future[tuple[Duplicate, ...]],
) -> Analysis:
    """What others may still work at comes last."""
    image = evidence.image
    packages, junk = rows.packages(evidence), rows.junk(evidence)
    files, directories = rows.files(evidence), rows.directories(evidence.tree, evidence.ledger.live)
    waste, waste_rest = rows.waste(evidence)
    wires = measured.result()
    compared.result()
    duplicates, duplicates_rest = rows.duplicates(evidence)
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
        junk=junk,
        duplicates=duplicates,
        duplicates_rest=duplicates_rest,
        packages=packages,
        unowned=evidence.packages.unowned_bytes,
        files=files,
        directories=directories,
        findings=rank(finding for find in _FINDERS for finding in find(evidence)),
    )


_FINDERS = (
    find_wasted,
    find_unneeded,
    find_habits,
    find_bases,
    find_secrets,
    find_unread,
    find_hollow,
)


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """By bytes; those without bytes after that, errors first."""
    return sorted(
        findings, key=lambda item: (-item.bytes, _LEVELS[item.level], item.id, item.message)
    )
