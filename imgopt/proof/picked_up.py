"""Files that only the candidate has, and that a run time or a server reads by their name without
being told: no file of the original is missing, and the service does something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.judged import PickedUp
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances

_RUN_TIME = "runtime"
"""Whatever lies in its folders counts as its own, though somebody else put it there."""


def picked_up(original: ImageView, candidate: ImageView, allowances: Allowances) -> Iterator[Item]:
    """An item for each such file above the candidate's base that is of no package."""
    facts = [fact for fact in _facts() if _is_there(original, fact)]
    patterns = [(re.compile("|".join(fact.paths)), fact) for fact in facts]
    moved = {move.new for move in allowances.moves}
    for node in candidate.tree.files():
        if node.layer < candidate.base_layers or original.exists(node.path):
            continue
        fact = next((fact for pattern, fact in patterns if pattern.search(node.path)), None)
        owner = candidate.owner(node.path)
        if fact is None or (owner is not None and owner.ecosystem != _RUN_TIME):
            continue
        if not any(node.path == new or node.path.startswith(f"{new}/") for new in moved):
            message = f"{node.path} is new, and is read by {fact.by}"
            yield Item("changed-file", node.path, node.path, message=message)


def _facts() -> Iterator[PickedUp]:
    return (fact for ecosystem in builtin_ecosystems() for fact in ecosystem.picked_up)


def _is_there(original: ImageView, fact: PickedUp) -> bool:
    return not fact.packages or any(one.name in fact.packages for one in original.packages)
