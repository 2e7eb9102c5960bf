"""Settings: secrets in clear, configuration that changes unnoticed, what the measured run asks
for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from imgopt.context.secrets import secret_setting
from imgopt.deploy.check.examples import deployment, facts, service
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.rule import Case, Found, Image, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Container, Workload
from imgopt.results.run_facts import Setting

_MARKS = ("checksum", "hash", "sha256", "reloader", "rollme", "config-version", "configversion")


def secret_value(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        for name, variable in container.environment.items():
            node = variable.value
            if variable.origin == "value" and not node.varies and secret_setting(name, node.text):
                yield Found(
                    node,
                    one.title,
                    f"{name} of container {container.name} is written in clear",
                    "who may read the file, or the pod's description, has it",
                    "secrets: a file of Compose"
                    if one.compose
                    else "a Secret that is not in this file, mounted or by secretKeyRef",
                    "note" if one.compose else None,
                )
    for node in situation.objects.configs:
        title = f"{node['kind'].text}/{node.find('metadata', 'name').text}"
        for name, value in _entries(node):
            if secret_setting(name, value.text) and not value.varies:
                yield Found(
                    value,
                    title,
                    f"{name} is written in clear",
                    "who may read the file has it; base64 hides nothing",
                    "a Secret made outside of the files (External Secrets, Sealed Secrets, SOPS)",
                )


def _entries(node: Node) -> Iterator[tuple[str, Node]]:
    encoded = node["kind"].text == "Secret"
    for name, value in node["stringData"].table.items():
        yield name, value
    for name, value in node["data"].table.items():
        yield name, Node(_decoded(value.text), value.file, value.line) if encoded else value


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def config_hash(situation: Situation) -> Iterator[Found]:
    for one in situation.workloads:
        if one.kind not in ("Deployment", "StatefulSet", "DaemonSet"):
            continue
        if any(mark in key.lower() for key in one.annotations for mark in _MARKS):
            continue
        for container in one.main:
            found = _config_of(situation, one, container)
            if found is not None:
                yield Found(
                    found,
                    one.title,
                    f"a change of {found.text or 'the ConfigMap'} does not reach container"
                    f" {container.name}",
                    "variables and subPath mounts are read at the start, and nothing of the pod"
                    " changes with the ConfigMap",
                    "a configMapGenerator of Kustomize, or an annotation with the ConfigMap's"
                    " checksum",
                )
                break


def _config_of(situation: Situation, one: Workload, container: Container) -> Node | None:
    """A ConfigMap of these files that it reads at its start."""
    own = situation.configs
    for variable in (*container.whole_sources, *container.environment.values()):
        if variable.origin == "config" and (one.namespace, variable.source) in own:
            return Node(variable.source, variable.value.file, variable.value.line)
    for mount in container.mounts:
        if mount.kind == "configMap" and mount.part and (one.namespace, mount.source) in own:
            return Node(mount.source, mount.node.file, mount.node.line)
    return None


def depends_healthy(situation: Situation) -> Iterator[Found]:
    services = {one.name: one for one in situation.workloads if one.compose}
    for one in services.values():
        for name, condition in one.depends.items():
            other = services.get(name)
            if condition != "service_healthy" or other is None:
                continue
            for container in other.main:
                if _has_no_check(situation, container):
                    yield Found(
                        one.depends_node,
                        one.title,
                        f"it waits for {name} to be healthy, which has no health check",
                        "neither the file nor the image has one: Compose fails with `has no"
                        " healthcheck configured`",
                        f"a healthcheck for {name}, or condition: service_started",
                    )


def _has_no_check(situation: Situation, container: Container) -> bool:
    probe, view = container.probes.get("health check"), situation.view(container)
    if probe is not None:
        return probe.handler == ""
    if view is None:
        return False
    own = view.config.healthcheck
    return own is None or not own.test or own.test[0] == "NONE"


def measured(situation: Situation) -> Iterator[Found]:
    for one, container in situation.running():
        known = situation.known(container)
        for setting in known.settings if known is not None else ():
            words = (*(container.command or ()), *(container.arguments or ()))
            there = setting.name in container.environment or container.whole_sources
            if not setting.name or there or any(setting.name in word for word in words):
                continue
            yield Found(
                container.node,
                one.title,
                f"container {container.name}: {setting.message} ({setting.rule})",
                setting.evidence or "measured by imgopt run-facts",
                f"{setting.name}={setting.value}" if setting.value else setting.fix,
                "note",
            )


_ENV = "env:\n  - name: {}\n    value: {}\n"
_DIRECT = "environment:\n  {}: {}\n"
SECRET_VALUE = Rule(
    id="D39",
    name="secret-value",
    level="warning",
    title="A secret is written in clear",
    why="It is in the repository, in every copy of it, and in what the cluster tells of the pod.",
    reference="https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
    look=secret_value,
    good=(
        Case(
            "of a Secret",
            deployment(
                "env:\n  - name: API_TOKEN\n    valueFrom:\n      secretKeyRef: {name: s, key: t}\n"
            ),
        ),
        Case("where it lies", deployment(_ENV.format("DB_PASSWORD_FILE", "/run/secrets/db"))),
        Case("to be filled in", deployment(_ENV.format("API_TOKEN", "'<your token>'"))),
        Case("how long it is good for", deployment(_ENV.format("TOKEN_TTL", "'3600'"))),
        Case("a variable of Compose", service(_DIRECT.format("DB_PASSWORD", "${DB_PASSWORD:-x1}"))),
    ),
    bad=(
        Case("a password", deployment(_ENV.format("DB_PASSWORD", "hunter2plus  # <-"))),
        Case("in an address", deployment(_ENV.format("DB", "postgres://u:hunter2@db/x  # <-"))),
        Case("in Compose", service(_DIRECT.format("DB_PASSWORD", "hunter2plus  # <-"))),
        Case(
            "base64",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n"
            "  password: aHVudGVyMnBsdXM=  # <-\n",
        ),
    ),
)
_CONFIG = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  MODE: a\n"
_FROM = "envFrom:\n  - configMapRef:{}\n      name: settings\n"
CONFIG_HASH = Rule(
    id="D28",
    name="config-hash",
    level="note",
    title="A change of the configuration changes no pod",
    why="The new ConfigMap is applied, and the old values go on being used until something else"
    " restarts the pods, some sooner and some later.",
    reference="https://kubernetes.io/docs/concepts/configuration/configmap/"
    "#mounted-configmaps-are-updated-automatically",
    look=config_hash,
    good=(
        Case("it is elsewhere", deployment(_FROM.format(""))),
        Case(
            "its checksum is beside",
            deployment(_FROM.format(""), more=_CONFIG).replace(
                "      labels:\n        app: web\n    spec",
                "      labels:\n        app: web\n      annotations:\n"
                "        checksum/settings: x\n    spec",
            ),
        ),
        Case(
            "a mounted folder follows",
            deployment(
                "volumeMounts:\n  - {name: c, mountPath: /etc/c}\n",
                pod="volumes:\n  - name: c\n    configMap: {name: settings}\n",
                more=_CONFIG,
            ),
        ),
        Case("it never changes", deployment(_FROM.format(""), more=_CONFIG + "immutable: true\n")),
    ),
    bad=(Case("variables", deployment(_FROM.format("  # <-"), more=_CONFIG)),),
)
_WAITS = "depends_on:\n  db:\n    condition: service_healthy\n"
_DB = "  db:\n    image: shop:1.4\n"
DEPENDS_HEALTHY = Rule(
    id="D40",
    name="depends-healthy",
    level="error",
    title="It waits for a health check that is not there",
    why="`docker compose up` fails.",
    reference="https://docs.docker.com/reference/compose-file/services/#depends_on",
    look=depends_healthy,
    good=(
        Case("it has one", service(_WAITS, _DB + "    healthcheck: {test: [CMD, x]}\n")),
        Case(
            "the image has one",
            service(_WAITS, _DB),
            image=Image({}, {"Healthcheck": {"Test": ["CMD", "x"]}}),
        ),
        Case("the image is not here", service(_WAITS, _DB)),
    ),
    bad=(
        Case(
            "neither has one",
            service(_WAITS.replace("on:", "on:  # <-", 1), _DB),
            image=Image({"/x": "x"}),
        ),
        Case(
            "switched off",
            service(
                _WAITS.replace("on:", "on:  # <-", 1), _DB + "    healthcheck: {disable: true}\n"
            ),
        ),
    ),
)
_SETTING = Setting(
    rule="G1", level="warning", message="the heap has no limit", name="GOMEMLIMIT", value="200MiB"
)
MEASURED = Rule(
    id="D41",
    name="measured-setting",
    level="note",
    title="A setting that the measured run asks for is missing",
    why="`imgopt run-facts` tried the image under its limits and proposes it.",
    reference="docs/deploy.md",
    look=measured,
    needs=("facts",),
    good=(
        Case(
            "it is set",
            deployment(_ENV.format("GOMEMLIMIT", "180MiB")),
            facts=facts(settings=[_SETTING]),
        ),
        Case("nothing is proposed", deployment(), facts=facts()),
    ),
    bad=(
        Case(
            "not set",
            deployment().replace("name: web\n          image", "name: web  # <-\n          image"),
            facts=facts(settings=[_SETTING]),
        ),
    ),
)
RULES = (SECRET_VALUE, CONFIG_HASH, DEPENDS_HEALTHY, MEASURED)
