"""What the image starts: the programs of its configuration, and the shell scripts that run then."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.shell_programs import called_programs

SHELLS = ("sh", "bash", "dash", "ash", "zsh")
_LONGEST_SCRIPT = 1 << 20


@dataclass(frozen=True, slots=True)
class Use:
    """A word that names a program, and who asks for it ("entrypoint", "health check", a path)."""

    word: str
    by: str


def started(view: ImageView) -> Iterator[Use]:
    """The programs that the engine starts: the first word, and those of a shell's command line."""
    config = view.config
    words = (*(config.entrypoint or ()), *(config.cmd or ()))
    yield from _line(words, "entrypoint" if config.entrypoint else "command")
    if config.healthcheck and config.healthcheck.test:
        kind, *test = config.healthcheck.test
        if kind == "CMD":
            yield from _line(tuple(test), "health check")
        elif kind == "CMD-SHELL":
            shell = config.shell or ("/bin/sh", "-c")
            yield from _line((*shell, *test), "health check")


def _line(words: tuple[str, ...], by: str) -> Iterator[Use]:
    if not words:
        return
    yield Use(words[0], by)
    if (
        posixpath.basename(words[0]) in SHELLS
        and len(words) > 2
        and words[1].startswith("-")
        and "c" in words[1]
    ):
        yield from (Use(word, by) for word in called_programs(words[2]))


def running_scripts(view: ImageView, opened: frozenset[str] | None = None) -> list[Node]:
    """Shell scripts that run: those that the start names, those they name in turn, and those that
    were opened."""
    found: dict[str, Node] = {}
    queue = [use.word for use in started(view)]
    queue += [word for word in view.config.cmd or () if "/" in word]
    queue += sorted(path for path in opened or () if path.endswith(".sh"))
    while queue:
        node = view.command(queue.pop())
        if node is None or node.path in found or not _is_shell_script(view, node):
            continue
        found[node.path] = node
        queue += [word for word in called_programs(script_text(node)) if "/" in word]
    return list(found.values())


def _is_shell_script(view: ImageView, node: Node) -> bool:
    words = " ".join(view.shebang(node)).split()
    return any(posixpath.basename(word) in SHELLS for word in words) or (
        not words and node.name.endswith(".sh")
    )


def script_text(node: Node) -> str:
    return node.read(_LONGEST_SCRIPT).decode("utf-8", "replace")
