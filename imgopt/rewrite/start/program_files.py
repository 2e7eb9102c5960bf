"""What file a start command's first word names, as far as the Dockerfile and the context say: does
a kernel start it?

A shell runs a text without a first line (`#!`) by itself, where the kernel says "exec format error"
(POSIX XCU 2.9.1.1, command search and execution; execve(2), ENOEXEC). What a package manager put
into PATH starts by itself; of what a step fetches, unpacks or makes in an unknown way, nothing is
known.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile import Dockerfile, Instruction, Stage
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Copy, Run
from imgopt.rewrite.caches.cache_places import programs
from imgopt.rewrite.ignored.served_files import is_glob
from imgopt.rewrite.lines.steps import script_of, workdir_at
from imgopt.rewrite.order.install_commands import calls, recognise
from imgopt.rewrite.strategy import ContextFiles, Situation

_PLACES = ("cp", "mv", "install", "ln", "tee", "dd")
"""Programs that put files to other places."""
_INSTALLED = ("bin", "sbin", ".bin")
"""Folders that installers fill, with programs and with scripts that have a first line."""
_FAR = 8
"""How many copies from stage to stage, and from place to place, are followed."""


def not_startable(situation: Situation, program: str) -> str:
    """Why a kernel might not start the file that a shell does; "" where it is known that it
    does."""
    evidence = situation.evidence
    if evidence is not None:
        node = evidence.view.command(program)
        return _bare(
            program, node.read(256) if node is not None and node.inode is not None else None
        )
    here = workdir_at(situation.dockerfile.scope_at(situation.stage.instructions[-1]))
    place = posixpath.normpath(posixpath.join(here, program)) if "/" in program else program
    project = situation.project
    return _Look(situation.dockerfile, project.context, project.ecosystems).at(
        situation.stage, place, _FAR
    )


def _bare(name: str, head: bytes | None) -> str:
    if head is None:
        return f"{name} cannot be read"
    first = head.partition(b"\n")[0]
    if head.startswith(b"#!"):
        return (
            f"the first line of {name} ends with a carriage return" if first.endswith(b"\r") else ""
        )
    return (
        ""
        if head.startswith(b"\x7fELF")
        else f"{name} does not begin with #!, so only a shell can start it"
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """One Dockerfile with its context, looked through for what may lie at a place of a stage. A
    place without `/` is any file of that name, for PATH may lead to it."""

    dockerfile: Dockerfile
    context: ContextFiles
    ecosystems: tuple[Ecosystem, ...]

    def at(self, stage: Stage, place: str, depth: int) -> str:
        """Why the file at this place might not start by itself; "" where it does."""
        found = list(self._found(stage, place, depth))
        if not found and "/" not in place and self._may_be_unpacked(stage, place):
            return f"what a step fetches may be {place}, and its first line is not known"
        if found or self._is_installed(stage, place) or self._is_compiled(stage):
            return next(filter(None, found), "")
        return (
            f"nothing here says what {place} is, and a text without a first line (#!) needs a shell"
        )

    def _found(self, stage: Stage, place: str, depth: int) -> Iterator[str]:
        """A refusal, or "", for each file that may lie there."""
        for part in stage.chain if depth else ():
            for item in part.instructions:
                typed = item.typed
                if isinstance(typed, Copy):
                    yield from self._copied(item, typed, place, depth)
                elif isinstance(typed, Run):
                    yield from self._written(stage, item, place, depth)

    def _is_installed(self, stage: Stage, place: str) -> bool:
        """Whether an installer put it there: into PATH, or a folder of programs that did not come
        from the context."""
        if "/" not in place:
            return True
        folder = posixpath.dirname(place)
        if posixpath.basename(folder) not in _INSTALLED:
            return False
        items = [item for part in stage.chain for item in part.instructions]
        copies = [(item, item.typed) for item in items if isinstance(item.typed, Copy)]
        return not any(
            own in self.context.folders
            for item, copy in copies
            for own in self._folders_at(item, copy, folder)
        )

    def _may_be_unpacked(self, stage: Stage, name: str) -> bool:
        """Whether a step unpacks into a folder of programs, or runs what it fetches, and nobody
        else installs it."""
        if any(
            fnmatchcase(name, known)
            for ecosystem in self.ecosystems
            for known in _programs_of(ecosystem)
        ):
            return False
        steps = [
            item
            for part in stage.chain
            for item in part.instructions
            if isinstance(item.typed, Run)
        ]
        commands = [
            command for item in steps for command in script_of(self.dockerfile, item).commands
        ]
        if any(
            recognise(one.texts, self.ecosystems) and name in _packages(one) for one in commands
        ):
            return False
        return any(self._unpacks(one) or _runs_input(one) for one in commands)

    def _unpacks(self, command: Command) -> bool:
        return self._brings(command) and any(
            posixpath.basename(word.rstrip("/")) in _INSTALLED for word in command.texts[1:]
        )

    def _folders_at(self, item: Instruction, copy: Copy, folder: str) -> Iterator[str]:
        """Folders of the context that a COPY may lay over a folder of the image."""
        target = self._target(item, copy)
        for word in copy.sources if copy.from_ is None else ():
            if target is not None and f"{folder}/".startswith(target.rstrip("/") + "/"):
                yield posixpath.normpath(
                    posixpath.join(str(word).lstrip("/"), posixpath.relpath(folder, target))
                )

    def _is_compiled(self, stage: Stage) -> bool:
        """Whether a step compiles: what is in no other way accounted for is what it made."""
        steps = [
            item
            for part in stage.chain
            for item in part.instructions
            if isinstance(item.typed, Run)
        ]
        return any(
            self._compiles(command)
            for item in steps
            for command in script_of(self.dockerfile, item).commands
        )

    def _compiles(self, command: Command) -> bool:
        return any(
            calls(command.texts, one) for ecosystem in self.ecosystems for one in ecosystem.compiles
        )

    def _target(self, item: Instruction, copy: Copy) -> str | None:
        scope = self.dockerfile.scope_at(item)
        target = scope.expand_known(copy.destination)
        return (
            None
            if target is None
            else posixpath.normpath(posixpath.join(workdir_at(scope), target))
        )

    def _copied(self, item: Instruction, copy: Copy, place: str, depth: int) -> Iterator[str]:
        folder = self._target(item, copy)
        for heredoc in copy.heredocs:
            if _may_be(place, folder, heredoc.name):
                yield _bare(
                    posixpath.basename(place), heredoc.text.encode("utf-8", "surrogateescape")
                )
        for word in copy.sources:
            source = self.dockerfile.scope_at(item).expand_known(word)
            if source is None:
                yield from self._by_name(place)
            elif "://" in source:
                if _may_be(place, folder, posixpath.basename(source)):
                    yield f"{source[:60]} is fetched, and its first line is not known"
            elif copy.from_ is None:
                for path in self._origins(source, folder, place):
                    yield _bare(path, _head(self.context, path))
            else:
                yield from self._from_stage(str(copy.from_), source, folder, place, depth)

    def _from_stage(
        self, word: str, source: str, folder: str | None, place: str, depth: int
    ) -> Iterator[str]:
        own = posixpath.normpath("/" + source.lstrip("/"))
        wanted = _in_stage(own, folder, place)
        stage = self.dockerfile.source_stage(word)
        if stage is None or not wanted:
            known = (
                "/" not in place
                or posixpath.basename(posixpath.dirname(wanted or "/")) in _INSTALLED
            )
            if wanted and posixpath.basename(wanted) == posixpath.basename(place) and known:
                yield ""  # of another image, whose own program it is
            return
        if "/" in wanted:
            found = self.at(stage, wanted, depth - 1) if depth else f"{wanted} comes from too far"
            if posixpath.basename(own) == posixpath.basename(wanted) or not found.startswith(
                "nothing"
            ):
                yield found
        else:
            yield from self._found(stage, wanted, depth - 1)

    def _origins(self, source: str, folder: str | None, place: str) -> Iterator[str]:
        """Files of the context that a COPY may bring to the place."""
        context = self.context
        clean, name = posixpath.normpath("/" + source).strip("/"), posixpath.basename(place)
        if is_glob(clean):
            below = context.below(posixpath.dirname(_literal(clean)))
            yield from (path for path in context.named(name) if path in below)
            return
        if clean in context.sizes:
            if _may_be(place, folder, posixpath.basename(clean)):
                yield clean
            return
        inside = context.below(clean)
        if folder is None or "/" not in place:
            yield from (
                path for path in context.named(name) if not clean or path.startswith(clean + "/")
            )
        elif place.startswith(folder.rstrip("/") + "/"):
            path = posixpath.normpath(posixpath.join(clean, posixpath.relpath(place, folder)))
            if inside and path in context.sizes:
                yield path

    def _by_name(self, place: str) -> Iterator[str]:
        yield from (
            _bare(path, _head(self.context, path))
            for path in self.context.named(posixpath.basename(place))
        )

    def _written(self, stage: Stage, item: Instruction, place: str, depth: int) -> Iterator[str]:
        """What the commands of a step say of a file of that name."""
        name = posixpath.basename(place)
        if name not in item.value and not any(name in heredoc.content for heredoc in item.heredocs):
            return
        here = workdir_at(self.dockerfile.scope_at(item))
        for command in script_of(self.dockerfile, item).commands:
            if _writes(command, name):
                if "#!" not in _text(item):
                    yield (
                        f"a step writes {name} without a first line (#!), so only a shell can"
                        " start it"
                    )
                else:
                    yield ""
            elif command.name in _PLACES:
                yield from self._moved(stage, command, here, place, depth)
            elif name in _names(command):
                if self._compiles(command):
                    yield ""
                elif self._brings(command):
                    yield (
                        f"`{' '.join(command.texts)[:50]}` brings {name}, and its first line is"
                        " not known"
                    )

    def _brings(self, command: Command) -> bool:
        words = command.texts
        return any(
            calls(words, one) for ecosystem in self.ecosystems for one in ecosystem.brings_files
        )

    def _moved(
        self, stage: Stage, command: Command, here: str, place: str, depth: int
    ) -> Iterator[str]:
        """What `cp`, `mv`, `install` or `ln` put there."""
        words = [word for word in command.texts[1:] if not word.startswith("-")]
        folder = (
            posixpath.normpath(posixpath.join(here, command.cwd or ".", words[-1])) if words else ""
        )
        for source in words[:-1]:
            if not _may_be(place, folder, posixpath.basename(source)):
                continue
            known = list(self._by_name(source))
            origin = posixpath.normpath(posixpath.join(here, command.cwd or ".", source))
            yield from known or [
                self.at(stage, origin, depth - 1) if depth else f"{source} comes from too far"
            ]


def _programs_of(ecosystem: Ecosystem) -> Iterator[str]:
    """Interpreters and managers of a language: what they are is known, wherever they came from."""
    yield from ecosystem.runtime.programs
    yield from (program for manager in ecosystem.manager for program in programs(manager))


def _packages(command: Command) -> set[str]:
    """Names of packages among the words, without their versions and extras."""
    return {re.split(r"[=@<>~!\[]", word)[0] for word in command.texts}


def _runs_input(command: Command) -> bool:
    """A shell that reads its commands from a pipe (`curl … | sh`)."""
    words = command.texts
    return (
        command.operator in ("|", "|&")
        and words[:1] in (("sh",), ("bash",))
        and (not words[1:] or words[1] == "-" or words[1].startswith("-s"))
    )


def _in_stage(own: str, folder: str | None, place: str) -> str:
    """What is looked for in the stage that a COPY takes `own` from; "" where it brings nothing to
    the place."""
    name = posixpath.basename(place)
    if "/" not in place or folder is None:
        if folder is not None and posixpath.basename(folder) == name:
            return own
        return own if posixpath.basename(own) == name and not is_glob(own) else name
    if place == folder or posixpath.join(folder, posixpath.basename(own)) == place:
        return name if is_glob(own) else own
    if place.startswith(folder.rstrip("/") + "/"):
        wanted = posixpath.join(own, posixpath.relpath(place, folder))
        return name if is_glob(wanted) else wanted
    return ""


def _literal(glob: str) -> str:
    return glob[: min(glob.index(char) for char in "*?[" if char in glob)] + "x"


def _may_be(place: str, folder: str | None, name: str) -> bool:
    """Whether a single file of this name, copied to the folder or under a name of its own, may be
    the program."""
    wanted = posixpath.basename(place)
    if folder is None:
        return name == wanted
    if "/" not in place:
        return wanted in (name, posixpath.basename(folder))
    return place in (folder, posixpath.join(folder, name))


def _head(context: ContextFiles, path: str) -> bytes | None:
    try:
        with (context.root / path).open("rb") as file:
            return file.read(256)
    except OSError:
        return None


def _names(command: Command) -> set[str]:
    """The last parts of its words, values of options among them."""
    return {posixpath.basename(word.rpartition("=")[2]) for word in command.texts[1:]}


def _text(item: Instruction) -> str:
    return item.value + "".join(heredoc.content for heredoc in item.heredocs)


def _writes(command: Command, name: str) -> bool:
    targets = [
        redirection.target.value
        for redirection in command.redirections
        if redirection.target is not None and ">" in redirection.operator
    ]
    if command.name == "tee":
        targets += list(command.values[1:])
    return any((target or "").rpartition("/")[2] == name for target in targets)
