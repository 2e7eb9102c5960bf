"""Tables that a run looks up, and that a new base lacks: installed or copied with the stage that is
carved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from imgopt.context.ecosystems import Ecosystem
from imgopt.image.tree import Tree
from imgopt.inspect.sources.program_calls import (
    called_by_packages,
    called_by_settings,
    called_by_sources,
)
from imgopt.inspect.sources.run_time_needs import (
    Needed,
    compilers,
    extension_libraries,
    script_modules,
)
from imgopt.inspect.system.looked_up import LookedUp, lacking, looked_up
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.final_stage import Copy


@dataclass(frozen=True)
class TableNeeds:
    """`wanted`: system packages -> why; `copied`: files and folders -> why."""

    wanted: dict[str, str] = field(default_factory=dict)
    copied: dict[str, str] = field(default_factory=dict)


def tables_of(evidence: Evidence, ecosystems: Iterable[Ecosystem]) -> tuple[LookedUp, ...]:
    """What the service may look up, by the facts of the ecosystems."""
    tables = [table for ecosystem in ecosystems for table in ecosystem.looked_up]
    seen = evidence.seen
    return evidence.once(
        "tables", lambda: looked_up(evidence.view, tables, seen.executed, seen.opened or ())
    )


def asked_at_run_time(evidence: Evidence, ecosystems: Iterable[Ecosystem]) -> tuple[Needed, ...]:
    """Programs, libraries and modules that sources and settings name: a run that was not asked
    started and loaded none of them."""
    return evidence.once("asked at run time", lambda: tuple(_asked(evidence, ecosystems)))


def _asked(evidence: Evidence, ecosystems: Iterable[Ecosystem]) -> Iterator[Needed]:
    view, ecosystems = evidence.view, tuple(ecosystems)
    yield from compilers(view, (fact for one in ecosystems for fact in one.compiled_at_run_time))
    yield from extension_libraries(view)
    yield from script_modules(view, (fact for one in ecosystems for fact in one.modules))
    calls = (*called_by_sources(view), *called_by_settings(view), *called_by_packages(view))
    for word, by in calls:
        node = view.command(word)
        if node is not None and evidence.owner(node.path) is not None:
            yield Needed(node.path, by)


def table_needs(
    evidence: Evidence,
    tables: Iterable[LookedUp],
    new_base: Tree | None,
    kept: frozenset[str],
    *,
    packages: bool,
) -> TableNeeds:
    """What the new base lacks of them and is not `kept` anyway. Single files are copied; folders
    come with their package where the base can install it."""
    needs = TableNeeds()
    for table in tables:
        missing = [
            path
            for path in (lacking(evidence.view, table, new_base) if new_base is not None else ())
            if path not in kept
        ]
        if not missing:
            continue
        owners = {evidence.owner(path) for path in missing}
        why = f"{table.reason}, which {table.by} may look up"
        single = evidence.view.is_file(table.path)
        if packages and not single and None not in owners:
            needs.wanted.update({owner: why for owner in owners if owner})
        else:
            needs.copied[table.path] = why
    return needs


def table_copies(paths: Iterable[str], evidence: Evidence, stage: str = "") -> tuple[Copy, ...]:
    """The files of one folder by one COPY, each folder by one of its own."""
    by_folder: dict[str, list[str]] = {}
    copies = []
    for path in sorted(paths):
        if evidence.view.is_file(path):
            by_folder.setdefault(path.rpartition("/")[0], []).append(path)
        else:
            copies.append(Copy((path,), path, stage=stage))
    files = (
        Copy(tuple(found), f"{folder}/" if len(found) > 1 else found[0], stage=stage)
        for folder, found in by_folder.items()
    )
    return (*files, *copies)
