"""The image itself: which one is meant, for which machine, and what it starts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from imgopt.deploy.check.examples import deployment, service
from imgopt.deploy.check.names import names
from imgopt.deploy.check.programs import why_not
from imgopt.deploy.check.rule import Case, Found, Image, Rule
from imgopt.deploy.check.situation import Situation
from imgopt.deploy.check.workload import Container
from imgopt.image.recipe import PROGRAM
from imgopt.inspect.image_view import ImageView

_COMMAND = (
    "https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/"
)


def start_command(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        view = situation.view(container)
        if view is None:
            continue
        words = _start(view, container)
        own_user = not container.rights.user_text  # of another one D4 speaks
        reason = why_not(view, container, words, view.identity if own_user else None)
        lost = _lost(view, container)
        node = container.command_node if container.command else container.arguments_node
        node = node if node.there else container.image_node
        if reason:
            fix = "the words of the image, or a program that it has"
            message = f"container {container.name} cannot start `{' '.join(words[:6])}`"
            yield Found(node, one.title, message, reason, fix)
        elif lost and container.command is not None:
            message = f"the command of container {container.name} leaves out the image's {lost}"
            said = f"ENTRYPOINT is {' '.join(view.config.entrypoint or ())}; `command` replaces it"
            fix = "args (Compose: command) in its place, which is handed to the ENTRYPOINT"
            yield Found(node, one.title, message, said, fix, "warning")


def _start(view: ImageView, container: Container) -> tuple[str, ...]:
    """As the kubelet and Compose put it together."""
    if container.command is not None:
        return (*container.command, *(container.arguments or ()))
    arguments = container.arguments
    if arguments is None:
        arguments = view.config.cmd or ()
    elif not view.config.entrypoint and not arguments:
        return ()
    return (*(view.config.entrypoint or ()), *arguments)


def _lost(view: ImageView, container: Container) -> str:
    """The init, or the script that prepares the start, in front of the image's program."""
    own, said = view.config.entrypoint or (), container.command or ()
    if not own or container.init:
        return ""
    first = posixpath.basename(own[0])
    if first in names().inits or own[0] in names().inits:
        return "" if own[0] in said or first in map(posixpath.basename, said) else f"init ({first})"
    node = view.command(own[0])
    script = node is not None and bool(view.shebang(node)) and "entrypoint" in first
    used = any(posixpath.basename(word) == first for word in said)
    return f"start script ({own[0]})" if script and not used and container.kind != "init" else ""


