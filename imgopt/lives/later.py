"""Ordinary later edits, as small values: a file more, a dependency more, another version."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.lives import DependencyLine, LaterDependency, ProjectVersion
from imgopt.lives.dockerfiles import (
    OtherBase,
    OtherVersion,
    base_version,
    next_patches,
    next_versions,
)
from imgopt.lives.operations import Behind, New, Operation, Raised
from imgopt.lives.started import Start, Started, find_started, read
from imgopt.rewrite.strategy import ContextFiles

CHEAP = ("data-folder", "settings-file", "new-module", "browser-file")
"""Edits of files alone: nothing has to be installed again."""


@dataclass(frozen=True, slots=True)
class Locking:
    """A lock file follows its manifest: `command` is run beside `files` in the stage of the
    original that calls one of the `programs`, and the `files` are taken from there."""

    files: tuple[str, ...]
    command: str
    programs: str


@dataclass(frozen=True, slots=True)
class LaterEdit:
    """`means` says it in words. `asks` are paths that a browser would ask for then; of them the
    original must answer one, or the edit says nothing."""

    name: str
    means: str
    operations: tuple[Operation, ...] = ()
    locking: tuple[Locking, ...] = ()
    asks: tuple[str, ...] = ()
    in_dockerfile: tuple[OtherVersion | OtherBase, ...] = ()
    tree: Callable[[Path], None] | None = None
    """Writes the whole context, where it is another one than today's."""

    def dockerfile(self, text: str) -> str:
        """A Dockerfile after the edit."""
        for one in self.in_dockerfile:
            text = one.applied(text)
        return text


@dataclass(frozen=True, slots=True)
class NotHere:
    """An edit that this project has nothing for."""

    name: str
    reason: str


@dataclass(frozen=True)
class LaterProject:
    """What is edited: context, Dockerfile and start of the original, and the ecosystems of both.
    `resolves` says whether a base can be had."""

    context: ContextFiles
    dockerfile: str
    start: Start
    ecosystems: tuple[Ecosystem, ...]
    resolves: Callable[[str], bool] = lambda _: False

    def edits(self, names: Iterable[str] = ()) -> tuple[LaterEdit | NotHere, ...]:
        """All of them, or those named, in the order of NAMES."""
        wanted = set(names) or set(NAMES)
        started = find_started(self.context, self.start, self.ecosystems)
        return tuple(make(self, started, name) for name, make in _EDITS.items() if name in wanted)


AS_IT_IS = LaterEdit("as-it-is", "nothing changes")


def together(edits: Iterable[LaterEdit]) -> LaterEdit:
    """Several edits as one."""
    found = tuple(edits)
    return replace(
        found[0],
        name="+".join(one.name for one in found),
        means="; ".join(one.means for one in found),
        operations=tuple(item for one in found for item in one.operations),
        locking=tuple(item for one in found for item in one.locking),
        asks=tuple(item for one in found for item in one.asks),
        in_dockerfile=tuple(item for one in found for item in one.in_dockerfile),
    )


def _data(project: LaterProject, started: Started | str, name: str) -> LaterEdit | NotHere:
    folder = "later-data/words.txt"
    if isinstance(started, Started) and not _copies_all(project.dockerfile, started.root):
        inside = started.folder.removeprefix(started.root)
        folder = f"{inside}{folder}"
    return _read_file(project, started, name, folder, "a folder more")


def _settings(project: LaterProject, started: Started | str, name: str) -> LaterEdit | NotHere:
    return _read_file(project, started, name, "later.conf", "a file more beside the others")


def _read_file(
    project: LaterProject, started: Started | str, name: str, path: str, what: str
) -> LaterEdit | NotHere:
    if isinstance(started, str):
        return NotHere(name, started)
    if not started.source.data:
        return NotHere(name, f"{started.path} reads no files: it does not run in the image")
    made = New(f"{started.root}{path}", "later = note\n")
    facts = {**_facts(project, started), "path": path}
    line = _line(started, name, started.source.data, facts)
    return LaterEdit(
        name, f"{what}: {made.path}, read at the start of {started.path}", (made, line)
    )


def _copies_all(dockerfile: str, root: str) -> bool:
    """Whether a COPY takes the whole folder that the program works in."""
    sources = {".", "./", root, root.rstrip("/"), f"./{root}"} - {""}
    lines = re.findall(r"(?im)^\s*(?:copy|add)\s+((?:--\S+\s+)*)(.*)$", dockerfile)
    return any(
        "--from" not in options and set(re.findall(r"[^\s\[\],\"]+", words)[:-1]) & sources
        for options, words in lines
    )


