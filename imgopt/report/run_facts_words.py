"""What running an image showed, in words: a line for each thing, each with how often or how long
was looked. The text is untrusted and plain."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imgopt.report.common import count_text, seconds_text, shorten
from imgopt.results.run_facts import (
    Capabilities,
    ImageFacts,
    Load,
    Port,
    Probe,
    ProcessOne,
    ReadOnlyRoot,
    Route,
    RunFacts,
    Samples,
    Stop,
    User,
    Written,
)
from imgopt.results.size_text import NOT_MEASURED, size_text

_FIELDS = {
    "start": "start",
    "start.cold": "cold start",
    "memory": "memory",
    "load": "load",
    "routes": "routes",
    "reaches": "whom a route asks",
    "stops": "stop",
    "capabilities": "capabilities",
    "read_only_root": "read-only root",
}
_MOST_WRITTEN = 4
_MOST_ROUTES = 6
_WORDS = 70
_MOST_SIGNALS = 6
_TOLD = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM")
SAME = "the same"


@dataclass(frozen=True, slots=True)
class Line:
    """`name` is the same for every image; "" says nothing of it."""

    name: str
    text: str


def lines(image: ImageFacts) -> list[Line]:
    """All that was measured of it, in the order of a container's life."""
    found = [
        Line("start", _start(image)),
        Line("processor", _processor(image)),
        Line("memory", _memory(image)),
        Line("load", load_text(image.load) if image.load else ""),
        Line("listens", "; ".join(_port(port) for port in image.ports)),
        Line("health", _health(image.routes)),
        Line("also answers", _answers(image)),
        Line("health check", _probe(image.health)),
        Line("asks", _asks(image)),
        Line("writes", _written(image.written)),
        Line("runs as", _user(image.user)),
        Line("capabilities", _capabilities(image.capabilities)),
        Line("read-only root", _root(image.read_only_root)),
        *(_stop_line(stop) for stop in image.stops),
        Line("process 1", _process(image.process_one)),
        Line("graphics", _graphics(image)),
    ]
    return [line for line in found if line.text]


def headline(image: ImageFacts) -> str:
    """The figures that count, in a sentence."""
    if "start" in image.not_measured and not image.start.warm.values and not image.runs > 1:
        return image.not_measured["start"]
    start = image.start.warm.middle
    said = [f"starts in {seconds_text(start)}"] if start is not None and not image.ends else []
    said += [f"ends after {seconds_text(start)}"] if start is not None and image.ends else []
    if image.memory.peak is not None:
        said.append(f"needs {size_text(image.memory.peak)} at most")
    own = [stop for stop in image.stops if stop.is_own]
    if own:
        worst = max(own, key=lambda stop: (stop.killed, stop.seconds))
        killed = f"does not stop and is killed after {seconds_text(worst.seconds)}"
        said.append(killed if worst.killed else f"stops in {seconds_text(worst.seconds)}")
    return ", ".join(said) or "runs"


def run_lines(facts: RunFacts | None) -> list[str]:
    """A line for each image, for results that have run facts inside; none where they have none."""
    images = facts.images if facts is not None else []
    return [f"{image.name} {headline(image)} ({watched(image)})" for image in images]


def watched(image: ImageFacts) -> str:
    """ "11 runs, watched 1 min 36 s"."""
    return f"{count_text(image.runs, 'run')}, watched {seconds_text(image.watched_seconds)}"


def missing(image: ImageFacts) -> list[str]:
    """What was not measured, each with its reason."""
    return [f"{_FIELDS.get(name, name)}: {why}" for name, why in image.not_measured.items()]


