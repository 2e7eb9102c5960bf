"""One strategy by itself over a Dockerfile and the files of its context."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.draft import Draft, new_draft, run_strategy
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.registry import all_strategies

STRATEGIES = {strategy.name: strategy for strategy in all_strategies()}


def run(name: str, text: str, folder: Path, files: Mapping[str, str] | None = None) -> Draft:
    """One strategy over a Dockerfile, until it has nothing left to change."""
    for path, content in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    context = ContextFiles(folder, {path: len(content) for path, content in (files or {}).items()})
    project = Project(context, builtin_ecosystems(), allow=frozenset([name]))
    draft = run_strategy(new_draft(text), STRATEGIES[name], project)
    for _ in range(4):
        again = run_strategy(new_draft(draft.text), STRATEGIES[name], project)
        if again.text == draft.text:
            break
        draft = again
    return draft
