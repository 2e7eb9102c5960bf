"""Rules for how many threads and processes a service runs at once."""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgopt.results.run_facts import Setting
from imgopt.run.tuning.look import Look


def processors(look: Look) -> Iterator[Setting]:
    """A run time that starts a thread for each processor of the machine, whatever the limit is."""
    facts = look.facts.processors
    if facts is None or look.processors is None or facts.variable in look.environment:
        return
    if look.packages & {*facts.unless_packages} or look.processors >= look.machine_processors:
        return
    if not look.version or _is_from(look.version, facts.sees_limit_from):
        return
    value = str(max(1, math.ceil(look.processors)))
    yield Setting(
        rule=look.facts.rules["processors"],
        level="warning",
        message="it runs a thread for each processor of the machine, not of the limit",
        evidence=(
            f"version {look.version}; {look.machine_processors} processors here, limit"
            f" {look.processors:g}; from {facts.sees_limit_from} on it looks at the limit by itself"
        ),
        name=facts.variable,
        value=value,
    )


def _is_from(version: str, first: str) -> bool:
    if not first:
        return False
    numbers = [
        [int(part) for part in one.split(".")[:2] if part.isdigit()] for one in (version, first)
    ]
    return numbers[0] >= numbers[1]


def workers(look: Look) -> Iterator[Setting]:
    """More processes than the processors can run."""
    facts, limit = look.workers, look.processors
    count = look.running_workers or look.said_workers
    if facts is None or limit is None or not count:
        return
    most = facts.most_each * max(1, math.ceil(limit)) + 1
    if count <= most:
        return
    seen = "were seen" if look.running_workers else "are asked for"
    yield Setting(
        rule=look.facts.rules["workers"],
        level="warning",
        message=f"{count} workers share {limit:g} processors: above {most} they only take memory",
        evidence=f"{count} {seen}; {facts.source}",
        name=facts.variables[0] if facts.variables and look.said_workers is None else "",
        value=str(most) if facts.variables and look.said_workers is None else "",
        fix=f"{facts.options[0]} {most}",
    )


def few(look: Look) -> Iterator[Setting]:
    """One process, which one processor runs, where there are more."""
    facts, limit = look.workers, look.processors
    count = look.running_workers or look.said_workers or (facts.usual if facts else 0)
    if facts is None or limit is None or limit < 2 or count != 1:
        return
    yield Setting(
        rule=look.facts.rules["few"],
        level="note",
        message=f"one worker uses one of {limit:g} processors",
        evidence=facts.source,
        fix=f"{facts.options[0]} {math.floor(limit)}, each of which takes its own memory; or more"
        " replicas with one processor each",
    )
