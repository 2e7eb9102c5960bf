"""Build tools that nothing uses at run time: the builder removes them, so that no copy ships them.

Those that a base image brings (pip) go when the run opened nothing of them. Those that the
Dockerfile installs (Poetry), and what the project lists for its development, take along what was
installed for them only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from imgopt.context.devgroups import development_packages
from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.runs import BuildTools
from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Command
from imgopt.image.image import Image
from imgopt.image.packages import Package, find_packages
from imgopt.image.packages.names import plain_name
from imgopt.inspect.sources.python_imports import imported_modules, modules_of, named_modules
from imgopt.inspect.sources.run_time_needs import build_steps, compiles
from imgopt.inspect.start.environment_runners import environment_of, is_closed
from imgopt.inspect.start.start_words import unfolded
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import is_below, matches_any
from imgopt.rewrite.lines.quoting import shell_word
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import Install, recognise
from imgopt.rewrite.start.start_words import explained_in, original_start
from imgopt.rewrite.strategy import ContextFiles, Situation

LISTS = re.compile(
    r"(?:^|/)(?:requirements[^/]*\.(?:txt|in)|pyproject\.toml|setup\.(?:py|cfg)|Pipfile)$"
)
NEEDED = re.compile(r"^Requires-Dist:\s*([\w.-]+)", re.MULTILINE)

MANY = 10
"""So many packages are worth a quicker way than the installer's own."""

PLAIN = frozenset(
    [
        "mkdir",
        "useradd",
        "groupadd",
        "adduser",
        "addgroup",
        "true",
        "set",
        ":",
        "usermod",
        "groupmod",
        "locale-gen",
        "apt-get",
        "cd",
        "chmod",
        "chown",
        "cp",
        "echo",
        "ln",
        "mv",
        "rm",
        "sed",
        "touch",
    ]
)
"""Programs that use no package of a language."""


@dataclass(frozen=True, slots=True)
class RemovableTools:
    """Names of packages, the command that removes them, their paths, and the step after which
    nothing needs them."""

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
        asked = situation.project.repairs.paths
        part = {
            name
            for fact, _ in compiles(
                evidence.view, ecosystem.compiled_at_run_time, build_steps(evidence.view)
            )
            for name in fact.tools
        }
        groups = _removable(situation, evidence, ecosystem) if after is not None else ()
        found = [
            (
                command,
                [
                    e
                    for e in each
                    if plain_name(e.name) not in part
                    and not any(is_below(path, asked) for path in e.files)
                ],
            )
            for command, each in groups
        ]
        found = [(command, each) for command, each in found if each]
        if found:
            commands = [command.replace("{packages}", _names(each)) for command, each in found]
            packages = [each for _, group in found for each in group]
            names = tuple(_names(packages).split())
            paths = frozenset(path for each in packages for path in each.files)
            return RemovableTools(names, " && ".join(commands), paths, after)
    return RemovableTools()


def outdated_in_base(situation: Situation, base: Image) -> str:
    """A command that removes packages of a base that the original has in another version at the
    same place: its folder of packages is copied over that of the base, and would hold both; where
    the builder removes the newer one, the older one is none of the original. "" where there is
    nothing to do."""
    evidence = situation.evidence
    if evidence is None:
        return ""
    ours = {
        (each.ecosystem, each.name, _site(each)): each.version for each in evidence.all_packages
    }
    for ecosystem in situation.project.ecosystems:
        theirs = [
            each
            for each in find_packages(base.tree())
            if each.ecosystem == ecosystem.name
            and ours.get((each.ecosystem, each.name, _site(each)), each.version) != each.version
        ]
        if theirs and ecosystem.build_tools.remove:
            return ecosystem.build_tools.remove.replace("{packages}", _names(theirs))
    return ""


def _names(packages: Iterable[Package]) -> str:
    return " ".join(sorted({each.name for each in packages}))


