"""Findings about files that are nearly all zeros: an archive of a layer writes the holes out."""

from __future__ import annotations

import os
from collections.abc import Iterator

from imgopt.analysis.evidence import LARGE, Evidence
from imgopt.image import Node, printable
from imgopt.image.links import other_names
from imgopt.image.login_records import ADVICE, LOGIN_RECORDS
from imgopt.results.analysis import Finding
from imgopt.results.size_text import size_text

_LOOKS = 32
_BLOCK = 4096
_SMALLEST = 10_000_000
"""Bytes of a hollow file of any other kind from which on it is worth a line."""


def find_hollow(evidence: Evidence) -> Iterator[Finding]:
    """The record of logins by itself, since it has a cure; other large holes one by one."""
    further = other_names(evidence.tree)
    found = [
        (node, whole)
        for node in evidence.tree.files()
        if id(node) not in further and (whole := _hollow_size(node))
    ]
    found.sort(key=lambda each: (-each[1], each[0].path))
    records = [each for each in found if each[0].path in LOGIN_RECORDS]
    if records:
        yield _records(evidence, records)
    for node, whole in found:
        if node.path not in LOGIN_RECORDS and whole >= _SMALLEST:
            yield _other(evidence, node, whole)


def _records(evidence: Evidence, records: list[tuple[Node, int]]) -> Finding:
    names = " and ".join(node.path for node, _ in records)
    whole, plural = sum(size for _, size in records), len(records) > 1
    return evidence.finding(
        "login-records",
        sum(node.size for node, _ in records),
        f"{names} {'are' if plural else 'is'} {size_text(whole)} of zeros: an account with a large"
        " number makes the record of logins as long as its number says",
        ADVICE,
        where=evidence.where(records[0][0].content_layer),
        strategy="no-log-init",
        evidence=[(node.path, size) for node, size in records],
        level="warning",
    )


def _other(evidence: Evidence, node: Node, whole: int) -> Finding:
    return evidence.finding(
        "hollow-file",
        node.size,
        f"{printable(node.path)} is {size_text(whole)} of zeros with little between them: whoever"
        " unpacks the layer writes them out",
        "let the service make the file when it starts, or make it no longer than what is in it",
        where=evidence.where(node.content_layer),
        evidence=[(node.path, whole)],
    )


def _hollow_size(node: Node) -> int:
    """Bytes of a large file that looks all zeros (but for one place in thirty) as it will lie on a
    disk; 0 for any other. One that the archive keeps as sparse is larger there than in the
    layer."""
    if node.inode is None:
        return 0
    sparse = node.inode.entry.sparse_header >= 0
    if node.size < LARGE and not sparse:
        return 0
    with node.open() as file:
        size = file.seek(0, os.SEEK_END)
        if size < LARGE:
            return 0
        other = 0
        for number in range(_LOOKS):
            file.seek(number * (size - _BLOCK) // (_LOOKS - 1))
            other += any(file.read(_BLOCK))
            if other > 1:
                return 0
    return size
