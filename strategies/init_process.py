"""init-process: a small init in front of a service that, as the first process, does not end when it
is told to."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.rewrite.image_examples import started_by_npm
from imgopt.rewrite.start.init_front import in_final, in_text, system_with_init
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
    system = system_with_init(situation, evidence)
    if system is None:
        yield Skip("no init can be installed on this base", stage.line)
        return
    if any(item.keyword == "ENTRYPOINT" for part in stage.chain for item in part.instructions) or (
        final is not None and "ENTRYPOINT" in final.settings.keywords
    ):
        yield Skip("the entrypoint is the author's own", stage.line)
        return
    because = BECAUSE.format(name=system.init)
    if final is not None:
        yield in_final(situation, final, evidence, system, because)
        return
    change = in_text(situation, evidence, system, because)
    if change is not None:
        yield change


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
