"""Findings about package databases of which nothing is known."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.analysis.evidence import Evidence
from imgopt.results.analysis import Finding


def find_unread(evidence: Evidence) -> Iterator[Finding]:
    """One finding per database: without its packages, who owns which file is not known."""
    for unread in evidence.packages.unread:
        node = evidence.tree.get(unread.path)
        yield evidence.finding(
            "packages-unread",
            0,
            unread.text,
            "its own tool lists the packages, run in a container of the image",
            where=evidence.where(node.layer if node is not None else None),
            evidence=[(unread.path, node.size if node is not None else 0)],
            level="warning",
        )
