"""ignore-file: keeps out of the build what no image needs, and what makes `COPY . .` miss for
nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from imgopt.context.facts.builds import Stray
from imgopt.dockerfile import Dockerfile, IgnoreFile
from imgopt.dockerfile.names import is_template
from imgopt.rewrite.ignored.made_folders import made_folders
from imgopt.rewrite.ignored.readers import Readers, uses_docker
from imgopt.rewrite.ignored.served_files import Served, served
from imgopt.rewrite.strategy import (
    AUTHORS_STEP,
    Change,
    ContextFiles,
    Situation,
    Skip,
    Strategy,
)
from imgopt.strategies.ignore_file_examples import EXAMPLES

if TYPE_CHECKING:
    from imgopt.context.ecosystems import Ecosystem

_MOST_WEIGHED = 20_000
"""More files than these are counted: to look at each takes longer than all the rest."""
_MOST_NAMED = 4
_MACHINE = "what the build makes itself"
_PLAIN = re.compile(r"[^*?\[\]\\!#\s][^*?\[\]\\\s]*")


@dataclass(frozen=True, slots=True)
class Line:
    """A pattern, what it keeps out of the context as it is now, and why it may."""

    pattern: str
    paths: tuple[str, ...]
    kind: str
    reason: str


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Adds lines for what is in the context, or will be there, and that no build, run or source
    asks for."""
    project = situation.project
    context, ecosystems = project.context, project.ecosystems
    old = situation.ignore or ""
    ignored = IgnoreFile.parse(old)
    ours = served(situation)
    found: list[Line] = []
    skips: list[Skip] = []
    if _copies_broadly(situation.dockerfile):
        strays = [line for line in _strays(context, ecosystems) if not _is_out(ignored, line)]
        found, skips = _kept_out(situation, ours, strays)
    for path, refused in made_folders(ours, context, ecosystems):
        line = Line(path, (path,) if path in context.folders else (), "made", _MACHINE)
        if _is_out(ignored, line) or not _PLAIN.fullmatch(path):
            continue
        if not refused:
            found.append(line)
        elif line.paths:
            skips.append(Skip(f"{path} stays in the build: {refused}"))
    wanted = [line for line in found if not _wanted_back(line.pattern, old)]
    yield from skips
    if any(
        line.paths or line.kind == "made" for line in wanted
    ):  # what only lies about later is no reason by itself
        yield _change(old, wanted, context)


def _change(old: str, wanted: Sequence[Line], context: ContextFiles) -> Change:
    lines = dict.fromkeys(line.pattern for line in wanted)
    text = (old if old.endswith("\n") or not old else old + "\n") + "".join(
        f"{line}\n" for line in lines
    )
    reasons = ", ".join(dict.fromkeys(line.reason for line in wanted))
    files = [own for line in wanted for path in line.paths for own in _files(context, path)]
    if len(files) > _MOST_WEIGHED:
        weight = f" ({len(files):,} files of the context)"
    else:
        size = sum(context.sizes.get(own, 0) for own in files)
        weight = f" ({size / 1e6:.1f} MB of the context)" if size >= 50_000 else ""
    return Change(f"keeps {reasons} out of the build{weight}", ignore=text)


def _files(context: ContextFiles, path: str) -> list[str]:
    return [path] if path in context.sizes else context.below(path)


def _is_out(ignored: IgnoreFile, line: Line) -> bool:
    """The ignore file keeps it out already."""
    asked = line.paths or (
        line.pattern.removeprefix("**/"),
        f"x/{line.pattern.removeprefix('**/')}",
    )
    return all(
        ignored.excludes(path) for path in (asked if line.pattern.startswith("**/") else asked[:1])
    )


def _copies_broadly(dockerfile: Dockerfile) -> bool:
    """Some COPY or ADD takes a whole folder of the context."""
    copies = Served("", dockerfile).copies
    return any(copy.source == "" or copy.source == "*" for copy in copies)


