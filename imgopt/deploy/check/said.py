"""What the comment beside a figure says was measured: `imgopt deploy` writes it there, and it holds
for as long as somebody changes the figure alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from imgopt.deploy.check.nodes import Node

_COMMENT = re.compile(r"(?:^|\s)#(.*)$")
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_PEAK = re.compile(r"\bpeak (\d+(?:\.\d+)?) (KiB|MiB|GiB)\b")
_START = re.compile(r"\bstarts? \((\d+(?:\.\d+)?) s\)")
_ANSWER = re.compile(r"\blongest answer (\d+(?:\.\d+)?) s\b")


def comment(texts: Mapping[str, str], node: Node) -> str:
    """The comment on its line, and those on the lines above it."""
    lines = texts.get(node.file, "").split("\n")
    if not 0 < node.line <= len(lines):
        return ""
    beside = _COMMENT.search(lines[node.line - 1])
    found = [beside[1]] if beside else []
    at = node.line - 2
    while at >= 0 and lines[at].lstrip().startswith("#"):
        found.append(lines[at].lstrip(" #"))
        at -= 1
    return "\n".join(found)


def peak(text: str) -> int | None:
    """Bytes."""
    found = _PEAK.search(text)
    return int(float(found[1]) * _UNITS[found[2]]) if found else None


def start(text: str) -> float | None:
    """Seconds of the slowest."""
    found = _START.search(text)
    return float(found[1]) if found else None


def answer(text: str) -> float | None:
    """Seconds of the longest."""
    found = _ANSWER.search(text)
    return float(found[1]) if found else None
