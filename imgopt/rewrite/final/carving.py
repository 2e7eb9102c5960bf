"""Writes the final stage: takes the original apart by evidence and puts together what a run needs
on a new base."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from imgopt.context.ecosystems import Ecosystem
from imgopt.image.image import Image
from imgopt.image.tree import Tree
from imgopt.inspect.files.application_files import made_by_author
from imgopt.inspect.files.tool_state import named_folders, temporary_folder
from imgopt.inspect.start.started import started_folders
from imgopt.inspect.system.looked_up import LookedUp
from imgopt.rewrite.effects import from_stages
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.accounts import Accounts, accounts_of
from imgopt.rewrite.final.build_tools import removable_tools
from imgopt.rewrite.final.copies import CopyPlan, plan_copies
from imgopt.rewrite.final.fates import (
    USER_DATABASE,
    Carved,
    CarveRules,
    carve,
    drop_rules,
    is_below,
    orphan_bytecode,
)
from imgopt.rewrite.final.final_stage import Copy
from imgopt.rewrite.final.interpreter import (
    beside_interpreter,
    find_interpreter,
    interpreter_files,
    start_programs,
)
from imgopt.rewrite.final.left_out import gone_paths
from imgopt.rewrite.final.runtime import RuntimeNeeds, runtime_needs
from imgopt.rewrite.final.smaller_runtime import SmallerRuntime
from imgopt.rewrite.final.sonames import named_once
from imgopt.rewrite.final.system_needs import (
    givers_of,
    is_static,
    loaded_by_tables,
    need_roots,
    starters_of_programs,
)
from imgopt.rewrite.final.tables import TableNeeds, table_needs, tables_of
from imgopt.rewrite.start.start_words import explained_in
from imgopt.rewrite.strategy import Situation


@dataclass(frozen=True)
class Carving:
    """What a final stage on one base would hold."""

    carved: Carved
    plan: CopyPlan
    packages: dict[str, str]
    """System packages to install -> the path, or the author's wish, that asks for each."""
    libraries: dict[str, str]
    """Files of the system to copy (where the base has no package manager) -> who asks."""
    missing: dict[str, str]
    """System files that are needed and belong to no package: why this base does not fit."""
    needs: RuntimeNeeds
    compiled: bool
    interpreter: Ecosystem | None
    foreign: tuple[Copy, ...] = ()
    """What comes from another image than the builder."""
    tables: dict[str, str] = field(default_factory=dict)
    """Files and folders of the system that a run may look up -> who does."""
    accounts: Accounts = field(default_factory=Accounts)


def carve_on(
    situation: Situation,
    base: Image | None,
    *,
    packages: bool,
    runtime: SmallerRuntime | None = None,
) -> Carving:
    """Takes the original apart for a base (None: its own). `packages`: whether it can install
    system packages; `runtime`: where the interpreter comes from, if not from the original."""
    project, evidence = situation.project, situation.evidence
    assert evidence is not None
    interpreter = find_interpreter(evidence, project.ecosystems)
    compiled = interpreter is None or interpreter.runtime.runs_compiled
    own_base = evidence.view.base
    new_tree = base.tree() if base is not None else own_base.tree() if own_base else None
    tables = tables_of(evidence, project.ecosystems)
    accounts = accounts_of(evidence, new_tree, packages=packages)
    rules = _rules(situation, tables, compiled=compiled, keeps_users=bool(accounts.files))
    trees = frozenset[str]()
    if runtime is not None:
        trees = runtime.paths
    elif interpreter is not None and not packages and base is not None:
        trees = interpreter_files(evidence, interpreter, project.repairs.paths)
    everything = frozenset(carve(evidence.delta, rules).paths("kept")) | trees
    looked_up = table_needs(evidence, tables, new_tree, everything, packages=packages)
    needs = _needs(situation, everything, new_tree, looked_up, packages=packages)
    given = givers_of(situation, needs, new_tree, looked_up.wanted, packages=packages)
    brought = evidence.packages.with_dependencies(given.packages)
    copied = {p: why for p, why in looked_up.copied.items() if evidence.owner(p) not in brought}
    if not packages:
        copied |= starters_of_programs(situation, everything, new_tree)
    tools = removable_tools(situation).paths
    libraries = {
        path: why
        for path, why in given.files.items()
        if path not in tools and not is_below(path, copied)
    }
    carved = carve(evidence.delta, replace(rules, reinstalled=frozenset(given.packages)))
    shipped = frozenset(carved.paths("kept")) | (trees if runtime is None else frozenset())
    plan = _copies(
        situation,
        shipped,
        frozenset(rules.gone) | tools | orphan_bytecode(carved),
        new_tree,
        interpreter if trees else None,
        compiled=compiled,
    )
    return Carving(
        carved.with_kept(plan.left_in, "too small to take its folder apart"),
        plan,
        given.packages,
        named_once(evidence.view, libraries),
        given.missing,
        needs,
        compiled,
        interpreter,
        (Copy((runtime.tree,), runtime.tree, stage=runtime.image),) if runtime is not None else (),
        copied,
        accounts,
    )