def _strays(context: ContextFiles, ecosystems: Iterable[Ecosystem]) -> Iterator[Line]:
    """What lies about in the context, by the ecosystems' facts."""
    own = context.dockerfile
    for ecosystem in ecosystems:
        for fact in ecosystem.stray:
            for name in fact.names:
                deep = name.startswith("**/")
                paths = _hits(context, name.removeprefix("**/"), deep, fact)
                sooner = any(
                    fnmatchcase(one, glob) for glob in fact.from_sources for one in context.names
                )
                if deep and (paths or sooner):
                    wide = sooner or any("/" in path for path in paths)
                    yield Line(
                        name if wide else name.removeprefix("**/"), paths, fact.kind, fact.reason
                    )
                elif not deep:
                    kind = "packages" if fact.inside else fact.kind
                    yield from (Line(path, (path,), kind, fact.reason) for path in paths)
    if "/" in own and own in context.sizes:
        yield Line(own, (own,), "project", "the build's own files")


def _hits(context: ContextFiles, name: str, deep: bool, fact: Stray) -> tuple[str, ...]:
    """Files and folders of that name that the fact is about, all of them: one that is not makes the
    pattern wrong."""
    files, folders = context.named_like(name)
    if not deep:
        files, folders = ([path for path in paths if "/" not in path] for paths in (files, folders))
    if fact.beside:
        files = [path for path in files if "__pycache__/" not in path]
        if not all(_made_from(context, path, fact.beside) for path in files):
            return ()
    if fact.inside:
        files = []
        folders = [path for path in folders if f"{path}/{fact.inside}" in context.sizes]
    if fact.like:
        folders = []
        files = [
            path
            for path in files
            if not is_template(path) and re.search(fact.like, context.text(path, 1 << 16))
        ]
    found = sorted([*files, *folders])
    return tuple(found if deep else (path for path in found if _PLAIN.fullmatch(path)))


def _made_from(context: ContextFiles, path: str, source: str) -> bool:
    stem = posixpath.splitext(posixpath.basename(path))[0]
    return posixpath.join(posixpath.dirname(path), source.replace("{stem}", stem)) in context.sizes


def _kept_out(
    situation: Situation, ours: Sequence[Served], lines: Sequence[Line]
) -> tuple[list[Line], list[Skip]]:
    """The lines that may be written, and why others may not."""
    opened = _opened(situation)
    unnamed = [line for line in lines if not _is_named(line, ours, opened)]
    readers = Readers(situation.project.context, situation.project.ecosystems)
    git = readers.of_git(ours) if any(line.kind == "vcs" for line in lines) else ""
    docker = uses_docker(ours)
    readable = [path for line in unnamed if line.kind == "project" for path in line.paths]
    about = About(situation, ours, git, docker, {} if docker or git else readers.of(readable))
    found: list[Line] = []
    stay: dict[str, list[str]] = {}
    for line in unnamed:
        refused = _refused(line, about)
        if refused:
            stay.setdefault(refused, []).append(line.pattern)
        else:
            found.append(line)
    return found, [_staying(patterns, why) for why, patterns in stay.items()]


