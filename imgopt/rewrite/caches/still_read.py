"""Which later step still reads what a step downloaded: package lists, or a cache that it installs
from offline.

What is removed from the layer of one step is gone for every step after it: in its stage, in stages
that start from it, in builds that start from the image (ONBUILD), and when the container starts.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase

from imgopt.context.facts.managers import Manager, PackageLists
from imgopt.dockerfile import Dockerfile, Instruction
from imgopt.dockerfile.shell import read_shell
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Copy, Run
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.order.install_commands import calls
from imgopt.rewrite.strategy import ContextFiles

_RUNS = ("RUN", "ONBUILD", "CMD", "ENTRYPOINT", "HEALTHCHECK")
_SHELLS = frozenset(["sh", "bash", "dash", "ash", "zsh", "source", ".", "exec"])
_MAKERS = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile"),
    "task": ("Taskfile.yml",),
}
"""Programs that run what a file of the context says."""
_PREPARES = re.compile(
    r"apt|packag|prereq|depend|deps|provision|bootstrap|setup|install", re.IGNORECASE
)
_ANY_SCRIPT = re.compile(r".*\.(?:sh|bash)")


class Readers:
    """Made once for a Dockerfile: every step is read once, whatever number of steps is asked
    for."""

    def __init__(
        self,
        dockerfile: Dockerfile,
        context: ContextFiles,
        neutral: Collection[tuple[int, str]] = (),
    ) -> None:
        """`neutral`: begins of steps that will fetch for themselves, for they are changed as well,
        with the manager."""
        self._dockerfile = dockerfile
        self._neutral = neutral
        self._context = context
        self._next: dict[str, dict[int, str]] = {}
        self._takers: dict[tuple[int, str], str] = {}

    def after(self, item: Instruction, manager: Manager) -> str:
        """A later step that reads what this one's downloads by the manager left, its text cut;
        empty for none."""
        if manager.name not in self._next:
            self._next[manager.name] = self._all(manager)
        return self._next[manager.name].get(item.span.start, "") or self._taken(item, manager)

    def _all(self, manager: Manager) -> dict[int, str]:
        """For every instruction that a stage has, the first reader behind it, in whatever stage."""
        needs = _Needs(manager, self._context)
        known = {
            item.span.start: needs.of(self._dockerfile, item)
            for item in self._dockerfile.instructions
            if (item.span.start, manager.name) not in self._neutral
        }
        found: dict[int, str] = {}
        for stage in self._dockerfile.stages:
            reader = ""
            for item in reversed([item for part in stage.chain for item in part.instructions]):
                found[item.span.start] = found.get(item.span.start) or reader
                wants = known.get(item.span.start)
                reader = reader if wants is None else (_line(item) if wants else "")
        return found

    def _taken(self, item: Instruction, manager: Manager) -> str:
        key = (item.stage, manager.name)
        if key not in self._takers:
            self._takers[key] = self._find_taken(item, manager)
        return self._takers[key]

    def _find_taken(self, item: Instruction, manager: Manager) -> str:
        """Another stage copies the folder out of this one, or mounts it."""
        lists = manager.lists.folders if manager.lists else ()
        folders = [folder.replace("~", "/root", 1) for folder in (*lists, *manager.caches)]
        stages = [
            stage
            for stage in self._dockerfile.stages
            if any(part.index == item.stage for part in stage.chain)
        ]
        names = {name for stage in stages for name in (stage.name, str(stage.index))}
        for other in self._dockerfile.instructions:
            sources = [path for name, path in _takes(other) if name in names]
            if any(
                f"{folder}/".startswith(f"{path}/")
                for folder in folders
                for path in sources
                if path != "/"
            ):
                return _line(other)
        return ""


def _takes(item: Instruction) -> Iterator[tuple[str, str]]:
    """Stage and path of what an instruction takes from other stages."""
    typed = item.typed
    if isinstance(typed, Copy) and typed.from_ is not None:
        yield from (
            (str(typed.from_), posixpath.normpath(f"/{str(word).lstrip('/')}"))
            for word in typed.sources
        )
    if isinstance(typed, Run):
        for mount in typed.mounts:
            if mount.from_ is not None:
                yield str(mount.from_), posixpath.normpath(f"/{(mount.source or '').lstrip('/')}")


class _Needs:
    """What commands want of the lists. True: they read them; False: they fetch them anew; None:
    neither."""

    def __init__(self, manager: Manager, context: ContextFiles) -> None:
        self._manager = manager
        self._lists = manager.lists or PackageLists(folders=[], programs=[], fetch=[])
        self._context = context

    def of(self, dockerfile: Dockerfile, item: Instruction) -> bool | None:
        inner = item.trigger if item.keyword == "ONBUILD" else item
        if inner is None or inner.keyword not in _RUNS:
            return None
        found = self._instruction(dockerfile, item, inner)
        return found or (
            None if item.keyword != "RUN" else found
        )  # only a RUN fetches for the steps behind it

    def _instruction(
        self, dockerfile: Dockerfile, item: Instruction, inner: Instruction
    ) -> bool | None:
        script = read_shell(inner) if inner is not item else script_of(dockerfile, item)
        if script.unknown:
            return self._text(inner.value)
        for command in (*script.commands, *script.substituted):
            found = self._command(command)
            if found is not None:
                return found
        return None

    def _command(self, command: Command) -> bool | None:
        words = command.texts
        names = [posixpath.basename(word) for word in words]
        if any(calls(words, one) for one in self._manager.needs_cache):
            return True
        if self._lists.folders:
            at = next(
                (i for i, word in enumerate(words) if self._is_program(word, first=i == 0)), None
            )
            if at is not None:
                return self._of_words(words, at)
            if any(fnmatchcase(name, reader) for name in names for reader in self._lists.readers):
                return True
            quoted = [self._text(word) for word in words if " " in word]  # `bash -c "…"`
            if any(found is not None for found in quoted):
                return True in quoted
            return self._script(words, names)
        own = {known.split()[0] for known in (*self._manager.commands, *self._manager.fetch_before)}
        offline = any(word in self._manager.offline for word in words)
        return (
            True
            if offline and any(fnmatchcase(name, program) for name in names for program in own)
            else None
        )

    def _is_program(self, word: str, *, first: bool) -> bool:
        """The folder /etc/apt among the arguments is no program."""
        name = posixpath.basename(word) if first else word
        return any(fnmatchcase(name, program) for program in self._lists.programs)

    def _of_words(self, words: Sequence[str], at: int) -> bool | None:
        if any(word in self._lists.fetch for word in words):
            return False
        verb = next(
            (word for word in words[at + 1 :] if not word.startswith("-") and "=" not in word), ""
        )
        if verb in self._lists.harmless or any(
            word in self._lists.harmless for word in words[at + 1 : at + 2]
        ):
            return None
        return True if verb else None

    def _script(self, words: Sequence[str], names: Sequence[str]) -> bool | None:
        """A script or a make file that the command runs, where its text can be read; a script that
        cannot, by name."""
        texts = list(self._texts(names))
        if texts:
            found = [self._text(text) for text in texts]
            return True if True in found else (False if False in found else None)
        run = names[1:] if names[:1] and names[0] in _SHELLS else names[:1]
        unread = next((name for name in run if not name.startswith("-")), "")
        path = "/" in next((word for word in words if posixpath.basename(word) == unread), "")
        is_script = _ANY_SCRIPT.fullmatch(unread) or (
            path and "." not in unread and words[0].startswith("./")
        )
        return True if is_script and _PREPARES.search(unread) else None

    def _texts(self, names: Sequence[str]) -> Iterator[str]:
        wanted = dict.fromkeys(
            [*names, *(file for name in names[:1] for file in _MAKERS.get(name, ()))]
        )
        for name in wanted:
            for path in self._context.named(name):
                yield self._context.text(path)

    def _text(self, text: str) -> bool | None:
        """A text whose commands are not taken apart."""
        names = [
            re.escape(name).replace(r"\*", r"\S*")
            for name in (*self._lists.programs, *self._lists.readers)
        ]
        if not names:
            return None
        use = re.compile(rf"(?<![\w.-])(?:{'|'.join(names)})(?![\w.-])")
        fetch = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, self._lists.fetch))})(?!\w)")
        uses = [
            line
            for line in text.splitlines()
            if not line.lstrip().startswith("#") and use.search(line)
        ]
        return None if not uses else not any(fetch.search(line) for line in uses)


def _line(item: Instruction) -> str:
    return (item.value if item.keyword == "RUN" else f"{item.keyword} {item.value}")[:60]
