"""Findings about things that look secret, also in layers below the final tree. Values are never
read into a result."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from imgopt.analysis.evidence import Evidence
from imgopt.context.secrets import is_likely, secret_in
from imgopt.errors import ImgoptError
from imgopt.image import Entry, Layer, printable
from imgopt.inspect.redact import is_secret_name, secret_names
from imgopt.results.analysis import Finding, Where

_SYSTEM = re.compile(r"/(?:etc/ssl/certs|usr/share|usr/local/share|usr/lib/ssl)/")
"""Certificates and examples that a distribution brings, also where no package owns them."""
_HEAD = 1 << 16


def find_secrets(evidence: Evidence) -> Iterator[Finding]:
    for layer in evidence.image.layers:
        for entry in layer.entries():
            if (
                entry.kind == "file"
                and entry.size
                and is_likely(entry.path[entry.path.rfind("/") + 1 :])
            ):
                what = (
                    ""
                    if _SYSTEM.match(entry.path)
                    else secret_in(entry.path, partial(_head, layer, entry))
                )
                if what and not _owned(evidence, entry):
                    yield _file(evidence, entry, layer, what)
    yield from _variables(evidence)


def _owned(evidence: Evidence, entry: Entry) -> bool:
    """Part of a package or a runtime: everybody has it, so it is no secret."""
    return evidence.packages.owner(entry.path) is not None


def _head(layer: Layer, entry: Entry) -> str:
    try:
        return layer.read(entry, _HEAD).decode("utf-8", "replace")
    except ImgoptError:
        return ""


def _file(evidence: Evidence, entry: Entry, layer: Layer, what: str) -> Finding:
    live = evidence.tree.get(entry.path)
    gone = live is None or live.inode is None or live.inode.entry is not entry
    note = " (deleted or replaced later, but everybody can read it in its layer)" if gone else ""
    return evidence.finding(
        "secret-file",
        0,
        f"{printable(entry.path)} looks like a secret: {what}{note}",
        "leave it out with a .dockerignore, or use RUN --mount=type=secret; then change the secret"
        " itself",
        where=evidence.where(layer.index),
        strategy="ignore-file",
        evidence=[(printable(entry.path), entry.size)],
        level="error",
    )


def _variables(evidence: Evidence) -> Iterator[Finding]:
    """Names only: ENV in the configuration, and what the history keeps of build arguments and
    commands."""
    for name, value in sorted(evidence.image.config.environment.items()):
        if value and is_secret_name(name):
            yield _variable(evidence, f"ENV {name}", evidence.metadata_where("ENV"))
    layer = -1
    for entry in evidence.image.history:
        layer += not entry.empty_layer
        text = entry.created_by.removeprefix("RUN ")
        head, _, command = (
            text.partition("/bin/sh -c") if text.startswith("|") else ("", "", entry.created_by)
        )
        arguments = head or (command if command.startswith("ARG ") else "")
        for name in secret_names(arguments)[:1]:
            yield _variable(evidence, f"build argument {name}", Where())
        if not arguments and not command.startswith("ENV ") and "#(nop)  ENV" not in command:
            yield from _in_command(evidence, command, None if entry.empty_layer else layer)


def _in_command(evidence: Evidence, command: str, layer: int | None) -> Iterator[Finding]:
    for name in secret_names(command):
        bare = name in ("an address", "a header")
        what = (
            f"a command of the history has a password in {name}"
            if bare
            else f"a command of the history sets {name}"
        )
        yield evidence.finding(
            "secret-in-command",
            0,
            f"{what}: everybody who pulls the image can read it",
            "give it to the step with RUN --mount=type=secret; then change the secret itself",
            where=evidence.where(layer),
            level="error" if bare else "warning",
        )


def _variable(evidence: Evidence, what: str, where: Where) -> Finding:
    return evidence.finding(
        "secret-variable",
        0,
        f"{what} looks like a secret and is part of the image",
        "pass it when the container runs, or to the build with RUN --mount=type=secret",
        where=where,
        level="error",
    )
