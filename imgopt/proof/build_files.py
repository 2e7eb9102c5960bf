"""Files that work where an image is built or started, and lie in it only because the whole
context was copied: a script that runs the container, an archive that a step unpacked, variables
that nothing reads.

No name shows it: what stands in the file does, or what a step did with it (`[[file_of_build]]`).
What was opened is never one, nor what another source or setting names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import cache, cached_property

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.judged import FileOfBuild
from imgopt.image.tree import Node
from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.files.settings_files import settings_texts
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sites.file_servers import FileServer, file_server
from imgopt.inspect.sources.texts import written_texts
from imgopt.inspect.system.looked_up import compiled_program
from imgopt.proof.allowances import Drop

_LONGEST, _LONGEST_PROGRAM = 1 << 18, 256 << 20
_SERVED = re.compile(
    r"/(?:static|public|www|html|htdocs|assets|dist|downloads?|media|uploads|files|data)/"
)
"""Folders whose files may be handed out, whatever they are."""
_PAGES = ("/index.html", "/index.htm")

_AT_A_COMMAND = (
    r"(?m)(?:^|&&|\|\||[;|(`])\s*"
    r"(?:[@-]|(?:if|!|then|do|exec|sudo|command|time)\s|\w+=\S*\s)*\s*"
)
"""Where a shell, make or another system's shell takes a word for a command."""


def build_files(original: ImageView, opened: frozenset[str] | None) -> tuple[Drop, ...]:
    """A drop for each kind of such files that the image has; () where it is not known what was
    opened."""
    if opened is None:
        return ()
    found: dict[str, set[str]] = {}
    for path, fact in _Found(original, opened).files:
        found.setdefault(fact.reason, set()).add(path)
    return tuple(Drop(reason, frozenset(paths)) for reason, paths in found.items())


@cache
def _facts() -> tuple[tuple[re.Pattern[str], FileOfBuild], ...]:
    facts = (fact for ecosystem in builtin_ecosystems() for fact in ecosystem.file_of_build)
    return tuple((re.compile("|".join(map(translate, fact.files))), fact) for fact in facts)


@dataclass(frozen=True)
class _Found:
    view: ImageView
    opened: frozenset[str]

    @cached_property
    def files(self) -> tuple[tuple[str, FileOfBuild], ...]:
        """(path, the fact that explains it)."""
        known = dict(self._explained)
        return tuple((path, fact) for path, fact in known.items() if not self._is_named(path))

    @cached_property
    def _candidates(self) -> tuple[tuple[Node, FileOfBuild], ...]:
        nodes = [
            node
            for node in application_files(self.view)
            if node.kind == "file"
            and node.path not in self.opened
            and not node.path.startswith(self._handed_out)
        ]
        return tuple(
            (node, fact) for node in nodes for names, fact in _facts() if names.match(node.name)
        )

    @cached_property
    def _handed_out(self) -> tuple[str, ...]:
        """Folders whose files anybody may ask for: what a program serves that does nothing else,
        and where the page of a folder was read."""
        server = file_server(self.view)
        folders = [server.folder] if isinstance(server, FileServer) else []
        folders += [path.rpartition("/")[0] for path in self.opened if path.endswith(_PAGES)]
        return tuple(f"{folder.rstrip('/')}/" for folder in folders)

    @cached_property
    def _explained(self) -> tuple[tuple[str, FileOfBuild], ...]:
        """Those of which it is shown, named by another or not."""
        found = (each for each in self._candidates if self._holds(*each))
        return tuple((node.path, fact) for node, fact in found)

    def _holds(self, node: Node, fact: FileOfBuild) -> bool:
        if fact.calls and not self._calls(node, fact.calls):
            return False
        if fact.used_by_build and not self._was_used(node, fact.used_by_build):
            return False
        return not (fact.unless_said and self._is_said(node.path, fact.unless_said))

    def _calls(self, node: Node, programs: list[str]) -> bool:
        if node.size > _LONGEST or any(self.view.command(name) for name in programs):
            return False
        words = "|".join(map(re.escape, programs))
        call = rf"{_AT_A_COMMAND}(?:{words})(?:\.exe)?\s+[\w-]"
        return re.search(call, node.read().decode("utf-8", "replace")) is not None

    def _was_used(self, node: Node, expression: str) -> bool:
        if _SERVED.search(node.path):
            return False
        pattern = re.compile(expression.replace("{name}", re.escape(node.name)))
        return any(pattern.search(step) for step in self._steps)

    @cached_property
    def _steps(self) -> tuple[str, ...]:
        made = (entry.created_by for entry in self.view.image.history if not entry.empty_layer)
        return tuple(step for step in made if not re.match(r"(?:.*#\(nop\) )?(?:COPY|ADD)\b", step))

    def _is_said(self, path: str, expression: str) -> bool:
        pattern = re.compile(expression)
        if any(pattern.search(text) for other, text in self._texts if other != path):
            return True
        words = (*(self.view.config.entrypoint or ()), *(self.view.config.cmd or ()))
        if pattern.search(" ".join(words)):
            return True
        program = compiled_program(self.view)
        return program is not None and bool(
            re.search(expression.encode(), program.read(_LONGEST_PROGRAM))
        )

    @cached_property
    def _texts(self) -> tuple[tuple[str, str], ...]:
        """Sources, scripts and settings, without what itself may be a file of the build: such
        files name each other."""
        own = {
            node.path
            for node, fact in self._candidates
            if not (fact.calls or fact.used_by_build) or self._holds_alone(node, fact)
        }
        texts = dict([*written_texts(self.view), *settings_texts(self.view), *self._scripts()])
        return tuple((path, text) for path, text in texts.items() if path not in own)

    def _holds_alone(self, node: Node, fact: FileOfBuild) -> bool:
        return not fact.unless_said and self._holds(node, fact)

    def _scripts(self) -> Iterator[tuple[str, str]]:
        """What the start runs, and what was opened with a first line of a script."""
        for path in sorted(self.opened):
            node = self.view.file(path)
            if node is not None and node.size <= _LONGEST and self.view.shebang(node):
                yield path, node.read().decode("utf-8", "replace")

    def _is_named(self, path: str) -> bool:
        name = re.compile(rf"(?<![\w.-]){re.escape(path.rpartition('/')[2])}(?![\w.-])")
        words = " ".join((*(self.view.config.entrypoint or ()), *(self.view.config.cmd or ())))
        return bool(name.search(words)) or any(
            name.search(text) for other, text in self._texts if other != path
        )
