"""A stage read for moving: which COPY lines bring something of the context, and where it goes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.dockerfile import Dockerfile, Instruction, Scope
from imgopt.dockerfile.shellmodel import Script
from imgopt.dockerfile.typed import Add, Copy
from imgopt.image.blobs import compression
from imgopt.rewrite.lines.paths import present
from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True, slots=True)
class SourceCopy:
    """A COPY that brings a folder of the context: `source` in the context ("" is its root),
    `folder` in the image; or single files."""

    instruction: Instruction
    source: str
    folder: str
    written: str
    """The destination as the user wrote it."""
    files: tuple[tuple[str, str], ...] = ()
    """Where it brings single files: their paths in the image and in the context."""

    @property
    def into_folder(self) -> bool:
        """Whether single files go into a folder, and not to a name of their own."""
        return any(place != self.folder for place, _ in self.files)

    def in_context(self, path: str) -> str | None:
        """Where in the context an absolute path of the image comes from; None when this COPY does
        not bring it."""
        if self.files:
            return dict(self.files).get(path)
        if path != self.folder and not path.startswith(self.folder.rstrip("/") + "/"):
            return None
        inside = posixpath.relpath(path, self.folder)
        return posixpath.normpath(posixpath.join(self.source, inside)).removeprefix("./")

    def brings(self, path: str) -> bool:
        if self.files:
            return any(path == own for _, own in self.files)
        return not self.source or path == self.source or path.startswith(self.source + "/")

    def lays(self, context: ContextFiles) -> Iterator[tuple[str, str]]:
        """Path in the image and in the context of each file that it brings."""
        if self.files:
            yield from self.files
            return
        for path in (self.source, *context.below(self.source)):
            if path in context.sizes:
                yield self.place_of(path), path

    def place_of(self, path: str) -> str:
        """Where in the image a file of the folder comes to lie."""
        inside = path[len(self.source) + 1 :] if self.source else path
        return f"{self.folder.rstrip('/')}/{inside}"


def script_of(dockerfile: Dockerfile, instruction: Instruction) -> Script:
    """The shell text of a RUN with the SHELL in force."""
    return dockerfile.script_at(instruction)


def workdir_at(scope: Scope) -> str:
    """The working directory; `/` stands for the base image's own."""
    return posixpath.normpath("/" + (scope.workdir or "").lstrip("/"))


def source_copy(
    dockerfile: Dockerfile, instruction: Instruction, context: ContextFiles
) -> SourceCopy | None:
    """The instruction as a COPY of a folder of the context; None for anything else."""
    typed = instruction.typed
    if (
        not isinstance(typed, Copy)
        or typed.from_ is not None
        or typed.heredocs
        or len(typed.sources) != 1
    ):
        return None
    if typed.parents or typed.exclude or typed.link:
        return None
    scope = dockerfile.scope_at(instruction)
    source, target = scope.expand_known(typed.sources[0]), scope.expand_known(typed.destination)
    if source is None or target is None or "://" in source or source.startswith("git@"):
        return None
    clean = posixpath.normpath("/" + source).strip("/")
    if clean and not _is_folder(clean, context):
        return None
    folder = posixpath.normpath(posixpath.join(workdir_at(scope), target))
    return SourceCopy(instruction, clean, folder, str(typed.destination))


def files_copy(
    dockerfile: Dockerfile, instruction: Instruction, context: ContextFiles, folders: Iterable[str]
) -> SourceCopy | None:
    """The instruction as a COPY of single files of the context; None for anything else, and where
    it is not known what they are called in the image. `folders`: those of the image that are known
    to be there."""
    typed = instruction.typed
    if not isinstance(typed, Copy) or typed.from_ is not None or typed.heredocs:
        return None
    if isinstance(typed, Add) and (
        typed.checksum or typed.keep_git_dir or typed.unpack is not None
    ):
        return None
    if typed.parents or typed.exclude or typed.link or not typed.sources:
        return None
    scope = dockerfile.scope_at(instruction)
    target = scope.expand_known(typed.destination)
    own = [
        path for word in typed.sources for path in _named_files(scope.expand_known(word), context)
    ]
    if target is None or not own or "" in own:
        return None
    if isinstance(typed, Add) and any(is_archive(context, path) for path in own):
        return None
    here = workdir_at(scope)
    place = posixpath.normpath(posixpath.join(here, target))
    there = any(
        f"{folder.rstrip('/')}/".startswith(f"{place.rstrip('/')}/") for folder in (here, *folders)
    )
    if there or target.endswith("/"):
        files = tuple((posixpath.join(place, posixpath.basename(path)), path) for path in own)
    elif len(own) == 1 and posixpath.basename(place) == posixpath.basename(own[0]):
        files = ((place, own[0]),)
    else:
        return None
    return SourceCopy(instruction, "", place, str(typed.destination), files)


def _named_files(source: str | None, context: ContextFiles) -> list[str]:
    """The files that a source names; one without a name where it names a folder, or where that is
    not known."""
    if source is None or "://" in source or set(source) & set("?[]\\"):
        return [""]
    clean = posixpath.normpath("/" + source).strip("/")
    if "*" not in clean:
        return [clean] if clean in context.sizes else [""]
    depth = clean.count("/")
    if any(folder.count("/") == depth and fnmatchcase(folder, clean) for folder in context.folders):
        return [""]
    return [path for path in present(context, clean) if path.count("/") == depth]


def is_archive(context: ContextFiles, path: str) -> bool:
    """Whether ADD unpacks the file, by its contents; also where they cannot be read."""
    try:
        with (context.root / path).open("rb") as file:
            head = file.read(512)
    except OSError:
        return True
    return bool(compression(head)) or head[257:262] == b"ustar"


def _is_folder(path: str, context: ContextFiles) -> bool:
    return path in context.folders
