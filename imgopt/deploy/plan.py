"""From the facts of one image and what a user says to the plan of its files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.deploy import checks_of_run, figures
from imgopt.deploy.model import Options, Plan, Said, Variable, Writable
from imgopt.deploy.variables import variables
from imgopt.errors import InputError
from imgopt.results.deploy import Remark
from imgopt.results.run_facts import ImageFacts, Port, RunFacts

OTHER_USER = 65532
"""Of an image that says no user or root: what distroless images call nonroot."""
RESTRICTED = frozenset(("NET_BIND_SERVICE",))
"""Capabilities that Pod Security "restricted" lets add."""
_REFERENCE = re.compile(
    r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)


def chosen(facts: RunFacts, named: str = "") -> ImageFacts:
    """The image that is to be run: the one that is named, else the last (the variant, where one was
    measured beside the original). Raises InputError."""
    if not facts.images:
        raise InputError("these run facts are of no image", hint="measure one: imgopt run-facts")
    found = [one for one in facts.images if not named or named in (one.name, one.reference)]
    if not found:
        known = ", ".join(one.name for one in facts.images)
        raise InputError(f"no facts of an image {named!r}", hint=f"there are: {known}")
    return found[-1]


def plan_of(facts: ImageFacts, options: Options, project: str = "") -> Plan:
    """Raises InputError for an image that no file can name."""
    image = _image(options.image or facts.reference)
    port = _port(facts)
    number = port.number if port else None
    limit = figures.memory_limit(facts)
    drained = figures.drain(facts)
    read_only = _read_only(facts)
    writable = tuple(_writable(facts, read_only.value))
    found = Plan(
        name=label(options.name or project or _last(image)),
        image=image,
        facts=facts,
        options=options,
        ends=facts.ends,
        port=None if facts.ends else number,
        speaks=port.speaks if port else "",
        memory_limit=limit,
        memory_request=figures.memory_request(facts, limit),
        cpu_request=figures.cpu_request(facts),
        cpu_limit=figures.cpu_limit(facts),
        storage=figures.storage(facts, sum(one.size.value for one in writable)),
        drain=drained,
        grace=figures.grace(
            facts, drained=0 if facts.ends or port is None else drained.value, agent=options.agent
        ),
        request_timeout=figures.request_timeout(facts),
        longest_run=figures.longest_run(facts),
        user=_user(facts),
        read_only=read_only,
        writable=writable,
        capabilities=_capabilities(facts),
        probes={} if facts.ends else checks_of_run.probes(facts, number),
        health=None if facts.ends else checks_of_run.health(facts),
        variables=variables(facts, options.environment),
        gpu=Said(1, f"{facts.cuda_bytes / 1e6:.0f} MB of CUDA, and the run used a GPU")
        if facts.cuda_bytes and facts.gpu_used
        else None,
        remarks=tuple(_remarks(facts, image, port)),
    )
    return _with_more_remarks(found)


def label(name: str) -> str:
    """As Kubernetes and Compose take a name: lower case, digits, hyphens; a letter first."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    return text if text[:1].isalpha() else f"app-{text}".strip("-")


def _image(reference: str) -> str:
    if not _REFERENCE.fullmatch(reference) or reference.startswith("sha256:"):
        raise InputError(
            f"{reference[:120]!r} is no name that a file could pull",
            hint="--image NAME says what the image is called where it is pushed to",
        )
    return reference


def _last(image: str) -> str:
    return re.split(r"[:@]", image.rpartition("/")[2])[0]


def _port(facts: ImageFacts) -> Port | None:
    open_ports = [one for one in facts.ports if not _is_loopback(one) and one.transport == "tcp"]
    order = {"http": 0, "grpc": 1}
    return min(
        open_ports, key=lambda one: (order.get(one.speaks, 2), not one.exposed), default=None
    )


def _is_loopback(port: Port) -> bool:
    return port.address.startswith("127.") or port.address == "::1"


def _user(facts: ImageFacts) -> Said[tuple[int, int]] | None:
    user = facts.user
    if user is None:
        return Said((OTHER_USER, OTHER_USER), "its user was not measured", measured=False)
    if user.uid == 0:
        origin = "the image runs as root; not tried as this user"
        return Said((OTHER_USER, OTHER_USER), origin, measured=False)
    named = "" if user.is_numeric else f" (USER {user.said}, a name that no kubelet can check)"
    return Said((user.uid, user.gid), f"process 1 ran as {user.uid}:{user.gid}{named}")


def _read_only(facts: ImageFacts) -> Said[bool]:
    root = facts.read_only_root
    if root.works:
        folders = f" with tmpfs at {', '.join(root.tmpfs)}" if root.tmpfs else ""
        return Said(True, f"a run on a read-only root did the same{folders}")
    if root.works is None:
        return Said(False, "a run on a read-only root was not tried", measured=False)
    return Said(False, f"a run on a read-only root failed: {root.detail or 'no detail'}")


