"""multi-stage: the original's instructions become the builder; the final stage gets only what a run needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.dockerfile import Edit, Stage
from imgopt.dockerfile.typed import From
from imgopt.image.config import ImageConfig
from imgopt.rewrite.carving import Carving, carve_on, target_stage
from imgopt.rewrite.final_stage import Copy, FinalStage
from imgopt.rewrite.settings import final_settings
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

LINKS = "/opt/imgopt-links"
"""Where the builder gathers symbolic links that stand alone: COPY follows a link that it is given as a source."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Names the builder and carves a final stage on the base that the original has."""
    evidence = situation.evidence
    if evidence is None:
        yield Skip("needs `imgopt optimize`: which files a run needs is measured on the built image")
        return
    stage = target_stage(situation.dockerfile, situation.project)
    if not _builds_something(stage):
        yield Skip("nothing is built or installed here: the final stage holds only what it copies", stage.line)
        return
    if evidence.side.base is None:
        yield Skip(f"the base {stage.root.base} could not be looked into", stage.line)
        return
    carving = carve_on(situation.project, evidence, None, packages=True)
    builder, edits = _builder(situation, stage)
    base = str(stage.root.base)
    final = final_stage(situation, stage, carving, builder, base, evidence.side.base.config, same_family=True)
    dropped = carving.carved.bytes("dropped")
    yield Change(
        f"the final stage copies only what a run needs; {_megabytes(dropped)} stay in the builder",
        stage.line,
        (*edits, *_moved_out(situation, stage, evidence.side.base.config)),
        final=final,
    )


def final_stage(
    situation: Situation,
    stage: Stage,
    carving: Carving,
    builder: str,
    base: str,
    base_config: ImageConfig,
    *,
    same_family: bool,
    shell: bool = True,
) -> FinalStage:
    """The final stage that a carving comes to, on one base."""
    evidence = situation.evidence
    assert evidence is not None
    settings = final_settings(
        situation.dockerfile, tuple(s.index for s in stage.chain), evidence.config, base_config, same_family
    )
    system = next((item.system for item in situation.project.ecosystems if item.system), None)
    prepare, links = _prepare(carving)
    return FinalStage(
        builder=builder,
        base=base,
        shell=shell,
        carved=carving.carved,
        copies=(*carving.plan.copies, *links),
        packages=tuple(sorted(carving.packages)),
        install=system.install if system else "",
        environment=settings.environment,
        workdir=evidence.config.workdir if evidence.config.workdir not in ("", "/") else "",
        user=evidence.config.user,
        start=settings.start,
        prepare=prepare,
        comments=_comments(carving),
    )


def _prepare(carving: Carving) -> tuple[tuple[str, ...], tuple[Copy, ...]]:
    commands = []
    if carving.plan.removals:
        commands.append("rm -rf " + " ".join(_shell_word(path) for path in carving.plan.removals))
    if not carving.plan.links:
        return tuple(commands), ()
    listed = " ".join(_shell_word(path) for path in carving.plan.links)
    commands.append(f"mkdir -p {LINKS} && cp --parents --no-dereference {listed} {LINKS}")
    return tuple(commands), (Copy((LINKS + "/",), "/"),)


def _shell_word(path: str) -> str:
    return path if re.fullmatch(r"[\w@%+=:,./-]+", path) else "'" + path.replace("'", "'\\''") + "'"


def _comments(carving: Carving) -> dict[str, str]:
    comments = {}
    if carving.packages:
        first = sorted(carving.packages.items())[:3]
        comments["packages"] = "Needed at run time: " + ", ".join(f"{name} ({_short(why)})" for name, why in first)
        if len(carving.packages) > 3:
            comments["packages"] += ", ..."
    return comments


def _short(path: str) -> str:
    return path.rpartition("/")[2] if path.startswith("/") else path


def _builds_something(stage: Stage) -> bool:
    return any(item.keyword == "RUN" for part in stage.chain for item in part.instructions)


def _builder(situation: Situation, stage: Stage) -> tuple[str, tuple[Edit, ...]]:
    """The builder's name, and the edit that gives it one where it has none."""
    if stage.name:
        return stage.name, ()
    taken = {item.name for item in situation.dockerfile.stages}
    name = next(name for name in ("builder", "build-stage", "imgopt-builder") if name not in taken)
    typed = stage.start.typed
    assert isinstance(typed, From)
    keyword = "as" if stage.start.source[:4].islower() else "AS"
    return name, (Edit(typed.image.span.end, typed.image.span.end, f" {keyword} {name}"),)


def _moved_out(situation: Situation, stage: Stage, base: ImageConfig) -> tuple[Edit, ...]:
    evidence = situation.evidence
    assert evidence is not None
    indexes = tuple(item.index for item in stage.chain)
    return final_settings(situation.dockerfile, indexes, evidence.config, base, True).edits


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


STRATEGY = Strategy(
    name="multi-stage",
    why="What a build needs (compilers, headers, caches, sources) is not needed to run. The original's own "
    "instructions stay as the builder; a second stage copies what a run needs, found by evidence: every path that the "
    "image adds over its base is kept, reinstalled, replaced or dropped, each with a reason.",
    safety="evidence",
    references=(
        "https://docs.docker.com/build/building/multi-stage/",
        "Chen et al., Automating Dockerfile Refactoring to Multi-stage Builds",
    ),
    rewrite=rewrite,
    refuses="Without an engine; where the final stage runs nothing; where the base cannot be looked into.",
)
