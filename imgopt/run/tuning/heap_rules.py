"""Rules for a run time with a heap of its own: what a limit of the container makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from imgopt.results.run_facts import Setting
from imgopt.run.tuning.amounts import MARGIN, bytes_of, mebibytes
from imgopt.run.tuning.look import Look
from imgopt.run.tuning.start_options import names_variable

_LEAST_SHARE = 0.4
"""A fixed heap below this share of the limit leaves most of it to nobody."""
_USUAL_SHARE = 0.8
"""Above it, a heap leaves too little for the rest where that was not measured."""


def _setting(look: Look, rule: str, level: str, message: str, evidence: str = "") -> Setting:
    return Setting(rule=look.facts.rules[rule], level=level, message=message, evidence=evidence)


def unread(look: Look) -> Iterator[Setting]:
    """Options in a variable that only scripts read, and no script of this start does."""
    if look.texts is None:
        return
    for name, value in sorted(look.environment.items()):
        meant = any(fnmatchcase(name, glob) for glob in look.facts.unread)
        read = {*look.facts.variables, *look.facts.variables_after}
        if not meant or name in read or not re.search(look.facts.like_options, value):
            continue
        if any(names_variable(text, name) for text in look.texts.values()):
            continue
        places = ", ".join(sorted(look.texts)) or "the program is started without a shell"
        yield Setting(
            rule=look.facts.rules["unread"],
            level="warning",
            message=f"{name} is read by nobody: {value!r} has no effect",
            evidence=f"looked through: {places}",
            fix=f"what is meant of it goes into {look.facts.set_by}, which every start reads",
        )


def fixed_most(look: Look) -> int | None:
    """The most bytes of its heap that an option fixes; the last one counts."""
    heap = look.facts.heap
    if heap is None:
        return None
    texts = [look.environment.get(look.facts.set_by, "")] if heap.counts_all else look.options
    found = [match for text in texts if (match := re.fullmatch(heap.most, text))]
    return bytes_of(found[-1]["size"], found[-1]["unit"], heap.unit) if found else None


def fixed(look: Look) -> Iterator[Setting]:
    """A heap of fixed size, whatever the limit is."""
    most, limit = fixed_most(look), look.limit
    if most is None or limit is None:
        return
    rest = "" if look.rest is None else f", and {mebibytes(look.rest)} beside it"
    evidence = f"heap {mebibytes(most)}{rest}, limit {mebibytes(limit)}"
    if most >= limit:
        message = "the heap may grow over the memory limit: it is killed before its heap is full"
        yield _setting(look, "fixed", "error", message, evidence)
    elif most > _room(look, limit):
        message = "the fixed heap and what is needed beside it do not fit into the memory limit"
        yield _setting(look, "fixed", "warning", message, evidence)
    elif most < _LEAST_SHARE * limit:
        message = "the fixed heap does not follow the memory limit: most of that is used by nobody"
        yield _setting(look, "fixed", "note", message, evidence)


def _room(look: Look, limit: int) -> float:
    return _USUAL_SHARE * limit if look.rest is None else limit - look.rest * MARGIN


def share(look: Look) -> Iterator[Setting]:
    """A heap that gets the usual share of a container that has nothing else to do, or more than
    what is needed beside it leaves."""
    heap, limit = look.facts.heap, look.limit
    if heap is None or limit is None or fixed_most(look) is not None:
        return
    taken = look.taken.heap_bytes if look.taken is not None else None
    evidence = f"asked under the limit: heap {mebibytes(taken)}" if taken is not None else ""
    if _says_share(look):
        if taken is not None and look.rest is not None and taken > _room(look, limit):
            message = "the heap's share and what is needed beside it do not fit into the limit"
            beside = f"{evidence}, {mebibytes(look.rest)} beside it, limit {mebibytes(limit)}"
            yield _setting(look, "share", "warning", message, beside)
        return
    part = "a quarter" if taken is None else f"{100 * taken / limit:.0f} %"
    message = f"nothing says how much of the {mebibytes(limit)} the heap may have: it gets {part}"
    yield _setting(look, "share", "warning", message, evidence)


def _says_share(look: Look) -> bool:
    heap, asked = look.facts.heap, look.facts.asked
    if heap is not None and any(re.match(heap.share, option) for option in look.options):
        return True
    return look.taken is not None and asked is not None and asked.share in look.taken.chosen


def collector(look: Look) -> Iterator[Setting]:
    """A collector that the limits choose, and another one with a little more of them."""
    facts, limit = look.facts.collector, look.limit
    if facts is None or limit is None or (look.major or 0) >= facts.before:
        return
    if any(re.match(facts.options, option) for option in look.options):
        return
    few = look.processors is not None and look.processors < facts.processors
    if limit >= facts.memory and not few:
        return
    known = look.taken.collector if look.taken is not None else ""
    taken = f"it takes the {known} collector" if known else "the smallest collector is taken"
    message = (
        f"no collector is named: below {mebibytes(facts.memory)} or {facts.processors} processors"
        f" {taken}, above both another one"
    )
    said = "" if look.processors is None else f", {look.processors:g} processors"
    yield _setting(look, "collector", "note", message, f"limit {mebibytes(limit)}{said}")


def dump(look: Look) -> Iterator[Setting]:
    """A heap that is written down to where nothing can be written, or is gone with the
    container."""
    facts = look.facts.dumps
    if facts is None or facts.dump not in look.options:
        return
    said = [one.removeprefix(facts.place) for one in look.options if one.startswith(facts.place)]
    place = said[-1] if said else ""
    if place and any(f"{place}/".startswith(f"{one.rstrip('/')}/") for one in look.volumes):
        return
    where = place or "the working directory"
    message = f"a full heap is written to {where}, which is no volume"
    evidence = "a read-only root file system refuses it, and a container that is replaced loses it"
    yield _setting(look, "dump", "warning", message, evidence)


def end(look: Look) -> Iterator[Setting]:
    """A run time that goes on with a full heap."""
    facts = look.facts.dumps
    if facts is None or any(option in look.options for option in facts.ends):
        return
    message = "with a full heap it goes on, and may answer nothing until a probe has it killed"
    yield _setting(look, "end", "warning", message, f"{facts.end} is not said")


def own_heap(look: Look) -> Iterator[Setting]:
    """A heap that the run time chooses by itself, and that does not fit."""
    if look.taken is None or look.limit is None or fixed_most(look) is not None:
        return
    if look.taken.heap_bytes <= _room(look, look.limit):
        return
    rest = "" if look.rest is None else f", and {mebibytes(look.rest)} beside it"
    yield _setting(
        look,
        "heap",
        "warning",
        "the heap that it chooses by itself does not fit into the memory limit",
        f"heap {mebibytes(look.taken.heap_bytes)}{rest}, limit {mebibytes(look.limit)}",
    )


def unseen_limit(look: Look) -> Iterator[Setting]:
    """A run time that sees no limit of memory unless it is told."""
    heap, limit = look.facts.heap, look.limit
    if heap is None or limit is None or look.packages & {*heap.unless_packages}:
        return
    said = look.environment.get(look.facts.set_by)
    most = fixed_most(look)
    if said is not None and (most is None or most < limit):
        return
    if said is not None:
        message = f"{look.facts.set_by} is above the memory limit: it is killed before it cleans up"
        yield _setting(look, "limit", "error", message, f"{said}, limit {mebibytes(limit)}")
        return
    message = "it does not see the memory limit: garbage is left until it is killed for it"
    yield _setting(look, "limit", "note", message, f"limit {mebibytes(limit)}")


def compiler(look: Look) -> Iterator[Setting]:
    """A compiler in the image that ships."""
    for path in sorted(look.compilers):
        message = f"the image has a compiler ({path}): a run needs the run time alone"
        yield _setting(look, "compiler", "note", message)


def archive(look: Look) -> Iterator[Setting]:
    """Libraries and application in one file: one layer, new with every change of the source."""
    for one in look.archives:
        message = (
            f"{one.path} holds libraries and application in one: each change of the source ships"
            f" {mebibytes(one.size)} anew"
        )
        evidence = f"{mebibytes(one.libraries)} of it are libraries"
        yield _setting(look, "archive", "note", message, evidence)