def _writable(facts: ImageFacts, read_only: bool) -> Iterator[Writable]:
    written = {one.folder: one.bytes for one in facts.written}
    folders = dict.fromkeys(facts.read_only_root.tmpfs if read_only else ())
    inside = (facts.workdir, *facts.entrypoint, *facts.command)
    if read_only and "/tmp" not in folders and not any(w.startswith("/tmp") for w in inside):
        folders["/tmp"] = None
    for folder in dict.fromkeys((*folders, *facts.volumes)):
        if folder.startswith("/") and folder != "/":
            below = sum(n for f, n in written.items() if f"{f}/".startswith(f"{folder}/"))
            size = figures.folder_size(below, facts.watched_seconds)
            yield Writable(folder, size, folder in facts.volumes)


def _capabilities(facts: ImageFacts) -> Said[tuple[str, ...]]:
    found = facts.capabilities
    needed = tuple(one.removeprefix("CAP_") for one in found.needed)
    if not found.tried:
        return Said(needed, "a run without capabilities was not tried", measured=False)
    with_what = f"with {' and '.join(needed)} alone" if needed else "without any"
    return Said(needed, f"a run {with_what} did the same")


def _remarks(facts: ImageFacts, image: str, port: Port | None) -> Iterator[Remark]:
    for one in facts.ports:
        if _is_loopback(one):
            yield Remark(
                level="error" if port is None else "note",
                message=f"port {one.number} listens on {one.address} alone: no other container or"
                " node reaches it",
                fix="let the program listen on 0.0.0.0",
            )
    if facts.user is not None and facts.user.uid == 0:
        yield Remark(
            level="warning",
            message=f"the image runs as root; the files ask for user {OTHER_USER}, which was not"
            " tried",
            fix="take the variant of `imgopt optimize` that has a user of its own",
        )
    killed = [one for one in facts.stops if one.killed]
    if killed:
        yield Remark(
            level="error",
            message=f"{killed[0].signal} did not end it within {killed[0].grace:.0f} s: it was"
            " killed, and so will every pod be",
            fix="`imgopt optimize` mends it (graceful-stop): exec form, a handler, or STOPSIGNAL",
        )
    if any(one.cut for one in facts.stops):
        cut = max(one.cut for one in facts.stops)
        yield Remark(
            level="error",
            message=f"{cut} requests were cut by the stop: no grace period helps",
            fix="let the program end what it began after SIGTERM",
        )
    if "@" not in image and (":" not in image.rpartition("/")[2] or image.endswith(":latest")):
        yield Remark(
            level="warning",
            message=f"{image} names whatever is newest: a restart may bring another image",
            fix="--image NAME:TAG, or NAME@sha256:...",
        )
    if facts.cuda_bytes and not facts.gpu_used:
        yield Remark(
            level="warning",
            message=f"{facts.cuda_bytes / 1e6:.0f} MB of CUDA libraries, and the run used no GPU:"
            " none is asked for",
            fix="`imgopt optimize --allow cpu-wheels` leaves them out",
        )


def _with_more_remarks(plan: Plan) -> Plan:
    from dataclasses import replace

    more: list[Remark] = []
    beyond = [one for one in plan.capabilities.value if one not in RESTRICTED]
    if beyond:
        more.append(
            Remark(
                level="error",
                message=f"it needs {', '.join(beyond)}: Pod Security restricted refuses that",
                fix="mend what needs it, or give the namespace another level",
            )
        )
    if plan.options.built and not plan.options.image:
        more.append(
            Remark(
                level="warning",
                message=f"{plan.image} was built to be measured; no other machine has it",
                fix="--image NAME says what it is called where it is pushed to",
            )
        )
    if not plan.read_only.value:
        more.append(
            Remark(level="warning", message=f"the root stays writable: {plan.read_only.origin}")
        )
    if not plan.ends and not plan.probes:
        more.append(
            Remark(
                level="warning",
                message="nothing can be asked of it: no port, and no command that was run in it",
                fix="a health check of its own: `imgopt optimize --allow health-check`",
            )
        )
    elif plan.probes and plan.probes["readiness"].how == "tcp" and plan.speaks == "http":
        more.append(
            Remark(level="note", message="no route answered a check of health: only its port is")
        )
    more += [_of_variable(one) for one in plan.variables if one.kind in ("unknown", "secret")]
    unmeasured = [f"{name}: {why}" for name, why in sorted(plan.facts.not_measured.items())]
    more += [Remark(level="note", message=f"not measured, {one}") for one in unmeasured]
    return replace(plan, remarks=(*plan.remarks, *more))


def _of_variable(one: Variable) -> Remark:
    if one.kind == "secret":
        return Remark(
            level="note",
            message=f"{one.name} is referred to and written nowhere",
            fix="make the secret before the first start",
        )
    return Remark(
        level="warning",
        message=f"{one.name}: the run was given it, its value is not known here",
        fix=f"--env {one.name}=VALUE",
    )