def _removable(
    situation: Situation, evidence: Evidence, ecosystem: Ecosystem
) -> Iterator[tuple[str, list[Package]]]:
    """Commands with the packages that each removes: those of the service's own environment, then
    those of the folder that the plain command works on, where the base's own tools are."""
    tools = ecosystem.build_tools
    ours = [each for each in evidence.all_packages if each.ecosystem == ecosystem.name]
    own = [
        each for each in ours if each.name in tools.packages and each.layer < evidence.base_layers
    ]
    renewed = _renewed(evidence, ours, tools)
    sites = {_site(each) for each in (*own, *renewed)}
    remover = evidence.view.command(tools.remove.split()[0])
    if len(sites) != 1 or remover is None or not _belongs(remover.path, next(iter(sites))):
        return
    environment = environment_of(
        evidence.view, unfolded(evidence.view, original_start(evidence)).words
    )
    inside = [
        each for each in ours if environment and _site(each).startswith(f"{environment}/lib/")
    ]
    found = _unneeded(situation, evidence, inside, tools)
    if found and tools.remove_elsewhere:
        yield tools.remove_elsewhere.replace("{environment}", environment), found
    there = [each for each in ours if _site(each) in sites]
    closed = bool(environment) and is_closed(evidence.view, environment)
    newer = frozenset(plain_name(each.name) for each in renewed)
    added = _unneeded(situation, evidence, there, tools, closed=closed, renewed=newer)
    used = _use(situation, evidence, tools)
    unused = [
        each
        for each in own
        if not used(each)
        and not _named(evidence) & modules_of(each)
        and all(_is_as_in_base(evidence, path) for path in each.files)
    ]
    gone = [*unused, *added]
    if closed and gone and not any(used(each) for each in there):
        gone = there
    if gone:
        site = next(iter(sites))
        yield _emptied(evidence, tools, remover.path, site, there, gone) or tools.remove, gone


def _renewed(evidence: Evidence, ours: Iterable[Package], tools: BuildTools) -> list[Package]:
    """The base's own tools that the Dockerfile brought up to date (`pip install --upgrade pip`)."""
    below = evidence.view.base_view
    there = (
        {(each.name, _site(each)) for each in below.packages} if below is not None else frozenset()
    )
    upgraded = (
        each for each in ours if each.layer >= evidence.base_layers and each.name in tools.packages
    )
    return [each for each in upgraded if (each.name, _site(each)) in there]


def _emptied(
    evidence: Evidence,
    tools: BuildTools,
    remover: str,
    site: str,
    there: list[Package],
    gone: list[Package],
) -> str:
    """A command that empties the folder of many packages at once, where nothing else lies in it;
    else nothing: pip takes seconds for it, and their names are those of one build."""
    if len(gone) < MANY or len(gone) < len(there) or not tools.empty:
        return ""
    files = {path for each in gone for path in each.files}
    if any(
        node.path not in files and not node.path.endswith((".pyc", "/README.txt"))
        for node in evidence.tree.files(site)
    ):
        return ""
    programs = posixpath.dirname(remover)
    elsewhere = sorted(
        path
        for path in files
        if not is_below(path, (site, programs)) and evidence.tree.get(path) is not None
    )
    command = tools.empty.replace("{folder}", shell_word(site))
    command = command.replace("{programs}", shell_word(programs))
    return " && ".join(
        [command, *([f"rm -f {' '.join(map(shell_word, elsewhere))}"] if elsewhere else [])]
    )


def _named(evidence: Evidence) -> frozenset[str]:
    """Modules that the application's sources import, or that stand as a string in them or in its
    settings."""
    return imported_modules(evidence.view) | named_modules(evidence.view, surely=False)


def _use(situation: Situation, evidence: Evidence, tools: BuildTools) -> Callable[[Package], bool]:
    """Whether the service opened a file of a package, beside what is read of all packages, or by
    the launcher alone."""
    explained = explained_in(situation)

    def used(package: Package) -> bool:
        files = (
            path for path in package.files if not path.endswith(".pyc") and path in evidence.opened
        )
        return any(
            not matches_any(path, tools.opened_always) and not explained(path) for path in files
        )

    return used


def _is_as_in_base(evidence: Evidence, path: str) -> bool:
    return path.endswith(".pyc") or evidence.facts[path].layer < evidence.base_layers


def _site(package: Package) -> str:
    return posixpath.dirname(posixpath.dirname(package.metadata))


