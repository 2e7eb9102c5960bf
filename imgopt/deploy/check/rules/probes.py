"""Probes: whether they can be run, what they ask, and how long they wait."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.deploy.check.examples import deployment, facts, service
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.programs import why_not
from imgopt.deploy.check.quantities import in_seconds
from imgopt.deploy.check.rule import Case, Found, Image, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Container, Probe, Workload
from imgopt.image.recipe import PROGRAM, File
from imgopt.inspect.image_view import ImageView
from imgopt.results.run_facts import ImageFacts, Route

_GRPC = "/grpc.health.v1.Health/Check"
"""Where run facts have the answer of gRPC's own health service."""


def probe_program(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        view = situation.view(container)
        if view is None:
            continue
        for what, node, words in _commands(one, container, view):
            reason = why_not(view, container, words, situation.identity(container))
            if reason:
                yield Found(
                    node,
                    one.title,
                    f"the {what} of container {container.name} can never succeed",
                    reason,
                    "run what is in the image (its interpreter, the program's own flag), or take"
                    " httpGet, grpc or sleep, which need no program",
                )


def _commands(
    one: Workload, container: Container, view: ImageView
) -> Iterator[tuple[str, Node, tuple[str, ...]]]:
    for probe in container.probes.values():
        if probe.handler == "exec":
            yield title(probe), probe.node, probe.words
    for what, hook in (("preStop", container.pre_stop), ("postStart", container.post_start)):
        if hook is not None and hook.words:
            yield f"{what} hook", hook.node, hook.words
    own = view.config.healthcheck
    if one.compose and own is not None and "health check" not in container.probes:
        kind, *test = own.test or ("",)
        shell = view.config.shell or ("/bin/sh", "-c")
        if kind in ("CMD", "CMD-SHELL"):
            words = tuple(test) if kind == "CMD" else (*shell, *test)
            yield "health check of the image", container.image_node, words


def title(probe: Probe) -> str:
    return probe.kind if probe.kind == "health check" else f"{probe.kind} probe"


def probe_timeout(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        known = situation.known(container)
        for probe in container.probes.values():
            seconds = _answered_in(probe, known)
            if seconds is None or seconds <= probe.timeout:
                continue
            yield Found(
                probe.node,
                one.title,
                f"the {title(probe)} of container {container.name} waits"
                f" {in_seconds(probe.timeout)}",
                f"its answer took {in_seconds(seconds)}",
                f"timeoutSeconds of {int(3 * seconds) + 1}, or a route that answers sooner",
                "warning" if probe.kind == "readiness" else "error",
            )


def _answered_in(probe: Probe, known: ImageFacts | None) -> float | None:
    route = route_of(probe, known)
    if route is not None:
        return route.seconds
    own = known.health if known is not None else None
    if own is not None and probe.handler == "exec" and tuple(own.words) == probe.words:
        return own.seconds
    return None


def route_of(probe: Probe, known: ImageFacts | None) -> Route | None:
    if known is None or probe.handler not in ("http", "grpc"):
        return None
    path = _GRPC if probe.handler == "grpc" else probe.path
    of = (path, probe.handler)
    return next((route for route in known.routes if (route.path, route.speaks) == of), None)


_IMAGE = Image(
    {
        "/bin/sh": PROGRAM,
        "/usr/bin/wget": PROGRAM,
        "/app/check.py": "import this\n",
        "/usr/local/bin/python": PROGRAM,
        "/app/tool": File("#!/usr/bin/perl\n", 0o755),
        "/root/tool": File("\x7fELF", 0o700),
    },
    {"User": "65532", "WorkingDir": "/app"},
)


def exec_probe(words: str, kind: str = "readiness", mark: bool = False) -> str:
    end = "  # <-" if mark else ""
    return f"{kind}Probe:{end}\n  exec:\n    command: [{words}]\n"


PROBE_PROGRAM = Rule(
    id="D1",
    name="probe-program",
    level="error",
    title="A probe runs a program that the image does not have",
    why="The probe fails for ever, so the pod is never ready, or is ended again and again. Nothing"
    " but the image tells; a slim base has no curl.",
    reference="https://kubernetes.io/docs/tasks/configure-pod-container/"
    "configure-liveness-readiness-startup-probes/",
    look=probe_program,
    needs=("image",),
    good=(
        Case(
            "an interpreter and its script",
            deployment(exec_probe("python, check.py")),
            image=_IMAGE,
        ),
        Case(
            "another way behind ||",
            deployment(exec_probe('sh, -c, "curl -f localhost || wget -q -O- localhost"')),
            image=_IMAGE,
        ),
        Case(
            "the script comes with a volume",
            deployment(
                exec_probe("/probes/ready.sh")
                + "volumeMounts:\n  - name: p\n    mountPath: /probes\n",
                pod="volumes:\n  - name: p\n    configMap:\n      name: probes\n",
            ),
            image=_IMAGE,
        ),
        Case(
            "a health check that is switched off",
            service("healthcheck:\n  disable: true\n"),
            image=Image({}, {"Healthcheck": {"Test": ["CMD", "curl", "localhost"]}}),
        ),
    ),
    bad=(
        Case("no such program", deployment(exec_probe("curl, localhost", mark=True)), image=_IMAGE),
        Case("no interpreter", deployment(exec_probe("/app/tool", mark=True)), image=_IMAGE),
        Case("not for this user", deployment(exec_probe("/root/tool", mark=True)), image=_IMAGE),
        Case(
            "a hook without a shell",
            deployment(
                'lifecycle:\n  preStop:  # <-\n    exec:\n      command: [sh, -c, "sleep 5"]\n'
            ),
            image=Image({"/app/web": PROGRAM}),
        ),
        Case(
            "a health check of Compose",
            service("healthcheck:  # <-\n  test: curl -f http://localhost || exit 1\n"),
            image=_IMAGE,
        ),
        Case(
            "the image's own health check",
            service("", image="image: shop:1.4  # <-\n"),
            image=Image({}, {"Healthcheck": {"Test": ["CMD", "curl", "localhost"]}}),
        ),
    ),
)

_LIVE = "livenessProbe:\n  httpGet:\n    path: /alive\n    port: 8080\n"
_LIVE_HERE = _LIVE.replace("Probe:\n", "Probe:  # <-\n", 1)
PROBE_TIMEOUT = Rule(
    id="D18",
    name="probe-timeout",
    level="error",
    title="A probe waits less long than its answer takes",
    why="It fails though all is well; under load, all pods at once.",
    reference="https://kubernetes.io/docs/tasks/configure-pod-container/"
    "configure-liveness-readiness-startup-probes/#configure-probes",
    look=probe_timeout,
    needs=("facts",),
    good=(
        Case(
            "answers in time",
            deployment(_LIVE),
            facts=facts(routes=[Route(path="/alive", port=8080, seconds=0.2)]),
        ),
        Case(
            "another route is slow",
            deployment(_LIVE),
            facts=facts(routes=[Route(path="/report", port=8080, seconds=9.0)]),
        ),
    ),
    bad=(
        Case(
            "one second by default",
            deployment(_LIVE_HERE),
            facts=facts(routes=[Route(path="/alive", port=8080, seconds=1.4)]),
        ),
    ),
)

RULES = (PROBE_PROGRAM, PROBE_TIMEOUT)
