"""multi-stage: the original's instructions become the builder; the final stage gets only what a run
needs."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.dockerfile import Edit, Stage
from imgopt.dockerfile.typed import From
from imgopt.rewrite.final.as_root import as_root
from imgopt.rewrite.final.build_tools import removable_tools
from imgopt.rewrite.final.carving import carve_on
from imgopt.rewrite.final.final_stage import FinalStage
from imgopt.rewrite.final.on_base import on_base
from imgopt.rewrite.final.settings import user_settings
from imgopt.rewrite.final.site_server import replaces_server
from imgopt.rewrite.image_examples import (
    LARGE,
    PYTHON_BUILD,
    PYTHON_TEXT,
    SOURCE,
    WORKDIR,
    python_example,
)
from imgopt.rewrite.lines.quoting import folded
from imgopt.rewrite.start.start_words import start_words
from imgopt.rewrite.strategy import CARVED_STAGE, OWN_STAGE, Change, Situation, Skip, Strategy


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Names the builder and carves a final stage on the base that the original has."""
    evidence = situation.evidence
    if evidence is None:
        yield Skip(
            "needs `imgopt optimize`: which files a run needs is measured on the built image"
        )
        return
    stage = situation.stage
    if not _builds_something(stage) and not _wanted_by_another(situation):
        yield Skip(
            "nothing is built or installed here: the final stage holds only what it copies",
            stage.line,
        )
        return
    if evidence.view.base is None:
        yield Skip(f"the base {stage.root.said_base} could not be looked into", stage.line)
        return
    carving = carve_on(situation, None, packages=True)
    builder, edits = _builder(situation, stage)
    settings = user_settings(situation.dockerfile, tuple(part.index for part in stage.chain))
    final = FinalStage(
        builder=builder,
        base=str(stage.root.base),
        shell=True,
        carved=carving.carved,
        settings=settings,
        start_words=start_words(situation),
        removed_tools=removable_tools(situation).names,
        workdir=evidence.config.workdir if evidence.config.workdir not in ("", "/") else "",
        user=evidence.config.user,
    )
    dropped = carving.carved.bytes("dropped")
    yield Change(
        f"the final stage copies only what a run needs; {dropped / 1e6:.1f} MB stay in the builder"
        + _told(final.removed_tools),
        stage.line,
        (*edits, *settings.edits, *_remove_tools(situation)),
        final=on_base(
            situation, final, carving, str(stage.root.base), evidence.view.base, same_family=True
        ),
    )


def _told(names: tuple[str, ...]) -> str:
    """The packages that the builder removes, in a clause."""
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f", without {', '.join(names[:3])}{more}, which the service does not use"


def _remove_tools(situation: Situation) -> tuple[Edit, ...]:
    """Right behind the last installation, so that an edit of the source does not run it again."""
    tools = removable_tools(situation)
    if tools.after is None:
        return ()
    at = tools.after.extent.end
    text = situation.dockerfile.text
    lead = "" if text[at - 1 : at] == "\n" else situation.dockerfile.eol
    eol = situation.dockerfile.eol
    step = f"RUN {folded(tools.command)}\n"
    facts = situation.evidence.facts if situation.evidence is not None else {}
    if any(facts[path].uid == 0 for path in tools.paths if path in facts):
        step = as_root(step, situation.dockerfile, tools.after, situation.evidence)
    return (Edit(at, at, lead + step.replace("\n", eol)),)


def _builds_something(stage: Stage) -> bool:
    return any(item.keyword == "RUN" for part in stage.chain for item in part.instructions)


def _wanted_by_another(situation: Situation) -> bool:
    """Whether another strategy writes a stage of its own, which the original's instructions are the
    builder for."""
    return OWN_STAGE in situation.project.promises or replaces_server(situation)


def _builder(situation: Situation, stage: Stage) -> tuple[str, tuple[Edit, ...]]:
    """The builder's name, and the edit that gives it one where it has none."""
    if stage.name:
        return stage.name, ()
    taken = {item.name for item in situation.dockerfile.stages}
    name = next(name for name in ("builder", "build-stage", "assembly") if name not in taken)
    typed = stage.start.typed
    assert isinstance(typed, From)
    keyword = "as" if stage.start.source[:4].islower() else "AS"
    return name, (Edit(typed.image.span.end, typed.image.span.end, f" {keyword} {name}"),)


STRATEGY = Strategy(
    name="multi-stage",
    does="Ships a second stage with only what a run needs.",
    why=(
        "What a build needs (compilers, headers, caches, sources) is not needed to run. The"
        " original's own instructions stay as the builder; a second stage copies what a run needs,"
        " found by evidence: every path that the image adds over its base is kept, reinstalled,"
        " replaced or dropped, each with a reason. Python's installers, and packages that the"
        " project lists for its development alone, go where the run opened nothing of them."
    ),
    safety="evidence",
    makes=("slim",),
    doubt=10,
    promises=frozenset([CARVED_STAGE]),
    references=(
        "https://docs.docker.com/build/building/multi-stage/",
        "Chen et al., Automating Dockerfile Refactoring to Multi-stage Builds",
    ),
    rewrite=rewrite,
    refuses=(
        "Without an engine; where the final stage runs nothing, and no other base needs a stage of"
        " its own; where the base cannot be looked into."
    ),
    evidence_examples=(
        python_example(
            "nothing is built",
            before=PYTHON_TEXT,
            layers=(WORKDIR, SOURCE),
            refused="nothing is built or installed",
        ),
        python_example(
            "a build",
            before=PYTHON_BUILD,
            layers=(WORKDIR, SOURCE, ("RUN make", {"/app/made": LARGE})),
            after=(
                "FROM python:3.11 AS builder\nWORKDIR /app\nCOPY . .\nRUN make\n\n"
                "FROM python:3.11\nCOPY --from=builder /app /app\nWORKDIR /app\n"
                'CMD ["python", "app.py"]\n'
            ),
        ),
    ),
)
