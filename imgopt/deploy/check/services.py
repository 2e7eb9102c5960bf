"""Services of Compose as workloads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imgopt.compose.model import in_bytes, seconds
from imgopt.compose.reader import read_compose
from imgopt.compose.yaml_text import Document, Keys, read_yaml
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.workload import (
    NOTHING,
    Amounts,
    Container,
    Mount,
    Port,
    Probe,
    Rights,
    Variable,
    Workload,
)
from imgopt.errors import InputError, Location

_REQUIRED = re.compile(r"required variable (\w+) is missing a value")
_MOST_VARIABLES = 200
_INTERVAL = _TIMEOUT = 30.0
_RETRIES = 3
_GRACE = 10.0
"""Docker's own defaults, in seconds."""
Absent = list[InputError]


def services(files: Sequence[Path]) -> tuple[list[Workload], Absent]:
    """The services of files, one over the other, and what they name that is not here. Raises
    InputError."""
    absent: Absent = []
    table = _table(files, absent)
    places = _places(files)
    root = _node(table, (), places, (str(files[-1]), 1))
    return [_service(name, node) for name, node in root["services"].table.items()], absent


def _table(files: Sequence[Path], absent: Absent) -> dict[str, Any]:
    """Variables without a value that have to have one are given one: what it is, is said where the
    files are used."""
    environment = dict(os.environ)
    for _ in range(_MOST_VARIABLES):
        absent.clear()
        try:
            return read_compose(files, files[0].parent, environment, absent.append)
        except InputError as refused:
            missing = _REQUIRED.search(refused.message)
            if missing is None or missing[1] in environment:
                raise
            environment[missing[1]] = f"${{{missing[1]}}}"
        except RecursionError:
            break
    raise InputError("nested too deep", location=Location(str(files[0])))


def _places(files: Sequence[Path]) -> Mapping[Keys, tuple[str, int, bool]]:
    """File and line of every key, the last file's over the others'; and whether a variable stands
    there."""
    found: dict[Keys, tuple[str, int, bool]] = {}
    for path in files:
        document = read_yaml(path)
        for keys, line in document.lines.items():
            said = _said(document, keys)
            varies = isinstance(said, str) and re.search(r"(?<!\$)\$(?!\$)", said) is not None
            found[keys] = (str(path), line, varies)
            name = (
                said.partition("=")[0]
                if isinstance(said, str) and isinstance(keys[-1], int)
                else ""
            )
            if name and len(keys) == 4 and keys[2] == "environment":
                found[(*keys[:3], name)] = found[keys]
    return found


def _said(document: Document, keys: Keys) -> Any:
    value: Any = document.value
    for key in keys:
        value = getattr(value, "value", value)
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _node(
    value: Any,
    keys: Keys,
    places: Mapping[Keys, tuple[str, int, bool]],
    above: tuple[str, int],
) -> Node:
    file, line, varies = places.get(keys, (*above, False))
    if isinstance(value, dict):
        inner = {str(k): _node(v, (*keys, k), places, (file, line)) for k, v in value.items()}
        return Node(inner, file, line)
    if isinstance(value, list):
        items = [_node(v, (*keys, n), places, (file, line)) for n, v in enumerate(value)]
        return Node(items, file, line)
    return Node(value, file, line, varies)


def _service(name: str, node: Node) -> Workload:
    title = node["image"] if node["image"].there else node
    grace = node["stop_grace_period"]
    said = seconds(grace.value)
    depends = {other: how["condition"].text for other, how in node["depends_on"].table.items()}
    return Workload(
        "service",
        name,
        node,
        containers=(_container(name, node, title),),
        replicas=node["deploy"]["replicas"],
        grace=_GRACE if said is None else said,
        grace_node=grace,
        depends=depends,
        depends_node=node["depends_on"],
        host=tuple(n for n in (node["network_mode"], node["pid"], node["ipc"]) if n.text == "host"),
        pod=node,
    )


