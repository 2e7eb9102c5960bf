"""The language run time is of the same version: read from the interpreter's own files, not from
names of images."""

from __future__ import annotations

from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.runtimes import used_runtimes, version_of
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, judged
from imgopt.proof.example import File, Mutation

NAME = "run-time version"


def check_runtime_versions(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    *,
    opened: frozenset[str] | None = None,
) -> Outcome:
    """Run times that the original executes (or, where that is not known, that its start names)."""
    items: list[Item] = []
    allowed: list[str] = []
    seen: list[str] = []
    for runtime, before in used_runtimes(original, opened):
        after = version_of(candidate, runtime)
        seen.append(f"{runtime.name} {before}")
        if after == before:
            continue
        reason = allowances.configuration.get(f"runtime:{runtime.name}")
        if reason is None and runtime.interface(before) == runtime.interface(after or ""):
            reason = "a patch level of the same version"
        message = f"{runtime.name} is {after or 'missing'} instead of {before}"
        if reason:
            allowed.append(f"{message}: {reason}")
        else:
            items.append(Item("package", runtime.name, message=message))
    return judged(NAME, ", ".join(seen) or "no interpreter is used", items, allowed)


CHECK = Check(
    NAME,
    "versions of the run times that the original executes, read from the interpreters' own files",
    lambda given: check_runtime_versions(
        given.original, given.candidate, given.allowances, opened=given.files
    ),
    (
        Mutation(
            "an older run time",
            "node is 18.0.0 instead of 20.1.0",
            base={"usr/bin/node": File(b"\0node.js/v18.0.0\0", 0o755)},
        ),
    ),
)