def load_text(load: Load) -> str:
    """ "18,240 requests of / in 20.0 s by 8 connections: 0 failed, 912 a second, ..."."""
    said = f"{load.requests:,} requests of {load.path} in {seconds_text(load.seconds)}"
    said += f" by {count_text(load.workers, 'connection')}: {load.failed:,} failed"
    said += f", {load.per_second:,.0f} a second"
    if load.middle_seconds is not None:
        said += f", answered in {seconds_text(load.middle_seconds)}"
    if load.p95_seconds is not None and load.longest_seconds is not None:
        said += f" (95 % in {seconds_text(load.p95_seconds)}"
        said += f", longest {seconds_text(load.longest_seconds)})"
    return said


def samples_text(samples: Samples) -> str:
    """ "0.81 s (3 starts, 0.79 s to 0.84 s)"."""
    values = samples.values
    if not values:
        return NOT_MEASURED
    starts = count_text(len(values), "start")
    low, high = seconds_text(min(values)), seconds_text(max(values))
    spread = f", {low} to {high}" if low != high else ""
    return f"{seconds_text(samples.middle)} ({starts}{spread})"


def _start(image: ImageFacts) -> str:
    start = image.start
    if not start.warm.values:
        return ""
    until = start.by if image.ends else f"until {start.by}"
    cold = f"; cold {samples_text(start.cold)}" if start.cold.values else ""
    return f"{samples_text(start.warm)} {until}{cold}"


def _processor(image: ImageFacts) -> str:
    said = []
    used = image.start.processor_seconds
    if used.values:
        said.append(f"{samples_text(used)} to {'do its work' if image.ends else 'start'}")
    each = image.load.processor_seconds_each if image.load is not None else None
    if each is not None and image.load is not None:
        said.append(f"{seconds_text(each)} a request ({image.load.requests:,} requests)")
    return "; ".join(said)


def _memory(image: ImageFacts) -> str:
    memory = image.memory
    figures = (
        (memory.settled, "settled"),
        (memory.peak_start, "at its start" if not image.ends else "at most"),
        (memory.peak_load, "under load"),
    )
    said = [f"{size_text(size)} {when}" for size, when in figures if size]
    return f"{', '.join(said)} (watched {seconds_text(memory.watched_seconds)})" if said else ""


def _port(port: Port) -> str:
    said = f"{port.number}/{port.transport}"
    said += f" {port.speaks}" if port.speaks else ""
    if port.address == "127.0.0.1":
        return f"{said} (for itself alone)"
    return f"{said} (exposed)" if port.exposed else said


def _health(routes: Sequence[Route]) -> str:
    return "; ".join(route_text(route) for route in routes if route.is_health)


def route_text(route: Route) -> str:
    """ "/readyz 200, for readiness: it asks db"."""
    said = f"{route.path} {route.status}"
    said += f", for {route.fits}" if route.fits else ""
    return f"{said}: it asks {', '.join(route.reaches)}" if route.reaches else said


def _answers(image: ImageFacts) -> str:
    plain = [route.path for route in image.routes if not route.is_health]
    said = plain[:_MOST_ROUTES]
    if len(plain) > _MOST_ROUTES:
        said.append(f"and {len(plain) - _MOST_ROUTES} more")
    said += [f"metrics at {image.metrics_path}"] if image.metrics_path else []
    said += ["answers in parts"] if image.streams else []
    said += ["WebSockets"] if image.websockets else []
    return ", ".join(said)


def _probe(probe: Probe | None) -> str:
    if probe is None:
        return ""
    works = "works" if probe.exit_code == 0 else f"fails with exit code {probe.exit_code}"
    took = f" in {seconds_text(probe.seconds)}" if probe.seconds is not None else ""
    origin = {"healthcheck": "the image's own", "interpreter": "its interpreter"}
    said = shorten(shlex.join(probe.words), _WORDS)
    return f"{origin.get(probe.origin, 'a program that is there')} {works}{took}: {said}"


def _asks(image: ImageFacts) -> str:
    return ", ".join((*image.companions, *(f"{host} (not here)" for host in image.asked_hosts)))