def _module(project: LaterProject, started: Started | str, name: str) -> LaterEdit | NotHere:
    if isinstance(started, str):
        return NotHere(name, started)
    source = started.source
    facts = _facts(project, started)
    if not source.module or (source.listed and not facts["listed"]):
        return NotHere(name, f"how {started.path} would use a new module is not known")
    files = [
        New(_filled(path, facts), _filled(text, facts)) for path, text in source.module.items()
    ]
    use = _line(started, name, source.module_use, facts)
    end = (
        (Behind(started.path, r"\Z", _filled(source.module_end, facts)),)
        if source.module_end
        else ()
    )
    what = posixpath.dirname(files[0].path) if len(files) > 1 else files[0].path
    return LaterEdit(name, f"a module more: {what}, used by {started.path}", (*files, use, *end))


def _browser(project: LaterProject, _: Started | str, name: str) -> LaterEdit | NotHere:
    known = [one.lives for one in project.ecosystems if one.lives.browser_folders]
    endings = tuple(ending for one in known for ending in one.browser_endings)
    names = {folder for one in known for folder in one.browser_folders}
    folders = [
        folder
        for folder in sorted(project.context.folders, key=lambda path: (path.count("/"), path))
        if posixpath.basename(folder) in names
        and any(path.endswith(endings) for path in project.context.below(folder))
    ]
    if not folders:
        return NotHere(name, "the context has no folder of files for browsers")
    folder = folders[0]
    files = {file: text for one in known for file, text in one.browser_files.items()}
    asks = [
        posixpath.join("/", prefix, file)
        for file in files
        for prefix in ("", posixpath.basename(folder))
    ]
    made = tuple(New(f"{folder}/{file}", text) for file, text in files.items())
    said = " and ".join(files)
    return LaterEdit(name, f"files more for browsers: {said} in {folder}", made, asks=tuple(asks))


def _dependency(kind: str, what: str) -> Callable[..., LaterEdit | NotHere]:
    def make(project: LaterProject, started: Started | str, name: str) -> LaterEdit | NotHere:
        if isinstance(started, str):
            return NotHere(name, started)
        lives, source = started.ecosystem.lives, started.source
        package = next((one for one in lives.dependency if one.kind == kind), None)
        template = source.program if kind == "program" else source.uses
        if package is None or not template:
            return NotHere(name, f"a package of {started.ecosystem.title} has no such use")
        line = _manifest(project, started, package)
        if isinstance(line, str):
            return NotHere(name, line)
        manifest, added, locking = line
        words = ", ".join(f'"{word}"' for word in package.words)
        facts = {**_facts(project, started), "name": package.name, "program": package.program}
        use = template.replace("{use}", package.use)
        used = _line(started, name, use, {**facts, "words": words})
        means = f"{what}: {package.name} {package.version} in {manifest}, used by {started.path}"
        return LaterEdit(name, means, (*added, used), locking)

    return make


def _manifest(
    project: LaterProject, started: Started, package: LaterDependency
) -> tuple[str, tuple[Operation, ...], tuple[Locking, ...]] | str:
    """The manifest that gets the dependency, how, and the lock files that follow."""
    for fact in started.ecosystem.lives.dependency_line:
        path = _nearest(project.context, started, fact.file)
        text = read(project.context, path) if path else ""
        if not path or not re.search(fact.when, text):
            continue
        if fact.unless and re.search(fact.unless, text):
            return f"{path}: {fact.unless_said}"
        if fact.after and not re.search(fact.after, text):
            continue
        facts = {"name": package.name, "version": package.version, "group": package.group}
        added = (Behind(path, fact.after, _filled(fact.line, facts)),) if fact.after else ()
        return path, added, _locking(project, path, fact, facts)
    return f"no manifest of {started.ecosystem.title} is known that a line can be added to"


def _locking(
    project: LaterProject, manifest: str, fact: DependencyLine, facts: Mapping[str, str]
) -> tuple[Locking, ...]:
    folder = posixpath.dirname(manifest)
    locks = {
        posixpath.join(folder, lock): command
        for lock, command in fact.locks.items()
        if posixpath.join(folder, lock) in project.context.sizes or not fact.after
    }
    return tuple(
        Locking((manifest, lock), _filled(command, facts), fact.program)
        for lock, command in locks.items()
    )