def _rules(
    situation: Situation, tables: Iterable[LookedUp], *, compiled: bool, keeps_users: bool
) -> CarveRules:
    """What decides over each path of the original."""
    project, evidence = situation.project, situation.evidence
    assert evidence is not None
    explained = explained_in(situation)
    system = evidence.system(project.ecosystems)
    return CarveRules(
        drops=drop_rules(
            project.ecosystems,
            evidence.homes,
            compiled=compiled,
            traced=evidence.seen.opened is not None,
            started=started_folders(evidence.view),
            named=named_folders(evidence.config),
            temporary=temporary_folder(evidence.config),
        ),
        opened=frozenset(path for path in evidence.opened if not explained(path)),
        owner=evidence.owner,
        reinstalled=frozenset(),
        package_layers=evidence.package_layers,
        generated=tuple(system.generated) if system is not None else (),
        must_keep=frozenset(project.repairs.paths),
        looked_up=frozenset(table.path for table in tables),
        made=made_by_author(evidence.view),
        keeps_users=keeps_users,
        gone=gone_paths(situation),
        only_here=project.repairs.only_here,
    )


def _needs(
    situation: Situation,
    kept: frozenset[str],
    new_tree: Tree | None,
    looked_up: TableNeeds,
    *,
    packages: bool,
) -> RuntimeNeeds:
    """What is kept and looked up asks of the system, and the new base has not."""
    evidence = situation.evidence
    assert evidence is not None
    started = evidence.real(start_programs(evidence))
    return runtime_needs(
        evidence.view,
        [*need_roots(situation, kept), *loaded_by_tables(evidence, looked_up)],
        new_tree,
        kept,
        lambda path: packages or path in started,
        static=is_static(situation),
    )


def _copies(
    situation: Situation,
    shipped: frozenset[str],
    gone: frozenset[str],
    new_tree: Tree | None,
    interpreter: Ecosystem | None,
    *,
    compiled: bool,
) -> CopyPlan:
    """The COPY lines for what is shipped; `gone`: what the builder has no more; `interpreter`: its
    files are among them; `compiled`: sources are not what runs."""
    project, evidence = situation.project, situation.evidence
    assert evidence is not None
    stages = from_stages(situation.effects)
    present = {
        path: fact
        for path, fact in evidence.facts.items()
        if path not in gone or is_below(path, stages)
    }
    free = _free_folders(new_tree)
    beside = beside_interpreter(evidence, interpreter, free)
    return plan_copies(
        present,
        shipped - gone - USER_DATABASE,
        _harmless(evidence, new_tree, beside),
        frozenset(name for ecosystem in project.ecosystems for name in ecosystem.installed),
        stages,
        free,
        dict.fromkeys(started_folders(evidence.view), compiled),
    )


_LOCAL = ("/usr/local/bin", "/usr/local/sbin", "/usr/local/lib")


def _free_folders(new_base: Tree | None) -> frozenset[str]:
    """Folders for what no distribution brings, where this base has nothing in them."""
    if new_base is None:
        return frozenset()
    return frozenset(path for path in _LOCAL if not any(True for _ in new_base.files(path)))


def _harmless(
    evidence: Evidence, new_tree: Tree | None, beside: frozenset[str]
) -> Callable[[str], bool]:
    """Whether the new base has the same file at the same path (by size and digest), or it lies
    `beside` the interpreter."""

    def same(path: str) -> bool:
        if path in beside:
            return True
        theirs = new_tree.get(path) if new_tree is not None else None
        ours = evidence.tree.get(path)
        if theirs is None or ours is None or theirs.kind != ours.kind:
            return False
        if ours.kind == "symlink":
            return theirs.linkname == ours.linkname
        return theirs.size == ours.size and (ours.inode is None or ours.digest == theirs.digest)

    return same


def library_copies(libraries: Iterable[str]) -> tuple[Copy, ...]:
    """One COPY per folder; a link is copied as the file that it leads to, under the name that is
    asked for."""
    folders: dict[str, list[str]] = {}
    for path in sorted(libraries):
        folders.setdefault(posixpath.dirname(path), []).append(path)
    return tuple(
        Copy(tuple(paths), folder.rstrip("/") + "/" if len(paths) > 1 else paths[0])
        for folder, paths in folders.items()
    )
