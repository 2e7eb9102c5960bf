"""Build tools that a base image brings, unchanged and unused: the builder removes them, so that no copy ships them."""

from __future__ import annotations

from dataclasses import dataclass

from imgopt.context.ecosystems import BuildTools
from imgopt.dockerfile import Instruction
from imgopt.rewrite.carve import matches_any
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.installs import recognise
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import Situation


@dataclass(frozen=True, slots=True)
class RemovableTools:
    """Names of packages, the command that removes them, their paths, and the step after which nothing needs them."""

    names: tuple[str, ...] = ()
    command: str = ""
    paths: frozenset[str] = frozenset()
    after: Instruction | None = None


def removable_tools(situation: Situation) -> RemovableTools:
    """What can be removed in the builder; nothing where no step calls the installer."""
    evidence = situation.evidence
    if evidence is None:
        return RemovableTools()
    for ecosystem in situation.project.ecosystems:
        if not ecosystem.build_tools.remove:
            continue
        found = _unused(evidence, ecosystem.build_tools)
        after = _last_installer(situation, ecosystem.name)
        if found and after is not None:
            names = tuple(sorted(found))
            command = ecosystem.build_tools.remove.replace("{packages}", " ".join(names))
            return RemovableTools(names, command, frozenset().union(*found.values()), after)
    return RemovableTools()


def _unused(evidence: Evidence, tools: BuildTools) -> dict[str, frozenset[str]]:
    """Packages that are as the base brings them, and of which the smoke run opened nothing."""
    found = {}
    for package in evidence.all_packages:
        files = [path for path in package.files if not path.endswith(".pyc")]
        if package.name not in tools.packages or package.layer >= evidence.base_layers or evidence.seen.opened is None:
            continue
        used = [path for path in files if path in evidence.opened and not matches_any(path, tools.opened_always)]
        if not used and all(evidence.facts[p].layer < evidence.base_layers for p in files):
            found[package.name] = frozenset(package.files)
    return found


def _last_installer(situation: Situation, ecosystem: str) -> Instruction | None:
    """The last step of the shipped stage that calls a package manager of this ecosystem."""
    stage = situation.stage
    last = None
    for item in stage.instructions:
        if item.keyword != "RUN":
            continue
        for command in script_of(situation.dockerfile, item).commands:
            install = recognise([value or "" for value in command.values], situation.project.ecosystems)
            if install is not None and install.ecosystem.name == ecosystem:
                last = item
    return last
