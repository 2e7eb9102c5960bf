"""prune-dev: development packages leave the builder once the build is done."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Edit, Instruction
from imgopt.rewrite.effects import FromStages, Pruned
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.packages_stage import going_to, own_stage
from imgopt.rewrite.final.site_server import replaces_server
from imgopt.rewrite.image_examples import (
    NODE_MODULES,
    NODE_SOURCE,
    NODE_TEXT,
    WORKDIR,
    node_example,
)
from imgopt.rewrite.language import Language, Packages, language_of
from imgopt.rewrite.lines.steps import script_of, workdir_at
from imgopt.rewrite.order.install_commands import Install, recognise
from imgopt.rewrite.start.start_words import explained_in
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

LEAST_BYTES = 500_000


@dataclass(frozen=True)
class _Installed:
    """A folder in which a step of the stage installs, with a manager that can prune."""

    manager: Manager
    packages_of: Callable[[Evidence, str], Packages]
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
    there: Packages
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
    command, packages_of = _pruner(evidence, installed), installed.packages_of
    if command is None:
        return Skip(f"{manager.name} of this version has no command that prunes", line)
    there = packages_of(evidence, folder)
    packages = there.for_development()
    paths = frozenset(there.pruned(packages))
    needed = _needed(situation, evidence, there, packages, paths)
    if needed:
        return Skip(needed, line)
    size = sum(evidence.facts[path].size for path in paths)
    return (
        _Pruned(replace(installed, command=command), there, packages, paths)
        if size >= LEAST_BYTES
        else None
    )


def _needed(
    situation: Situation,
    evidence: Evidence,
    there: Packages,
    packages: Sequence[str],
    paths: frozenset[str],
) -> str:
    """Why a run needs one of these packages; "" where nothing shows that."""
    marked = "which is marked for development only"
    repairs = situation.project.repairs.paths
    asked = next((path for path in repairs if any(_covers(path, one) for one in packages)), None)
    if asked is not None:
        return f"the service needs {asked}, of a package that is marked for development only"
    spare = _spare(situation)
    explained = explained_in(situation)
    opened = (path for path in sorted(evidence.opened) if path in paths)
    counts = (path for path in opened if there.package_of(path) not in spare)
    used = next(
        (path for path in counts if not explained(path) or path in evidence.seen.executed), None
    )
    if used is not None:
        return f"the service opens {used}, of a package that is marked for development only"
    named = there.named(packages, spare | _only_builds(situation))
    return f"{named[1]} names {named[0]}, {marked}" if named is not None else ""


def _spare(situation: Situation) -> frozenset[str]:
    """Packages that others ask for in a `try`."""
    facts = (one for ecosystem in situation.project.ecosystems for one in ecosystem.spare)
    return frozenset(name for fact in facts for name in fact.packages)


def _only_builds(situation: Situation) -> frozenset[str]:
    tools = (ecosystem.build_tools for ecosystem in situation.project.ecosystems)
    return frozenset(name for tool in tools for name in tool.only_builds)


def _pruner(evidence: Evidence, installed: _Installed) -> str | None:
    """The command of the manager's version that the project uses, as its files in the image say."""
    for pruner in installed.manager.pruner:
        if not pruner.when or any(
            pattern_holds(evidence, installed.folder, text) for text in pruner.when
        ):
            return pruner.command
    return None


def _change(
    situation: Situation, evidence: Evidence, pruned: Sequence[_Pruned], *, alone: bool
) -> Change:
    """`alone`: nothing else is installed in the stage."""
    paths = dict.fromkeys((path for one in pruned for path in one.paths), "development packages")
    size, count = (
        sum(evidence.facts[path].size for path in paths),
        sum(len(one.packages) for one in pruned),
    )
    opened = {one.there.package_of(p) for one in pruned for p in one.paths & evidence.opened}
    spare = ", ".join(sorted(opened))
    but = f" but {spare}, which the package that asks for it does without" if spare else ""
    because = (
        f"{count} development packages ({size / 1e6:.1f} MB), none of which the service opened{but}"
    )
    first, line = pruned[0].installed, pruned[-1].installed.step.line
    folder = posixpath.join(first.folder, pruned[0].there.installed_in)
    own = own_stage(situation, first.step, folder, first.mounts, first.command) if alone else None
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
            packages_of = _language(situation, install).packages
            if "prune" in words or any(_PRODUCTION.match(word) for word in words):
                return []
            if (
                install is None
                or packages_of is None
                or not install.manager.pruner
                or "-g" in words
                or "--global" in words
            ):
                continue
            if command.cwd is not None:
                folder = posixpath.normpath(posixpath.join(workdir, command.cwd))
                found.pop(folder, None)
                found[folder] = _Installed(install.manager, packages_of, item, folder)
    return list(found.values())


def _language(situation: Situation, install: Install | None) -> Language:
    """That of the ecosystem which the manager is of."""
    known = situation.project.ecosystems if install is not None else ()
    owners = (one.name for one in known if install is not None and install.manager in one.manager)
    return language_of(next(owners, ""))


_PRODUCTION = re.compile(
    r"--(?:omit=dev|only=prod|prod\b|production\b)|omit=dev\Z|NODE_ENV=production\Z|focus\Z"
)


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
