"""The rules by the names that an ecosystem's facts give their numbers to (`[tuning.rules]`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from imgopt.results.run_facts import Setting
from imgopt.run.tuning import heap_rules, processor_rules
from imgopt.run.tuning.look import Look

Rule = Callable[[Look], Iterator[Setting]]
RULES: Mapping[str, Rule] = {
    "unread": heap_rules.unread,
    "fixed": heap_rules.fixed,
    "share": heap_rules.share,
    "collector": heap_rules.collector,
    "dump": heap_rules.dump,
    "end": heap_rules.end,
    "heap": heap_rules.own_heap,
    "limit": heap_rules.unseen_limit,
    "compiler": heap_rules.compiler,
    "archive": heap_rules.archive,
    "processors": processor_rules.processors,
    "workers": processor_rules.workers,
    "few": processor_rules.few,
}


def judge(look: Look) -> tuple[Setting, ...]:
    """What the rules of its language say, in the order of their numbers."""
    return tuple(setting for name in look.facts.rules for setting in RULES[name](look))
