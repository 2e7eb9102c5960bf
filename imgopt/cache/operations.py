"""The key of one step: which parts of an instruction and of its stage's state go into the
operation's digest.

Rules: buildkit solver/llbsolver/ops/exec.go and file.go (CacheMap), dockerfile2llb/convert.go and
convert_copy.go.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from imgopt.cache.graph import Component, Destination, Graph, Input, Vertex
from imgopt.cache.selection import Selection, clean_source
from imgopt.cache.stage import StageState
from imgopt.dockerfile.heredoc import Heredoc, parse_heredoc
from imgopt.dockerfile.typed import Add, Copy, Mount, Run, Workdir

_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_GIT = re.compile(r"(?:git@|git://|ssh://)|https?://[^#]+\.git(?:[#?]|$)", re.IGNORECASE)
_DEFAULT_MODES = {"secret": "0400", "ssh": "0600"}
_COMMIT = re.compile(r"#[0-9a-f]{40}(?::|$)")


def add_workdir(graph: Graph, stage: StageState, typed: Workdir, epoch: str | None) -> Vertex:
    """WORKDIR makes its directory: a file operation on the root file system, keyed by path and
    owner."""
    stage.change_directory(stage.expand(typed.path))
    if stage.directory == "/":
        return stage.output
    operation = [
        ("make directory", stage.directory),
        ("user", stage.user),
        ("SOURCE_DATE_EPOCH", epoch or ""),
    ]
    where = Destination(stage.workdir, True)
    return graph.add("workdir", operation, [Input(stage.output)], where)


def add_run(graph: Graph, stage: StageState, typed: Run, sources: Mapping[str, Vertex]) -> Vertex:
    """RUN: command, ordered environment, directory, user, network, security, mounts; never the
    order of the flags."""
    mounts = sorted(
        (_Mounted(stage, mount) for mount in typed.mounts), key=lambda mounted: mounted.target
    )
    inputs = [Input(stage.output)]
    described: list[object] = []
    for mounted in mounts:
        described.append((*mounted.description(), _attach(mounted, inputs, sources, stage.output)))
    operation: list[Component] = [
        ("command", _command(stage, typed)),
        ("environment", tuple(stage.environment.items())),
        ("workdir", stage.current),
        ("user", stage.user),
        ("--network", stage.expand(typed.network or "default")),
        ("--security", stage.expand(typed.security or "sandbox")),
        ("--mount", tuple(described)),
    ]
    return graph.add("run", operation, inputs)


def _command(stage: StageState, typed: Run) -> tuple[str, ...]:
    """The arguments of the process; the shell form and its exec form are the same."""
    if typed.json is not None:
        return typed.json
    line = str(typed.shell or "")
    if not typed.heredocs:
        return (*stage.shell, line)
    only = typed.heredocs[0]
    if len(typed.heredocs) == 1 and parse_heredoc(line) is not None:
        if only.text.startswith("#!"):
            return (*stage.shell, f"/dev/pipes/{only.name}", only.text)
        return (*stage.shell, only.text)
    return (
        *stage.shell,
        line + "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in typed.heredocs),
    )


class _Mounted:
    """One `--mount` with its variables expanded and its target absolute."""

    def __init__(self, stage: StageState, mount: Mount) -> None:
        self.mount = mount
        self.type = stage.expand(mount.type)
        self.source = stage.expand(mount.source or "")
        self.id = stage.expand(mount.id or "")
        target = stage.expand(mount.target or "")
        self.given_target = target
        if not target and self.type == "secret" and not mount.env:
            target = f"/run/secrets/{posixpath.basename(self.id or self.source)}"
        self.target = (
            stage.absolute(target) or posixpath.join(stage.directory, target) if target else ""
        )

    def description(self) -> tuple[object, ...]:
        """What of it is in the key: a secret's name but not its value, a cache's place but not its
        contents."""
        mount = self.mount
        mode = _octal(mount.mode or _DEFAULT_MODES.get(self.type, ""))
        owner = (mode, mount.uid or "", mount.gid or "")
        if self.type == "cache":
            # a custom id and any sharing but "shared" are blanked, so all of those are one key
            plain = (
                self.id in ("", self.given_target)
                and (mount.sharing or "shared").lower() == "shared"
            )
            return ("cache", self.target, "own" if plain else "", owner, mount.readonly is True)
        if self.type in ("secret", "ssh"):
            name = self.id or self.source or posixpath.basename(self.target)
            return (self.type, name, self.target, owner, mount.required is True, mount.env or "")
        if self.type == "tmpfs":
            return ("tmpfs", self.target, mount.size or "")
        return ("bind", self.target, mount.readonly is not False)


def _attach(
    mounted: _Mounted, inputs: list[Input], sources: Mapping[str, Vertex], root: Vertex
) -> int:
    """Adds what a mount reads to the inputs; its number there, -1 for what reads nothing."""
    mount = mounted.mount
    if mounted.type == "cache" and not mount.from_:
        return -1
    if mounted.type not in ("bind", "cache"):
        return -1
    vertex = sources[mount.from_] if mount.from_ else None
    if vertex is root:
        return 0  # the stage's own root file system has no content key
    wanted = clean_source(mounted.source)
    for number, existing in enumerate(inputs[1:], start=1):
        if existing.vertex is vertex and existing.selection is not None:
            both = tuple(sorted({*existing.selection.sources, wanted}))
            inputs[number] = Input(vertex, Selection(both))
            return number
    inputs.append(Input(vertex, Selection((wanted,))))
    return len(inputs) - 1


def add_copy(
    graph: Graph,
    stage: StageState,
    typed: Copy,
    source: Vertex | None,
    merge_op: bool,
    epoch: str | None,
) -> Vertex:
    """COPY and ADD: a file operation on the root file system (fast key only) that reads its sources
    by content."""
    destination = stage.expand(typed.destination)
    sources = [stage.expand(word) for word in typed.sources]
    local = [word for word in sources if not (isinstance(typed, Add) and _is_remote(word))]
    link = merge_op and typed.link and not typed.chmod
    inputs = [Input(graph.add("scratch", [("image", "scratch")]) if link else stage.output)]
    excludes = tuple(map(str, typed.exclude))  # BuildKit expands no variables there
    if local:
        inputs.append(
            Input(source, Selection(tuple(map(clean_source, local)), excludes, typed.parents))
        )
    inputs += [
        Input(_remote(graph, word, typed), Selection(("",)))
        for word in sources
        if word not in local
    ]
    inputs += [
        Input(_document(graph, stage, heredoc), Selection((heredoc.name,)))
        for heredoc in typed.heredocs
    ]
    operation = [
        ("destination", _destination_text(stage, destination)),
        ("source names", tuple(_base_name(word, typed.parents) for word in sources)),
        ("--chown", _owner(stage.expand(typed.chown or ""))),
        ("--chmod", _octal(stage.expand(typed.chmod or ""))),
        ("--exclude", excludes),
        ("--parents", typed.parents),
        ("unpacks archives", isinstance(typed, Add) and typed.unpack is not False),
        ("SOURCE_DATE_EPOCH", epoch or ""),
    ]
    where = Destination(
        stage.absolute(destination), _is_directory(destination, len(sources) + len(typed.heredocs))
    )
    made = graph.add("copy", operation, inputs, where, "; ".join(_assumptions(inputs)))
    if not link:
        return made
    return graph.add("merge", [("--link", True)], [Input(stage.output), Input(made)], where)


def _assumptions(inputs: list[Input]) -> Iterator[str]:
    return (
        one.vertex.assumption
        for one in inputs
        if one.vertex is not None and one.vertex.kind == "remote"
    )


def _is_directory(destination: str, sources: int) -> bool:
    return (
        destination.endswith("/")
        or sources > 1
        or posixpath.basename(destination) in (".", "..", "")
    )


def _destination_text(stage: StageState, destination: str) -> str:
    """As in the key: absolute, cleaned, the slash at its end kept."""
    path = stage.absolute(destination) or posixpath.normpath(
        posixpath.join(stage.directory, destination)
    )
    slash = destination.endswith("/") or destination in (".", "")
    return path if path == "/" or not slash else path + "/"


def _octal(mode: str) -> str:
    """`0644` is `644`; symbolic modes stay."""
    return mode.lstrip("0") or "0" if mode.isdecimal() else mode


def _owner(owner: str) -> str:
    """`root` is `0`; other names are looked up in the image."""
    return ":".join("0" if part == "root" else part for part in owner.split(":"))


def _base_name(source: str, parents: bool) -> str:
    """Of a source only the last name is in the key; with --parents all of it is."""
    return source if parents else posixpath.basename(clean_source(source)) or "/"


def _is_remote(word: str) -> bool:
    return bool(_REMOTE.match(word) or _GIT.match(word))


def _remote(graph: Graph, word: str, typed: Copy) -> Vertex:
    """A URL or git repository: the bytes are not ours to see, so a hit is an assumption unless they
    are pinned."""
    assert isinstance(typed, Add)
    pinned = bool(typed.checksum or _COMMIT.search(word))
    operation = [
        ("address", word),
        ("--checksum", typed.checksum or ""),
        ("--keep-git-dir", typed.keep_git_dir),
    ]
    return graph.add(
        "remote", operation, assumption="" if pinned else f"{word} still serves the same bytes"
    )


def _document(graph: Graph, stage: StageState, heredoc: Heredoc) -> Vertex:
    """A here-document of COPY: a file of that name; its text is expanded unless the name was
    quoted."""
    text = _expanded_document(stage, heredoc) if heredoc.expand else heredoc.text
    return graph.add("file", [("document name", heredoc.name), ("document text", text)])


def _expanded_document(stage: StageState, heredoc: Heredoc) -> str:
    """Variables only: quotes stay, as in a shell's here-document."""
    from imgopt.dockerfile.expand import ExpansionError, Lexer

    try:
        lexer = Lexer(
            heredoc.text,
            stage.environment.mapping(),
            stage.escape,
            raw_quotes=True,
            skip_quotes=True,
        )
        return lexer.run().text
    except ExpansionError:
        return heredoc.text