def _nearest(context: ContextFiles, started: Started, glob: str) -> str:
    """The manifest in the folder of the source or the nearest one above."""
    folder = posixpath.dirname(started.path)
    while True:
        for path in sorted(context.children.get(folder, ())):
            if fnmatchcase(posixpath.basename(path), glob):
                return path
        if not folder:
            return ""
        folder = posixpath.dirname(folder)


def _version(project: LaterProject, started: Started | str, name: str) -> LaterEdit | NotHere:
    ecosystems = [one for one in project.ecosystems if one.lives.version]
    if isinstance(started, Started):
        ecosystems.sort(key=lambda one: one is not started.ecosystem)
    for fact in (fact for one in ecosystems for fact in one.lives.version):
        if fact.file not in project.context.sizes:
            continue
        text = read(project.context, fact.file)
        match = re.search(fact.pattern, text)
        if match is not None:
            return _raised(project, fact, text, match["version"], name)
    return NotHere(name, "no manifest says a version of the project")


def _raised(
    project: LaterProject, fact: ProjectVersion, text: str, old: str, name: str
) -> LaterEdit:
    new = raised(old)
    said = re.search(fact.name, text) if fact.name else None
    facts = {"name": re.escape(said["name"]) if said else "", "version": re.escape(old)}
    also = tuple(
        Raised(file, _filled(pattern, facts), new)
        for file, pattern in fact.also.items()
        if file in project.context.sizes
    )
    named = OtherVersion(_filled(fact.in_names, facts), new)
    operations = (Raised(fact.file, fact.pattern, new), *also)
    return LaterEdit(
        name, f"{fact.file}: version {old} becomes {new}", operations, in_dockerfile=(named,)
    )


def raised(version: str) -> str:
    """The next minor version; what stands behind the numbers stays."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    assert match is not None
    parts = match[0].split(".")
    at = min(1, len(parts) - 1)
    parts[at:] = [str(int(parts[at]) + 1), *("0" for _ in parts[at + 1 :])]
    return ".".join(parts) + version[match.end() :]


def _base(
    following: Callable[[Ecosystem, str], tuple[str, ...]], what: str
) -> Callable[..., LaterEdit | NotHere]:
    def make(project: LaterProject, _: Started | str, name: str) -> LaterEdit | NotHere:
        found = base_version(project.dockerfile, project.ecosystems)
        if found is None:
            return NotHere(name, "no base says a version of its language")
        ecosystem, old = found
        for new in following(ecosystem, old):
            change = OtherBase(old, new, ecosystem)
            images = change.images(project.dockerfile)
            if images and all(map(project.resolves, images)):
                means = f"{what}: {', '.join(images)}"
                return LaterEdit(name, means, in_dockerfile=(change,))
        return NotHere(name, f"no base behind {old} can be had here")

    return make


def _facts(project: LaterProject, started: Started) -> dict[str, str]:
    text = read(project.context, started.path)
    said = re.search(started.source.package, text) if started.source.package else None
    facts = {"folder": started.folder, "root": started.root, "module": started.module}
    facts["package"] = said[0].strip() if said else ""
    file, _, pattern = started.source.listed.partition(": ")
    path = _nearest(project.context, started, file) if file else ""
    listed = re.search(pattern, read(project.context, path)) if path else None
    return {**facts, "listed": listed["name"] if listed else ""}


def _line(started: Started, name: str, template: str, facts: Mapping[str, str]) -> Operation:
    """The line in the source, or the file of its own that says it."""
    source = started.source
    known = {**facts, "id": name.replace("-", "_")}
    text = _filled(template, known)
    if source.own:
        return New(_filled(source.own, known), _filled(source.own_text, {**known, "use": text}))
    return Behind(started.path, source.after, text)


def _filled(template: str, facts: Mapping[str, str]) -> str:
    """Names in braces that are facts; all other braces are the language's."""
    return re.sub(r"\{(\w+)\}", lambda match: facts.get(match[1], match[0]), template)


_EDITS: Mapping[str, Callable[[LaterProject, Started | str, str], LaterEdit | NotHere]] = {
    "data-folder": _data,
    "settings-file": _settings,
    "new-module": _module,
    "browser-file": _browser,
    "pure-dependency": _dependency("pure", "a dependency more"),
    "compiled-dependency": _dependency("compiled", "a dependency more, with compiled parts"),
    "program-dependency": _dependency("program", "a dependency more, with a program"),
    "raise-version": _version,
    "next-patch": _base(next_patches, "the next patch of the base"),
    "next-minor": _base(next_versions, "the next version of the base"),
}
NAMES = tuple(_EDITS)
