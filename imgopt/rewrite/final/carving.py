"""Writes the final stage: takes the original apart by evidence and puts together what a run needs
on a new base."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.image.image import Image
from imgopt.image.tree import Tree
from imgopt.inspect.files.application_files import made_by_author
from imgopt.inspect.files.tool_state import named_folders, temporary_folder
from imgopt.inspect.sources.python_imports import imported_modules
from imgopt.inspect.start.started import started_folders
from imgopt.inspect.system.libraries import may_be_linked
from imgopt.rewrite.effects import LinkedStatically, from_stages, of_kind
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
from imgopt.rewrite.final.left_out import gone_paths
from imgopt.rewrite.final.named_packages import asked_packages
from imgopt.rewrite.final.recommended import recommended_data
from imgopt.rewrite.final.runtime import RuntimeNeeds, is_shared_library, runtime_needs
from imgopt.rewrite.final.smaller_runtime import SmallerRuntime
from imgopt.rewrite.final.sonames import named_once
from imgopt.rewrite.final.tables import TableNeeds, asked_at_run_time, table_needs, tables_of
from imgopt.rewrite.gather import system_packages
from imgopt.rewrite.start.start_words import explained_in
from imgopt.rewrite.strategy import Project, Situation


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
    start = start_program(evidence)
    interpreter = find_interpreter(evidence, project.ecosystems)
    compiled = interpreter is None or interpreter.runtime.runs_compiled
    new_tree = (
        base.tree()
        if base is not None
        else evidence.view.base.tree()
        if evidence.view.base
        else None
    )
    explained = explained_in(situation)
    traced = evidence.seen.opened is not None
    tables = tables_of(evidence, project.ecosystems)
    accounts = accounts_of(evidence, new_tree, packages=packages)
    rules = CarveRules(
        drops=drop_rules(
            project.ecosystems,
            evidence.homes,
            compiled=compiled,
            traced=traced,
            started=started_folders(evidence.view),
            named=named_folders(evidence.config),
            temporary=temporary_folder(evidence.config),
        ),
        opened=frozenset(path for path in evidence.opened if not explained(path)),
        owner=evidence.owner,
        reinstalled=frozenset(),
        package_layers=evidence.package_layers,
        generated=tuple(system.generated)
        if (system := evidence.system(project.ecosystems)) is not None
        else (),
        must_keep=frozenset(project.repairs.paths),
        looked_up=frozenset(table.path for table in tables),
        made=made_by_author(evidence.view),
        keeps_users=bool(accounts.files),
        gone=gone_paths(situation),
        only_here=project.repairs.only_here,
    )
    first = carve(evidence.delta, rules)
    kept = frozenset(first.paths("kept"))
    trees = (
        runtime.paths
        if runtime is not None
        else interpreter_files(evidence, interpreter, project.repairs.paths)
        if interpreter and not packages and base is not None
        else frozenset()
    )
    everything = kept | trees
    started = evidence.real(start_programs(evidence))
    looked_up = table_needs(evidence, tables, new_tree, everything, packages=packages)
    needs = runtime_needs(
        evidence.view,
        [*_roots(situation, everything, start), *_loaded_by_tables(evidence, looked_up)],
        new_tree,
        everything,
        lambda path: packages or path in started,
        static=_is_static(situation),
    )
    wanted, libraries, missing = _sort_needs(
        situation, needs, new_tree, looked_up.wanted, packages=packages
    )
    brought = evidence.packages.with_dependencies(wanted)
    copied = {p: why for p, why in looked_up.copied.items() if evidence.owner(p) not in brought}
    tools = removable_tools(situation).paths
    spare = {*tools, *(path for path in libraries if is_below(path, copied))}
    libraries = named_once(
        evidence.view, {path: why for path, why in libraries.items() if path not in spare}
    )
    carved = carve(evidence.delta, replace(rules, reinstalled=frozenset(wanted)))
    gone = rules.gone.keys() | tools | orphan_bytecode(carved)
    stages = from_stages(situation.effects)
    present = {
        p: fact for p, fact in evidence.facts.items() if p not in gone or is_below(p, stages)
    }
    wanted_paths = (
        frozenset(carved.paths("kept")) | (trees if runtime is None else frozenset())
    ) - gone
    wanted_paths -= USER_DATABASE
    installed = frozenset(name for ecosystem in project.ecosystems for name in ecosystem.installed)
    free = _free_folders(new_tree)
    beside = _beside_interpreter(evidence, interpreter, free) if trees else frozenset()
    plan = plan_copies(
        present,
        wanted_paths,
        _harmless(evidence, new_tree, beside),
        installed,
        stages,
        free,
    )
    carved = carved.with_kept(plan.left_in, "too small to take its folder apart")
    foreign = (
        (Copy((runtime.tree,), runtime.tree, stage=runtime.image),) if runtime is not None else ()
    )
    return Carving(
        carved,
        plan,
        wanted,
        libraries,
        missing,
        needs,
        compiled,
        interpreter,
        foreign,
        copied,
        accounts,
    )


def _loaded_by_tables(evidence: Evidence, looked_up: TableNeeds) -> Iterable[tuple[str, str]]:
    """Modules among the tables that are copied: each needs its libraries."""
    for path, fact in sorted(evidence.facts.items()):
        if fact.kind == "file" and is_shared_library(path) and is_below(path, looked_up.copied):
            yield path, looked_up.copied.get(path, "a table that may be looked up")


_LOCAL = ("/usr/local/bin", "/usr/local/sbin", "/usr/local/lib")


def _free_folders(new_base: Tree | None) -> frozenset[str]:
    """Folders for what no distribution brings, where this base has nothing in them."""
    if new_base is None:
        return frozenset()
    return frozenset(path for path in _LOCAL if not any(True for _ in new_base.files(path)))


def _is_static(situation: Situation) -> bool:
    return bool(of_kind(situation.effects, LinkedStatically))


def _roots(
    situation: Situation, kept: frozenset[str], start: str | None
) -> Iterable[tuple[str, str]]:
    """Where the search for needs begins: everything that may be executed, and everything that was
    opened."""
    evidence = situation.evidence
    assert evidence is not None
    words = situation.final.start_words if situation.final is not None else ()
    explained, static = explained_in(situation), _is_static(situation)
    for path in sorted(kept):
        fact = evidence.facts.get(path)
        if fact is not None and fact.kind == "file" and may_be_linked(path, fact.mode):
            yield path, ""
    for path in (
        start_programs_of(evidence, words) if words else (start,) if start is not None else ()
    ):
        yield path, "the start command"
    for path in situation.project.repairs.paths:
        yield path, situation.project.repairs.why(path)
    for needed in asked_at_run_time(evidence, situation.project.ecosystems):
        yield needed.path, needed.by
    for path in sorted(evidence.opened):
        fact = evidence.facts.get(path)
        if fact is None or fact.kind != "file" or _is_volatile(path):
            continue
        if explained(path) or (static and is_shared_library(path)):
            continue
        if fact.layer < evidence.base_layers or path in kept or evidence.owner(path) is not None:
            yield path, "opened in the smoke run"


VOLATILE = (
    "/proc/",
    "/sys/",
    "/dev/",
    "/run/",
    "/tmp/",
    "/var/run/",
    "/var/tmp/",
    "/var/cache/",
    "/var/lib/dpkg/",
)
OF_THE_ENGINE = frozenset(
    ["/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/ld.so.cache", "/etc/mtab"]
)


def _is_volatile(path: str) -> bool:
    return path.startswith(VOLATILE) or path in OF_THE_ENGINE


def _sort_needs(
    situation: Situation,
    needs: RuntimeNeeds,
    new_tree: Tree | None,
    looked_up: Mapping[str, str],
    *,
    packages: bool,
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Splits what the system must give into packages to install, files to copy, and what nobody can
    give; `looked_up` are packages that are wanted anyway."""
    project, evidence = situation.project, situation.evidence
    assert evidence is not None
    wanted: dict[str, str] = {name: project.repairs.why(name) for name in project.repairs.packages}
    wanted |= looked_up
    libraries: dict[str, str] = {}
    missing: dict[str, str] = {}
    settings: dict[str, str] = {}
    for path, asked_by in needs.files.items():
        owner = evidence.owner(path)
        if not packages:
            (libraries if not _is_data(path) or owner else missing)[path] = asked_by
        elif owner is not None and not _is_setting(path, evidence):
            wanted.setdefault(owner, asked_by)
        elif owner is not None:
            settings[path] = asked_by
        elif (
            path.startswith("/etc/ssl/certs/") and "ca-certificates" in evidence.packages.installed
        ):
            wanted.setdefault("ca-certificates", asked_by)
        else:
            missing[path] = asked_by
    if packages:
        installed = _installed_in(new_tree)
        for name in asked_packages(project, evidence, situation.dockerfile):
            if name not in installed:
                wanted.setdefault(name, "the Dockerfile installs it by name")
        wanted |= _data(project, evidence, wanted, installed)
        wanted = evidence.packages.without_dependencies(wanted)
        brought = evidence.packages.with_dependencies(wanted)
        libraries |= {
            path: why for path, why in settings.items() if evidence.owner(path) not in brought
        }
    return wanted, libraries, missing


