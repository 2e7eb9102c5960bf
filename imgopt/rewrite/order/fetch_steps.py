"""Steps that fetch what a build command depends on, to stand in front of the source: where, and why
not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile import IgnoreFile, Instruction
from imgopt.rewrite.caches.cache_places import fetches_nothing
from imgopt.rewrite.lines.layout import new_step
from imgopt.rewrite.lines.steps import SourceCopy, script_of, workdir_at
from imgopt.rewrite.order.command_reads import is_setting, led_by, steers_fetch
from imgopt.rewrite.order.fetch_ahead import Fetch, fetch_for
from imgopt.rewrite.order.moves import TRANSPARENT, Brought, Moves, brought, settings_between
from imgopt.rewrite.order.reorder import manifest_copies
from imgopt.rewrite.order.target_paths import Ground
from imgopt.rewrite.strategy import Situation, Skip


@dataclass(frozen=True)
class Ahead:
    """Lines that fetch the dependencies of a build command, to stand before the source."""

    fetch: Fetch
    files: tuple[Brought, ...]
    place: Instruction
    """The RUN that they follow, or the COPY of the source that they precede."""
    run: Instruction

    def lines(
        self, situation: Situation, group: Sequence[SourceCopy], files: Sequence[Brought]
    ) -> list[str]:
        keyword = self.run.text[self.run.keyword_span.start : self.run.keyword_span.end]
        step = " ".join([keyword, *self.fetch.flags, self.fetch.shell])
        return [
            *manifest_copies(situation, group, files),
            new_step(situation.dockerfile, step, self.run),
        ]


def find_ahead(
    situation: Situation, ground: Ground, after: Sequence[Instruction], moves: Moves
) -> Ahead | Skip | None:
    """A build command that cannot move, but whose dependencies can be fetched before the source
    comes."""
    done = moves.split_at or 0
    moved_to = (
        (moves.last if moves.split_at is not None else moves.passed)
        if moves.last is not None
        else None
    )
    rest = [item for item in after if moved_to is None or item.span.start >= moved_to.span.start]
    if moved_to is not None and not done:
        rest = rest[1:]
    place = moved_to or ground.group[0].instruction
    for item in rest:
        if item.keyword != "RUN":
            continue
        skip = done if item is moved_to else 0
        fetch = fetch_for(situation, ground, item, place, skip)
        if fetch is None and any(copy.files for copy in ground.group):
            # a later step would be refused for this one, and nobody asks why for single files
            return None
        if fetch is None:
            continue
        refused = fetch.refused or _unprepared(
            situation, place, item, rest, None if fetch.others else skip
        )
        refused = (
            refused or _missed(situation, ground, item) or overlaid(situation, ground, fetch.lays)
        )
        if refused:
            return Skip(f"dependencies cannot be fetched ahead: {refused}", item.line)
        if fetch.shell in situation.dockerfile.text[: place.extent.end]:
            return None
        return Ahead(fetch, tuple(brought(ground, fetch.files)), place, item)
    return None


def _missed(situation: Situation, ground: Ground, run: Instruction) -> str:
    """Settings that the source brings and the fetch would miss: by a variable, or in a folder of
    the system."""
    scope, ecosystems = situation.dockerfile.scope_at(run), situation.project.ecosystems
    refused = settings_between(situation, ground)
    if refused:
        return refused
    name = led_by(scope.values.items(), workdir_at(scope), ground, ecosystems)
    return f"${name} leads into the source" if name else ""


def _unprepared(
    situation: Situation,
    place: Instruction,
    run: Instruction,
    rest: Sequence[Instruction],
    done: int | None,
) -> str:
    """Why `place` is not as the RUN finds it: tools, user and variables come later; or why nothing
    is left to fetch, but where `done` is None."""
    for item in rest:
        if item is run:
            break
        if item.keyword not in ("WORKDIR", "COPY", "ADD", *TRANSPARENT) or item.keyword == "SHELL":
            return f"`{item.keyword} {item.value[:50]}` comes before it"
        if item.keyword in ("ENV", "ARG") and _steers(item, situation.project.ecosystems):
            return f"`{item.keyword} {item.value[:50]}` comes before it"
    if done is None:
        return ""
    ecosystems = situation.project.ecosystems
    commands = script_of(situation.dockerfile, run).commands
    programs = {command.name for command in commands[done:]} - {"cd", "mkdir", "set"}
    for item in situation.dockerfile.stages[run.stage].instructions:
        if item.span.start > place.span.start or (item is place and item.keyword != "RUN"):
            break
        if item.keyword != "RUN":
            continue
        before = commands[:done] if item is run else script_of(situation.dockerfile, item).commands
        words = [[value or "" for value in c.values] for c in before if c.name in programs]
        if any(
            not is_setting(one, ecosystems) and not fetches_nothing(one, ecosystems)
            for one in words
        ):
            return f"`RUN {item.value[:50]}` fetches them already"
    return ""


def _steers(item: Instruction, ecosystems: Sequence[Ecosystem]) -> bool:
    """It says where a build command puts things, or where it finds them."""
    patterns = [pattern for ecosystem in ecosystems for pattern in ecosystem.steering]
    names = [word.partition("=")[0] for word in item.value.split()]
    return any(fnmatchcase(item.value, pattern) for pattern in patterns) or any(
        steers_fetch(name, ecosystems) for name in names
    )


def overlaid(situation: Situation, ground: Ground, lays: Sequence[str]) -> str:
    """Installed packages that the source brings from this machine, and that no ignore file keeps
    out."""
    ignored = IgnoreFile.parse(situation.ignore or "")
    laid = ground.laid() if lays else None
    for place in dict.fromkeys(lays):
        assert laid is not None
        for path in [place] if place in laid.sizes else laid.below(place):
            own = laid.origin[path]
            whole = own[: len(own) - len(path) + len(place)]
            if own.endswith(path[len(place) :]) and ignored.excludes(whole, is_dir=True):
                break  # the folder as a whole is kept out, whatever is in it
            if any(laid.bringer[path] is copy for copy in ground.group) and not ignored.excludes(
                own
            ):
                inside = path[len(place) :]
                return (
                    f"{own[: len(own) - len(inside)]} is in the build context: copied later, it"
                    " would lie over what is installed"
                )
    return ""
