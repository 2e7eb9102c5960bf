"""prune-dev: development packages leave the builder once the build is done."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Edit, Instruction
from imgopt.inspect.packages.development_packages import marked_for_development
from imgopt.inspect.packages.named_packages import named_in, named_in_settings, partners
from imgopt.inspect.sources.modules import MARKUP, TYPED
from imgopt.inspect.sources.texts import source_texts
from imgopt.rewrite.effects import FromStages, Pruned
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import is_below
from imgopt.rewrite.final.packages_stage import going_to, own_stage
from imgopt.rewrite.final.site_server import replaces_server
from imgopt.rewrite.image_examples import (
    NODE_MODULES,
    NODE_SOURCE,
    NODE_TEXT,
    WORKDIR,
    node_example,
)
from imgopt.rewrite.lines.steps import script_of, workdir_at
from imgopt.rewrite.order.install_commands import recognise
from imgopt.rewrite.order.workspaces import json_object
from imgopt.rewrite.start.start_words import explained_in
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

LEAST_BYTES = 500_000


@dataclass(frozen=True)
class _Installed:
    """A folder in which a step of the stage installs, with a manager that can prune."""

    manager: Manager
    step: Instruction
    folder: str
    command: str = ""
    """The command that prunes here."""

    @property
    def mounts(self) -> str:
        """The cache mounts of the step, which pruning needs as well."""
        values = (flag.value or "" for flag in self.step.flags)
        return "".join(f"--mount={value} " for value in values if "type=cache" in value)


@dataclass(frozen=True)
class _Pruned:
    installed: _Installed
    packages: tuple[str, ...]
    paths: frozenset[str]


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every folder in which the stage that ships installs development packages."""
    found = _installers(situation)
    if not found:
        return
    if situation.evidence is None:
        reason = "needs `imgopt optimize`: which development packages the service opens is measured"
        yield Skip(reason, found[-1].step.line)
        return
    if replaces_server(situation):
        return
    pruned = []
    for installed in found:
        one = _prune(situation, situation.evidence, installed)
        if isinstance(one, Skip):
            yield one
        elif one is not None:
            pruned.append(one)
    if pruned:
        yield _change(situation, situation.evidence, pruned, alone=len(found) == 1)


def _prune(
    situation: Situation, evidence: Evidence, installed: _Installed
) -> _Pruned | Skip | None:
    """What is there for development only in this folder; None where that is not worth a step."""
    manager, folder, line = installed.manager, installed.folder, installed.step.line
    command = _pruner(evidence, installed)
    if command is None:
        return Skip(f"{manager.name} of this version has no command that prunes", line)
    packages = dev_packages(evidence, folder)
    paths = frozenset(pruned_paths(evidence, folder, packages))
    asked = next(
        (
            path
            for path in situation.project.repairs.paths
            if any(_covers(path, p) for p in packages)
        ),
        None,
    )
    if asked is not None:
        return Skip(
            f"the service needs {asked}, of a package that is marked for development only", line
        )
    spare = {
        name
        for ecosystem in situation.project.ecosystems
        for one in ecosystem.spare
        for name in one.packages
    }
    explained = explained_in(situation)
    opened = (
        path for path in sorted(evidence.opened) if path in paths and _package(path) not in spare
    )
    used = next(
        (path for path in opened if not explained(path) or path in evidence.seen.executed), None
    )
    if used is not None:
        return Skip(
            f"the service opens {used}, of a package that is marked for development only", line
        )
    named = _named(situation, evidence, folder, packages)
    if named is not None:
        name, where = named
        return Skip(f"{where} names {name}, which is marked for development only", line)
    size = sum(evidence.facts[path].size for path in paths)
    return (
        _Pruned(replace(installed, command=command), packages, paths)
        if size >= LEAST_BYTES
        else None
    )


def _named(
    situation: Situation, evidence: Evidence, folder: str, packages: Iterable[str]
) -> tuple[str, str] | None:
    """One of these packages that a run may load by its name, and where that stands: of those that
    the project lists itself in its sources and settings, of all in the manifests of packages that
    stay. There what only serves builds does not count."""
    view, gone = evidence.view, {f"{path}/package.json" for path in packages}
    names = frozenset(_package(path) for path in gone)
    listed = (
        _json(evidence, f"{place}/package.json") for place in (folder, *_members(evidence, folder))
    )
    own = names & {name for one in listed for name in _keys(one.get("devDependencies"))}
    for found in (named_in(_run_texts(evidence), own), named_in_settings(view, own)):
        if (first := next(found, None)) is not None:
            return first
    spared = {
        name
        for ecosystem in situation.project.ecosystems
        for one in (ecosystem.build_tools.only_builds, *(each.packages for each in ecosystem.spare))
        for name in one
    }
    kept = (
        package.metadata
        for package in evidence.all_packages
        if is_below(package.metadata, [folder]) and package.metadata not in gone
    )
    own_manifest = posixpath.join(folder, "package.json")
    found = partners(view, (path for path in kept if path != own_manifest))
    return next((pair for pair in found if pair[0] in names - spared), None)


