"""The traps of BuildKit's cache that people look for longest, recognised in a miss."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imgopt.cache.glob import has_wildcards
from imgopt.cache.graph import Vertex
from imgopt.cache.match import Matching
from imgopt.cache.reasons import Cause
from imgopt.cache.selection import PathDifference, read_by
from imgopt.context.files import DiskContent
from imgopt.dockerfile.typed import Arg

_GENERATED = re.compile(
    r"(?:^|/)(?:__pycache__|\.pytest_cache|\.mypy_cache|node_modules|\.venv|dist|build|target)/|\.(?:pyc|log)$"
)
_WRITE_BITS = 0o022


@dataclass(frozen=True, slots=True)
class Trap:
    """`name` is stable; `advice` says what it is and how to get out."""

    name: str
    advice: str


def traps(matching: Matching, vertex: Vertex, cause: Cause | None) -> tuple[Trap, ...]:
    """What is known to mislead about this step: its own miss, or (a stale time) a hit that should
    be none."""
    found = [
        trap
        for check in _CHECKS
        if cause is not None and (trap := check(matching, cause)) is not None
    ]
    stale = _stale(matching, vertex)
    return (*found, stale) if stale else tuple(found)


def _umask(_: Matching, cause: Cause) -> Trap | None:
    modes = [one for one in cause.paths if one.what == "mode" and one.before and one.after]
    if not modes or any(
        (one.before.mode ^ one.after.mode) & ~_WRITE_BITS
        for one in modes
        if one.before and one.after
    ):
        return None
    return Trap(
        "umask",
        f"only the write bits of group and others differ ({modes[0]}): checkouts under another"
        " umask (CI has 022, many desktops 002); permission bits are in the key, even with COPY"
        " --chmod. Set one umask before git checkout",
    )


def _dockerfile(matching: Matching, cause: Cause) -> Trap | None:
    own = {matching.after.dockerfile_path, matching.after.ignore_path}
    hit = next((one.path for one in cause.paths if one.path in own), None)
    if hit is None:
        return None
    return Trap(
        "dockerfile-in-copy",
        f"{hit} is itself part of what is copied, so that every edit of it, even of a comment, is a"
        " miss: put `Dockerfile*` and `.dockerignore` into .dockerignore",
    )


def _git(_: Matching, cause: Cause) -> Trap | None:
    if not any(one.path == ".git" or one.path.startswith(".git/") for one in cause.paths):
        return None
    return Trap(
        "git-in-copy",
        ".git is copied, and every commit, fetch or checkout changes it: put `.git` into"
        " .dockerignore",
    )


def _generated(_: Matching, cause: Cause) -> Trap | None:
    made = next((one.path for one in cause.paths if _GENERATED.search(one.path)), None)
    if made is None:
        return None
    return Trap("generated-file", f"{made} is made by tools, not by you: put it into .dockerignore")


def _wildcard(_: Matching, cause: Cause) -> Trap | None:
    patterns = [
        source
        for one in cause.origin.inputs
        if one.selection
        for source in one.selection.sources
        if has_wildcards(source)
    ]
    new = next((one.path for one in cause.paths if one.what in ("added", "removed")), None)
    if not patterns or new is None:
        return None
    return Trap(
        "wildcard",
        f"{patterns[0]} matches another list of names now ({new}): the names are in the key, too",
    )


def _env_order(_: Matching, cause: Cause) -> Trap | None:
    if cause.component != "environment":
        return None
    return Trap(
        "env-order",
        "the same variables in another order are another key: keep the order of ENV and ARG lines",
    )


def _unused_variable(_: Matching, cause: Cause) -> Trap | None:
    name = cause.component
    operation = dict(cause.origin.operation)
    if "environment" not in operation or name not in dict(_pairs(operation["environment"])):
        return None
    if name in str(operation["command"]):
        return None
    return Trap(
        "unused-variable",
        f"the command does not mention {name}, but every variable set above a RUN is in its key:"
        " set it further below",
    )


def _inherited_argument(matching: Matching, cause: Cause) -> Trap | None:
    if not cause.origin.steps or not cause.component:
        return None
    stages = matching.after.dockerfile.bind(matching.after.build_args)
    stage = stages[cause.origin.steps[0].stage_index]
    if cause.component in _arguments_of(stage.instructions):
        return None
    above = next(
        (one for one in stage.chain[:-1] if cause.component in _arguments_of(one.instructions)),
        None,
    )
    if above is None:
        return None
    return Trap(
        "inherited-arg",
        f"ARG {cause.component} stands in stage {above}, and FROM {above} takes it over: it is in"
        " every key here, too",
    )


def _arguments_of(instructions: object) -> set[str]:
    assert isinstance(instructions, tuple)
    return {
        pair.key for one in instructions if isinstance(one.typed, Arg) for pair in one.typed.pairs
    }


def _indentation(matching: Matching, cause: Cause) -> Trap | None:
    if cause.component != "command" or not cause.origin.steps:
        return None
    after = str(dict(cause.origin.operation)["command"])
    for record in matching.before.graph.vertices:
        if record.kind == "run":
            before = str(dict(record.operation)["command"])
            if before != after and before.split() == after.split():
                return Trap(
                    "indentation",
                    "only blanks differ: the indentation of continued lines is part of the command",
                )
    return None


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    return iter(value) if isinstance(value, tuple) else iter(())


def _stale(matching: Matching, vertex: Vertex) -> Trap | None:
    """Bytes changed, but size and time did not: BuildKit's client does not send the file again."""
    for difference in matching.delta.values():
        if _same_stamp(difference) and _reads(matching, vertex, difference):
            return Trap(
                "stale-time",
                f"{difference.path} has new bytes, but its size and time are the old ones:"
                " BuildKit's transfer compares only these and may go on with the old bytes (a hit"
                " that should be none); touch the file",
            )
    return None


def _same_stamp(one: PathDifference) -> bool:
    old, new = (side.content if side else None for side in (one.before, one.after))
    return (
        one.what == "bytes"
        and isinstance(old, DiskContent)
        and isinstance(new, DiskContent)
        and (old.size, old.mtime_ns) == (new.size, new.mtime_ns)
    )


def _reads(matching: Matching, vertex: Vertex, difference: PathDifference) -> bool:

    return any(
        one.vertex is None
        and one.selection is not None
        and read_by(one.selection, matching.after.tree, difference.path)
        for one in vertex.inputs
    )


_CHECKS: tuple[Callable[[Matching, Cause], Trap | None], ...] = (
    _umask,
    _dockerfile,
    _git,
    _generated,
    _wildcard,
    _env_order,
    _unused_variable,
    _inherited_argument,
    _indentation,
)
