"""Static checks of Dockerfiles, without an engine: what BuildKit refuses, and what the rewriter
would do better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from imgopt.ci.advice import Advice
from imgopt.context.absent import absent_sources
from imgopt.context.dockerfiles import find_dockerfiles, own_context
from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import Dockerfile, IgnoreFile, parse
from imgopt.dockerfile.names import is_template
from imgopt.errors import InputError, Location
from imgopt.report.files import write_atomic

if TYPE_CHECKING:
    from imgopt.rewrite.strategy import ContextFiles

_FOLDERS = 3
"""Above a context that is in no repository, so many folders are looked into."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a line. An `error` is what a build refuses; a `warning` what the rewriter
    would change."""

    file: str
    line: int
    level: Literal["error", "warning"]
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Linted:
    """The remarks on one file, and its text as the rewriter would have it."""

    path: Path
    remarks: tuple[Remark, ...]
    text: str
    rewritten: str


def dockerfiles_of(paths: Sequence[Path]) -> dict[Path, Path]:
    """The Dockerfiles that paths name, or that lie in the folders that they name, each with its
    build context: its own folder, or the folder that was named, as the files say. Raises InputError
    for a folder that has none."""
    found: dict[Path, Path] = {}
    for path in paths:
        inside = find_dockerfiles(path, broken=True) if path.is_dir() else [path]
        if not inside:
            hint = "name the file, if it is called otherwise"
            raise InputError(
                "no Dockerfile here or in the sub-folders", location=Location(str(path)), hint=hint
            )
        for one in inside:
            found.setdefault(one, own_context(path, one) if path.is_dir() else one.parent)
    return found


def lint(paths: Sequence[Path] | Mapping[Path, Path]) -> list[Linted]:
    """`paths`: Dockerfiles and folders of them, or each Dockerfile with its build context. Raises
    InputError for a file that cannot be read."""
    known = paths if isinstance(paths, Mapping) else dockerfiles_of(paths)
    return [_linted(path, context) for path, context in known.items()]


def fix(linted: Sequence[Linted]) -> list[Path]:
    """Writes the rewriter's text over each file that has one and no error; returns those files."""
    changed = []
    for item in linted:
        if item.rewritten != item.text and not any(
            remark.level == "error" for remark in item.remarks
        ):
            write_atomic(item.path, item.rewritten)
            changed.append(item.path)
    return changed


def _linted(path: Path, context: Path) -> Linted:
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", location=Location(str(path))
        ) from None
    dockerfile = parse(text, path.name)
    if dockerfile.errors and is_template(path.name):
        words = f"{path.name} is a template: check the Dockerfile that is made of it"
        return Linted(path, (Remark(str(path), 1, "error", "template", words),), text, text)
    if dockerfile.errors:
        remarks = tuple(
            Remark(str(path), problem.location.line or 1, "error", "syntax", problem.message)
            for problem in dockerfile.errors
        )
        return Linted(path, remarks, text, text)
    return _planned(path, context, dockerfile)


def _planned(path: Path, context: Path, dockerfile: Dockerfile) -> Linted:
    from imgopt.rewrite.plan import make_plan
    from imgopt.rewrite.strategy import ContextFiles, Project
    from imgopt.strategies.variants import choose_variants, strategies_of

    files, text = ContextFiles.read(context, path), dockerfile.text
    chosen = [
        item
        for item in strategies_of(choose_variants(["safe"])[0], (), ())
        if item.safety == "text"
    ]
    plan = make_plan(text, Project(files, builtin_ecosystems()), chosen)
    advice = Advice(text, plan.dockerfile, plan.lines)
    remarks = tuple(
        Remark(str(path), change.line, "warning", change.strategy, advice.message(change))
        for change in plan.changes
        if change.line is not None
    )
    remarks = (*_absent(path, files, dockerfile), *remarks)
    return Linted(path, tuple(sorted(remarks, key=_order)), text, plan.dockerfile)


def _absent(path: Path, files: ContextFiles, dockerfile: Dockerfile) -> Iterator[Remark]:
    """Sources that a build would not find. What is made before a build is nobody's mistake; and
    what lies in a folder above says that the context is that one."""
    ignore = IgnoreFile.parse(files.ignore) if files.ignore is not None else None
    for one in absent_sources(dockerfile, files.root, ignore):
        source = one.source.lstrip("/")
        if not one.made and not any((above / source).exists() for above in _above(files.root)):
            yield Remark(str(path), one.line, "error", "absent-source", one.text)


def _above(context: Path) -> Iterator[Path]:
    """The folders above a context, up to the root of its repository."""
    folders = (context.resolve(), *context.resolve().parents)
    top = next((at for at, folder in enumerate(folders) if (folder / ".git").exists()), _FOLDERS)
    yield from folders[1 : top + 1]


def _order(remark: Remark) -> tuple[int, str]:
    return remark.line, remark.rule


def lines_of(linted: Sequence[Linted]) -> Iterator[str]:
    """One line a remark, as compilers write them."""
    for item in linted:
        for remark in item.remarks:
            yield f"{remark.file}:{remark.line}: {remark.level}: {remark.message} [{remark.rule}]"
