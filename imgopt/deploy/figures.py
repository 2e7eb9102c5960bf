"""The formulas: from what was measured to a figure, with its origin in words.

Every figure has one formula, stated in docs/deploy.md as well. What was not measured gets a default
that says so; a maximum of a short look is no bound, so each origin says how long was looked.
"""

from __future__ import annotations

from math import ceil

from imgopt.deploy.model import MIB, Said
from imgopt.results.run_facts import ImageFacts
from imgopt.run.tuning import amounts

OVER_START = 1.5
MEMORY_STEP = amounts.STEP
UNKNOWN_MEMORY = 512 * MIB
UNKNOWN_PROCESSORS, LEAST_PROCESSORS, SHARE_OF_LOAD = 0.1, 0.02, 0.5
STARTS, LEAST_WINDOW, UNKNOWN_WINDOW = 3, 30, 60
DRAIN, MARGIN, KUBELET_GRACE = 5, 5, 30
AGENT_GRACE = (180, 300)
LEAST_TIMEOUT, OVER_ANSWER, STREAM_TIMEOUT, SOCKET_TIMEOUT = 10, 3, 300, 3600
STORAGE_STEP = 64 * MIB


def mib(size: int) -> str:
    """ "212 MiB"; rounded up, so that nothing looks smaller than it is."""
    return f"{ceil(size / MIB)} MiB"


def memory_limit(facts: ImageFacts) -> Said[int]:
    """The limit that the image was tried under with the settings of the file, where it held; else
    peak under load x 1.15, or peak of the start x 1.5; always above one that did not hold."""
    said = _from_peak(facts)
    last = facts.tried[-1] if facts.tried else None
    fell = _fell(facts)
    if last is not None and last.survived and last.memory_limit > fell:
        return Said(_up(last.memory_limit), f"tried under it, and it held; {said.origin}")
    if fell >= said.value:
        over = _up(round(fell * 1.25))
        return Said(over, f"{mib(fell)} tried, and it did not hold; x 1.25")
    return said


def _fell(facts: ImageFacts) -> int:
    """The highest limit that did not hold with the variables that the files set: with others it
    says nothing of them."""
    with_what = facts.tried[-1].environment if facts.tried else {}
    return max(
        (
            one.memory_limit
            for one in facts.tried
            if not one.survived and one.environment == with_what
        ),
        default=0,
    )


def least_memory(facts: ImageFacts) -> int:
    """The least limit that an author may have written: the peak, or what was tried and held."""
    held = [one.memory_limit for one in facts.tried if one.survived]
    return max(1, min([facts.memory.peak or 0, *held]))


def _from_peak(facts: ImageFacts) -> Said[int]:
    memory, load = facts.memory, facts.load
    if memory.peak is None:
        return Said(UNKNOWN_MEMORY, "memory was not measured", measured=False)
    if memory.peak_load is not None and load is not None:
        return Said(
            amounts.memory_limit(memory.peak),
            f"peak {mib(memory.peak)} x {amounts.MARGIN}, {load.seconds:.0f} s of load",
        )
    return Said(
        _up(memory.peak * OVER_START),
        f"peak {mib(memory.peak)} x {OVER_START}, {memory.watched_seconds:.0f} s without load",
    )


def _up(size: float, step: int = MEMORY_STEP) -> int:
    return ceil(size / step) * step


def memory_request(facts: ImageFacts, limit: Said[int]) -> Said[int]:
    """What it settles at; what the scheduler has to find on a node."""
    settled = facts.memory.settled
    if settled is None:
        return Said(limit.value, "the limit: settled memory was not measured", measured=False)
    return Said(min(_up(settled), limit.value), f"settled at {mib(settled)}, in steps of 16 MiB")


def cpu_request(facts: ImageFacts) -> Said[float]:
    """Half of the processors that the bounded load kept busy: an autoscaler's target counts from
    here, and the other half is the head room until new pods serve."""
    load = facts.load
    if load is None or load.processor_seconds_each is None:
        return Said(
            UNKNOWN_PROCESSORS, "processor seconds under load were not measured", measured=False
        )
    busy = load.per_second * load.processor_seconds_each
    value = max(LEAST_PROCESSORS, ceil(busy * SHARE_OF_LOAD * 100) / 100)
    rate = f"{load.per_second:.0f} requests/s x {load.processor_seconds_each * 1000:.2g} ms"
    return Said(value, f"{rate} of a processor x {SHARE_OF_LOAD}")


def cpu_limit(facts: ImageFacts) -> Said[float] | None:
    """Only where the image was tried under one: a limit slows what it does not have to."""
    tried = [one.processors for one in facts.tried if one.survived and one.processors]
    if not tried:
        return None
    return Said(max(tried), f"tried with {max(tried):g} processors, and it held")


