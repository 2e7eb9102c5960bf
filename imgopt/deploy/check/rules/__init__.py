"""The rules, by topic; `RULES` has all of them in the order of their numbers."""

from __future__ import annotations

from imgopt.deploy.check.rule import Rule
from imgopt.deploy.check.rules import (
    files,
    images,
    java,
    liveness,
    network,
    ports,
    probes,
    readiness,
    resources,
    rollout,
    settings,
    stop,
    user,
)

_TOPICS = (
    probes,
    liveness,
    readiness,
    ports,
    stop,
    rollout,
    resources,
    user,
    files,
    images,
    network,
    settings,
    java,
)


def _order(rule: Rule) -> tuple[str, int]:
    return rule.id[0], int(rule.id[1:])


RULES: tuple[Rule, ...] = tuple(
    sorted((rule for topic in _TOPICS for rule in topic.RULES), key=_order)
)
