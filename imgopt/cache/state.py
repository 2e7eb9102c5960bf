"""One state of a project: the Dockerfile, the context as it is sent, and what a build is called
with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from imgopt.cache.bases import BaseConfig
from imgopt.cache.graph import Graph
from imgopt.cache.keys import build_graph
from imgopt.context.files import Tree, list_files, sifted
from imgopt.context.history import Repository
from imgopt.dockerfile import Dockerfile, IgnoreFile, find_ignore_file, parse
from imgopt.errors import EnvironmentFailure, InputError, Location


@dataclass(frozen=True)
class State:
    """`dockerfile_path` is the Dockerfile's path in the context, None when it lies outside;
    `ignore_path` likewise. `bases` gives what is known of base images by the name in FROM.
    `merge_op`: the engine can do COPY --link (containerd image store); graph driver stores ignore
    it."""

    dockerfile: Dockerfile
    tree: Tree
    ignore_text: str | None = None
    dockerfile_path: str | None = None
    ignore_path: str | None = None
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    bases: Mapping[str, BaseConfig] = field(default_factory=dict)
    platform: str = "linux/amd64"
    merge_op: bool = False

    @cached_property
    def ignore(self) -> IgnoreFile | None:
        return (
            None
            if self.ignore_text is None
            else IgnoreFile.parse(self.ignore_text, self.ignore_path or "ignore file")
        )

    @cached_property
    def graph(self) -> Graph:
        """The build graph. Raises InputError for a Dockerfile that BuildKit refuses."""
        return build_graph(self)

    def on(self, tree: Tree) -> State:
        """The same build on another tree; the graph does not depend on it and is shared."""
        made = replace(self, tree=tree)
        made.__dict__["graph"] = self.graph
        return made

    def with_dockerfile(self, text: str, name: str | None = None) -> State:
        """The same context built by another Dockerfile text."""
        return replace(
            self,
            dockerfile=_parsed(text, name or self.dockerfile.name, self.target, self.build_args),
        )


def read_state(
    context: Path,
    dockerfile: Path | None = None,
    *,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    bases: Mapping[str, BaseConfig] | None = None,
    platform: str = "linux/amd64",
    merge_op: bool = False,
) -> State:
    """The state of a directory as it is now. Raises InputError for a missing or refused
    Dockerfile."""
    file = dockerfile or context / "Dockerfile"
    text = _read(file)
    ignore_file = find_ignore_file(context, file)
    ignore_text = _read(ignore_file) if ignore_file else None
    ignore = IgnoreFile.parse(ignore_text, str(ignore_file)) if ignore_text is not None else None
    return State(
        _parsed(text, str(file), target, build_args or {}),
        list_files(context, ignore),
        ignore_text,
        _inside(context, file),
        _inside(context, ignore_file) if ignore_file else None,
        target,
        dict(build_args or {}),
        dict(bases or {}),
        platform,
        merge_op,
    )


def read_revision(context: Path, revision: str, like: State) -> State:
    """The state of the context at a git revision, built as `like` is. Raises InputError where there
    is no git."""
    repository = Repository.of(context)
    if isinstance(repository, str):
        raise InputError(
            f"--since needs the git history of {context}: {repository}",
            hint="compare with a directory: --against DIR",
        )
    tree = repository.tree(revision)
    name = like.dockerfile_path
    entry = tree.get(name) if name else None
    if name is not None and (entry is None or entry.content is None):
        raise InputError(f"{name} does not exist at {revision}", hint="name a later revision")
    text = (
        entry.content.read().decode(errors="surrogateescape")
        if entry and entry.content
        else like.dockerfile.text
    )
    ignore_path, ignore_text = _ignore_of(tree, name)
    ignore = (
        IgnoreFile.parse(ignore_text, f"{revision}:{ignore_path}")
        if ignore_text is not None
        else None
    )
    return replace(
        like,
        dockerfile=_parsed(
            text, f"{revision}:{name or like.dockerfile.name}", like.target, like.build_args
        ),
        tree=sifted(tree, ignore),
        ignore_text=ignore_text,
        ignore_path=ignore_path,
    )


def _ignore_of(tree: Tree, dockerfile: str | None) -> tuple[str | None, str | None]:
    """The ignore file that BuildKit would take from a tree: the Dockerfile's own, else the
    root's."""
    for name in (f"{dockerfile}.dockerignore" if dockerfile else None, ".dockerignore"):
        entry = tree.get(name) if name else None
        if entry is not None and entry.content is not None:
            return name, entry.content.read().decode(errors="surrogateescape")
    return None, None


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        raise InputError(
            "there is no such file", location=Location(str(file)), hint="name it with --file"
        ) from None
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot read: {error.strerror}", location=Location(str(file))
        ) from None


def _parsed(text: str, name: str, target: str | None, build_args: Mapping[str, str]) -> Dockerfile:
    return parse(text, name).check(target, build_args)


def _inside(context: Path, file: Path) -> str | None:
    try:
        return file.resolve().relative_to(context.resolve()).as_posix()
    except ValueError:
        return None
