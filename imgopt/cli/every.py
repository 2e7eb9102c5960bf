"""`imgopt optimize --all`: every build of a Compose or Bake file, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgopt.cli.options import BuildOptions
from imgopt.cli.streams import tell
from imgopt.errors import FindingsError, InputError

if TYPE_CHECKING:
    from imgopt.results.optimize import OptimizeResult
    from imgopt.results.stack import StackResult

One = Callable[[BuildOptions, Path | None], "OptimizeResult"]


def optimize_every(
    context: Path, build: BuildOptions, out: Path | None, optimize: One
) -> StackResult:
    """Each as if it were named alone; below `out` each has a folder of its name. What is wrong with
    one is its own failure. Raises InputError where nothing says what is built."""
    from imgopt.compose.finding import find_all
    from imgopt.results.stack import Part, StackResult

    if build.service or build.bake_target or build.file:
        raise InputError(
            "--all takes every build", hint="leave out --service, --bake-target and -f"
        )
    found = find_all(context.resolve())
    parts = []
    for number, one in enumerate(found, 1):
        tell(f"{one.name}, {number} of {len(found)}")
        target = one.project is None
        own = replace(
            build,
            service=None if target else one.name,
            bake_target=one.name if target else None,
        )
        try:
            result = optimize(own, out / one.name if out is not None else None)
            parts.append(Part(name=one.name, result=result))
            if result.interrupted:
                break
        except (FindingsError, InputError) as failure:
            tell(f"{one.name}: {failure}")
            parts.append(Part(name=one.name, failure=str(failure)))
    return StackResult(project=context.resolve().name, file=found[0].file.name, parts=parts)
