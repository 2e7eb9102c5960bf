"""What the kept files need of the system, from where that is followed, and who gives it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imgopt.image.tree import Tree
from imgopt.inspect.system.libraries import may_be_linked
from imgopt.rewrite.effects import LinkedStatically, of_kind
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import USER_DATABASE, is_below
from imgopt.rewrite.final.interpreter import start_program, start_programs_of
from imgopt.rewrite.final.named_packages import asked_packages
from imgopt.rewrite.final.recommended import recommended_data
from imgopt.rewrite.final.runtime import RuntimeNeeds, has_path, is_shared_library
from imgopt.rewrite.final.tables import TableNeeds, asked_at_run_time
from imgopt.rewrite.gather import system_packages
from imgopt.rewrite.start.start_words import explained_in
from imgopt.rewrite.strategy import Project, Situation


def loaded_by_tables(evidence: Evidence, looked_up: TableNeeds) -> Iterable[tuple[str, str]]:
    """Modules among the tables that are copied: each needs its libraries."""
    for path, fact in sorted(evidence.facts.items()):
        if fact.kind == "file" and is_shared_library(path) and is_below(path, looked_up.copied):
            yield path, looked_up.copied.get(path, "a table that may be looked up")


def is_static(situation: Situation) -> bool:
    return bool(of_kind(situation.effects, LinkedStatically))


def need_roots(situation: Situation, kept: frozenset[str]) -> Iterable[tuple[str, str]]:
    """Where the search for needs begins: everything that may be executed, and everything that was
    opened."""
    evidence = situation.evidence
    assert evidence is not None
    words = situation.final.start_words if situation.final is not None else ()
    explained, static = explained_in(situation), is_static(situation)
    for path in sorted(kept):
        fact = evidence.facts.get(path)
        if fact is not None and fact.kind == "file" and may_be_linked(path, fact.mode):
            yield path, ""
    first = start_program(evidence)
    started = start_programs_of(evidence, words) if words else (first,) if first else ()
    for path in started:
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


def starters_of_programs(
    situation: Situation, kept: Iterable[str], new_tree: Tree | None
) -> dict[str, str]:
    """What starts the programs of installed packages (`#!/usr/bin/env` and the interpreter that the
    service runs on), where the new base lacks it -> why: the service may call one of them, today or
    with the next package."""
    evidence = situation.evidence
    assert evidence is not None
    kinds = [one.json_manifest for one in situation.project.ecosystems]
    folders = [f"/{kind.packages}/{kind.programs}/" for kind in kinds if kind and kind.programs]
    words = situation.final.start_words if situation.final is not None else ()
    first = start_program(evidence)
    started = start_programs_of(evidence, words) if words else (first,) if first else ()
    running = evidence.real(started)
    for path in sorted(kept):
        node = evidence.view.file(path) if any(one in path for one in folders) else None
        shebang = evidence.view.shebang(node) if node is not None else ()
        program = evidence.view.command(shebang[1].split()[0]) if len(shebang) > 1 else None
        if program is not None and program.path in running:
            there = new_tree is not None and has_path(new_tree, shebang[0])
            return {} if there else {shebang[0]: f"{posixpath.basename(path)} begins with it"}
    return {}


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


@dataclass(frozen=True)
class Givers:
    """Who gives what the system must give, each with who asks for it."""

    packages: dict[str, str]
    """System packages to install."""
    files: dict[str, str]
    """Files of the system to copy."""
    missing: dict[str, str]
    """Files that belong to no package."""


def givers_of(
    situation: Situation,
    needs: RuntimeNeeds,
    new_tree: Tree | None,
    looked_up: Mapping[str, str],
    *,
    packages: bool,
) -> Givers:
    """`looked_up` are packages that are wanted anyway."""
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
            copied = not _is_data(path) or owner or _is_small_setting(path, evidence)
            (libraries if copied else missing)[path] = asked_by
        elif owner is not None and not _is_setting(path, evidence):
            wanted.setdefault(owner, asked_by)
        elif owner is not None:
            settings[path] = asked_by
        elif (
            path.startswith("/etc/ssl/certs/") and "ca-certificates" in evidence.packages.installed
        ):
            wanted.setdefault("ca-certificates", asked_by)
        elif _is_small_setting(path, evidence):
            settings[path] = asked_by
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
    return Givers(wanted, libraries, missing)


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


_SMALL = 16_384
_OF_THE_IMAGE = ("/etc/machine-id", "/etc/localtime", "/etc/alternatives/", "/etc/ssl/private/")


def _is_small_setting(path: str, evidence: Evidence) -> bool:
    """One that the base wrote itself and no package owns: it is the same for whoever reads it."""
    return (
        _is_setting(path, evidence)
        and evidence.facts[path].layer < evidence.base_layers
        and evidence.facts[path].size <= _SMALL
        and path not in USER_DATABASE
        and not path.startswith(_OF_THE_IMAGE)
    )


def _is_data(path: str) -> bool:
    return path.startswith("/etc/")


def _installed_in(tree: Tree | None) -> frozenset[str]:
    return frozenset(system_packages(tree).installed) if tree is not None else frozenset()
