"""What earlier measurements said, kept per project on disk: seconds of steps, and outcomes that
only a build can tell.

An outcome is used again only for exactly the same state (Dockerfile, arguments, files by size and
time) and the same change. A file that is damaged or of another version counts as empty.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from imgopt.cache.edits import Edit
from imgopt.cache.graph import Vertex
from imgopt.cache.match import Known
from imgopt.cache.state import State
from imgopt.cache.times import Times
from imgopt.results.cache import CacheResult, CacheScenario

_VERSION = 1
_STATES = 20


class _Kept(msgspec.Struct):
    """`seconds`: per stage and instruction. `outcomes`: per state and change, the answer of each
    step in order."""

    version: int = _VERSION
    seconds: dict[str, float] = {}
    outcomes: dict[str, dict[str, list[str | None]]] = {}


class Memory:
    """The memory of one context. Reading and writing never fail: without a cache directory nothing
    is remembered."""

    def __init__(self, context: Path, folder: Path | None = None) -> None:
        home = folder or _cache_folder()
        name = hashlib.sha256(os.fsencode(context.resolve())).hexdigest()[:24]
        self._file = home / "steps" / f"{name}.json" if home is not None else None
        self._kept = _read(self._file)

    def times(self) -> Times:
        """Seconds of steps as they were measured last."""
        found: dict[tuple[str, str], float] = {}
        for key, value in self._kept.seconds.items():
            stage, _, instruction = key.partition("\0")
            found[stage, instruction] = value
        return Times(found)

    def known(self, state: State, edit: Edit) -> Known | None:
        """What was measured for this state and change, as `predict` asks for it."""
        answers = self._kept.outcomes.get(_fingerprint(state), {}).get(edit.fingerprint())
        if answers is None:
            return None
        by_place = {
            (step.stage, step.index): answer
            for (step, _), answer in zip(state.graph.placed, answers, strict=False)
        }

        def known(_: Vertex, vertex: Vertex, number: int) -> bool | None:
            answer = next((by_place.get((step.stage, step.index)) for step in vertex.steps), None)
            return True if answer == "hit" else _missed_by(answer, vertex, number, by_place)

        return known

    def remember(
        self, state: State, edits: Mapping[str, Edit], result: CacheResult, seconds: Times
    ) -> None:
        """Keeps a measured result; `edits` are the changes by the names of their scenarios, as they
        are predicted."""
        for (stage, instruction), value in seconds.seconds.items():
            self._kept.seconds[f"{stage}\0{instruction}"] = value
        name = _fingerprint(state)
        outcomes = self._kept.outcomes
        outcomes[name] = {**outcomes.pop(name, {}), **_answers(edits, result.scenarios)}
        self._kept.outcomes = dict(list(outcomes.items())[-_STATES:])
        self._write()

    def _write(self) -> None:
        """Beside and renamed: a kill leaves the old file or the new one."""
        if self._file is None:
            return
        beside = self._file.with_suffix(f".{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(self._kept))
            beside.replace(self._file)
        except OSError:
            beside.unlink(missing_ok=True)


def _missed_by(
    answer: str | None, vertex: Vertex, number: int, by_place: dict[tuple[str, int], str | None]
) -> bool | None:
    """A miss is this input's doing only if it is the only one that could be: the step before it was
    found."""
    root = vertex.root
    if answer != "miss" or number != 1 or len(vertex.inputs) != 2 or root is None:
        return None
    found_before = not root.steps or any(
        by_place.get((s.stage, s.index)) == "hit" for s in root.steps
    )
    return False if found_before else None


def _answers(
    edits: Mapping[str, Edit], scenarios: Iterable[CacheScenario]
) -> dict[str, list[str | None]]:
    measured = (one for one in scenarios if not one.failure)
    return {
        edits[one.name].fingerprint(): [step.measured for step in one.steps] for one in measured
    }


def _fingerprint(state: State) -> str:
    """Of everything that decides: texts, arguments, and files by size, mode and time."""
    digest = hashlib.sha256()
    arguments = repr(sorted(state.build_args.items()))
    for part in (state.dockerfile.text, state.ignore_text or "", state.target or "", arguments):
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    for path, entry in state.tree.entries.items():
        about = f"{path}\0{entry.kind}{entry.mode:o} {entry.size} {entry.mtime_ns} {entry.link}\0"
        digest.update(about.encode(errors="surrogateescape"))
    return digest.hexdigest()[:32]


def _cache_folder() -> Path | None:
    """$XDG_CACHE_HOME/imgopt, else ~/.cache/imgopt; IMGOPT_CACHE=off keeps nothing."""
    if os.environ.get("IMGOPT_CACHE") == "off":
        return None
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "imgopt"


def _read(file: Path | None) -> _Kept:
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=_Kept) if file is not None else _Kept()
    except (OSError, msgspec.DecodeError):
        return _Kept()
    return kept if kept.version == _VERSION else _Kept()