def _keys(table: object) -> set[str]:
    return set(table) if isinstance(table, dict) else set()


_SETTINGS_OF_TOOLS = re.compile(r"(?:^|/)\.[^/]*$|\.config\.[^/]*$|[-.]config\.[cm]?js$")


def _run_texts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Sources that a run may come to: settings of tools and what is compiled first are none, unless
    the run opened them."""
    opened = evidence.opened
    compiled = MARKUP if any(path.endswith(TYPED) for path in opened) else (*MARKUP, *TYPED)
    for path, text in source_texts(evidence.view):
        aside = _SETTINGS_OF_TOOLS.search(path) or path.endswith(compiled)
        if path in opened or not aside:
            yield path, text


def _pruner(evidence: Evidence, installed: _Installed) -> str | None:
    """The command of the manager's version that the project uses, as its files in the image say."""
    for pruner in installed.manager.pruner:
        if not pruner.when or any(
            pattern_holds(evidence, installed.folder, text) for text in pruner.when
        ):
            return pruner.command
    return None


def _package(path: str) -> str:
    """The name of the package that a file belongs to."""
    parts = path.rpartition("/node_modules/")[2].split("/")
    return "/".join(parts[:2]) if parts[0].startswith("@") else parts[0]


def _change(
    situation: Situation, evidence: Evidence, pruned: Sequence[_Pruned], *, alone: bool
) -> Change:
    """`alone`: nothing else is installed in the stage."""
    paths = dict.fromkeys((path for one in pruned for path in one.paths), "development packages")
    size, count = (
        sum(evidence.facts[path].size for path in paths),
        sum(len(one.packages) for one in pruned),
    )
    spare = ", ".join(sorted({_package(path) for path in paths if path in evidence.opened}))
    but = f" but {spare}, which the package that asks for it does without" if spare else ""
    because = (
        f"{count} development packages ({size / 1e6:.1f} MB), none of which the service opened{but}"
    )
    first, line = pruned[0].installed, pruned[-1].installed.step.line
    own = (
        own_stage(situation, first.step, first.folder, first.mounts, first.command)
        if alone
        else None
    )
    if own is not None:
        because += (
            "; what is left comes from a stage that an edit of the source does not build again"
        )
        return Change(
            because, line, own.edits, effects=(Pruned(paths), FromStages({own.folder: own.name}))
        )
    last = [
        item for item in situation.stage.instructions if item.keyword in ("RUN", "COPY", "ADD")
    ][-1]
    here = workdir_at(situation.dockerfile.scope_at(last))
    eol = situation.dockerfile.eol
    at = last.extent.end
    places = (one.installed for one in pruned)
    steps = [f"RUN {place.mounts}{going_to(place.folder, here)}{place.command}" for place in places]
    lead = "" if situation.dockerfile.text[at - 1 : at] == "\n" else eol
    return Change(
        because,
        line,
        (Edit(at, at, lead + "".join(step + eol for step in steps)),),
        effects=(Pruned(paths),),
    )


def _covers(path: str, package: str) -> bool:
    return path == package or path.startswith(package + "/") or package.startswith(path + "/")


def pattern_holds(evidence: Evidence, folder: str, condition: str) -> bool:
    """`FILE: PATTERN`: whether a file of the project, as it is in the image, has a line like
    this."""
    name, _, pattern = condition.partition(": ")
    text = (evidence.view.read(posixpath.join(folder, name)) or b"").decode("utf-8", "replace")
    return re.search(pattern, text, re.MULTILINE) is not None


def _installers(situation: Situation) -> list[_Installed]:
    """The last installation in each folder; none where the author prunes himself or leaves
    development packages out."""
    found: dict[str, _Installed] = {}
    for item in (one for one in situation.stage.instructions if one.keyword == "RUN"):
        workdir = workdir_at(situation.dockerfile.scope_at(item))
        for command in script_of(situation.dockerfile, item).commands:
            words = [value or "" for value in command.values]
            install = recognise(words, situation.project.ecosystems)
            if "prune" in words or any(_PRODUCTION.match(word) for word in words):
                return []
            if (
                install is None
                or not install.manager.pruner
                or "-g" in words
                or "--global" in words
            ):
                continue
            if command.cwd is not None:
                folder = posixpath.normpath(posixpath.join(workdir, command.cwd))
                found.pop(folder, None)
                found[folder] = _Installed(install.manager, item, folder)
    return list(found.values())


_PRODUCTION = re.compile(
    r"--(?:omit=dev|only=prod|prod\b|production\b)|omit=dev\Z|NODE_ENV=production\Z|focus\Z"
)


def dev_packages(evidence: Evidence, folder: str) -> tuple[str, ...]:
    """Folders of packages that are there for development only: by npm's own record of the tree, or
    because no package that production needs leads to them."""
    marked = marked_for_development(evidence.view, folder)
    if marked is not None:
        return marked
    if not _json(evidence, posixpath.join(folder, "package.json")).get("devDependencies"):
        return ()
    needed = _needed(evidence, folder)
    modules = posixpath.join(folder, "node_modules") + "/"
    there = {
        posixpath.dirname(package.metadata)
        for package in evidence.all_packages
        if package.ecosystem == "node"
    }
    return tuple(sorted(path for path in there if path.startswith(modules) and path not in needed))


