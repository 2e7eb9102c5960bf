"""Build tools that nothing uses at run time: the builder removes them, so that no copy ships them.

Those that a base image brings (pip) go when the run opened nothing of them. Those that the Dockerfile installs
(Poetry) take along what was installed for them only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from imgopt.context.ecosystems import BuildTools, Ecosystem
from imgopt.dockerfile import Instruction
from imgopt.image.packages import Package
from imgopt.proof.imports import imported_modules, modules_of
from imgopt.proof.runners import closed_environment
from imgopt.proof.side import plain_name
from imgopt.proof.starts import unfolded
from imgopt.rewrite.carve import is_below, matches_any
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.installs import recognise
from imgopt.rewrite.start import explained_in, original_start
from imgopt.rewrite.steps import script_of
from imgopt.rewrite.strategy import ContextFiles, Situation

LISTS = re.compile(r"(?:^|/)(?:requirements[^/]*\.(?:txt|in)|pyproject\.toml|setup\.(?:py|cfg)|Pipfile|[^/]*\.lock)$")
EXTRAS = re.compile(r"^Requires-Dist:\s*([\w.-]+)", re.MULTILINE)


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
    if evidence is None or evidence.seen.opened is None:
        return RemovableTools()
    for ecosystem in situation.project.ecosystems:
        tools = ecosystem.build_tools
        after = _last_installer(situation, ecosystem.name) if tools.remove else None
        if after is None:
            continue
        asked = situation.project.repairs.paths
        removable = _removable(situation, evidence, ecosystem)
        found = {each.name: each for each in removable if not any(is_below(path, asked) for path in each.files)}
        if found:
            names = tuple(sorted(found))
            command = tools.remove.replace("{packages}", " ".join(names))
            paths = frozenset(path for each in found.values() for path in each.files)
            return RemovableTools(names, command, paths, after)
    return RemovableTools()


def _removable(situation: Situation, evidence: Evidence, ecosystem: Ecosystem) -> list[Package]:
    """Packages of the folder that the removing command works on: where the base's own tools are."""
    tools, explained = ecosystem.build_tools, explained_in(situation)
    ours = [each for each in evidence.all_packages if each.ecosystem == ecosystem.name]
    own = [each for each in ours if each.name in tools.packages and each.layer < evidence.base_layers]
    sites = {_site(each) for each in own}
    remover = evidence.side.command(tools.remove.split()[0])
    if len(sites) != 1 or remover is None or not _belongs(remover.path, next(iter(sites))):
        return []

    def used(package: Package) -> bool:
        files = (path for path in package.files if not path.endswith(".pyc") and path in evidence.opened)
        return any(not matches_any(path, tools.opened_always) and not explained(path) for path in files)

    there = [each for each in ours if _site(each) in sites]
    unused = [each for each in own if not used(each) and all(_is_as_in_base(evidence, path) for path in each.files)]
    return [*unused, *_installed_tools(situation, evidence, there, tools, used)]


def _is_as_in_base(evidence: Evidence, path: str) -> bool:
    return path.endswith(".pyc") or evidence.facts[path].layer < evidence.base_layers


def _site(package: Package) -> str:
    return posixpath.dirname(posixpath.dirname(package.metadata))


def _belongs(program: str, site: str) -> bool:
    """Whether a program's prefix is that of a folder of packages: /usr/local/bin/pip and /usr/local/lib/..."""
    return site.startswith(posixpath.dirname(posixpath.dirname(program)) + "/")


def _installed_tools(
    situation: Situation, evidence: Evidence, there: list[Package], tools: BuildTools, used: Callable[[Package], bool]
) -> list[Package]:
    """Installers over the base that the run did not open, and what nothing else that is there needs."""
    added = [each for each in there if each.layer >= evidence.base_layers]
    imported = imported_modules(evidence.side)
    closed = closed_environment(evidence.side, unfolded(evidence.side, original_start(evidence)).words)
    asked = [each for each in added if each.name in tools.installers and not used(each)]
    if not closed:
        asked = [each for each in asked if not imported & modules_of(each)]
    if not asked:
        return []
    listed = _listed(situation.project.context) if not closed else ""
    others = [each for each in there if each not in asked]
    roots = [
        each
        for each in others
        if used(each)
        or not any(_needs(other, each) for other in there if other is not each)
        or (not closed and (imported & modules_of(each) or _is_listed(each.name, listed)))
    ]
    kept = _reached(evidence, others, roots)
    return [*asked, *(each for each in others if each in added and plain_name(each.name) not in kept)]


def _needs(package: Package, other: Package) -> bool:
    name = plain_name(other.name)
    return any(name == plain_name(choice) for choices in package.depends for choice in choices)


def _reached(evidence: Evidence, packages: Iterable[Package], roots: Iterable[Package]) -> frozenset[str]:
    """Names of all that the roots need, extras counted as needed, for which of them were asked for is not recorded."""
    by_name = {plain_name(each.name): each for each in packages}
    found: set[str] = set()
    queue = [plain_name(each.name) for each in roots]
    while queue:
        name = queue.pop()
        if name not in found and name in by_name:
            found.add(name)
            text = (evidence.side.read(by_name[name].metadata, 1 << 20) or b"").decode("utf-8", "replace")
            queue += [plain_name(other) for other in EXTRAS.findall(text)]
    return frozenset(found)


def _listed(context: ContextFiles) -> str:
    """The project's own lists of packages, in lower case, with dashes."""
    texts = (context.text(path, 1 << 22) for path in context.sizes if LISTS.search(path))
    return plain_name("\n".join(texts))


def _is_listed(name: str, listed: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(plain_name(name))}(?![\w-])", listed) is not None


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