def worst_start(facts: ImageFacts) -> float | None:
    start = facts.start
    seen = [start.cold.worst, start.warm.worst, *(one.start_seconds for one in facts.tried)]
    return max((one for one in seen if one is not None), default=None)


def startup_window(facts: ImageFacts) -> Said[int]:
    """Seconds that a start may take before it counts as failed."""
    worst = worst_start(facts)
    if worst is None:
        return Said(UNKNOWN_WINDOW, "the start was not measured", measured=False)
    count = len(facts.start.cold.values) + len(facts.start.warm.values)
    origin = f"{STARTS} x the worst of {count} starts ({worst:.2g} s)"
    window = ceil(worst * STARTS)
    if window < LEAST_WINDOW:
        return Said(LEAST_WINDOW, f"{origin}, at least {LEAST_WINDOW} s for a busy node")
    return Said(window, origin)


def drain(facts: ImageFacts) -> Said[int]:
    """Seconds between the end of being an endpoint and the signal (preStop): new connections still
    come until every node has taken the pod out of its rules."""
    refused = sum(one.refused for one in facts.stops)
    busy = any(one.in_flight for one in facts.stops)
    why = "until all nodes send it nothing new"
    if refused:
        return Said(DRAIN, f"{refused} requests refused after the signal; {why}")
    if busy:
        return Said(DRAIN, f"none refused after the signal; {why}")
    return Said(DRAIN, why, measured=False)


def work(facts: ImageFacts) -> Said[float]:
    """The longest that what was begun took to end."""
    stops = [one.seconds for one in facts.stops if not one.killed]
    stop, answer = max(stops, default=None), facts.longest_answer_seconds
    if stop is None and answer is None:
        return Said(10.0, "stop was not measured", measured=False)
    if stop is None or (answer is not None and answer > stop):
        return Said(answer or 0.0, f"longest answer {answer:.2g} s")
    return Said(stop, f"longest of {len(stops)} stops {stop:.2g} s")


def grace(facts: ImageFacts, *, drained: int, agent: bool) -> Said[int]:
    """Drain + work + margin; the longer time of an agent's work only where it is asked for."""
    longest = work(facts)
    whole = ceil(drained + longest.value + MARGIN)
    parts = f"{drained} s of drain + " if drained else ""
    origin = f"{parts}{longest.origin} + {MARGIN} s"
    if agent:
        least, most = AGENT_GRACE
        asked = min(max(least, whole), most)
        return Said(asked, f"asked for by --agent ({least}-{most} s); {origin}", measured=False)
    return Said(whole, origin, longest.measured)


def request_timeout(facts: ImageFacts) -> Said[int]:
    """Seconds that a gateway waits for one answer of the service."""
    longest = facts.longest_answer_seconds
    if facts.websockets:
        return Said(SOCKET_TIMEOUT, "WebSockets were seen: connections stay open", measured=True)
    if facts.streams:
        whole = max(STREAM_TIMEOUT, ceil((longest or 0) * OVER_ANSWER))
        return Said(whole, f"answers come in parts (longest {longest or 0:.2g} s)")
    if longest is None:
        return Said(30, "the longest answer was not measured", measured=False)
    origin = f"{OVER_ANSWER} x the longest answer ({longest:.2g} s)"
    whole = max(LEAST_TIMEOUT, ceil(longest * OVER_ANSWER))
    return Said(whole, f"{origin}{f', at least {whole} s' if whole == LEAST_TIMEOUT else ''}")


def storage(facts: ImageFacts, folders: int) -> Said[int]:
    """The most that may lie on the node's disk: what may be written outside of volumes, and the
    log. `folders` is what the writable folders may hold in all."""
    log = f"{mib(STORAGE_STEP)} of log"
    if folders:
        return Said(folders + STORAGE_STEP, f"writable folders {mib(folders)} + {log}")
    written = sum(one.bytes for one in facts.written if not one.volume)
    origin = f"{mib(written)} written in {facts.watched_seconds:.0f} s x 4 + {log}"
    return Said(_up(written * 4, STORAGE_STEP) + STORAGE_STEP, origin)


def folder_size(written: int, seconds: float) -> Said[int]:
    """The most that one folder may hold."""
    size = max(STORAGE_STEP, _up(written * 4, STORAGE_STEP))
    origin = f"{mib(written)} written in {seconds:.0f} s x 4"
    return Said(size, f"{origin}{', at least 64 MiB' if size == STORAGE_STEP else ''}")


def longest_run(facts: ImageFacts) -> Said[int] | None:
    """Of a program that ends: seconds after which it is stopped."""
    worst = worst_start(facts)
    if not facts.ends:
        return None
    if worst is None:
        return Said(3600, "its run was not measured", measured=False)
    return Said(max(60, ceil(worst * 10)), f"10 x its longest run ({worst:.2g} s), at least 60 s")
