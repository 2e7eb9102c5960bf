"""What a run time takes under the limits that will be set, what is proposed for it, and whether the
image survives a load under both."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from imgopt.context.facts.tuning import Tuning
from imgopt.inspect.image_view import ImageView
from imgopt.results.run_facts import ImageFacts, Jvm, Setting, Tried
from imgopt.run.facts.conditions import Conditions
from imgopt.run.facts.load import Asked
from imgopt.run.facts.runner import Runner
from imgopt.run.pictures import Process
from imgopt.run.tuning.amounts import memory_limit
from imgopt.run.tuning.answer import Taken
from imgopt.run.tuning.asking import ask, beside_heap
from imgopt.run.tuning.found import (
    Found,
    find,
    linked_packages,
    running_workers,
    said_workers,
    server,
)
from imgopt.run.tuning.look import Look, archives, compilers, start_texts
from imgopt.run.tuning.proposal import Proposal, propose
from imgopt.run.tuning.rules import judge

_LOAD = Asked(seconds=10.0)
_MOST_TRIES = 3
_SLOWER = 1.5
"""A start that takes so much longer with the proposal is a reason against it."""
_LEAST_SLOWER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """That will be set; `memory` in bytes, None: the peak by the stated formula; `processors` as
    `--cpus`, None: none."""

    memory: int | None = None
    processors: float | None = None


def tune(
    runner: Runner, facts: ImageFacts, view: ImageView, limits: Limits = Limits()
) -> ImageFacts:
    """The facts of one image with `language`, `settings`, `jvm` and `tried`. Raises
    EnvironmentFailure."""
    processes = _processes(runner)
    found = find(view, processes)
    processors = limits.processors or facts.processors
    if found is None:
        tried, _ = _tries(runner, facts, Conditions(limits.memory, processors), Proposal())
        return msgspec.structs.replace(facts, tried=tried)
    tuning = found.ecosystem.tuning
    runner.say(f"Asking {tuning.language} what it takes under limits")
    rest = beside_heap(runner, found, Conditions(processors=processors))
    conditions = Conditions(limits.memory or _memory(facts, tuning, rest), processors)
    taken, why_not = ask(runner, found, conditions) if conditions.memory else (None, "no peak")
    look = replace(
        look_at(view, found, facts, processes),
        limit=conditions.memory,
        processors=processors,
        taken=taken,
        rest=rest,
    )
    look = replace(look, version=look.version or (taken.version if taken else ""))
    return _proposed(runner, facts, found, look, conditions, why_not, fixed=bool(limits.memory))


def _processes(runner: Runner) -> Sequence[Process]:
    pictures = [one.processes for one in runner.first.pictures if one.processes]
    return pictures[-1] if pictures else ()


def _memory(facts: ImageFacts, tuning: Tuning, rest: int | None) -> int | None:
    peak, heap = facts.memory.peak, tuning.heap
    if peak is None:
        return None
    return memory_limit(peak, rest, heap.least_percent if heap is not None else 0)


def look_at(view: ImageView, found: Found, facts: ImageFacts, processes: Sequence[Process]) -> Look:
    """What the image and its processes say before anything is asked."""
    ecosystem, environment = found.ecosystem, found.environment or facts.environment
    linked = linked_packages(view, ecosystem, found.program)
    known = server(ecosystem, found.program, found.words)
    counted = known is not None and found.process is not None
    return Look(
        ecosystem.tuning,
        environment=environment,
        words=found.words,
        texts=start_texts(view, ecosystem.tuning),
        machine_processors=os.cpu_count() or 1,
        version=linked.get(ecosystem.tuning.linked, ""),
        peak=facts.memory.peak,
        volumes=tuple(view.config.volumes),
        packages=frozenset(linked),
        compilers=compilers(view, ecosystem.tuning),
        archives=archives(view, ecosystem.tuning, found.words),
        workers=known[0] if known is not None else None,
        said_workers=said_workers(*known, environment) if known is not None else None,
        running_workers=running_workers(known[0], found.process, processes)
        if counted and known is not None and found.process is not None
        else None,
    )


def _proposed(
    runner: Runner,
    facts: ImageFacts,
    found: Found,
    look: Look,
    conditions: Conditions,
    why_not: str,
    *,
    fixed: bool,
) -> ImageFacts:
    """What is proposed is asked and tried before it is said."""
    proposal = propose(look, judge(look))
    asked = look.facts.asked is not None
    answers = [_answer(conditions, look.taken, own=True)] if look.taken is not None else []
    if asked and proposal.environment:
        after, refused = (None, why_not)
        if look.taken is not None:
            after, refused = ask(runner, found, replace(conditions, env=proposal.environment))
        if after is None:
            proposal = _withdrawn(proposal, f"it does not start with it here: {refused}")
        else:
            answers.append(_answer(conditions, after, own=False))
    tried, against = _tries(runner, facts, conditions, proposal, raise_it=not fixed)
    if against:
        proposal = _withdrawn(proposal, against)
    settings = [*proposal.settings, *_small(look, proposal)]
    is_jvm = look.facts.collector is not None
    missing = {"jvm": why_not} if is_jvm and not answers and why_not else {}
    return msgspec.structs.replace(
        facts,
        language=look.facts.language,
        settings=settings,
        jvm=answers if is_jvm else [],
        tried=tried,
        not_measured={**facts.not_measured, **missing},
    )


def _answer(conditions: Conditions, taken: Taken, *, own: bool) -> Jvm:
    return Jvm(
        memory_limit=conditions.memory or 0,
        processors=conditions.processors or float(os.cpu_count() or 1),
        collector=taken.collector,
        heap_bytes=taken.heap_bytes,
        container_support=taken.container,
        version=taken.version,
        with_proposal=not own,
    )


def _small(look: Look, proposal: Proposal) -> list[Setting]:
    if not proposal.too_small:
        return []
    number = look.facts.rules.get("fixed", next(iter(look.facts.rules.values())))
    return [Setting(rule=number, level="error", message=proposal.too_small)]


def _withdrawn(proposal: Proposal, why: str) -> Proposal:
    """The findings without values: nothing is proposed that was not seen at work."""
    settings = tuple(
        msgspec.structs.replace(one, name="", value="", fix=f"{one.name}={one.value}: {why}")
        if one.name
        else one
        for one in proposal.settings
    )
    return Proposal({}, settings, proposal.too_small)


def _tries(
    runner: Runner,
    facts: ImageFacts,
    conditions: Conditions,
    proposal: Proposal,
    *,
    raise_it: bool = True,
) -> tuple[list[Tried], str]:
    """The image under the limit, as it is and with the proposal, and what speaks against that; what
    is to be written down stands last. A limit that was proposed is raised where it does not survive
    with it."""
    memory = conditions.memory or (memory_limit(facts.memory.peak) if facts.memory.peak else None)
    if memory is None or facts.ends:
        return [], ""
    runner.say("Trying it under a memory limit")
    tried: list[Tried] = []
    for env in ({}, proposal.environment) if proposal.environment else ({},):
        tried.append(_tried(runner, replace(conditions, memory=memory, env=env)))
    while not tried[-1].survived and raise_it and len(tried) < 2 * _MOST_TRIES:
        memory = memory_limit(memory)
        tried.append(_tried(runner, replace(conditions, memory=memory, env=proposal.environment)))
    against = _against(tried[0], tried[-1]) if proposal.environment else ""
    if against and tried[-1].survived:  # on a busy machine the same start may take twice as long
        again = _tried(runner, replace(conditions, memory=memory, env=proposal.environment))
        against = _against(tried[0], again)
        tried = [tried[0], again]
    return (tried[::-1] if against else tried), against


def _tried(runner: Runner, conditions: Conditions) -> Tried:
    return runner.tried(conditions, _LOAD)


def _against(own: Tried, proposed: Tried) -> str:
    if own.survived and not proposed.survived:
        return f"with it {proposed.detail or 'it does not survive'}, without it it survives"
    before, after = own.start_seconds, proposed.start_seconds
    if before is None or after is None:
        return ""
    if after > _SLOWER * before and after - before > _LEAST_SLOWER_SECONDS:
        return f"the start takes {after:.1f} s with it, {before:.1f} s without"
    return ""
