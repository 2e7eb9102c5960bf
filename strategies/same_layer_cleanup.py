"""same-layer-cleanup: what a later RUN removes is removed in the step that made it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from imgopt.dockerfile import Instruction
from imgopt.rewrite.joining import joinable
from imgopt.rewrite.layout import join
from imgopt.rewrite.strategy import Change, Example, Situation, Strategy

CLEANERS = (("rm",), ("apt-get", "clean"), ("apt-get", "autoremove"), ("apt-get", "purge"), ("apt-get", "remove"),
            ("apk", "del"), ("npm", "cache"), ("yarn", "cache"), ("pip", "cache"), ("conda", "clean"))  # fmt: skip


def rewrite(situation: Situation) -> Iterator[Change]:
    """A RUN that only removes, right behind another plain RUN of the stage that ships."""
    if situation.final is not None:
        return
    items = list(situation.stage.instructions)
    for before, item in itertools.pairwise(items):
        if joinable(situation.dockerfile, before) is not None and _only_cleans(situation, item):
            because = "removing in a later layer only hides: the bytes are shipped with the layer that has them"
            yield Change(because, item.line, join(situation.dockerfile, [before, item]))


def _only_cleans(situation: Situation, item: Instruction) -> bool:
    script = joinable(situation.dockerfile, item)
    if script is None or item.comments:
        return False
    commands = [tuple(v or "" for v in command.values) for command in script.commands]
    bare = [tuple(word for word in words if not word.startswith("-")) for words in commands]
    return bool(bare) and all(any(words[: len(known)] == known for known in CLEANERS) for words in bare)


STRATEGY = Strategy(
    name="same-layer-cleanup",
    does="Removes files in the step that made them.",
    why="A layer cannot take bytes out of the layers below it. `rm` in a RUN of its own leaves every removed byte in "
    "the image and adds a layer that hides it.",
    safety="text",
    references=("https://docs.docker.com/build/building/best-practices/",),
    rewrite=rewrite,
    refuses="Steps with flags, here-documents, `cd` or commands that cannot be read; a comment between the two steps "
    "or behind a command.",
    examples=(
        Example(
            "lists removed in a layer of their own",
            before="FROM d\nRUN apt-get update && apt-get install -y curl\nRUN rm -rf /var/lib/apt/lists/*\n",
            after="FROM d\nRUN apt-get update && apt-get install -y curl \\\n    && rm -rf /var/lib/apt/lists/*\n",
        ),
        Example("something else in between", before="FROM d\nRUN make\nCOPY a b\nRUN rm -rf /src\n", after=None),
        Example("a comment would swallow it", before="FROM d\nRUN make # all\nRUN rm -rf /src\n", after=None),
        Example("a list that ends open", before="FROM d\nRUN make;\nRUN rm -rf /src\n", after=None),
        Example("the network is another one", before="FROM d\nRUN --network=host make\nRUN rm -rf /src\n", after=None),
        Example("the step does more than clean", before="FROM d\nRUN make\nRUN rm -rf /src && ./setup\n", after=None),
    ),
)