def _data(
    project: Project, evidence: Evidence, wanted: dict[str, str], installed: frozenset[str]
) -> dict[str, str]:
    """Packages of data that those wanted recommend, and that the new base has not."""
    system = evidence.system(project.ecosystems)
    globs = system.data if system is not None else []
    found = recommended_data(evidence.view, wanted, evidence.packages.installed, globs)
    return {
        name: why for name, why in found.items() if name not in installed and name not in wanted
    }


def _is_setting(path: str, evidence: Evidence) -> bool:
    """A file of settings: where it is all that is needed of its package, it is copied, and nothing
    is installed."""
    fact = evidence.facts.get(path)
    return (
        path.startswith("/etc/")
        and fact is not None
        and fact.kind == "file"
        and not fact.mode & 0o111
    )


def _is_data(path: str) -> bool:
    return path.startswith("/etc/")


def _installed_in(tree: Tree | None) -> frozenset[str]:
    return frozenset(system_packages(tree).installed) if tree is not None else frozenset()


def _beside_interpreter(
    evidence: Evidence, interpreter: Ecosystem | None, folders: frozenset[str]
) -> frozenset[str]:
    """What the original's base has beside its interpreter, but for the parts that are left out on
    purpose: little, which lets a folder be named instead of its files."""
    left_out = interpreter.runtime.unneeded if interpreter is not None else ()
    spare = {path for glob in left_out for path in _below(evidence, glob)}
    return frozenset(
        path
        for path, fact in evidence.facts.items()
        if fact.layer < evidence.base_layers and path not in spare and is_below(path, folders)
    )


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


