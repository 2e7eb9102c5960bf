"""health-prober: a small program that asks the service, where the image has none that can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imgopt.context.facts.tuning import Prober
from imgopt.dockerfile import Edit
from imgopt.rewrite.final.final_stage import Copy, FinalStage
from imgopt.rewrite.image_examples import answering
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.start.health import (
    OPTIONS,
    VARIABLE,
    Page,
    askers,
    has_one,
    own_probe,
    page_to_ask,
)
from imgopt.rewrite.start.placed import edit_in_front
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

STAGE = "health-prober"


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Where the image has no health check, and nothing that could ask for a page."""
    evidence, line = situation.evidence, situation.stage.line
    if has_one(situation):
        return
    if evidence is None:
        yield Skip("needs `imgopt optimize`: which path the service answers is measured", line)
        return
    tool = next(askers(situation, evidence), None)
    if own_probe(situation, evidence) or tool is not None:
        said = tool.program if tool is not None else "its own program"
        yield Skip(f"the image has a program that can ask: {said} (health-check)", line)
        return
    page = page_to_ask(situation, evidence)
    if isinstance(page, str):
        yield Skip(page, line)
        return
    if page.by_variable:
        yield Skip(f"the port is that of ${VARIABLE}, which only a shell reads", line)
        return
    found = _builder(situation)
    if found is None:
        yield Skip("no image is there that can build it", line)
        return
    yield _change(situation, page, *found)


def _builder(situation: Situation) -> tuple[Prober, str] | None:
    """The facts, and the image that builds it."""
    resolves = situation.project.resolves
    for prober in (one.prober for one in situation.project.ecosystems if one.prober is not None):
        for image in prober.images:
            if resolves is None or resolves(image):
                return prober, image
    return None


def _change(situation: Situation, page: Page, prober: Prober, image: str) -> Change:
    because = (
        f"an orchestrator sees a service that hangs: GET {page.path} by {prober.program}, which a"
        " stage of its own builds"
    )
    check = f"HEALTHCHECK {OPTIONS} CMD {json_words((prober.program, page.port, page.path))}"
    stage = _stage(prober, image)
    final = situation.final
    if final is not None:
        return Change(because, situation.stage.line, final=_in_final(final, prober, check, stage))
    start, eol = situation.stage.start, situation.dockerfile.eol
    at = start.comments[0].start if start.comments else start.extent.start
    copy = f"COPY --from={STAGE} {prober.program} {prober.program}"
    edit, line = edit_in_front(situation, f"{copy}\n{check}".replace("\n", eol))
    return Change(because, line, (Edit(at, at, f"{stage}\n".replace("\n", eol)), edit))


def _stage(prober: Prober, image: str) -> str:
    return "\n".join(
        (
            f"FROM {image} AS {STAGE}",
            f"COPY <<'EOF' {prober.file}\n{prober.source.strip()}\nEOF",
            f"RUN {prober.build}\n",
        )
    )


def _in_final(final: FinalStage, prober: Prober, check: str, stage: str) -> FinalStage:
    copy = Copy((prober.program,), prober.program, STAGE)
    complement = replace(final.complement, start=(*final.complement.start, check))
    beside = (*final.beside, stage)
    return replace(final, copies=(*final.copies, copy), complement=complement, beside=beside)


STRATEGY = Strategy(
    name=STAGE,
    does="Adds a small program that can ask, with a health check.",
    why=(
        "A HEALTHCHECK is run inside of the image, and a small image has no program that could ask"
        " the service: curl is not added for it. A program of fifty lines can, and is built in a"
        " stage of its own, without any library. It is a program more in the image, so it is made"
        " only with `--allow health-prober`; an orchestrator that asks by itself (httpGet in"
        " Kubernetes) needs none."
    ),
    safety="suggestion",
    doubt=95,
    references=(
        "https://docs.docker.com/reference/dockerfile/#healthcheck",
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/",
    ),
    rewrite=rewrite,
    examples=(
        Example(
            "there is one already",
            before="FROM node:20\nHEALTHCHECK CMD curl -f localhost\nCMD node a\n",
            after=None,
        ),
        Example(
            "needs the answers of a run",
            before="FROM node:20\nCMD node a\n",
            after=None,
            refused="which path the service answers is measured",
        ),
    ),
    evidence_examples=(
        answering(
            "a program that can ask is there",
            {"/health": 200},
            refused="the image has a program that can ask: python3",
        ),
        answering(
            "a page that asks the database",
            {"/health": 200},
            reaches={"/health": ("db",)},
            companions=("db",),
            without=("/usr/local/bin/python3", "/usr/local/bin/node"),
            refused="asks another service",
        ),
        answering(
            "a port that the environment says",
            {"/health": 200},
            environment=("PORT=8000",),
            without=("/usr/local/bin/python3", "/usr/local/bin/node"),
            refused="the port is that of $PORT",
        ),
    ),
    refuses=(
        "A program in the image that can ask (`health-check`); a port that the environment says; no"
        " path was answered with status 200, or only such that ask another service; no image that"
        " can build it; a HEALTHCHECK of its own, NONE included."
    ),
)
