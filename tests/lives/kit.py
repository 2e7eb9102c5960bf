"""A project of a few files, and a later edit of it, on text alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.lives.later import LaterEdit, LaterProject, NotHere
from imgopt.lives.operations import applied
from imgopt.lives.started import Start, read
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True)
class Given:
    """Files of a context, the original's start, and the bases that can be had."""

    files: Mapping[str, str]
    words: str = ""
    environment: Mapping[str, str] | None = None
    dockerfile: str = "FROM scratch\nCOPY . .\n"
    bases: tuple[str, ...] = ()
    workdir: str = "/app"

    def project(self, folder: Path) -> LaterProject:
        for name, text in {"Dockerfile": self.dockerfile, **self.files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
        start = Start(tuple(self.words.split()), self.environment or {}, self.workdir)
        context = ContextFiles.read(folder, folder / "Dockerfile")
        known = builtin_ecosystems()
        return LaterProject(context, self.dockerfile, start, known, lambda name: name in self.bases)

    def edit(self, folder: Path, name: str) -> LaterEdit | NotHere:
        (found,) = self.project(folder).edits([name])
        return found

    def after(self, folder: Path, name: str) -> dict[str, str]:
        """The files that the edit makes or changes."""
        project = self.project(folder)
        (found,) = project.edits([name])
        assert isinstance(found, LaterEdit), found
        return applied(found.operations, lambda path: read(project.context, path))

    def why_not(self, folder: Path, name: str) -> str:
        found = self.edit(folder, name)
        assert isinstance(found, NotHere), found
        return found.reason
