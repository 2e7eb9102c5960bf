"""A generated build: a Dockerfile, its context, and what is true about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random


@dataclass(frozen=True, slots=True)
class File:
    text: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Case:
    """`name` says where it comes from (`seed 7`), so that it can be made again."""

    name: str
    dockerfile: str
    files: dict[str, File]
    junk: frozenset[str] = frozenset()
    """Files of the context that no build and no run needs; by construction, not by a pattern."""
    ignore: str | None = None
    sibling: str | None = None
    """Another Dockerfile of the same context, which has the same ignore file."""
    off: frozenset[str] = frozenset()
    """Strategies that take no part."""

    def write(self, folder: Path) -> None:
        """The context, as a project has it: its Dockerfile and ignore file lie in it."""
        files = {**self.files, "Dockerfile": File(self.dockerfile)}
        if self.ignore is not None:
            files[".dockerignore"] = File(self.ignore)
        for path, file in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.text)
            target.chmod(file.mode)


@dataclass
class Draft:
    """A case in the making."""

    rng: Random
    group: int = 0
    """Files of one group have the same steps for the system."""
    lines: list[str] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    junk: set[str] = field(default_factory=set)
    ignore: str | None = None
    sibling: str | None = None
    folder: str = "/app"
    """The working directory of the stage that is being written."""

    def add(self, *lines: str) -> None:
        self.lines += lines

    def file(self, path: str, text: str, mode: int = 0o644) -> None:
        self.files.setdefault(path, File(text, mode))

    def text(self, path: str) -> str:
        return self.files[path].text if path in self.files else ""

    def litter(self, path: str, text: str = "x\n") -> None:
        """A file that belongs to the developer's machine alone."""
        if path not in self.files:
            self.file(path, text)
            self.junk.add(path)

    def chance(self, of: float) -> bool:
        return self.rng.random() < of

    def pick(self, *choices: str) -> str:
        return self.rng.choice(choices)
