"""What a typical change costs: the bytes of the layers that it rebuilds, so that all who pull must
fetch them again.

Typical is what the git history says: every file counts as often as commits changed it, and for each
the cache is predicted with that file edited. A file that the build is not sent costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from imgopt.cache.predict import predict
from imgopt.cache.state import State, read_state
from imgopt.ci.measured import Measured
from imgopt.context.files import BytesContent, Entry
from imgopt.context.history import churn
from imgopt.errors import ImgoptError

_COMMITS = 100
_FILES = 30


@dataclass(frozen=True, slots=True)
class Rebuild:
    """Expected bytes (tar) per change; `line` is the instruction that the dearest edits break
    first."""

    bytes: int | None
    line: int | None = None
    reason: str = ""


def expected_rebuild(measured: Measured, build_args: Mapping[str, str]) -> Rebuild:
    """None with a reason where there is no Dockerfile, no context or no history."""
    subject = measured.subject
    if subject.dockerfile is None or subject.context is None or not measured.origins.lines:
        return Rebuild(None, reason="needs the Dockerfile and the context that built the image")
    found = churn(subject.context, _COMMITS)
    if found.counts is None:
        return Rebuild(None, reason=found.reason)
    try:
        state = read_state(
            subject.context, subject.dockerfile, target=subject.target, build_args=build_args
        )
        return _weighted(state, found.counts, _layer_bytes(measured))
    except ImgoptError as error:
        return Rebuild(None, reason=error.message)


def _layer_bytes(measured: Measured) -> dict[int, int]:
    """Tar bytes of the own layers by the line of their instruction."""
    found: Counter[int] = Counter()
    for origin, layer in zip(measured.own_origins, measured.facts.own_layers, strict=True):
        if origin.instruction is not None:
            found[origin.instruction.line] += layer.sizes.tar or 0
    return dict(found)


def _weighted(state: State, counts: Mapping[str, int], sizes: Mapping[int, int]) -> Rebuild:
    chosen = [
        path
        for path in sorted(counts, key=lambda path: (-counts[path], path))
        if path != state.dockerfile_path
    ]
    total = weight = 0
    blamed: Counter[int] = Counter()
    for path in chosen[:_FILES]:
        lines = _missed(state, path)
        cost = sum(sizes.get(line, 0) for line in lines)
        total += counts[path] * cost
        weight += counts[path]
        if lines:
            blamed[lines[0]] += counts[path] * cost
    if not weight:
        return Rebuild(None, reason="no commit changed a file of the context")
    return Rebuild(total // weight, blamed.most_common(1)[0][0] if blamed else None)


def _missed(state: State, path: str) -> list[int]:
    """Lines of the steps that run again when the file is edited."""
    entry = state.tree.get(path)
    if entry is None or entry.kind != "file" or entry.content is None:
        return []
    edited = Entry("file", entry.mode, BytesContent(entry.content.read() + b"\n"))
    after = replace(state, tree=state.tree.edited({path: edited}))
    return [item.step.line for item in predict(state, after).steps if item.verdict != "hit"]
