"""No more layers than an engine takes: where a stage would need more COPY lines, the small ones are
gathered in the builder and come by one.

An image has 125 layers at most (moby, layer/layer_store.go: maxLayerDepth), its base's among them.
"""

from __future__ import annotations

from collections.abc import Mapping

from imgopt.rewrite.final.fates import PathFact
from imgopt.rewrite.final.final_stage import TREE, Copy
from imgopt.rewrite.lines.quoting import folded, shell_word

MOST_LAYERS = 100
LATER_STEPS = 15
"""What other strategies, and the stage's own settings, may add."""


def within_layers(
    copies: tuple[Copy, ...], facts: Mapping[str, PathFact], base_layers: int
) -> tuple[tuple[Copy, ...], tuple[str, ...]]:
    """The copies with those of the least bytes as one, and the commands of the builder for it; both
    as they are where they fit. What comes from another stage, or is given an owner, stays apart."""
    room = max(MOST_LAYERS - LATER_STEPS - base_layers, 1)
    small = sorted((c for c in copies if _may_be_gathered(c)), key=lambda c: _bytes(c, facts))
    gathered = small[: len(copies) - room + 1] if len(copies) > room else []
    if len(gathered) < 2:
        return copies, ()
    paths = sorted(path for copy in gathered for path in copy.sources)
    listed = " ".join(map(shell_word, paths))
    kept = tuple(copy for copy in copies if copy not in gathered)
    # coreutils' cp fails to give the parents their modes from any other folder
    command = folded(f"cd / && mkdir -p {TREE} && cp -a --parents {listed} {TREE}")
    return (*kept, Copy((TREE + "/",), "/")), (command,)


def _may_be_gathered(copy: Copy) -> bool:
    """It brings files or folders to the paths where the builder has them."""
    place = copy.destination.rstrip("/")
    there = all(
        source in (place, f"{place}/{source.rpartition('/')[2]}") for source in copy.sources
    )
    return not copy.stage and not copy.chown and there


def _bytes(copy: Copy, facts: Mapping[str, PathFact]) -> int:
    below = tuple(f"{source}/" for source in copy.sources)
    return sum(
        fact.size for path, fact in facts.items() if path in copy.sources or path.startswith(below)
    )