def _staying(patterns: Sequence[str], why: str) -> Skip:
    more = len(patterns) - _MOST_NAMED
    named = ", ".join(patterns[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return Skip(f"{named} {'stays' if len(patterns) == 1 else 'stay'} in the build: {why}")


def _refused(line: Line, about: About) -> str:
    """Why a line of its kind may not be written."""
    return next(
        (why for why in (refuses(line, about) for refuses in RULES[line.kind].refuses) if why), ""
    )


@dataclass(frozen=True, slots=True)
class About:
    """What is asked once about all lines: who asks git, who calls Docker, and which file names
    which path."""

    situation: Situation
    ours: Sequence[Served]
    git: str
    docker: str
    read: Mapping[str, str]

    def committed(self, line: Line) -> bool:
        tracked, context = self.situation.project.context.tracked, self.situation.project.context
        return tracked is not None and any(
            own in tracked for path in line.paths for own in _files(context, path)
        )


def _asked_by_git(_line: Line, about: About) -> str:
    return f"{about.git} asks for version control data" if about.git else ""


def _changes_git(line: Line, about: About) -> str:
    if about.git and (line.kind == "project" or about.committed(line)):
        return f"{about.git} asks git, to which a committed file that is missing is a change"
    return ""


def _read_by_docker(_line: Line, about: About) -> str:
    return f"{about.docker} calls Docker itself, and may read it" if about.docker else ""


def _read_by_file(line: Line, about: About) -> str:
    reader = next((about.read[path] for path in line.paths if path in about.read), "")
    return f"{reader} names it" if reader else ""


def _is_committed(line: Line, about: About) -> str:
    return "it is committed" if about.committed(line) else ""


def _is_all_there_is(line: Line, about: About) -> str:
    """Packages of the machine may be what the image runs with, unless it installs its own; a script
    may start them."""
    dockerfile, context = about.situation.dockerfile, about.situation.project.context
    runs = [item.value for item in dockerfile.instructions if item.keyword == "RUN"]
    installers = [word for one in about.situation.project.ecosystems for word in one.installers]
    if not any(word in value for value in runs for word in installers):
        return "no step installs packages in its place"
    name = posixpath.basename(line.pattern)
    called = {word for one in about.ours for word in one.words}
    scripts = (path for word in sorted(called) for path in context.named(word))
    script = next((path for path in scripts if f"{name}/" in context.text(path, 1 << 16)), "")
    return f"{script} names it" if script else ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What kind of thing may be kept out, and what forbids it."""

    what: str
    but: str
    refuses: tuple[Callable[[Line, About], str], ...]


RULES: Mapping[str, Rule] = {
    "vcs": Rule(
        "version control data", "unless a step, a script or a source asks git", (_asked_by_git,)
    ),
    "project": Rule(
        "Dockerfiles, Compose files, settings of the project's host",
        "unless a file names them, the image calls Docker, or git is asked",
        (_changes_git, _read_by_docker, _read_by_file),
    ),
    "machine": Rule(
        "bytecode, caches of tools, an editor's files, logs",
        "unless they are committed",
        (_changes_git, _is_committed),
    ),
    "packages": Rule(
        "a virtual environment of this machine",
        "unless it is committed, a script names it, or no step installs packages",
        (_is_committed, _is_all_there_is),
    ),
    "made": Rule(
        "what a step makes at the very place where a COPY would bring it",
        "unless a stage copies it and does not make it, an instruction takes it by its name, or it"
        " is committed",
        (),
    ),
}


def _is_named(line: Line, ours: Sequence[Served], opened: set[str]) -> bool:
    """A Dockerfile or the smoke run asks for it by its name: a name that stands there is never kept
    out."""
    name = posixpath.basename(line.pattern)
    if any(one.takes(path) for one in ours for path in line.paths):
        return True
    return any(one.names(name) for one in ours) or any(fnmatchcase(word, name) for word in opened)


def _opened(situation: Situation) -> set[str]:
    evidence = situation.evidence
    return {path.rpartition("/")[2] for path in evidence.opened} if evidence is not None else set()


def _wanted_back(pattern: str, ignore: str) -> bool:
    """The ignore file says by a negation that something of this name shall come."""
    last = pattern.rpartition("/")[2]
    lines = (line.strip() for line in ignore.splitlines())
    parts = (part for line in lines if line.startswith("!") for part in line[1:].split("/"))
    return any(
        fnmatchcase(part, last) or (part.strip("*") and fnmatchcase(last, part)) for part in parts
    )


STRATEGY = Strategy(
    name="ignore-file",
    does="Keeps what no build needs out of the build context.",
    why=(
        "What is not in the build context can neither be shipped nor make a step miss the cache."
        " `COPY . .` ships and hashes version control data, the packages of the developer's machine"
        " and the Dockerfile itself: a changed comment in it rebuilds everything below."
    ),
    safety="text",
    doubt=44,
    failures=frozenset([AUTHORS_STEP]),
    references=("https://docs.docker.com/build/concepts/context/#dockerignore-files",),
    rewrite=rewrite,
    refuses=(
        "Where no COPY takes a whole folder; a file that an instruction of any Dockerfile of the"
        " context, a source or a script names, or that the smoke run opened, is never hidden."
    ),
    table=tuple((rule.what, f"may be kept out, {rule.but}") for rule in RULES.values()),
    examples=EXAMPLES,
)
