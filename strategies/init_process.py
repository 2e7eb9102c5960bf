"""init-process: a small init in front of a service that, as the first process, does not end when it
is told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from imgopt.context.facts.runs import SystemPackages
from imgopt.dockerfile import Edit
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.as_root import as_root
from imgopt.rewrite.final.final_stage import FinalStage, install_lines
from imgopt.rewrite.image_examples import started_by_npm
from imgopt.rewrite.lines.quoting import json_words
from imgopt.rewrite.start.start_words import original_start, start_words
from imgopt.rewrite.strategy import Change, Repairs, Situation, Skip, Strategy

BECAUSE = (
    "the service as the first process ignores the stop signal, which its launcher did not: {name}"
    " hands it on"
)


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Where an earlier build with another first process did not stop as the original does."""
    evidence, final, stage = situation.evidence, situation.final, situation.stage
    if evidence is None or not situation.project.repairs.init:
        return
    words = final.start_words if final is not None else start_words(situation)
    if words == original_start(evidence):
        return
    system = evidence.system(situation.project.ecosystems)
    if system is None or not system.init or (final is not None and not final.shell):
        yield Skip("no init can be installed on this base", stage.line)
        return
    if any(item.keyword == "ENTRYPOINT" for part in stage.chain for item in part.instructions) or (
        final is not None and "ENTRYPOINT" in final.settings.keywords
    ):
        yield Skip("the entrypoint is the author's own", stage.line)
        return
    if final is not None:
        yield _in_final(situation, final, evidence, system)
    else:
        yield from _in_text(situation, evidence, system)


def _in_final(
    situation: Situation, final: FinalStage, evidence: Evidence, system: SystemPackages
) -> Change:
    entry = () if final.entry_script else evidence.config.entrypoint or ()
    start = f"ENTRYPOINT {json_words((*system.init_start.split(), *entry))}"
    others = tuple(one for one in final.complement.start if not one.startswith("ENTRYPOINT"))
    said = f"{system.init} (hands the stop signal on)"
    known = final.comments.get("packages")
    new = replace(
        final,
        packages=tuple(sorted({*final.packages, system.init})),
        install=final.install or system.install,
        complement=replace(final.complement, start=(start, *others)),
        comments={
            **final.comments,
            "packages": f"{known}, {said}" if known else f"Needed at run time: {said}",
        },
    )
    return Change(BECAUSE.format(name=system.init), situation.stage.line, final=new)


def _in_text(
    situation: Situation, evidence: Evidence, system: SystemPackages
) -> Iterator[Change | Skip]:
    stage, eol = situation.stage, situation.dockerfile.eol
    item = next((one for one in reversed(stage.instructions) if one.keyword == "CMD"), None)
    if item is None:
        return
    step = install_lines(system.install, (system.init,)) + "\n"
    step = as_root(step, situation.dockerfile, stage.start, evidence).replace("\n", eol)
    begin = stage.start.extent.end
    at = item.comments[0].start if item.comments else item.extent.start
    entry = json_words((*system.init_start.split(), *(evidence.config.entrypoint or ())))
    edits = (Edit(begin, begin, step), Edit(at, at, f"ENTRYPOINT {entry}{eol}"))
    yield Change(BECAUSE.format(name=system.init), item.line, edits)


STRATEGY = Strategy(
    name="init-process",
    does="Puts an init in front of a service that would not stop.",
    why=(
        "The first process of a container gets no default handling of signals from the kernel: a"
        " program that sets no handler ignores SIGTERM there, and is killed after ten seconds."
        " Where `npm start` or a shell was the first process and ended on the signal, the program"
        " itself may not. A small init hands the signal on. It is put there only where the proof of"
        " the bare program failed by its stop."
    ),
    safety="evidence",
    doubt=75,
    failures=frozenset(["stop", "process"]),
    references=(
        "https://github.com/krallin/tini#why-tini",
        "https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md",
    ),
    rewrite=rewrite,
    refuses=(
        "A start that was not changed, or that stopped as the original did; a base without shell"
        " and package manager, or whose packages have no init; an entrypoint of the author's own."
    ),
    evidence_examples=(
        started_by_npm(
            "the stop was not tried, or was as the original's",
            {"start": "node app.js"},
        ),
        started_by_npm(
            "the program alone did not stop",
            {"start": "node app.js"},
            start='CMD ["node", "app.js"]',
            repairs=Repairs(init=True),
            above=(
                "RUN apt-get update && apt-get install -y --no-install-recommends tini"
                " && rm -rf /var/lib/apt/lists/*\n"
            ),
            after='ENTRYPOINT ["tini", "--"]\nCMD ["node", "app.js"]',
        ),
    ),
)