def _belongs(program: str, site: str) -> bool:
    """Whether a program's prefix is that of a folder of packages: /usr/local/bin/pip and
    /usr/local/lib/..."""
    return site.startswith(posixpath.dirname(posixpath.dirname(program)) + "/")


def _unneeded(
    situation: Situation,
    evidence: Evidence,
    there: list[Package],
    tools: BuildTools,
    *,
    closed: bool = False,
    renewed: frozenset[str] = frozenset(),
) -> list[Package]:
    """Installers and development packages over the base that the run did not open, and what nothing
    else that is there needs; `closed`: the service cannot import from there; `renewed`: the base's
    own tools that were brought up to date.
    """
    context, used = situation.project.context, _use(situation, evidence, tools)
    added = [each for each in there if each.layer >= evidence.base_layers]
    imported = frozenset[str]() if closed else _named(evidence)
    asked_names = {*tools.installers, *renewed, *development_packages(context.sizes, context.text)}
    if all(each.layer >= evidence.base_layers for each in there):
        asked_names |= set(tools.packages)
    asked = [each for each in added if plain_name(each.name) in asked_names and not used(each)]
    asked = [each for each in asked if not imported & modules_of(each)]
    if not asked:
        return []
    listed = "" if closed else _listed(context)
    others = [each for each in there if each not in asked]
    roots = [
        each
        for each in others
        if used(each)
        or imported & modules_of(each)
        or _is_listed(each.name, listed)
        or (
            plain_name(each.name) not in tools.packages
            and not any(_needs(other, each) for other in there if other is not each)
        )
    ]
    bound = _reached(
        there, roots, lambda each: [name for choices in each.depends for name in choices]
    )
    gone = [each for each in asked if plain_name(each.name) not in bound]
    rest = [each for each in there if each not in gone]
    kept = _reached(
        rest, [each for each in rest if each in roots or each in asked], _extras_too(evidence)
    )
    return [
        *gone,
        *(each for each in others if each in added and plain_name(each.name) not in kept),
    ]


def _needs(package: Package, other: Package) -> bool:
    name = plain_name(other.name)
    return any(name == plain_name(choice) for choices in package.depends for choice in choices)


def _reached(
    packages: Iterable[Package], roots: Iterable[Package], needs: Callable[[Package], Iterable[str]]
) -> frozenset[str]:
    """Names of the packages that the roots need, directly or not, the roots included."""
    by_name = {plain_name(each.name): each for each in packages}
    found: set[str] = set()
    queue = [plain_name(each.name) for each in roots]
    while queue:
        name = queue.pop()
        if name not in found and name in by_name:
            found.add(name)
            queue += [plain_name(other) for other in needs(by_name[name])]
    return frozenset(found)


def _extras_too(evidence: Evidence) -> Callable[[Package], Iterable[str]]:
    """What a package needs, its extras counted too, for which of them were asked for is not
    recorded."""

    def needs(package: Package) -> list[str]:
        about = evidence.view.read(package.metadata, 1 << 20) or b""
        return NEEDED.findall(about.decode("utf-8", "replace"))

    return needs


def _listed(context: ContextFiles) -> str:
    """The project's own lists of packages, in lower case, with dashes."""
    texts = (context.text(path, 1 << 22) for path in context.sizes if LISTS.search(path))
    return plain_name("\n".join(texts))


def _is_listed(name: str, listed: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(plain_name(name))}(?![\w-])", listed) is not None


def _last_installer(situation: Situation, ecosystem: str) -> Instruction | None:
    """The last step of the shipped stage that calls a package manager of this ecosystem, or that
    may use what it installed (`poetry run pytest`, a script); None where no step installs."""
    last = None
    for item in situation.stage.instructions:
        if item.keyword != "RUN":
            continue
        script = script_of(situation.dockerfile, item)
        installs = [_install(situation, command) for command in script.commands]
        is_one = any(
            install is not None and install.ecosystem.name == ecosystem for install in installs
        )
        is_plain = not script.unknown and all(command.name in PLAIN for command in script.commands)
        if is_one or (last is not None and not is_plain):
            last = item
    return last


def _install(situation: Situation, command: Command) -> Install | None:
    return recognise([value or "" for value in command.values], situation.project.ecosystems)