def pruned_paths(evidence: Evidence, folder: str, packages: Iterable[str]) -> set[str]:
    """All that goes with the packages: their files, pnpm's folder around each, links to them, and
    their programs."""
    gone = {_store_folder(package) for package in packages}
    programs = {name for package in packages for name in _programs(evidence, package)}
    paths = {path for package in gone for path in _below(evidence, package)}
    modules = posixpath.join(folder, "node_modules") + "/"
    shims = (f"{modules}.bin/", f"{modules}.pnpm/node_modules/.bin/")
    for path, fact in evidence.facts.items():
        if not path.startswith(modules) or fact.kind == "dir":
            continue
        target = evidence.tree.resolve(path) if fact.kind == "symlink" else None
        led = target is not None and is_below(target.path, gone)
        shim = target is None and path.startswith(shims) and posixpath.basename(path) in programs
        if led or shim:
            paths.add(path)
    return paths


def _store_folder(package: str) -> str:
    head, store, tail = package.partition("/node_modules/.pnpm/")
    return head + store + tail.partition("/")[0] if store else package


def _programs(evidence: Evidence, package: str) -> Iterable[str]:
    """Names that a package puts into node_modules/.bin."""
    about = _json(evidence, posixpath.join(package, "package.json"))
    given = about.get("bin")
    if isinstance(given, dict):
        return [str(name) for name in given]
    return [str(about.get("name", "")).rpartition("/")[2]] if isinstance(given, str) else []


def _needed(evidence: Evidence, folder: str) -> set[str]:
    """Real folders of the packages that production needs, found as Node.js finds them: node_modules
    here and above."""
    found = {folder, *_members(evidence, folder)}
    stack = [*found]
    while stack:
        here = stack.pop()
        about = _json(evidence, posixpath.join(here, "package.json"))
        for kind in ("dependencies", "optionalDependencies", "peerDependencies"):
            names = about.get(kind)
            for name in names if isinstance(names, dict) else ():
                place = _resolve(evidence, here, name)
                if place and place not in found:
                    found.add(place)
                    stack.append(place)
    return found


def _members(evidence: Evidence, folder: str) -> Iterable[str]:
    """Folders of the project that have a manifest of their own, as the members of a workspace
    have."""
    own = (
        path
        for path in evidence.facts
        if path.startswith(folder + "/") and path.endswith("/package.json")
    )
    return (posixpath.dirname(path) for path in own if "/node_modules/" not in path)


def _resolve(evidence: Evidence, here: str, name: str) -> str:
    while True:
        node = evidence.tree.resolve(posixpath.join(here, "node_modules", name))
        if node is not None:
            return node.path
        if here in ("/", ""):
            return ""
        here = posixpath.dirname(here)


def _json(evidence: Evidence, path: str) -> dict[str, object]:
    return json_object(evidence.view.read(path) or b"")


def _below(evidence: Evidence, folder: str) -> list[str]:
    return [
        node.path
        for node in evidence.tree.walk(folder)
        if node.kind != "dir" and node.path in evidence.facts
    ]


STRATEGY = Strategy(
    name="prune-dev",
    does="Removes packages that only development needs.",
    why=(
        "Compilers, linters and test runners are needed to build, not to run. The package manager"
        " itself removes them after the build, so what stays is what its own lock file says that"
        " production needs; where the packages are there before the source comes, in a stage beside"
        " the build, which an edit of the source does not run again."
    ),
    safety="evidence",
    doubt=80,
    references=(
        "https://docs.npmjs.com/cli/commands/npm-prune",
        "https://classic.yarnpkg.com/en/docs/cli/prune",
        "https://yarnpkg.com/cli/workspaces/focus",
        "https://pnpm.io/cli/prune",
    ),
    rewrite=rewrite,
    refuses=(
        "A development package whose files the service opened, or whose name stands as a string in"
        " its sources, in its settings or in another package's manifest; no record of which"
        " packages are for development."
    ),
    evidence_examples=(
        node_example(
            "opened by the service",
            before=NODE_TEXT,
            layers=(WORKDIR, NODE_SOURCE, NODE_MODULES),
            opened=frozenset(["/app/app.js", "/app/node_modules/t/index.js"]),
            refused="the service opens /app/node_modules/t/index.js",
        ),
        node_example(
            "nothing installed for development",
            before=NODE_TEXT.replace("npm ci", "npm ci --omit=dev"),
            layers=(WORKDIR, NODE_SOURCE),
        ),
        node_example(
            "never opened",
            before=NODE_TEXT,
            layers=(WORKDIR, NODE_SOURCE, NODE_MODULES),
            after=NODE_TEXT.replace("CMD", "RUN npm prune --omit=dev\nCMD"),
        ),
    ),
)
