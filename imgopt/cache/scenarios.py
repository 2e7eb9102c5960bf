"""The scenarios: what developers do between two builds, on files of this project, chosen by
ecosystem and churn."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from imgopt.cache.edits import Edit, comment, with_comment
from imgopt.cache.roles import Role, Roles
from imgopt.cache.state import State
from imgopt.context.files import BytesContent, Entry, Tree, list_files
from imgopt.dockerfile import IgnoreFile
from imgopt.dockerfile.typed import Arg, From

NAMES = (
    "no-change",
    "touch-only",
    "edit-source",
    "edit-test",
    "edit-docs",
    "edit-manifest",
    "edit-lock",
    "edit-dockerfile-comment",
    "edit-dockerignore",
    "add-file",
    "delete-file",
    "rename-file",
    "chmod-file",
    "build-arg",
    "base-bump",
)
_NEVER = IgnoreFile.parse(
    ".git\n.hg\n.svn\n**/node_modules\n**/.venv\n**/venv\n**/__pycache__\n**/target\n"
)
_ENTRY_POINTS = frozenset({"index", "main", "app", "server", "lib", "mod", "__init__", "__main__"})
_WORD = re.compile(r"\w[\w-]*")
_MOST_READ, _SMALL = 500, 100_000
"""Files, and bytes of each, that are searched for the names of others."""
_README = re.compile(r"(?:^|/)README[^/]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`edit` says the change in words. `make(token)` is the change itself; the token makes its
    bytes unlike those of any other run."""

    name: str
    edit: str
    make: Callable[[str], Edit]

    @property
    def example(self) -> Edit:
        """The change that is predicted: the same bytes each time."""
        return self.make("predict")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A scenario that this project has nothing for."""

    name: str
    reason: str


@dataclass
class _Chooser:
    """Picks the files of the scenarios."""

    context: Path
    state: State
    churn: Mapping[str, int]
    roles: Roles = field(default_factory=Roles)

    @cached_property
    def _sent(self) -> Mapping[Role, tuple[str, ...]]:
        return self._editable(self.state.tree)

    @cached_property
    def everything(self) -> Tree:
        """Also what the ignore file hides, without dependency folders."""
        return list_files(self.context, _NEVER) if self.state.ignore else self.state.tree

    @cached_property
    def _hidden(self) -> Mapping[Role, tuple[str, ...]]:
        return self._editable(self.everything)

    def _editable(self, tree: Tree) -> Mapping[Role, tuple[str, ...]]:
        special = {self.state.dockerfile_path, self.state.ignore_path}
        names = (
            path for path, entry in tree.files() if entry.kind == "file" and path not in special
        )
        return self.roles.by_role(names, self.churn)

    def files(self, *roles: Role) -> Iterator[str]:
        """Candidates in order: what is sent to the build first; only then the hidden ones are
        looked for."""
        for role in roles:
            yield from self._sent.get(role, ())
        if self.state.ignore is not None:
            for role in roles:
                yield from self._hidden.get(role, ())

    def file(self, *roles: Role) -> str | None:
        return next(self.files(*roles), None)

    def entry(self, path: str) -> Entry:
        return self.state.tree.get(path) or self.everything.entries[path]

    @cached_property
    def spare(self) -> tuple[str, ...]:
        """Two files that a build can do without: not named in the Dockerfile, tests before
        documentation, and what another file names (`import "./board"`) or a tool starts with
        (`index`, `main`) only where nothing else is."""
        named = self.state.dockerfile.text
        found: list[str] = []
        late: list[str] = []
        needed: list[str] = []
        for path in self.files("test", "docs", "other", "source"):
            if posixpath.basename(path) in named or path in (*found, *late, *needed):
                continue
            kept_for_last = _README.search(path) is not None
            (late if kept_for_last else needed if self._is_needed(path) else found).append(path)
            if len(found) == 2:
                break
        return tuple([*found, *late, *needed][:2])

    def _is_needed(self, path: str) -> bool:
        """Whether a build surely looks for it: by an entry point's name, or because another file
        has its name."""
        stem = posixpath.splitext(posixpath.basename(path))[0]
        return stem in _ENTRY_POINTS or any(
            stem in words for other, words in self._words.items() if other != path
        )

    @cached_property
    def _words(self) -> Mapping[str, frozenset[str]]:
        """The words of the first small files that a build reads."""
        found = {}
        for path in islice(self.files("source", "other", "manifest"), _MOST_READ):
            entry = self.entry(path)
            if entry.content is not None and entry.size <= _SMALL:
                found[path] = frozenset(
                    _WORD.findall(entry.content.read().decode(errors="replace"))
                )
        return found

    def mode(self, path: str) -> int:
        """Of a file that may be hidden by the ignore file."""
        entry = self.state.tree.get(path) or self.everything.get(path)
        return entry.mode if entry else 0o644


def scenarios(
    context: Path, state: State, churn: Mapping[str, int] | None = None, only: Sequence[str] = ()
) -> tuple[Scenario | Skipped, ...]:
    """The built-in scenarios for this project, in the order of NAMES; `only` names some of them.

    `churn` is how often each path changed (imgopt.context.history.churn).
    """
    chooser = _Chooser(context, state, churn or {})
    made = (_SCENARIOS[name](chooser, name) for name in NAMES if not only or name in only)
    return tuple(made)


def _no_change(_: _Chooser, name: str) -> Scenario:
    return Scenario(name, "nothing", lambda _: Edit("nothing"))


def _touch(chooser: _Chooser, name: str) -> Scenario | Skipped:
    path = chooser.file("source", "other", "manifest", "docs")
    if path is None:
        return Skipped(name, "the context has no file")
    words = f"{path}: new time, same bytes"
    return Scenario(name, words, lambda _: Edit(words, touched=(path,)))


_Maker = Callable[[_Chooser, str], Scenario | Skipped]


def _edit_of(*roles: Role, what: str) -> _Maker:
    def make(chooser: _Chooser, name: str) -> Scenario | Skipped:
        path = chooser.file(*roles)
        if path is None:
            return Skipped(name, f"the context has no {what}")
        return _added_line(chooser, name, path)

    return make


def _added_line(chooser: _Chooser, name: str, path: str) -> Scenario:
    words = f"{path}: one line added"
    entry = chooser.entry(path)
    return Scenario(
        name, words, lambda token: Edit(words, {path: with_comment(path, entry, token)})
    )


def _dockerfile_comment(chooser: _Chooser, name: str) -> Scenario | Skipped:
    path = chooser.state.dockerfile_path
    if path is None:
        return Skipped(name, "the Dockerfile lies outside the context")
    words = f"{path}: a comment added"
    text = chooser.state.dockerfile.text.encode(errors="surrogateescape")
    mode = chooser.mode(path)

    def make(token: str) -> Edit:
        return Edit(
            words, {path: Entry("file", mode, BytesContent(text + comment("Dockerfile", token)))}
        )

    return Scenario(name, words, make)


def _dockerignore(chooser: _Chooser, name: str) -> Scenario | Skipped:
    path = chooser.state.ignore_path
    if path is None and chooser.state.ignore is not None:
        return Skipped(name, "the ignore file lies outside the context")
    if path is not None:
        return _added_line(chooser, name, path)
    words = ".dockerignore: created, with a comment only"

    def make(token: str) -> Edit:
        return Edit(
            words,
            {".dockerignore": Entry("file", 0o644, BytesContent(comment(".dockerignore", token)))},
        )

    return Scenario(name, words, make)


def _add(chooser: _Chooser, name: str) -> Scenario | Skipped:
    beside = chooser.file("source", "other", "docs", "manifest")
    if beside is None:
        return Skipped(name, "the context has no file")
    folder, base = posixpath.split(beside)
    path = posixpath.join(folder, "imgopt_added" + posixpath.splitext(base)[1])
    words = f"{path}: added"
    head = _package_clause(chooser.entry(beside)) if path.endswith(".go") else b""
    return Scenario(
        name,
        words,
        lambda token: Edit(
            words, {path: Entry("file", 0o644, BytesContent(head + comment(path, token)))}
        ),
    )


def _package_clause(entry: Entry) -> bytes:
    """A Go file must say its package."""
    found = (
        re.search(rb"^package \w+", entry.content.read(), re.MULTILINE) if entry.content else None
    )
    return found.group() + b"\n" if found else b""


def _delete(chooser: _Chooser, name: str) -> Scenario | Skipped:
    if not chooser.spare:
        return Skipped(name, "no file that a build could do without")
    path = chooser.spare[0]
    words = f"{path}: deleted"
    return Scenario(name, words, lambda _: Edit(words, {path: None}))


def _rename(chooser: _Chooser, name: str) -> Scenario | Skipped:
    if len(chooser.spare) < 2:
        return Skipped(name, "no second file that a build could do without")
    path = chooser.spare[1]
    stem, suffix = posixpath.splitext(path)
    new = f"{stem}_renamed{suffix}"
    words = f"{path}: renamed to {new}"
    entry = chooser.entry(path)
    return Scenario(name, words, lambda _: Edit(words, {path: None, new: entry}))


def _chmod(chooser: _Chooser, name: str) -> Scenario | Skipped:
    path = chooser.file("source", "other", "manifest", "docs")
    if path is None:
        return Skipped(name, "the context has no file")
    entry = chooser.entry(path)
    mode = entry.mode ^ 0o111
    words = f"{path}: mode {entry.mode:o} to {mode:o}"
    return Scenario(name, words, lambda _: Edit(words, {path: Entry("file", mode, entry.content)}))


def _build_arg(chooser: _Chooser, name: str) -> Scenario | Skipped:
    found = _argument(chooser.state)
    if found is None:
        return Skipped(name, "no ARG but for the names and versions of base images")
    argument, value = found
    words = f"--build-arg {argument}: another value"
    return Scenario(
        name, words, lambda token: Edit(words, build_args={argument: f"{value}{token}"})
    )


def _argument(state: State) -> tuple[str, str] | None:
    """The ARG to change and its value: rather one that no command names, never one in FROM."""
    instructions = state.dockerfile.instructions
    heads = " ".join(one.typed.image for one in instructions if isinstance(one.typed, From))
    commands = " ".join(one.value for one in instructions if one.keyword == "RUN")
    found = [
        (pair.key, state.build_args.get(pair.key, pair.value or ""))
        for one in instructions
        if isinstance(one.typed, Arg)
        for pair in one.typed.pairs
        if pair.key not in re.findall(r"\w+", heads) and pair.key != "SOURCE_DATE_EPOCH"
    ]
    return min(found, key=lambda pair: pair[0] in re.findall(r"\w+", commands), default=None)


def _bump(chooser: _Chooser, name: str) -> Scenario | Skipped:
    state = chooser.state
    stages = state.dockerfile.bind(state.build_args)
    target = stages[state.dockerfile.target(state.target).index].root
    base = str(target.base)
    if target.is_scratch:
        others = [
            str(stage.base) for stage in stages if stage.parent is None and not stage.is_scratch
        ]
        if not others:
            return Skipped(name, "no base image: FROM scratch")
        base = others[0]
    words = f"a newer version of {base} arrives"
    return Scenario(name, words, lambda _: Edit(words, bumped=(base,)))


_SCENARIOS: Mapping[str, _Maker] = {
    "no-change": _no_change,
    "touch-only": _touch,
    "edit-source": _edit_of("source", "other", what="source file"),
    "edit-test": _edit_of("test", what="test"),
    "edit-docs": _edit_of("docs", what="documentation"),
    "edit-manifest": _edit_of("manifest", what="manifest that an ecosystem knows"),
    "edit-lock": _edit_of("lock", what="lock file"),
    "edit-dockerfile-comment": _dockerfile_comment,
    "edit-dockerignore": _dockerignore,
    "add-file": _add,
    "delete-file": _delete,
    "rename-file": _rename,
    "chmod-file": _chmod,
    "build-arg": _build_arg,
    "base-bump": _bump,
}