def _written(folders: Sequence[Written]) -> str:
    said = [written_text(one) for one in folders[:_MOST_WRITTEN]]
    more = len(folders) - _MOST_WRITTEN
    return "; ".join((*said, *([f"and {more} more folders"] if more > 0 else [])))


def written_text(one: Written) -> str:
    """ "/app/uploads: 18.4 kB in 3 files"."""
    kind = " (a volume)" if one.volume else ""
    return f"{one.folder}: {size_text(one.bytes)} in {count_text(one.files, 'file')}{kind}"


def _user(user: User | None) -> str:
    if user is None:
        return ""
    name = f"{user.name} " if user.name else ""
    said = f"{name}({user.uid}:{user.gid})"
    if user.home:
        may = {True: "may be written", False: "may not be written", None: ""}
        said += f", home {user.home}"
        said += f", which {may[user.home_is_writable]}" if may[user.home_is_writable] else ""
    if not user.said and user.uid:
        return f"{said}, started as root"
    return said if user.is_numeric or user.uid == 0 else f"{said}; USER names no number"


def _capabilities(rights: Capabilities) -> str:
    if not rights.tried:
        return ""
    if rights.needed:
        return f"needs {', '.join(rights.needed)}: {rights.detail}"
    return f"needs none: {rights.detail}" if rights.detail else "needs none"


def _root(root: ReadOnlyRoot) -> str:
    if root.works is None:
        return ""
    if not root.works:
        return f"does not work: {root.detail}"
    where = f" with {', '.join(root.tmpfs)} writable" if root.tmpfs else ""
    return f"works{where}{': ' + root.detail if root.detail else ''}"


def _stop_line(stop: Stop) -> Line:
    own = "" if stop.is_own else ", which is not its own signal"
    name = f"{stop.signal}, {'busy' if stop.in_flight else 'idle'}"
    return Line(name, f"{stop_text(stop)}{own}")


def stop_text(stop: Stop) -> str:
    """ "0.62 s, exit code 0; of 8 requests under way 8 finished, 0 cut, then 14 refused"."""
    took = f"ended after {seconds_text(stop.seconds)} with exit code {stop.exit_code}"
    if stop.killed:
        took = f"did not end and was killed after {seconds_text(stop.seconds)}"
    if not stop.in_flight:
        return f"{took} (1 stop)"
    said = f"{took}; of {count_text(stop.in_flight, 'request')} under way {stop.finished} finished"
    return f"{said}; {stop.cut} cut, {stop.refused} refused later (1 stop)"


def _process(first: ProcessOne | None) -> str:
    if first is None:
        return ""
    catches = f"handles {_signals(first.catches)}" if first.catches else "handles no signal"
    children = f", {count_text(first.children, 'child')}" if first.children == 1 else ""
    children = f", {first.children} children" if first.children > 1 else children
    return f"{shorten(shlex.join(first.words), _WORDS)} ({first.kind}{children}; {catches})"


def _signals(names: Sequence[str]) -> str:
    """Those that say "end" or "read your settings", where a run time handles them all."""
    if len(names) <= _MOST_SIGNALS:
        return ", ".join(names)
    told = [name for name in names if name in _TOLD]
    return f"{', '.join(told)} and {count_text(len(names) - len(told), 'other')}"


def _graphics(image: ImageFacts) -> str:
    if not image.cuda_bytes:
        return ""
    used = "used" if image.gpu_used else "not used in these runs"
    return f"{size_text(image.cuda_bytes)} of files for a graphics processor, {used}"


def side_by_side(images: Sequence[ImageFacts]) -> Iterator[tuple[str, list[str]]]:
    """Name of a line, and what it says of each image: "" where it says nothing, "the same" behind
    the first that says it."""
    said = [{line.name: line.text for line in lines(image)} for image in images]
    for name in dict.fromkeys(line.name for image in images for line in lines(image)):
        texts = [one.get(name, "") for one in said]
        yield (
            name,
            [*texts[:1], *(SAME if text and text == texts[0] else text for text in texts[1:])],
        )
