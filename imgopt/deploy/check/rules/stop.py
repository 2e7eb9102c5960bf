"""The stop: whether requests end well when a pod goes, and whether it goes in time."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.deploy.check import said as told
from imgopt.deploy.check.examples import SERVICE, deployment, facts, service, stop
from imgopt.deploy.check.quantities import in_seconds
from imgopt.deploy.check.rule import Case, Found, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import SERVED, Container, Workload
from imgopt.results.run_facts import ImageFacts, Stop

_ENDED = "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
_LISTENS_ON = 2.0
"""Seconds after the signal in which the endpoints of a Service follow on a quiet cluster."""
_LEAST = 5.0
"""Seconds that are left for the work, where nobody said how long it takes."""


def stop_time(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        known = situation.known(container)
        own = _own_stops(known, container)
        late = next((s for s in own if s.killed or s.seconds > one.grace), None)
        if known is None or late is None:
            continue
        first = known.process_one
        who = f"process 1 is {first.program or first.kind}" if first is not None else "process 1"
        said = f"it had not ended {in_seconds(late.seconds)} after {late.signal}"
        caught = first is None or late.signal in first.catches
        yield Found(
            one.grace_node if one.grace_node.there else container.node,
            one.title,
            f"container {container.name} does not end within the grace of {in_seconds(one.grace)}",
            said if caught else f"{said}; {who}, which has no handler for it",
            "handle the signal, `exec` in the start script, STOPSIGNAL, or an init in the image"
            + (" (`init: true`)" if one.compose else ""),
            "note" if _is_quiet(situation, container) else None,
        )


def _own_stops(known: ImageFacts | None, container: Container) -> list[Stop]:
    if known is None or container.init or container.stop_signal:
        return []
    return [one for one in known.stops if one.is_own]


def _is_quiet(situation: Situation, container: Container) -> bool:
    """Whether nothing is under way any more when the signal comes: the hook waits for longer than
    new requests come and an answer takes."""
    known, hook = situation.known(container), container.pre_stop
    longest = known.longest_answer_seconds if known is not None else None
    waits = hook.sleep if hook is not None else None
    return waits is not None and longest is not None and waits >= longest + _LISTENS_ON


def no_pre_stop(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        served, perhaps = situation.served(one), situation.may_be_served(one)
        if one.kind not in SERVED or not (served or perhaps) or not _stays(one):
            continue
        for container in answering(situation, one):
            known = situation.known(container)
            hook = container.pre_stop
            waits = hook is not None and hook.sleep != 0
            if waits or _listens_on(known):
                continue
            yield Found(
                hook.node if hook is not None else container.node,
                one.title,
                f"container {container.name} gets the signal to stop while requests still come",
                _refused(known),
                "lifecycle.preStop.sleep of a few seconds (it needs no program), and a grace that"
                " has room for it",
                None if served else "note",
            )


def _stays(one: Workload) -> bool:
    """Whether others answer while a pod goes: for the only pod of a set, nothing would help."""
    alone = one.kind == "StatefulSet" and one.count in (None, 1)
    return one.count != 0 and one.rollout.kind != "Recreate" and not alone


def _listens_on(known: ImageFacts | None) -> bool:
    """Whether the program itself goes on answering for long enough."""
    busy = [one for one in (known.stops if known is not None else ()) if one.in_flight]
    return bool(busy) and all(
        not one.refused and not one.cut and one.seconds >= _LISTENS_ON for one in busy
    )


def _refused(known: ImageFacts | None) -> str:
    busy = [one for one in (known.stops if known is not None else ()) if one.in_flight]
    if busy:
        return (
            f"it ended {in_seconds(max(one.seconds for one in busy))} after the signal and refused"
            f" {sum(one.refused for one in busy)} requests; the pod's endpoint is taken out at the"
            " same time, on every node a little later"
        )
    return (
        "no preStop; the pod's endpoint is taken out at the same time as the signal is sent, on"
        " every node a little later"
    )


def answering(situation: Situation, one: Workload) -> list[Container]:
    """The containers that a Service leads to; the first where no port says which."""
    main = [container for container in one.main if container.kind == "main"]
    ports = [port for s in situation.services_of(one) for port in s.ports if not port.measures]
    targets = {port.target.text for port in ports}
    found = [
        container
        for container in main
        if any(targets & {port.name, str(port.number)} for port in container.ports)
    ]
    return found or main[:1]


def grace(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        for container in one.main:
            known = situation.known(container)
            beside = told.answer(situation.beside(one.grace_node)) or 0.0
            work = _work(known) if known is not None else beside
            found = _grace(one, container, work, known is not None or bool(beside))
            if found is not None:
                yield found


def _grace(one: Workload, container: Container, work: float, known: bool) -> Found | None:
    hook = container.pre_stop
    waits = hook.sleep or 0.0 if hook is not None else 0.0
    node = one.grace_node if one.grace_node.there or hook is None else hook.node
    if not node.there or one.grace_node.varies:
        return None
    left = one.grace - waits
    said = f"grace {in_seconds(one.grace)}, preStop {in_seconds(waits)}"
    fix = f"terminationGracePeriodSeconds of preStop + work + margin: {waits + work + 5:.0f} s"
    if waits and waits > one.grace:
        message = f"the preStop hook of container {container.name} is longer than the grace"
        return Found(node, one.title, message, f"{said}: the API server refuses it", fix)
    if work > left:
        message = (
            f"the grace of {in_seconds(one.grace)} is too short for container {container.name}"
        )
        evidence = f"{said}: {in_seconds(left)} are left for work that took {in_seconds(work)}"
        return Found(node, one.title, message, evidence, fix)
    if not known and left < _LEAST and one.kind in SERVED and (waits or one.grace == 0):
        message = f"the grace leaves {in_seconds(left)} to container {container.name}"
        return Found(node, one.title, message, said, fix, "warning")
    return None


def _work(known: ImageFacts) -> float:
    """Seconds of the longest answer, or of the longest stop with requests in flight."""
    busy = [one.seconds for one in known.stops if one.in_flight and not one.killed]
    return max([*busy, known.longest_answer_seconds or 0.0])


def no_drain(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        for cut in _own_stops(situation.known(container), container):
            if cut.cut and one.kind in (*SERVED, "service") and not _is_quiet(situation, container):
                yield Found(
                    container.node,
                    one.title,
                    f"container {container.name} cuts requests off when it is stopped",
                    f"{cut.cut} requests that were under way ended without an answer after"
                    f" {cut.signal} ({cut.in_flight} were in flight)",
                    "let the program finish what it answers after the signal, then end; a preStop"
                    " alone keeps new requests away, not those in flight",
                )
                break


_SLEEP = "lifecycle:\n  preStop:\n    sleep:\n      seconds: {}\n"
_WELL = facts(stops=[stop(), stop(in_flight=4, finished=4, refused=3)])
STOP_TIME = Rule(
    id="D7",
    name="stop-time",
    level="error",
    title="The program outlives its grace",
    why="It is killed then, with whatever it was at; and every rolling update waits for the whole"
    " grace, pod by pod. As process 1 a program without a handler never sees the signal.",
    reference=_ENDED,
    look=stop_time,
    needs=("facts",),
    good=(
        Case("ends at once", deployment(), facts=_WELL),
        Case(
            "an init of Compose hands it on",
            service("init: true\n"),
            facts=facts(stops=[stop(seconds=10.0, killed=True)]),
        ),
        Case(
            "the grace is long enough",
            deployment(pod="terminationGracePeriodSeconds: 60\n"),
            facts=facts(stops=[stop(seconds=35.0)]),
        ),
    ),
    bad=(
        Case(
            "never ends",
            deployment().replace("name: web\n          image", "name: web  # <-\n          image"),
            facts=facts(stops=[stop(seconds=10.0, killed=True, exit_code=137)]),
        ),
        Case(
            "longer than Compose waits",
            service("stop_grace_period: 2s  # <-\n"),
            facts=facts(stops=[stop(seconds=4.0)]),
        ),
    ),
)

_NAMED = ("name: web\n          image", "name: web  # <-\n          image")
NO_PRE_STOP = Rule(
    id="D19",
    name="no-pre-stop",
    level="warning",
    title="A pod is told to stop while requests still come to it",
    why="Its endpoint and its signal go out at the same moment, and the nodes follow later. A"
    " program that stops well then refuses requests: measured here, 5 of 2,606 in each update; with"
    " a preStop of a few seconds, 0 of 3,008.",
    reference=_ENDED,
    look=no_pre_stop,
    good=(
        Case("it sleeps first", deployment(_SLEEP.format(5), more=SERVICE)),
        Case(
            "it sleeps by a program",
            deployment(
                "lifecycle:\n  preStop:\n    exec:\n      command: [sleep, '5']\n", more=SERVICE
            ),
        ),
        Case("nobody sends it requests", deployment()),
        Case(
            "the only one of a set goes before the next one comes",
            deployment(kind="StatefulSet", spec="replicas: 1\n", more=SERVICE),
        ),
        Case(
            "it goes on answering by itself",
            deployment(more=SERVICE),
            facts=facts(stops=[stop(in_flight=4, finished=9, seconds=3.4)]),
        ),
    ),
    bad=(
        Case("nothing waits", deployment(more=SERVICE).replace(*_NAMED, 1)),
        Case(
            "it drains, and refuses what still comes",
            deployment(more=SERVICE).replace(*_NAMED, 1),
            facts=_WELL,
        ),
    ),
)

GRACE = Rule(
    id="D20",
    name="grace",
    level="error",
    title="The grace is too short",
    why="It counts from before the preStop hook: what that takes is not left for requests in"
    " flight. Measured here: 4 s, 3 of them preStop, cut 6 of 144 requests of 8 s; 20 s none.",
    reference=_ENDED,
    look=grace,
    good=(
        Case("room for both", deployment(_SLEEP.format(5)), facts=_WELL),
        Case("the default has room", deployment(_SLEEP.format(5))),
        Case("short, and nothing waits", deployment(pod="terminationGracePeriodSeconds: 10\n")),
    ),
    bad=(
        Case(
            "the hook alone is longer",
            deployment(_SLEEP.format(20), pod="terminationGracePeriodSeconds: 10  # <-\n"),
        ),
        Case(
            "one second is left",
            deployment(_SLEEP.format(3), pod="terminationGracePeriodSeconds: 4  # <-\n"),
        ),
        Case(
            "shorter than the comment beside it says",
            deployment(
                _SLEEP.format(5),
                pod="# measured: 5 s of drain + longest answer 9.0 s + 5 s\n"
                "terminationGracePeriodSeconds: 12  # <-\n",
            ),
        ),
        Case(
            "shorter than an answer takes",
            deployment(_SLEEP.format(3), pod="terminationGracePeriodSeconds: 10  # <-\n"),
            facts=facts(longest_answer_seconds=8.0),
        ),
    ),
)

NO_DRAIN = Rule(
    id="D21",
    name="no-drain",
    level="error",
    title="Requests in flight are cut off at the stop",
    why="Each rolling update, each node that is emptied, each scaling down then fails some of them:"
    " measured here, 30 of 2,632 in an update.",
    reference=_ENDED,
    look=no_drain,
    needs=("facts",),
    good=(
        Case("all were finished", deployment(), facts=_WELL),
        Case(
            "nothing is under way behind the hook",
            deployment(_SLEEP.format(5)),
            facts=facts(stops=[stop(in_flight=4, cut=4)], longest_answer_seconds=1.3),
        ),
        Case("a job answers nobody", deployment(kind="Job"), facts=_WELL),
    ),
    bad=(
        Case(
            "the hook is shorter than an answer",
            deployment(_SLEEP.format(5)).replace(*_NAMED, 1),
            facts=facts(stops=[stop(in_flight=4, cut=4)], longest_answer_seconds=8.0),
        ),
        Case(
            "ends at once",
            deployment().replace(*_NAMED, 1),
            facts=facts(stops=[stop(in_flight=4, finished=2, cut=2)]),
        ),
    ),
)

RULES = (STOP_TIME, NO_PRE_STOP, GRACE, NO_DRAIN)
