"""What file a start command's first word names, as far as the Dockerfile and the context say: does a kernel start it?

A shell runs a text without a first line (`#!`) by itself, where the kernel says "exec format error" (POSIX XCU 2.9.1.1,
command search and execution; execve(2), ENOEXEC).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from imgopt.dockerfile import Dockerfile, Instruction, Stage
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Copy, Run
from imgopt.rewrite.served import is_glob
from imgopt.rewrite.steps import script_of, workdir_at
from imgopt.rewrite.strategy import ContextFiles, Situation

_PLACES = ("cp", "mv", "install", "ln", "tee", "dd")
"""Programs that put files to other places."""


def not_startable(situation: Situation, program: str) -> str:
    """Why a kernel would not start the file that a shell does; "" where no file of the build speaks against it."""
    evidence = situation.evidence
    if evidence is not None:
        node = evidence.side.command(program)
        head = node.read(256) if node is not None and node.inode is not None else b"\x7fELF"
        return _bare(program, head)
    here = workdir_at(situation.dockerfile.scope_at(situation.stage.instructions[-1]))
    place = posixpath.normpath(posixpath.join(here, program)) if "/" in program else program
    return next(filter(None, _found(situation.dockerfile, situation.stage, place, situation.project.context, 8)), "")


def _bare(name: str, head: bytes | None) -> str:
    if head is None:
        return f"{name} cannot be read"
    first = head.partition(b"\n")[0]
    if head.startswith(b"#!"):
        return f"the first line of {name} ends with a carriage return" if first.endswith(b"\r") else ""
    return "" if head.startswith(b"\x7fELF") else f"{name} does not begin with #!, so only a shell can start it"


def _found(dockerfile: Dockerfile, stage: Stage, place: str, context: ContextFiles, depth: int) -> Iterator[str]:
    """A refusal, or "", for each file that may lie at this place of the image; a word without `/` is any file of that
    name, for PATH may lead to it."""
    for part in stage.chain:
        for item in part.instructions:
            typed = item.typed
            if isinstance(typed, Copy):
                yield from _copied(dockerfile, item, typed, place, context, depth)
            elif isinstance(typed, Run):
                yield from _written(dockerfile, item, place, context)


def _copied(
    dockerfile: Dockerfile, item: Instruction, copy: Copy, place: str, context: ContextFiles, depth: int
) -> Iterator[str]:
    scope = dockerfile.scope_at(item)
    target = scope.expand_known(copy.destination)
    folder = None if target is None else posixpath.normpath(posixpath.join(workdir_at(scope), target))
    for heredoc in copy.heredocs:
        if _may_be(place, folder, heredoc.name):
            yield _bare(heredoc.name, heredoc.content.encode("utf-8", "surrogateescape"))
    for word in copy.sources:
        source = scope.expand_known(word)
        if source is None:
            yield from _by_name(place, context)
        elif "://" in source:
            if _may_be(place, folder, posixpath.basename(source)):
                yield f"{source[:60]} is fetched, and its first line is not known"
        elif copy.from_ is None:
            for path in _origins(context, source, folder, place):
                yield _bare(path, _head(context, path))
        else:
            yield from _from_stage(dockerfile, str(copy.from_), source, folder, place, context, depth)


def _from_stage(
    dockerfile: Dockerfile, word: str, source: str, folder: str | None, place: str, context: ContextFiles, depth: int
) -> Iterator[str]:
    stage = dockerfile.source_stage(word)
    if stage is None or not depth:
        return
    own = posixpath.normpath("/" + source.lstrip("/"))
    name = posixpath.basename(place)
    if "/" not in place or folder is None:
        wanted = name if is_glob(own) or posixpath.basename(own) != name else own
        wanted = own if folder is not None and posixpath.basename(folder) == name else wanted
    elif place == folder or posixpath.join(folder, posixpath.basename(own)) == place:
        wanted = own
    elif place.startswith(folder.rstrip("/") + "/"):
        wanted = posixpath.join(own, posixpath.relpath(place, folder))
    else:
        return
    yield from _found(dockerfile, stage, name if is_glob(wanted) else wanted, context, depth - 1)


def _origins(context: ContextFiles, source: str, folder: str | None, place: str) -> Iterator[str]:
    """Files of the context that a COPY may bring to the place."""
    clean, name = posixpath.normpath("/" + source).strip("/"), posixpath.basename(place)
    if is_glob(clean):
        yield from (path for path in context.named(name) if path in context.below(posixpath.dirname(_literal(clean))))
        return
    if clean in context.sizes:
        if _may_be(place, folder, posixpath.basename(clean)):
            yield clean
        return
    inside = context.below(clean)
    if folder is None or "/" not in place:
        yield from (path for path in context.named(name) if not clean or path.startswith(clean + "/"))
    elif place.startswith(folder.rstrip("/") + "/"):
        path = posixpath.normpath(posixpath.join(clean, posixpath.relpath(place, folder)))
        if inside and path in context.sizes:
            yield path


def _literal(glob: str) -> str:
    return glob[: min(glob.index(char) for char in "*?[" if char in glob)] + "x"


def _may_be(place: str, folder: str | None, name: str) -> bool:
    """Whether a single file of this name, copied to the folder or under a name of its own, may be the program."""
    wanted = posixpath.basename(place)
    if folder is None:
        return name == wanted
    if "/" not in place:
        return wanted in (name, posixpath.basename(folder))
    return place in (folder, posixpath.join(folder, name))


def _by_name(place: str, context: ContextFiles) -> Iterator[str]:
    yield from (_bare(path, _head(context, path)) for path in context.named(posixpath.basename(place)))


def _head(context: ContextFiles, path: str) -> bytes | None:
    try:
        with (context.root / path).open("rb") as file:
            return file.read(256)
    except OSError:
        return None


def _written(dockerfile: Dockerfile, item: Instruction, place: str, context: ContextFiles) -> Iterator[str]:
    """What a step writes there as a text; what it compiles or fetches is taken for a program."""
    name = posixpath.basename(place)
    script = script_of(dockerfile, item)
    if name not in item.value and not any(name in heredoc.content for heredoc in item.heredocs):
        return
    for command in script.commands:
        if _writes(command, name) and "#!" not in _text(item):
            yield f"a step writes {name} without a first line (#!), so only a shell can start it"
        elif command.name in _PLACES and any((value or "").rpartition("/")[2] == name for value in command.values[-1:]):
            for value in command.values[1:-1]:
                yield from _by_name(value or "", context)


def _text(item: Instruction) -> str:
    return item.value + "".join(heredoc.content for heredoc in item.heredocs)


def _writes(command: Command, name: str) -> bool:
    targets = [redirection.target.value for redirection in command.redirections if redirection.target is not None
               and ">" in redirection.operator]  # fmt: skip
    if command.name == "tee":
        targets += list(command.values[1:])
    return any((target or "").rpartition("/")[2] == name for target in targets)
