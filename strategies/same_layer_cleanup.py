"""same-layer-cleanup: what a later RUN removes is removed in the step that made it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from imgopt.dockerfile import Instruction
from imgopt.dockerfile.shellmodel import Script
from imgopt.rewrite.caches.made_before import cleaner, removes_what_they_made
from imgopt.rewrite.lines.joining import fits_behind, joinable
from imgopt.rewrite.lines.layout import join
from imgopt.rewrite.lines.steps import workdir_at
from imgopt.rewrite.strategy import Change, Example, Situation, Strategy


def rewrite(situation: Situation) -> Iterator[Change]:
    """A RUN that only removes, right behind the plain RUN of the stage that ships which made what
    it removes."""
    if situation.final is not None:
        return
    for before, item in itertools.pairwise(situation.stage.instructions):
        script = _only_cleans(situation, item)
        made = joinable(situation.dockerfile, before) if script is not None else None
        if made is None or script is None or not fits_behind(made, script):
            continue
        folder = workdir_at(situation.dockerfile.scope_at(item))
        ecosystems = situation.project.ecosystems
        if any(
            removes_what_they_made(one, made.commands, ecosystems, folder)
            for one in script.commands
        ):
            because = (
                "removing in a later layer only hides: the bytes are shipped with the layer that"
                " has them"
            )
            yield Change(because, item.line, join(situation.dockerfile, [before, item]))


def _only_cleans(situation: Situation, item: Instruction) -> Script | None:
    script = joinable(situation.dockerfile, item)
    if script is None or item.comments:
        return None
    return (
        script
        if all(cleaner(one, situation.project.ecosystems) for one in script.commands)
        else None
    )


STRATEGY = Strategy(
    name="same-layer-cleanup",
    does="Removes files in the step that made them.",
    why=(
        "A layer cannot take bytes out of the layers below it. `rm` in a RUN of its own leaves"
        " every removed byte in the image and adds a layer that hides it."
    ),
    safety="text",
    tidies_layers=True,
    doubt=28,
    wrong="what a later step removes stays in the layer that made it",
    references=("https://docs.docker.com/build/building/best-practices/",),
    rewrite=rewrite,
    refuses=(
        "What the step right before did not make: joining would free nothing. Steps with flags,"
        " here-documents, `cd` or commands that cannot be read; a comment between the two steps or"
        " behind a command."
    ),
    table=(
        ("a step that only removes, behind the step that made some of it", "joined to it by `&&`"),
        (
            "a step that removes what an earlier step or a COPY made",
            "stays: its bytes lie in a layer below",
        ),
        ("anything between the two: COPY, ENV, USER, WORKDIR, a comment", "stays"),
        (
            "commands of the second step parted by `;` or `||`",
            "stays: they would run on where the first step fails",
        ),
        (
            "`set -f`, `set -u` before words that the shell computes, `cd`, variables",
            "stays: they would go on",
        ),
        ("flags of either step (--mount, --network, --security)", "stays"),
    ),
    examples=(
        Example(
            "lists removed in a layer of their own",
            before=(
                "FROM d\nRUN apt-get update && apt-get install -y curl\nRUN rm -rf"
                " /var/lib/apt/lists/*\n"
            ),
            after=(
                "FROM d\nRUN apt-get update && apt-get install -y curl \\\n    && rm -rf"
                " /var/lib/apt/lists/*\n"
            ),
        ),
        Example(
            "made by a COPY",
            before="FROM d\nCOPY a.tgz /\nRUN tar xzf /a.tgz -C /opt\nRUN rm /a.tgz\n",
            after=None,
        ),
        Example(
            "only read", before="FROM d\nRUN ls -l /opt/data\nRUN rm -r /opt/data\n", after=None
        ),
        Example(
            "the first step's failure would be lost",
            before="FROM d\nRUN curl -o /a.tgz https://x/a.tgz\nRUN rm -f /a.tgz; rm -f /b\n",
            after=None,
        ),
        Example(
            "something else in between",
            before="FROM d\nRUN make\nCOPY a b\nRUN rm -rf /src\n",
            after=None,
        ),
        Example(
            "a comment would swallow it",
            before="FROM d\nRUN make # all\nRUN rm -rf /src\n",
            after=None,
        ),
        Example("a list that ends open", before="FROM d\nRUN make;\nRUN rm -rf /src\n", after=None),
        Example(
            "the network is another one",
            before="FROM d\nRUN --network=host make\nRUN rm -rf /src\n",
            after=None,
        ),
        Example(
            "the step does more than clean",
            before="FROM d\nRUN make\nRUN rm -rf /src && ./setup\n",
            after=None,
        ),
    ),
)