def start_program(evidence: Evidence) -> str | None:
    """The real path of the first program that the image starts."""
    words = [*(evidence.config.entrypoint or ()), *(evidence.config.cmd or ())]
    node = evidence.view.command(words[0]) if words else None
    return node.path if node is not None else None


def start_programs(evidence: Evidence, words: Iterable[str] | None = None) -> tuple[str, ...]:
    """Real paths of every program that the start names or that the smoke run executed."""
    if words is None:
        words = [*(evidence.config.entrypoint or ()), *(evidence.config.cmd or ())]
    return tuple(
        dict.fromkeys([*start_programs_of(evidence, words), *sorted(evidence.seen.executed)])
    )


def start_programs_of(evidence: Evidence, words: Iterable[str]) -> tuple[str, ...]:
    """Real paths of the programs that these words name."""
    nodes = [evidence.view.command(word) for word in words if word and not word.startswith("-")]
    return tuple(node.path for node in nodes if node is not None)


def find_interpreter(evidence: Evidence, ecosystems: Iterable[Ecosystem]) -> Ecosystem | None:
    """The language whose interpreter runs the service: started directly, by a script's first line,
    or seen to run."""
    names = set()
    for path in start_programs(evidence):
        names.add(posixpath.basename(path))
        node = evidence.view.file(path)
        words = evidence.view.shebang(node) if node is not None else ()
        names |= {posixpath.basename(part) for word in words for part in word.split()}
    for ecosystem in ecosystems:
        if any(fnmatchcase(name, glob) for name in names for glob in ecosystem.runtime.programs):
            return ecosystem
    return None


def interpreter_files(
    evidence: Evidence, ecosystem: Ecosystem, asked: Iterable[str] = ()
) -> frozenset[str]:
    """Every path of the interpreter's own trees, but for the parts that only a build or a developer
    uses; `asked` are paths that an earlier build failed without."""
    runtime = ecosystem.runtime
    found = {path for glob in runtime.trees for path in _below(evidence, glob)}
    named = imported_modules(evidence.view)
    unneeded = {
        path
        for glob in runtime.unneeded
        if not any(_is_module(glob, name) for name in named)
        for path in _below(evidence, glob)
    }
    return frozenset(
        p for p in found if p not in unneeded or p in evidence.opened or is_below(p, asked)
    )


_WITH = {"venv": "ensurepip", "turtle": "tkinter"}
"""Modules that others of the library start."""


def _is_module(glob: str, name: str) -> bool:
    """Whether a part of the library is a module that a source imports, or what that one loads."""
    last = posixpath.basename(glob).partition(".")[0].rstrip("*").lstrip("_")
    return last in (name, _WITH.get(name, name))


def _below(evidence: Evidence, glob: str) -> Iterable[str]:
    """The paths that match, and all that lies below them."""
    depth = glob.count("/") + 1
    return (path for path in evidence.facts if fnmatchcase("/".join(path.split("/")[:depth]), glob))


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