def _container(name: str, node: Node, title: Node) -> Container:
    made = Container(
        name,
        node,
        image=node["image"].text,
        image_node=title,
        built=node["build"].there,
        command=node["entrypoint"].words or None,
        command_node=node["entrypoint"],
        arguments=node["command"].words or None,
        arguments_node=node["command"],
        working_dir=node["working_dir"].text,
        ports=tuple(_ports(node)),
        environment={key: _variable(key, one) for key, one in node["environment"].table.items()},
        probes=dict(_probes(node["healthcheck"])),
        rights=_rights(node),
        mounts=tuple(_mounts(node)),
        init=bool(node["init"].flag),
        stop_signal=node["stop_signal"].text,
        platform=node["platform"].text,
        platform_node=node["platform"],
    )
    limits, requests = _limits(node)
    return replace(made, limits=limits, requests=requests, gpus=_gpus(node))


def _variable(name: str, value: Node) -> Variable:
    return Variable(name, value, "value" if value.there else "")


def _ports(node: Node) -> Iterator[Port]:
    for item in node["ports"].items:
        yield Port(item["target"].whole, "", item, item["protocol"].text or "tcp")


def _probes(node: Node) -> Iterator[tuple[str, Probe]]:
    if not node.there:
        return
    kind, *words = node["test"].words or ("",)
    handler = "" if node["disable"].flag or kind == "NONE" else "exec"
    if kind == "CMD-SHELL":
        words = ["/bin/sh", "-c", *words]
    retries = node["retries"].whole
    if not kind and not node["disable"].flag:
        return  # only times are said, for the image's own check
    yield (
        "health check",
        Probe(
            "health check",
            node,
            handler,
            tuple(words),
            delay=seconds(node["start_period"].value) or 0.0,
            period=seconds(node["interval"].value) or _INTERVAL,
            timeout=seconds(node["timeout"].value) or _TIMEOUT,
            failures=_RETRIES if retries is None else retries,
        ),
    )


def _rights(node: Node) -> Rights:
    user, _, group = node["user"].text.partition(":")
    return Rights(
        user=int(user) if user.isdigit() else None,
        group=int(group) if group.isdigit() else None,
        user_text=user,
        user_node=node["user"],
        read_only=bool(node["read_only"].flag),
        read_only_node=node["read_only"],
        privileged=bool(node["privileged"].flag),
        dropped=node["cap_drop"].words or (),
        added=node["cap_add"].words or (),
        node=node["privileged"],
    )


def _mounts(node: Node) -> Iterator[Mount]:
    for item in node["volumes"].items:
        kind = item["type"].text or "volume"
        kind = "tmpfs" if kind == "tmpfs" else kind
        read_only = bool(item["read_only"].flag)
        yield Mount(item["target"].text, kind, item, item["source"].text, read_only)
    for item in node["tmpfs"].items:
        path, _, options = item.text.partition(":")
        size = re.search(r"size=(\w+)", options)
        yield Mount(path, "tmpfs", item, most=in_bytes(size[1]) or None if size else None)
    for section, folder in (("secrets", "/run/secrets/"), ("configs", "/")):
        for item in node[section].items:
            target = item["target"].text or item["source"].text
            path = target if target.startswith("/") else f"{folder}{target}"
            yield Mount(path, "secret", item, read_only=True)


def _limits(node: Node) -> tuple[Amounts, Amounts]:
    resources = node["deploy"]["resources"]
    limits, asked = resources["limits"], resources["reservations"]
    memory = limits["memory"] if limits["memory"].there else node["mem_limit"]
    processors = limits["cpus"] if limits["cpus"].there else node["cpus"]
    request = asked["memory"] if asked["memory"].there else node["mem_reservation"]
    return (
        Amounts(_bytes(memory), processors.number, node=memory, varies=memory.varies),
        Amounts(_bytes(request), asked["cpus"].number, node=request, varies=request.varies),
    )


def _bytes(node: Node) -> int | None:
    return None if node.varies or not node.text else in_bytes(node.text) or None


def _gpus(node: Node) -> Node:
    devices = node.find("deploy", "resources", "reservations", "devices")
    if devices.items:
        return devices
    if node["gpus"].there:
        return node["gpus"]
    return node["runtime"] if node["runtime"].text == "nvidia" else NOTHING
