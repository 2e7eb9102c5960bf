"""The variables that are proposed for a run time under a limit, and why each option stands in
them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from imgopt.context.facts.tuning import Heap
from imgopt.results.run_facts import Setting
from imgopt.run.tuning.amounts import heap_percent, mebibytes
from imgopt.run.tuning.look import Look
from imgopt.run.tuning.start_options import names_variable


@dataclass(frozen=True, slots=True)
class Option:
    """One word of a proposed variable; `rules` are those whose finding it answers. `variable` is
    one that a script of the start reads; "": the one that every start reads; None: the word has to
    be said in the start itself."""

    word: str
    because: str
    rules: frozenset[str]
    variable: str | None = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`environment` is what to set over the image's own; `settings` are those that were found,
    with what of it answers each."""

    environment: dict[str, str] = field(default_factory=dict)
    settings: tuple[Setting, ...] = ()
    too_small: str = ""
    """Why the limit cannot hold the service; "" where it can."""


def propose(look: Look, found: Sequence[Setting]) -> Proposal:
    """What the findings come down to. Options of the start itself stay as they are, for they count
    over any variable."""
    numbers = {setting.rule for setting in found}
    rules = {name for name, number in look.facts.rules.items() if number in numbers}
    options = tuple(_options(look, rules))
    environment = {setting.name: setting.value for setting in found if setting.name}
    for variable in dict.fromkeys(one.variable for one in options if one.variable is not None):
        mine = [option for option in options if option.variable == variable]
        new = {option.word for option in mine}
        name = variable or look.facts.set_by
        kept = (word for word in _kept(look, name, mine) if word not in new)
        environment[name] = " ".join((*kept, *(option.word for option in mine)))
    settings = tuple(_answered(look, found, options, environment))
    return Proposal(environment, settings, _too_small(look))


def _answered(
    look: Look,
    found: Sequence[Setting],
    options: Sequence[Option],
    environment: Mapping[str, str],
) -> Iterator[Setting]:
    """The first finding that a variable answers names it with its whole value, the others the
    option."""
    names = {number: name for name, number in look.facts.rules.items()}
    said: set[str] = set()
    for setting in found:
        mine = [option for option in options if names.get(setting.rule) in option.rules]
        if setting.name or not mine:
            yield setting
            continue
        words = " ".join(option.word for option in mine)
        why = "; ".join(dict.fromkeys(option.because for option in mine))
        if mine[0].variable is None:
            yield msgspec.structs.replace(setting, fix=f"{words} in the start itself: {why}")
            continue
        name = mine[0].variable or look.facts.set_by
        fix = f"{words} in {name}: {why}"
        if name in said:
            yield msgspec.structs.replace(setting, fix=fix)
        else:
            value = environment[name]
            yield msgspec.structs.replace(setting, fix=fix, name=name, value=value)
        said.add(name)


def _options(look: Look, rules: set[str]) -> Iterator[Option]:
    heap, limit = look.facts.heap, look.limit
    sized = rules & {"share", "fixed", "heap", "limit"}
    if heap is not None and limit is not None and sized:
        variable = _place_of_size(look, heap)
        for option in _sizes(look, heap, limit, frozenset(sized)):
            yield replace(option, variable=variable)
    yield from _others(look, rules)


def _place_of_size(look: Look, heap: Heap) -> str | None:
    """Where the size of the heap is to be said so that it counts: as `Option.variable`."""
    if heap.counts_all or not any(_is_sized(heap, word) for word in look.elsewhere):
        return ""
    for name, value in look.environment.items():
        says = any(_is_sized(heap, word) for word in value.split())
        if name in (*look.facts.variables, *look.facts.variables_after):
            continue
        texts = (look.texts or {}).values()
        if says and any(names_variable(text, name) for text in texts):
            return name
    return None


def _sizes(look: Look, heap: Heap, limit: int, rules: frozenset[str]) -> Iterator[Option]:
    rest = None if heap.counts_all else look.rest
    percent = max(heap.least_percent, heap_percent(limit, rest, heap.usual_percent))
    seen = f", seen: {mebibytes(rest)}" if rest is not None else ""
    beside = "" if heap.counts_all else f", the rest is for what it takes beside its heap{seen}"
    because = f"{percent} % of {mebibytes(limit)}{beside}"
    if heap.set_share:
        yield Option(heap.set_share.replace("{percent}", str(percent)), because, rules)
        if limit < heap.small_limit:
            small = f"below {mebibytes(heap.small_limit)} this one counts"
            yield Option(heap.set_small_share.replace("{percent}", str(percent)), small, rules)
    elif heap.set_most:
        size = math.floor(limit * percent / 100)
        word = heap.set_most.replace("{mebibytes}", str(size >> 20)).replace("{bytes}", str(size))
        yield Option(word, because, rules)


def _others(look: Look, rules: set[str]) -> Iterator[Option]:
    collector, dumps = look.facts.collector, look.facts.dumps
    if collector is not None and "collector" in rules:
        because = "the one that these limits choose, said by name"
        yield Option(collector.small, because, frozenset(["collector"]))
    if dumps is None or "end" not in rules:
        return
    of_end = frozenset(["end"])
    yield Option(dumps.end, "a full heap ends it, so that it is started again", of_end)
    if look.volumes and dumps.dump not in look.options:
        place = look.volumes[0]
        yield Option(dumps.dump, f"{place} is a volume, which outlives the container", of_end)
        yield Option(f"{dumps.place}{place}", f"{place} can be written to", of_end)


def _kept(look: Look, name: str, options: Sequence[Option]) -> Iterator[str]:
    """What a variable says already, but for a size of the heap that is said anew."""
    heap = look.facts.heap
    if heap is not None and heap.counts_all:
        return
    sizes = any(heap is not None and _is_sized(heap, option.word) for option in options)
    for word in look.environment.get(name, "").split():
        if not (sizes and heap is not None and _is_sized(heap, word)):
            yield word


def _is_sized(heap: Heap, word: str) -> bool:
    return bool(re.fullmatch(heap.most, word) or (heap.share and re.match(heap.share, word)))


def _too_small(look: Look) -> str:
    heap, limit = look.facts.heap, look.limit
    if heap is None or limit is None or look.rest is None or heap.counts_all:
        return ""
    percent = heap_percent(limit, look.rest, heap.usual_percent)
    if percent >= heap.least_percent:
        return ""
    return (
        f"{mebibytes(limit)} hold no heap beside the {mebibytes(look.rest)} that it takes without"
        f" one: {max(percent, 0)} % would be left"
    )
