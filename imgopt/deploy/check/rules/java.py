"""The JVM under the limits of the file: options that nobody reads, heaps that do not fit."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from imgopt.deploy.check.examples import deployment, facts, service
from imgopt.deploy.check.names import names
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.quantities import mebibytes
from imgopt.deploy.check.rule import Case, Found, Image, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Container
from imgopt.image.recipe import PROGRAM
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.programs import running_scripts, script_text
from imgopt.results.run_facts import Jvm

_HEAP = re.compile(r"-Xmx(\d{1,15})([kmgt]?)\b", re.IGNORECASE)
_PERCENT = re.compile(r"-XX:(?:MaxRAMPercentage|MaxRAM)=")
_COLLECTOR = re.compile(r"-XX:\+Use\w+GC\b")
_DUMP = re.compile(r"-XX:HeapDumpPath=(\S+)")
_ENDS = re.compile(r"-XX:\+(?:Exit|Crash)OnOutOfMemoryError|-XX:OnOutOfMemoryError=")
_SERVER_BYTES = 1792 << 20
_ROOM = 0.9
"""Of the limit; the rest is for threads, code and buffers, which are no heap."""
_GUIDE = "https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html"


@dataclass(frozen=True, slots=True)
class Options:
    """Options that a JVM gets, as text, and where the file says most of them. `whole` is False
    where some may come from elsewhere."""

    text: str
    sure: str
    """Of them, those that no script has to hand on."""
    node: Node
    whole: bool
    java: bool


def options(situation: Situation, container: Container) -> Options:
    view, known = situation.view(container), situation.known(container)
    inner = view.config.environment if view is not None else {}
    outer = container.environment
    parts: list[str] = []
    sure: list[str] = []
    whole, node = not container.whole_sources, container.node
    for name in names().variables.java_any:
        if name in outer:
            whole = whole and outer[name].origin == "value" and not outer[name].value.varies
            parts.append(outer[name].value.text)
            node = outer[name].value
        elif inner.get(name):
            parts.append(inner[name])
        sure = parts[:] if name in names().variables.java else sure
    words = _words(container, view)
    java = any(posixpath.basename(word) in names().java.programs for word in words[:1])
    java = java or (known is not None and known.language in names().java.programs)
    return Options(" ".join([*parts, *words]), " ".join([*sure, *words]), node, whole, java)


def _words(container: Container, view: ImageView | None) -> tuple[str, ...]:
    own = view.config if view is not None else None
    first = container.command if container.command is not None else own and own.entrypoint
    then = container.arguments
    if then is None and container.command is None and own is not None:
        then = own.cmd
    return (*(first or ()), *(then or ()))


def dead_options(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        view = situation.view(container)
        words = _words(container, view)
        direct = bool(words) and posixpath.basename(words[0]) in names().java.programs
        if not direct and (view is None or _may_be_read(situation, container, view, words)):
            continue
        for name in names().variables.dead:
            own = view.config.environment.get(name) if view is not None else None
            if name not in container.environment and not own:
                continue
            outer = container.environment.get(name)
            yield Found(
                outer.value if outer is not None else container.image_node,
                one.title,
                f"{name} of container {container.name} does nothing",
                f"no JVM reads it, and `{' '.join(words[:4])}` is no shell that would put it in",
                f"{names().variables.java[0]}, which every JVM reads",
            )


def _may_be_read(
    situation: Situation, container: Container, view: ImageView, words: tuple[str, ...]
) -> bool:
    """Whether a script of the start names one of them, or nobody can tell."""
    scripts = running_scripts(view)
    texts = [*words, *(script_text(node) for node in scripts)]
    return not (options(situation, container).java and scripts) or any(
        name in text for name in names().variables.dead for text in texts
    )


def heap(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        given, limit = options(situation, container), container.limits.memory
        found = _HEAP.findall(given.text)
        if not found or limit is None:
            continue
        sure = _HEAP.search(given.sure) is not None
        number, unit = found[-1]
        most = int(number) * 1024 ** " kmgt".index(unit.lower() or " ")
        if most > limit * _ROOM:
            yield Found(
                given.node,
                one.title,
                f"the heap of container {container.name} may grow to {mebibytes(most)}",
                f"the memory limit is {mebibytes(limit)}, and the JVM needs more than its heap"
                + ("" if sure else "; only where the start script reads it"),
                "-XX:MaxRAMPercentage=75 in the place of -Xmx: it follows the limit",
                "error" if most >= limit and sure else "warning",
            )


def heap_share(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        given, limit = options(situation, container), container.limits.memory
        view, known = situation.view(container), situation.known(container)
        if not given.java or not given.whole or limit is None or (view is None and known is None):
            continue
        if _HEAP.search(given.text) or _PERCENT.search(given.text):
            continue
        asked = _asked(known.jvm if known is not None else [], limit)
        said = (
            f"the image's JVM took {mebibytes(asked.heap_bytes)} under {mebibytes(limit)}"
            if asked is not None
            else f"MaxRAMPercentage is 25 by default: {mebibytes(limit / 4)} of {mebibytes(limit)}"
        )
        yield Found(
            container.limits.node,
            one.title,
            f"the heap of container {container.name} is a quarter of its limit",
            said,
            f"{names().variables.java[0]}=-XX:MaxRAMPercentage=75",
        )


def _asked(every: list[Jvm], limit: int) -> Jvm | None:
    return next((j for j in every if j.memory_limit == limit and not j.with_proposal), None)


def collector(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        given, limits = options(situation, container), container.limits
        known = situation.known(container)
        if not given.java or not given.whole or _COLLECTOR.search(given.text):
            continue
        if known is not None and (known.jvm or known.tried or known.settings):
            continue  # it was tried: what came of it is a setting that is proposed, or none
        few = limits.processors is not None and limits.processors <= 1
        small = limits.memory is not None and limits.memory < _SERVER_BYTES
        if small and not few:
            yield Found(
                limits.node,
                one.title,
                f"container {container.name} collects garbage with one thread",
                "the JVM takes the serial collector below 1792 MiB or two processors (JDK 26 and"
                " before)",
                "-XX:+UseSerialGC or -XX:+UseG1GC, said so that a change of limits does not choose",
            )


def dump(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        given = options(situation, container)
        if "-XX:+HeapDumpOnOutOfMemoryError" not in given.text or not container.rights.read_only:
            continue
        path = _DUMP.search(given.text)
        folder = path[1] if path else container.working_dir or "."
        mount = container.covers(folder)
        if mount is None or mount.read_only:
            yield Found(
                given.node,
                one.title,
                f"container {container.name} cannot write its heap dump",
                f"it goes to {folder}, and the root file system is read-only",
                "-XX:HeapDumpPath on a volume that is large enough for the heap",
            )


def out_of_memory(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        given, view = options(situation, container), situation.view(container)
        known = situation.known(container)
        if not given.java or not given.whole or (view is None and known is None):
            continue
        if "liveness" in container.probes and not _ENDS.search(given.text):
            yield Found(
                container.probes["liveness"].node,
                one.title,
                f"container {container.name} goes on after it ran out of heap",
                "ExitOnOutOfMemoryError is not set; the liveness route may go on answering while"
                " nothing else does",
                f"{names().variables.java[0]}=-XX:+ExitOnOutOfMemoryError",
            )


_JAVA = Image(
    {"/usr/bin/java": PROGRAM, "/bin/sh": PROGRAM, "/app.jar": "x"},
    {"Entrypoint": ["java", "-jar", "/app.jar"]},
)
_SHELL = Image(_JAVA.files, {"Entrypoint": ["sh", "-c", "exec java $JAVA_OPTS -jar /app.jar"]})
_ENV = "env:\n  - name: {}\n    value: {}\n"
_LIMIT = "resources:\n  limits:\n    memory: {}\n"
DEAD_OPTIONS = Rule(
    id="J1",
    name="dead-options",
    level="warning",
    title="Options for the JVM that nobody reads",
    why="JAVA_OPTS is a habit of start scripts. Where the image starts java itself, heap and"
    " collector stay as they were, whatever is written here.",
    reference=_GUIDE,
    look=dead_options,
    needs=("image",),
    good=(
        Case(
            "every JVM reads it",
            deployment(_ENV.format("JAVA_TOOL_OPTIONS", "-Xmx64m")),
            image=_JAVA,
        ),
        Case("a shell puts it in", deployment(_ENV.format("JAVA_OPTS", "-Xmx64m")), image=_SHELL),
        Case("nobody knows the start", deployment(_ENV.format("JAVA_OPTS", "-Xmx64m"))),
    ),
    bad=(
        Case(
            "the image starts java",
            deployment(_ENV.format("JAVA_OPTS", "-Xmx64m  # <-")),
            image=_JAVA,
        ),
        Case(
            "the file starts java",
            deployment(
                "command: [java, -jar, x.jar]\n" + _ENV.format("JAVA_OPTS", "-Xmx64m  # <-")
            ),
        ),
        Case(
            "of the image itself",
            service("", image="image: shop:1.4  # <-\n"),
            image=Image(_JAVA.files, {**_JAVA.config, "Env": ["JAVA_OPTS=-Xmx1g"]}),
        ),
    ),
)
_TOOL = "JAVA_TOOL_OPTIONS"
HEAP = Rule(
    id="J2",
    name="fixed-heap",
    level="error",
    title="The heap does not fit into the limit",
    why="The container is killed before the JVM would clean up.",
    reference=_GUIDE,
    look=heap,
    good=(
        Case("it fits", deployment(_ENV.format(_TOOL, "-Xmx512m") + _LIMIT.format("1Gi"))),
        Case("no limit", deployment(_ENV.format(_TOOL, "-Xmx512m"))),
        Case(
            "a share",
            deployment(_ENV.format(_TOOL, "-XX:MaxRAMPercentage=75") + _LIMIT.format("1Gi")),
        ),
    ),
    bad=(
        Case("larger", deployment(_ENV.format(_TOOL, "-Xmx2g  # <-") + _LIMIT.format("1Gi"))),
        Case("no room", deployment(_ENV.format(_TOOL, "-Xmx1000m  # <-") + _LIMIT.format("1Gi"))),
    ),
)
_LIMIT_HERE = "resources:\n  limits:\n    memory: 2Gi  # <-\n"
HEAP_SHARE = Rule(
    id="J3",
    name="heap-share",
    level="warning",
    title="Three quarters of the memory are never used",
    why="The JVM takes a quarter of its limit for the heap, unless it is told otherwise.",
    reference=_GUIDE,
    look=heap_share,
    needs=("image",),
    good=(
        Case(
            "it is told",
            deployment(_ENV.format(_TOOL, "-Xmx1g") + _LIMIT.format("2Gi")),
            image=_JAVA,
        ),
        Case(
            "it may be told elsewhere",
            deployment("envFrom:\n  - configMapRef: {name: c}\n" + _LIMIT.format("2Gi")),
            image=_JAVA,
        ),
        Case("no JVM", deployment(_LIMIT.format("2Gi")), image=Image({"/x": "x"})),
    ),
    bad=(Case("nobody says", deployment(_LIMIT_HERE), image=_JAVA),),
)
COLLECTOR = Rule(
    id="J4",
    name="collector",
    level="note",
    title="The limits choose the collector",
    why="One step of the limit more or less, and the service behaves in another way.",
    reference=_GUIDE,
    look=collector,
    needs=("image",),
    good=(
        Case(
            "said",
            deployment(_ENV.format(_TOOL, "-XX:+UseSerialGC") + _LIMIT.format("1Gi")),
            image=_JAVA,
        ),
        Case("large enough", deployment(_LIMIT.format("2Gi")), image=_JAVA),
        Case(
            "one processor has one thread",
            deployment(_LIMIT.format("1Gi") + "    cpu: 1\n"),
            image=_JAVA,
        ),
    ),
    bad=(Case("small", deployment(_LIMIT_HERE.replace("2Gi", "1Gi")), image=_JAVA),),
)
_DUMPS = "-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/dumps"
_READ_ONLY = "securityContext: {readOnlyRootFilesystem: true}\n"
DUMP = Rule(
    id="J5",
    name="heap-dump",
    level="warning",
    title="The heap dump cannot be written",
    why="It is missing on the one day that it is for.",
    reference=_GUIDE,
    look=dump,
    good=(
        Case("a writable root", deployment(_ENV.format(_TOOL, f'"{_DUMPS}"'))),
        Case(
            "on a volume",
            deployment(
                _ENV.format(_TOOL, f'"{_DUMPS}"')
                + _READ_ONLY
                + "volumeMounts:\n  - {name: d, mountPath: /dumps}\n",
                pod="volumes:\n  - name: d\n    emptyDir: {}\n",
            ),
        ),
    ),
    bad=(Case("nowhere", deployment(_ENV.format(_TOOL, f'"{_DUMPS}"  # <-') + _READ_ONLY)),),
)
_LIVE = "livenessProbe:{}\n  tcpSocket:\n    port: 80\n"
OUT_OF_MEMORY = Rule(
    id="J6",
    name="out-of-memory",
    level="note",
    title="A JVM without memory goes on",
    why="Threads die one by one while the probe is answered; ending at once lets Kubernetes start a"
    " new one.",
    reference=_GUIDE,
    look=out_of_memory,
    needs=("image",),
    good=(
        Case(
            "it ends",
            deployment(_ENV.format(_TOOL, "-XX:+ExitOnOutOfMemoryError") + _LIVE.format("")),
            image=_JAVA,
        ),
        Case("no liveness", deployment(), image=_JAVA),
    ),
    bad=(Case("not said", deployment(_LIVE.format("  # <-")), facts=facts(language="java")),),
)
RULES = (DEAD_OPTIONS, HEAP, HEAP_SHARE, COLLECTOR, DUMP, OUT_OF_MEMORY)
