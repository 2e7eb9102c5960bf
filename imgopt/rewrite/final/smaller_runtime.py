"""A run time without its compiler: the tree of an interpreter as the slim image of the same version
has it."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.image.tree import Node
from imgopt.rewrite.bases import slim_candidates
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.fates import Carved
from imgopt.rewrite.strategy import Situation

_MOST_ARCHIVE, _MOST_MEMBER = 512 << 20, 4 << 20
_BAD = (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class SmallerRuntime:
    """`image` has the tree at the same path; `paths` are those of the original's tree that it has
    too."""

    image: str
    tree: str
    paths: frozenset[str]


def smaller_runtime(situation: Situation, interpreter: Ecosystem) -> SmallerRuntime | None:
    """The first slim base that has the run time where the original has it; None where the language
    has no such tree."""
    evidence = situation.evidence
    if evidence is None or not interpreter.runtime.in_slim or evidence.look_into is None:
        return None
    trees = [tree for tree in interpreter.runtime.trees if evidence.tree.resolve(tree) is not None]
    base, environment = str(situation.stage.root.base), evidence.config.environment
    for name in slim_candidates(
        base, situation.project.ecosystems, evidence.os_release, environment, evidence.installed
    ):
        image = evidence.look_into(name)
        for tree in trees if image is not None else ():
            paths = frozenset(path for path in evidence.facts if path.startswith(tree + "/"))
            there = frozenset(
                path for path in paths if image is not None and image.tree().get(path) is not None
            )
            if any(posixpath.basename(path) in interpreter.runtime.programs for path in there):
                return SmallerRuntime(name, tree, there)
    return None


def draws(evidence: Evidence, carved: Carved, interpreter: Ecosystem) -> str:
    """What of the application may want the fonts of a full system: a library of a known name, or
    its own classes."""
    for path in sorted(carved.paths("kept")):
        node = evidence.view.file(path) if path.endswith((".jar", ".war", ".class")) else None
        if node is None or node.size > _MOST_ARCHIVE:
            continue
        found = next(_drawing(node, interpreter), "")
        if found:
            return found
    return ""


def _drawing(node: Node, interpreter: Ecosystem) -> Iterator[str]:
    wanted = tuple(text.encode() for text in interpreter.runtime.drawing_classes)
    if node.name.endswith(".class"):
        if any(text in node.read(_MOST_MEMBER) for text in wanted):
            yield node.path
        return
    if _is_drawer(node.name, interpreter):
        yield node.path
    try:
        with node.open() as file, zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                name = posixpath.basename(info.filename)
                if name.endswith(".jar") and _is_drawer(name, interpreter):
                    yield f"{name} in {node.path}"
                if name.endswith(".class") and _is_own(info.filename, node.path):
                    with archive.open(info) as member:
                        data = member.read(_MOST_MEMBER)
                    if any(text in data for text in wanted):
                        yield f"{info.filename} in {node.path}"
    except _BAD:
        return


def _is_own(member: str, archive: str) -> bool:
    """Classes of the application: in a Spring Boot archive, or in one that does not lie among
    libraries."""
    if member.startswith("BOOT-INF/"):
        return True
    folder = posixpath.basename(posixpath.dirname(archive))
    return folder not in ("lib", "libs", "dependency", "dependencies") and "/.m2/" not in archive


def _is_drawer(name: str, interpreter: Ecosystem) -> bool:
    return any(fnmatchcase(name, glob) for glob in interpreter.runtime.drawing_libraries)
