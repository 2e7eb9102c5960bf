"""source-last: source that no step changes is copied from the context, behind all packages."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from imgopt.dockerfile import Instruction
from imgopt.dockerfile.moves import delete
from imgopt.dockerfile.typed import Copy as CopyInstruction
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.before_source import BeforeSource, touched
from imgopt.rewrite.final.fates import is_below, overlap
from imgopt.rewrite.final.final_stage import CONTEXT, Copy, FinalStage
from imgopt.rewrite.image_examples import (
    MODULES,
    PYTHON_BUILD,
    SOURCE,
    WORKDIR,
    python_example,
)
from imgopt.rewrite.lines.steps import source_copy, workdir_at
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

MOST_BESIDE = 1_000_000
"""Bytes of the source that a run does not need, and that come along."""
MOST_STRAYS = 3
"""Files that a step made in the folder of the source, such as a lock file."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """The last COPY of a folder of the context, where nothing behind it runs."""
    evidence, final = situation.evidence, situation.final
    if evidence is None or final is None or final.server:
        return
    found = _last_source(situation)
    if found is None:
        return
    moved = _moved(situation, evidence, final, found)
    if moved is None:
        return
    rest = tuple(copy for copy in final.copies if copy not in moved.replaced)
    folders = tuple(one for one in final.folders if not is_below(one.path, [found.folder]))
    new = replace(
        final,
        copies=(*rest, *moved.strays, moved.copy),
        folders=folders,
        carved=final.carved.with_kept(moved.beside, "comes with the source"),
    )
    yield Change(
        "no step changes the source: it comes from the context as it is, so that a new file is in"
        " the image too, and an edit makes one layer",
        found.instruction.line,
        (delete(situation.dockerfile, found.instruction),),
        final=new,
    )


@dataclass(frozen=True)
class _Moved:
    copy: Copy
    replaced: tuple[Copy, ...]
    beside: tuple[str, ...]
    """What the source has besides, and a run does not need."""
    strays: tuple[Copy, ...] = ()
    """Files that a step in front of it made in its folder."""


@dataclass(frozen=True)
class _Source:
    """A COPY of the context into a folder of the image."""

    instruction: Instruction
    folder: str
    written: tuple[str, ...]


def _last_source(situation: Situation) -> _Source | None:
    """None where another stage ships, where a step runs behind it, or where the COPY says more than
    whose the files are."""
    stage, dockerfile = situation.stage, situation.dockerfile
    if stage is not dockerfile.stages[-1]:
        return None
    for item in reversed(stage.instructions):
        if item.keyword in ("RUN", "FROM", "ONBUILD", "ADD"):
            return None
        if item.keyword == "COPY":
            return _as_source(situation, item)
    return None


def _as_source(situation: Situation, item: Instruction) -> _Source | None:
    typed = item.typed
    if not isinstance(typed, CopyInstruction) or typed.from_ is not None or typed.heredocs:
        return None
    if typed.chmod or typed.link or typed.parents or typed.exclude:
        return None
    scope = situation.dockerfile.scope_at(item)
    sources = [scope.expand_known(one) for one in typed.sources]
    target = scope.expand_known(typed.destination)
    if target is None or any(one is None or "://" in one for one in sources):
        return None
    if any("$" in str(one) for one in typed.sources):
        return None  # the final stage does not know the variable
    whole = source_copy(situation.dockerfile, item, situation.project.context)
    if not target.endswith("/") and (whole is None or whole.files):
        return None  # it may be the name of a file
    folder = posixpath.normpath(posixpath.join(workdir_at(scope), target))
    written = tuple(str(one) for one in typed.sources)
    return _Source(item, folder, written) if folder != "/" else None


def _moved(
    situation: Situation, evidence: Evidence, final: FinalStage, source: _Source
) -> _Moved | None:
    folder, instructions = source.folder, situation.stage.instructions
    made_at = BeforeSource(situation, final.copies).made_at
    number = instructions.index(source.instruction)
    layers = [layer for layer, place in made_at.items() if place == number]
    brought = {path for path, fact in evidence.facts.items() if fact.layer in layers}
    replaced = tuple(
        copy
        for copy in final.copies
        if not copy.stage
        and all(is_below(path, [folder]) for path in copy.sources)
        and any(is_below(path, copy.sources) for path in brought)
    )
    others = tuple(copy for copy in final.copies if copy not in replaced)
    elsewhere = [path for copy in others for path in (*copy.sources, copy.destination)]
    if len(layers) != 1 or not replaced or len({copy.chown for copy in replaced}) != 1:
        return None
    if not any(not copy.stage for copy in others):
        return None  # the builder would have nothing to give
    if any(is_below(folder, copy.sources) for copy in others):
        return None
    if any(overlap(path, folder) for path in _touched(final)):
        return None
    apart = [path for path in elsewhere if is_below(path, [folder])]
    there = {
        path: fact
        for path, fact in evidence.facts.items()
        if is_below(path, [folder]) and path != folder and not is_below(path, apart)
    }
    strays = tuple(path for path, fact in there.items() if fact.layer != layers[0])
    if len(strays) > MOST_STRAYS or any(there[path].kind != "file" for path in strays):
        return None
    if any(is_below(path, apart) for path in brought):
        return None  # it lies over what an installation made
    kept = {path for copy in replaced for path in copy.sources}
    strays = tuple(path for path in strays if is_below(path, kept))
    beside = tuple(path for path in there if not is_below(path, kept))
    if sum(there[path].size for path in beside) > MOST_BESIDE:
        return None
    place = folder.rstrip("/") + "/"
    copy = Copy(source.written, place, stage=CONTEXT, chown=replaced[0].chown)
    chown = replaced[0].chown
    return _Moved(copy, replaced, beside, tuple(Copy((p,), p, chown=chown) for p in strays))


def _touched(final: FinalStage) -> Iterable[str]:
    return (path for command in (*final.early, *final.prepare) for path in touched(command))


_INSTALLED = PYTHON_BUILD.replace("COPY . .\nRUN make\n", "RUN make\nCOPY . .\n")
STRATEGY = Strategy(
    name="source-last",
    does="Copies unchanged source straight from the context.",
    why=(
        "Where no step of the build changes the source, a stage that only receives it is not"
        " needed: the final stage copies it from the context, as the author does. Whatever file is"
        " added to the project later is then in the image too, and not only what one build had; and"
        " an edit makes one small layer behind all others."
    ),
    safety="evidence",
    doubt=60,
    references=("https://docs.docker.com/build/cache/optimize/",),
    rewrite=rewrite,
    refuses=(
        "A step behind the source, or one of ours, that works in its folder; a COPY of single files"
        " or with --chmod; more than three files of other steps in the folder; more than 1 MB of"
        " it that a run does not need; nothing else that the builder gives."
    ),
    evidence_examples=(
        python_example(
            "a step builds in the folder of the source",
            before=PYTHON_BUILD,
            layers=(WORKDIR, SOURCE, ("RUN make", {"/app/made": "1\n"})),
        ),
        python_example(
            "an earlier step made many files in its folder",
            before=_INSTALLED,
            layers=(
                WORKDIR,
                ("RUN make", {**MODULES[1], **{f"/app/made/{n}": "1\n" for n in range(9)}}),
                SOURCE,
            ),
        ),
        python_example(
            "behind the packages",
            before=_INSTALLED,
            layers=(WORKDIR, MODULES, SOURCE),
            after=(
                "FROM python:3.11 AS builder\nWORKDIR /app\nRUN make\n\nFROM python:3.11\n"
                "COPY --from=builder /usr/local/lib /usr/local/lib\n"
                'COPY . /app/\nWORKDIR /app\nCMD ["python", "app.py"]\n'
            ),
        ),
    ),
)
