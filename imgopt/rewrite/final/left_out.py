"""Paths that the rewritten builder will not have, kept out of the build or pruned, each with its
reason."""

from __future__ import annotations

from imgopt.rewrite.effects import pruned
from imgopt.rewrite.ignored.hidden_paths import kept_out
from imgopt.rewrite.strategy import Situation


def gone_paths(situation: Situation) -> dict[str, str]:
    """Absolute path -> reason."""
    found = dict.fromkeys(kept_out(situation), "the ignore file keeps it out of the build")
    found |= pruned(situation.effects)
    return found
