"""apt-hygiene: package lists are fetched and removed in the step that uses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imgopt.context.facts.managers import Manager
from imgopt.dockerfile import Instruction
from imgopt.rewrite.caches.cleaning import cleans
from imgopt.rewrite.caches.still_read import Readers
from imgopt.rewrite.lines.joining import joinable
from imgopt.rewrite.lines.layout import join
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

UPDATES = (("apt-get", "update"), ("apt", "update"))
LISTS = "/var/lib/apt/lists"


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """A RUN that only updates, right before RUN steps that install."""
    manager = _manager(situation)
    if manager is None:
        return
    readers = Readers(situation.dockerfile, situation.project.context)
    for part in situation.stage.chain:
        runs = list(part.instructions)
        for index, item in enumerate(runs[:-1]):
            if item.keyword != "RUN" or not _only_updates(situation, item):
                continue
            installs = _installers(situation, runs[index + 1 :])
            if not installs:
                continue
            later = readers.after(installs[-1], manager)
            if later:
                yield Skip(
                    f"`{later}` further down reads the package lists of this step", item.line
                )
                continue
            yield _joined(situation, manager, item, installs)


def _manager(situation: Situation) -> Manager | None:
    managers = (
        manager for ecosystem in situation.project.ecosystems for manager in ecosystem.manager
    )
    return next(
        (one for one in managers if one.lists is not None and LISTS in one.lists.folders), None
    )


def _words(situation: Situation, item: Instruction) -> list[tuple[str, ...]] | None:
    """The commands of a RUN that is one plain `&&` list; None for any other."""
    script = joinable(situation.dockerfile, item)
    if script is None or any(part.operator not in ("", "&&") for part in script.items):
        return None
    return [tuple(value or "" for value in command.values) for command in script.commands]


def _only_updates(situation: Situation, item: Instruction) -> bool:
    found = _words(situation, item)
    return found is not None and [words[:2] for words in _bare(found)] in [
        [update] for update in UPDATES
    ]


def _installs(situation: Situation, item: Instruction) -> bool:
    found = _words(situation, item)
    return found is not None and any(
        words[:1] in (("apt-get",), ("apt",)) and "install" in words for words in found
    )


def _bare(commands: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [tuple(word for word in words if not word.startswith("-")) for words in commands]


def _installers(situation: Situation, after: Sequence[Instruction]) -> list[Instruction]:
    """The RUN steps that install, one right after the other."""
    found = []
    for item in after:
        if item.keyword != "RUN" or item.comments or not _installs(situation, item):
            break
        found.append(item)
    return found


def _joined(
    situation: Situation, manager: Manager, update: Instruction, installs: Sequence[Instruction]
) -> Change:
    commands = [
        command for item in installs for command in script_of(situation.dockerfile, item).commands
    ]
    removes = any(cleans(command, manager) and command.name == "rm" for command in commands)
    edits = join(
        situation.dockerfile, [update, *installs], [] if removes else [f"rm -rf {LISTS}/*"]
    )
    because = (
        "one step fetches the package lists, installs and removes them: none stays in a layer, and"
        " none is stale"
    )
    return Change(because, update.line, edits)


STRATEGY = Strategy(
    name="apt-hygiene",
    does="Fetches apt's lists, installs and cleans in one step.",
    why=(
        "A step of its own for `apt-get update` keeps the package lists in a layer for ever, where"
        " a later `rm` only hides them, and its cached result goes stale: the next changed install"
        " line fails with 404. One step fetches, installs and removes."
    ),
    safety="text",
    doubt=30,
    wrong="the package lists stay in a layer, and a cached update goes stale",
    references=("https://docs.docker.com/build/building/best-practices/#apt-get",),
    rewrite=rewrite,
    refuses=(
        "Flags, here-documents, `cd` or commands that cannot be read; a comment between the steps"
        " or behind a command; no installation; a later step that installs with the same lists."
    ),
    table=(
        (
            (
                "a RUN that only fetches the package lists, and the RUN steps right behind it that"
                " install"
            ),
            "joined by `&&`",
        ),
        (
            "the package lists",
            (
                "removed at the end of the joined step, where no later step, stage or script reads"
                " them"
            ),
        ),
        (
            "anything between the steps: COPY, ENV, USER, WORKDIR, a comment",
            "ends the joined step there",
        ),
        (
            "lists parted by `;`, `||` or pipes; `cd`, variables, options of the shell",
            "stay: they would go on",
        ),
        ("flags of either step (--mount, --network, --security)", "stay"),
    ),
    examples=(
        Example(
            "update and install apart",
            before="FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\nCMD curl\n",
            after=(
                "FROM debian:12\nRUN apt-get update \\\n    && apt-get install -y curl \\\n"
                "    && rm -rf /var/lib/apt/lists/*\nCMD curl\n"
            ),
        ),
        Example(
            "one step already",
            before="FROM d\nRUN apt-get update && apt-get install -y curl\n",
            after=None,
        ),
        Example(
            "a comment between the steps is not lost",
            before=(
                "FROM d\nRUN apt-get update\n# for the healthcheck\nRUN apt-get install -y curl\n"
            ),
            after=None,
        ),
        Example(
            "a comment behind a command would swallow what is joined",
            before="FROM d\nRUN apt-get update # refresh\nRUN apt-get install -y curl\n",
            after=None,
        ),
        Example(
            "flags of the second step",
            before="FROM d\nRUN apt-get update\nRUN --network=host apt-get install -y curl\n",
            after=None,
        ),
        Example(
            "the folder would be another one for what follows",
            before=(
                "FROM d\nRUN apt-get update\nRUN cd /tmp && apt-get install -y ./a.deb\nRUN apt-get"
                " install -y b\n"
            ),
            after=None,
        ),
        Example(
            "a later step needs the lists",
            before=(
                "FROM d\nRUN apt-get update\nRUN apt-get install -y curl\nCOPY a b\nRUN apt-get"
                " install -y git\n"
            ),
            after=None,
            refused="`apt-get install -y git` further down",
        ),
        Example(
            "nothing is installed", before="FROM d\nRUN apt-get update\nRUN make\n", after=None
        ),
        Example(
            "a mount keeps the lists",
            before=(
                "FROM d\nRUN --mount=type=cache,target=/var/lib/apt apt-get update\nRUN apt-get"
                " install -y curl\n"
            ),
            after=None,
        ),
    ),
)
