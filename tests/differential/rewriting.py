"""Rewrites a case by the text strategies, as `imgopt ci lint --fix` and `rewrite` do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from differential.case import Case
from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.files import list_files
from imgopt.dockerfile import IgnoreFile
from imgopt.rewrite.plan import make_plan
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.registry import all_strategies

TEXT = tuple(strategy for strategy in all_strategies() if strategy.safety == "text")
NAMES = tuple(strategy.name for strategy in TEXT)


@dataclass(frozen=True, slots=True)
class Rewrite:
    text: str
    ignore: str | None
    changed: tuple[str, ...] = ()
    """Names of the strategies that changed something."""


def rewrite(case: Case, folder: Path) -> Rewrite:
    """`folder`: the context, where the case was written."""
    ignored = IgnoreFile.parse(case.ignore) if case.ignore is not None else None
    sizes = {name: entry.size for name, entry in list_files(folder, ignored).files()}
    files = ContextFiles(folder, sizes, case.ignore)
    chosen = [strategy for strategy in TEXT if strategy.name not in case.off]
    plan = make_plan(case.dockerfile, Project(files, builtin_ecosystems()), chosen)
    return Rewrite(plan.dockerfile, plan.ignore, plan.strategies)


def twice(case: Case, folder: Path, once: Rewrite) -> Rewrite:
    """The rewrite of what was rewritten; the context with it."""
    again = replace(case, dockerfile=once.text, ignore=once.ignore)
    again.write(folder)
    try:
        return rewrite(again, folder)
    finally:
        (folder / ".dockerignore").unlink(missing_ok=True)
        case.write(folder)
