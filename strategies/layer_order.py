"""layer-order: manifests and lock files before the source, so that an edit does not install
everything again."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from functools import cache

from imgopt.dockerfile import Edit, Instruction, Stage
from imgopt.rewrite.lines.steps import SourceCopy, workdir_at
from imgopt.rewrite.order.copied_files import lay
from imgopt.rewrite.order.fetch_steps import Ahead, find_ahead, overlaid
from imgopt.rewrite.order.groups import has_folder, missing_in_front, source_groups
from imgopt.rewrite.order.late_programs import late_install
from imgopt.rewrite.order.moves import Brought, Moves, find_moves
from imgopt.rewrite.order.passing import described
from imgopt.rewrite.order.reorder import begin, behind, between, commute, part
from imgopt.rewrite.order.target_paths import Ground
from imgopt.rewrite.strategy import AUTHORS_STEP, Change, Situation, Skip, Strategy
from imgopt.strategies.layer_order_examples import MOVES
from imgopt.strategies.layer_order_stay_examples import STAYS

MOST_NAMES = 6
"""Manifests that a reason names."""


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Each stage by itself: the first COPY lines of the source that can wait, and the RUN steps
    after them."""
    for stage in situation.dockerfile.reachable(situation.project.target):
        for above, group in source_groups(situation, stage):
            found = list(_group(situation, stage, above, group))
            yield from found
            if found or not all(copy.files for copy in group):
                break


def _group(
    situation: Situation, stage: Stage, above: Sequence[SourceCopy], group: Sequence[SourceCopy]
) -> Iterator[Change | Skip]:
    """`above`: what COPY lines in front of the group bring."""
    after = [
        item for item in stage.instructions if item.span.start > group[-1].instruction.span.start
    ]
    context = situation.project.context
    laid = cache(
        lambda: lay(context, [*above, *group])
    )  # few steps need it, and a context is large
    ground = Ground(
        group, context, laid, workdir_at(situation.dockerfile.scope_at(group[0].instruction))
    )
    late = late_install(situation, ground, after) if has_folder(group) else None
    if late is not None:
        yield _earlier(situation, ground, late)
        return
    moves = find_moves(situation, ground, after)
    single = any(copy.files for copy in group)
    ahead = (
        None if single and moves.last is not None else find_ahead(situation, ground, after, moves)
    )
    if moves.last is None:
        yield from (
            _fetch_alone(situation, ground, ahead, above)
            if isinstance(ahead, Ahead)
            else _refusal(ahead, moves, single=single)
        )
        return
    brought = [*moves.files, *(ahead.files if isinstance(ahead, Ahead) else ())]
    parts = part(situation, group, brought)
    if not parts.waits or not commute(situation, parts):
        return
    if isinstance(ahead, Ahead) and moves.split_at is None:
        moves.last = ahead.place
    refused = _odd_name(brought) or overlaid(situation, ground, moves.lays)
    if refused:
        yield Skip(refused, group[0].instruction.line)
        return
    missing = missing_in_front(situation, moves.files, stage, above, parts)
    because = _because(moves, [path for path in moves.files if path in missing or parts.has(path)])
    lines: list[str] = []
    if isinstance(ahead, Ahead):
        files = [path for path in ahead.files if path not in moves.files]
        lines = ahead.lines(
            situation, group, missing_in_front(situation, files, stage, above, parts)
        )
        because += f"; nor does it fetch the dependencies of `{ahead.fetch.helps}` again"
    yield Change(
        because, group[0].instruction.line, behind(situation, parts, moves, missing, lines)
    )


def _earlier(situation: Situation, ground: Ground, late: Instruction) -> Change:
    """A step of its own, with its comments, in front of the source."""
    text, eol, start = situation.dockerfile.text, situation.dockerfile.eol, begin(late)
    at, end = begin(ground.group[0].instruction), late.extent.end
    moved = text[start:end]
    spaced = text[:at].endswith(eol * 2) and text[:start].endswith(eol * 2)
    if spaced and (end == len(text) or text.startswith(eol, end)):
        start -= len(eol)
    because = (
        f"`{late.value[:60]}` needs nothing of the source: an edit of it does not run it again"
    )
    moved += "" if moved.endswith("\n") else eol
    return Change(
        because, late.line, (Edit(at, at, moved + (eol if spaced else "")), Edit(start, end, ""))
    )


def _refusal(ahead: Skip | Ahead | None, moves: Moves, *, single: bool) -> Iterator[Skip]:
    if single:
        return
    if isinstance(ahead, Skip):
        yield ahead
    elif moves.refused:
        yield Skip(f"the source stays before this step: {moves.refused}", moves.refused_line)


def _fetch_alone(
    situation: Situation, ground: Ground, ahead: Ahead, above: Sequence[SourceCopy]
) -> Iterator[Change | Skip]:
    """Nothing moves but what a build command depends on."""
    group = ground.group
    parts = part(situation, group, ahead.files)
    refused = _odd_name(ahead.files)
    if refused:
        yield Skip(refused, group[0].instruction.line)
        return
    if not parts.waits or not commute(situation, parts):
        return
    stage = situation.dockerfile.stages[group[0].instruction.stage]
    missing = missing_in_front(situation, ahead.files, stage, above, parts)
    names = _names(missing or ahead.files)
    what = f"are fetched from {names} alone" if missing else "are fetched in front of the source"
    because = (
        f"dependencies {what} for `{ahead.fetch.helps}`: an edit of the source does not fetch them"
        " again"
    )
    lines = ahead.lines(situation, group, missing)
    yield Change(because, group[0].instruction.line, between(situation, parts, lines))


def _because(moves: Moves, read: Sequence[Brought]) -> str:
    commands = list(dict.fromkeys(moves.commands))
    more = len(commands) - MOST_NAMES
    installs = "; ".join(commands[:MOST_NAMES])
    what = (
        f"only {_names(read) or 'what is copied before'}"
        if moves.files
        else "nothing of the source"
    )
    several = len(commands) > 1
    return (
        f"`{installs}`{f' and {more:,} more' if more > 0 else ''} {'read' if several else 'reads'}"
        f" {what}: an edit of the source does not run {'them' if several else 'it'} again"
    )


def _names(paths: Sequence[Brought]) -> str:
    """The first names, and how many more there are."""
    names = list(dict.fromkeys(posixpath.basename(one.path.rstrip("/")) for one in paths))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _odd_name(paths: Sequence[Brought]) -> str:
    odd = next((one.path for one in paths if set(one.path) & set(" \t*?[]$\"'")), None)
    return "" if odd is None else f"the name {odd!r} means something else in a COPY"


STRATEGY = Strategy(
    name="layer-order",
    does="Installs dependencies before the source is copied.",
    why=(
        "BuildKit runs a step again when anything that it was given changed. A COPY of the whole"
        " source before the installation makes every edit install every dependency again. With the"
        " manifests alone in front, the installation is a cache hit until they change."
    ),
    safety="text",
    doubt=48,
    failures=frozenset([AUTHORS_STEP]),
    wrong="every edit of the source runs the installation behind it again",
    references=(
        "https://docs.docker.com/build/cache/optimize/#order-your-layers",
        "https://github.com/moby/buildkit/blob/master/docs/dev/solver.md",
    ),
    rewrite=rewrite,
    table=described(),
    refuses=(
        "An installation that reads the source (`pip install .`, install scripts in package.json,"
        " local paths in a manifest), a step that cannot be read with certainty, a manifest that"
        " the context lacks."
    ),
    examples=(*STAYS, *MOVES),
)