def architecture(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        view = situation.view(container)
        own = view.config.architecture if view is not None else ""
        wanted = one.architectures
        node = one.architecture_node
        if container.platform:
            wanted = (container.platform.partition("/")[2].partition("/")[0],)
            node = container.platform_node
        if own and wanted and own not in wanted:
            yield Found(
                node,
                one.title,
                f"container {container.name} is asked for on {', '.join(wanted)}",
                f"the image is for {own}",
                "an image for both (docker buildx build --platform), or nodes of its kind",
            )


def pull_policy(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        if container.pull_policy == "Always" and "@sha256:" in container.image:
            yield Found(
                container.pull_node,
                one.title,
                f"container {container.name} asks the registry on every start for an image that"
                " cannot change",
                f"imagePullPolicy Always of {container.image.partition('@')[2][:19]}",
                "IfNotPresent: a start then needs no registry",
            )


def tag(situation: Situation) -> Iterator[Found]:
    for one, container in situation.containers():
        image = container.image
        if container.built or container.varies or "@" in image or image in situation.built:
            continue
        name = image.rpartition("/")[2]
        said = name.partition(":")[2]
        if said not in ("", "latest"):
            continue
        yield Found(
            container.image_node,
            one.title,
            f"nobody can say which version of {image} container {container.name} runs",
            "the tag is latest" if said else "no tag, which means latest",
            "a version, or a digest: two machines may run different ones, and there is nothing to"
            " go back to",
        )


def removed(situation: Situation) -> Iterator[Found]:
    for node in situation.objects.all:
        version, kind = node["apiVersion"].text, node["kind"].text
        for one in names().removed:
            if version == one.version and kind in one.kinds:
                yield Found(
                    node["apiVersion"],
                    f"{kind}/{node.find('metadata', 'name').text}",
                    f"{version} is served no longer",
                    f"Kubernetes {one.since} has no {kind} of it: it is refused",
                    f"apiVersion: {one.use}",
                )


_TINI = Image(
    {"/sbin/tini": PROGRAM, "/app/web": PROGRAM, "/bin/sh": PROGRAM},
    {"Entrypoint": ["/sbin/tini", "--"], "Cmd": ["/app/web"]},
)
START_COMMAND = Rule(
    id="D10",
    name="start-command",
    level="error",
    title="The command is not in the image, or leaves its start out",
    why="`command` replaces the image's ENTRYPOINT: the init that hands on signals, or the script"
    " that prepares the start, is gone with it.",
    reference=_COMMAND,
    look=start_command,
    needs=("image",),
    good=(
        Case("the image's own", deployment(), image=_TINI),
        Case("args leave it", deployment("args: [/app/web, --fast]\n"), image=_TINI),
        Case("with the init", deployment("command: [tini, --, /app/web]\n"), image=_TINI),
        Case("an init of Compose", service("entrypoint: /app/web\ninit: true\n"), image=_TINI),
    ),
    bad=(
        Case("without the init", deployment("command: [/app/web]  # <-\n"), image=_TINI),
        Case("not there", deployment("command: [/app/serve]  # <-\n"), image=_TINI),
        Case(
            "a shell that is not there",
            service("command: bash run.sh  # <-\n"),
            image=Image({}, {}),
        ),
    ),
)
ARCHITECTURE = Rule(
    id="D11",
    name="architecture",
    level="error",
    title="The image is for another processor",
    why="The container ends at once: exec format error.",
    reference="https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-arch",
    look=architecture,
    needs=("image",),
    good=(
        Case(
            "the same",
            deployment(pod="nodeSelector: {kubernetes.io/arch: amd64}\n"),
            image=_TINI,
        ),
        Case("nobody asks", deployment(), image=_TINI),
        Case("in Compose", service("platform: linux/amd64\n"), image=_TINI),
    ),
    bad=(
        Case(
            "another one",
            deployment(pod="nodeSelector:\n  kubernetes.io/arch: arm64  # <-\n"),
            image=_TINI,
        ),
        Case("in Compose", service("platform: linux/arm64  # <-\n"), image=_TINI),
    ),
)
_DIGEST = f"shop@sha256:{'0' * 64}"
PULL_POLICY = Rule(
    id="D13",
    name="pull-policy",
    level="note",
    title="The registry is asked for what cannot change",
    why="Each start then waits for the registry, and fails without it.",
    reference="https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy",
    look=pull_policy,
    good=(
        Case("a tag may move", deployment("imagePullPolicy: Always\n")),
        Case("a digest by itself", deployment().replace("shop:1.4", _DIGEST)),
    ),
    bad=(
        Case(
            "both",
            deployment("imagePullPolicy: Always  # <-\n").replace("shop:1.4", _DIGEST),
        ),
    ),
)
TAG = Rule(
    id="D34",
    name="tag",
    level="warning",
    title="The image has no version",
    why="What runs depends on the day on which each node pulled it.",
    reference="https://kubernetes.io/docs/concepts/configuration/overview/#container-images",
    look=tag,
    good=(
        Case("a version", deployment()),
        Case("a digest", deployment().replace("shop:1.4", _DIGEST)),
        Case("a registry with a port", deployment().replace("shop:1.4", "r.example:5000/shop:2")),
        Case("Compose builds it", "services:\n  web:\n    build: .\n    image: shop\n"),
        Case("a tool puts it in", deployment().replace("shop:1.4", "ko://example.com/cmd/shop")),
        Case("a word to be filled in", deployment().replace("shop:1.4", "r.example/IMAGE_NAME")),
        Case("a variable", service("", image="image: shop:${TAG:-latest}\n")),
    ),
    bad=(
        Case("latest", deployment().replace("shop:1.4", "shop:latest  # <-")),
        Case("none", deployment().replace("shop:1.4", "r.example:5000/shop  # <-")),
    ),
)
REMOVED = Rule(
    id="D35",
    name="removed-api",
    level="error",
    title="The API version is served no longer",
    why="The API server refuses the object.",
    reference="https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    look=removed,
    good=(
        Case("in force", deployment()),
        Case("of somebody else", "apiVersion: acme.example/v1beta1\nkind: Deployment\n"),
    ),
    bad=(
        Case(
            "a Deployment of long ago",
            deployment().replace("apiVersion: apps/v1", "apiVersion: apps/v1beta1  # <-"),
        ),
    ),
)
RULES = (START_COMMAND, ARCHITECTURE, PULL_POLICY, TAG, REMOVED)
