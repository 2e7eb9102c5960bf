"""Memory, processors, storage and GPUs: what is asked for and allowed, against what was used."""

from __future__ import annotations

from collections.abc import Iterator

from imgopt.deploy.check import said as told
from imgopt.deploy.check.examples import deployment, facts, service
from imgopt.deploy.check.names import names
from imgopt.deploy.check.quantities import mebibytes
from imgopt.deploy.check.rule import Case, Found, Image, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.image.recipe import PROGRAM
from imgopt.inspect.image_view import ImageView
from imgopt.results.run_facts import ImageFacts, Memory, Tried, Written

_RESOURCES = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
_MARGIN = 1.1
"""A limit that is nearer to the peak than this is reached on another day."""


def memory_limit(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        known, limit = situation.known(container), container.limits.memory
        if limit is None:
            continue
        tried = known.tried if known is not None else []
        died = [t for t in tried if not t.survived and t.memory_limit >= limit]
        held = any(t.survived and t.memory_limit <= limit for t in tried)
        peak, said = _peak(known, situation.beside(container.limits.node))
        if peak is not None and limit < peak * _MARGIN and not held:
            wanted = f"{mebibytes(peak * 1.25)}"
        elif died:
            said = f"it did not survive a limit of {mebibytes(died[0].memory_limit)}"
            wanted = f"more than {mebibytes(died[0].memory_limit)}"
        else:
            continue
        yield Found(
            container.limits.node,
            one.title,
            f"the memory limit of container {container.name} is {mebibytes(limit)}",
            said,
            f"a limit of {wanted}; at its limit the container is killed with what it was at",
            "warning" if not died and peak is not None and limit >= peak else None,
        )


def _peak(known: ImageFacts | None, beside: str) -> tuple[int | None, str]:
    """Bytes, and who says so."""
    if known is None:
        peak = told.peak(beside)
        return peak, f"the comment beside it says a peak of {mebibytes(peak)}" if peak else ""
    memory = known.memory
    if memory.peak is None:
        return None, ""
    said = f"its peak was {mebibytes(memory.peak)} in {memory.watched_seconds:.0f} s"
    load = f" of load {known.load.path}" if known.load and memory.peak_load else ""
    return memory.peak, f"{said}{load}"


def memory_request(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        if one.compose or one.kind in ("Job", "CronJob") or container.requests.varies:
            continue
        known, asked = situation.known(container), container.requests.memory
        asked = asked if asked is not None else container.limits.memory
        settled = known.memory.settled if known is not None else None
        if asked is None and not container.limits.varies:
            fix = (
                f"a request of {mebibytes(settled)}" if settled else "what it uses in a quiet hour"
            )
            yield Found(
                container.node,
                one.title,
                f"container {container.name} asks for no memory",
                "no requests.memory: the node takes as many of such pods as come, and ends them"
                " first when it runs out",
                fix,
            )
        elif asked is not None and settled is not None and asked < settled:
            yield Found(
                container.requests.node,
                one.title,
                f"container {container.name} asks for {mebibytes(asked)} of memory",
                f"it settled at {mebibytes(settled)}: it is among the first to be evicted",
                f"a request of {mebibytes(settled)}",
                "warning",
            )


def amounts(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        asked, most = container.requests, container.limits
        for name in ("memory", "processors", "storage"):
            less, more = getattr(most, name), getattr(asked, name)
            if less is not None and more is not None and more > less:
                shown = [f"{n:g}" if name == "processors" else mebibytes(n) for n in (more, less)]
                yield Found(
                    asked.node,
                    one.title,
                    f"container {container.name} asks for more {name} than it may have",
                    f"requests {shown[0]}, limits {shown[1]}: the API server refuses it",
                    "a request that is at most the limit",
                )


def gpu(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        known, view = situation.known(container), situation.view(container)
        asked = container.gpus.there
        if known is not None and known.gpu_used and not asked:
            said, level = "the run used a GPU", None
        elif not asked and _cuda(known, view):
            said, level = f"the image has {_cuda(known, view)}, and no run used it", "note"
        elif asked and container.gpus.text != "0" and _has_none(known, view):
            said, level = "the image has no CUDA libraries: it can use only the driver", "note"
        else:
            continue
        yield Found(
            container.gpus if asked else container.node,
            one.title,
            f"container {container.name} {'asks' if asked else 'does not ask'} for a GPU",
            said,
            "ask for none"
            if asked
            else "resources.limits nvidia.com/gpu: 1 (Compose: gpus: all), or packages without CUDA"
            " where none is used",
            "note" if level else None,
        )


def _cuda(known: ImageFacts | None, view: ImageView | None) -> str:
    if known is not None:
        return f"{mebibytes(known.cuda_bytes)} of CUDA libraries" if known.cuda_bytes else ""
    return _library(view) if view is not None else ""


def _has_none(known: ImageFacts | None, view: ImageView | None) -> bool:
    if known is not None:
        return not known.cuda_bytes and not known.gpu_used
    return view is not None and not _library(view)


def _library(view: ImageView) -> str:
    known = names().gpu.libraries
    return next((node.path for node in view.tree.files() if node.name.startswith(known)), "")


def storage(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        known = situation.known(container)
        for written in known.written if known is not None else ():
            mount = container.covers(written.folder)
            limit = mount.most if mount is not None else container.limits.storage
            if limit is None or written.bytes <= limit:
                continue
            yield Found(
                mount.node if mount is not None else container.limits.storage_node,
                one.title,
                f"container {container.name} may write {mebibytes(limit)}",
                f"it wrote {mebibytes(written.bytes)} below {written.folder}",
                f"at least {mebibytes(written.bytes * 2)}: above it the pod is evicted",
            )


_LIMIT = "resources:\n  limits:\n    memory: {}{}\n"
MEMORY_LIMIT = Rule(
    id="D6",
    name="memory-limit",
    level="error",
    title="The memory limit is below the peak",
    why="The kernel kills the container when it reaches it, under just the load that it is for.",
    reference=f"{_RESOURCES}#how-pods-with-resource-limits-are-run",
    look=memory_limit,
    needs=("facts",),
    good=(
        Case("above the peak", deployment(_LIMIT.format("256Mi", "")), facts=facts()),
        Case("no limit", deployment(), facts=facts()),
        Case(
            "it was tried under the limit, and held",
            deployment(_LIMIT.format("128Mi", "")),
            facts=facts(tried=[Tried(memory_limit=128 << 20, survived=True)]),
        ),
        Case(
            "above what the comment says",
            deployment(_LIMIT.format("256Mi", " # measured: peak 212 MiB x 1.15, 60 s of load")),
        ),
        Case("a variable", deployment(_LIMIT.format("${MEMORY}", "")), facts=facts()),
        Case(
            "another command was not measured",
            deployment("command: [worker]\n" + _LIMIT.format("64Mi", "")),
            facts=facts(entrypoint=["shop"]),
        ),
    ),
    bad=(
        Case("below", deployment(_LIMIT.format("128Mi", "  # <-")), facts=facts()),
        Case("hardly above", deployment(_LIMIT.format("205Mi", "  # <-")), facts=facts()),
        Case(
            "below what the comment beside it says",
            deployment(
                "resources:\n  limits:\n    # measured: peak 212 MiB x 1.15, 60 s of load\n"
                "    memory: 64Mi  # <-\n"
            ),
        ),
        Case("as Compose says it", service("mem_limit: 64m  # <-\n"), facts=facts()),
        Case(
            "it did not survive more",
            deployment(_LIMIT.format("300Mi", "  # <-")),
            facts=facts(memory=Memory(), tried=[Tried(memory_limit=320 << 20, survived=False)]),
        ),
    ),
)
_REQUEST = "resources:\n  requests:\n    memory: {}{}\n"
_NAMED = ("name: web\n          image", "name: web  # <-\n          image", 1)
MEMORY_REQUEST = Rule(
    id="D29",
    name="memory-request",
    level="note",
    title="The memory that is used is not asked for",
    why="The scheduler counts requests; what uses more than it asked for is ended first when a node"
    " runs out.",
    reference=_RESOURCES,
    look=memory_request,
    good=(
        Case("asked for", deployment(_REQUEST.format("128Mi", "")), facts=facts()),
        Case("a limit asks as well", deployment(_LIMIT.format("128Mi", ""))),
        Case("Compose schedules nothing", service("")),
    ),
    bad=(
        Case("nothing", deployment().replace(*_NAMED)),
        Case("less than it uses", deployment(_REQUEST.format("32Mi", "  # <-")), facts=facts()),
    ),
)
AMOUNTS = Rule(
    id="D30",
    name="amounts",
    level="error",
    title="More is asked for than allowed",
    why="The API server refuses the object.",
    reference=_RESOURCES,
    look=amounts,
    good=(
        Case("the same", deployment("resources:\n  requests: {cpu: 1}\n  limits: {cpu: 1000m}\n")),
        Case("other units", deployment(_REQUEST.format("1G", "") + "  limits: {memory: 1Gi}\n")),
    ),
    bad=(
        Case(
            "more memory",
            deployment(_REQUEST.format("2Gi", "  # <-") + "  limits: {memory: 1Gi}\n"),
        ),
    ),
)
_CUDA = Image({"/usr/lib/libcudart.so.12": PROGRAM})
_GPU = "resources:\n  limits:\n    nvidia.com/gpu: 1{}\n"
GPU = Rule(
    id="D9",
    name="gpu",
    level="error",
    title="CUDA without a GPU, or a GPU without CUDA",
    why="Without the request the pod comes to a node without a GPU; the libraries alone are"
    " gigabytes of each pull.",
    reference="https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/",
    look=gpu,
    needs=("image",),
    good=(
        Case("both", deployment(_GPU.format("")), image=_CUDA),
        Case("neither", deployment(), image=Image({"/app/web": PROGRAM})),
        Case("gpus of Compose", service("gpus: all\n"), image=_CUDA),
    ),
    bad=(
        Case("used, and not asked for", deployment().replace(*_NAMED), facts=facts(gpu_used=True)),
        Case("libraries that nothing uses", deployment().replace(*_NAMED), image=_CUDA),
        Case(
            "asked for by an image without",
            deployment(_GPU.format("  # <-")),
            image=Image({"/app/web": PROGRAM}),
        ),
    ),
)
_WRITES = facts(written=[Written(folder="/tmp", bytes=300 << 20, files=3)])
_TMP = "volumeMounts:\n  - name: tmp\n    mountPath: /tmp{}\n"
_VOLUME = "volumes:\n  - name: tmp\n    emptyDir:\n      sizeLimit: {}\n"
STORAGE = Rule(
    id="D12",
    name="storage",
    level="error",
    title="More is written than may be",
    why="A pod that writes more than its limit is evicted.",
    reference=f"{_RESOURCES}#local-ephemeral-storage",
    look=storage,
    needs=("facts",),
    good=(
        Case("room", deployment(_TMP.format(""), pod=_VOLUME.format("1Gi")), facts=_WRITES),
        Case(
            "the limit of the container is for other folders",
            deployment(
                _TMP.format("") + "resources: {limits: {ephemeral-storage: 100Mi}}\n",
                pod=_VOLUME.format("1Gi"),
            ),
            facts=_WRITES,
        ),
    ),
    bad=(
        Case(
            "a small volume",
            deployment(_TMP.format("  # <-"), pod=_VOLUME.format("64Mi")),
            facts=_WRITES,
        ),
        Case(
            "the container's own",
            deployment("resources:\n  limits:\n    ephemeral-storage: 100Mi  # <-\n"),
            facts=_WRITES,
        ),
    ),
)
RULES = (MEMORY_LIMIT, MEMORY_REQUEST, AMOUNTS, GPU, STORAGE)
