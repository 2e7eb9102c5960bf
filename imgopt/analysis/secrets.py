"""Findings about things that look secret, also in layers below the final tree. Values are never read into a result."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgopt.analysis.evidence import Evidence
from imgopt.analysis.redact import is_secret_name, secret_names
from imgopt.errors import ImgoptError
from imgopt.image import Entry, Layer, printable
from imgopt.results.analysis import Finding, Where

_KEY_FILE = re.compile(r"/(?:id_(?:rsa|dsa|ecdsa|ed25519)|[^/]+\.(?:pem|key|p12|pfx|jks|keystore))$")
_ALWAYS = re.compile(
    r"/(?:\.env(?:\.(?:local|production|prod))?|\.netrc|\.pgpass|\.git-credentials|\.pypirc|\.htpasswd"
    r"|\.aws/credentials|\.docker/config\.json|\.kube/config|\.config/gcloud/.*credentials.*\.json)$"
)
_TOKEN_FILE = re.compile(r"/(?:\.npmrc|\.yarnrc\.yml|pip\.conf|\.?settings\.xml|service[-_]account.*\.json)$")
_TOKEN = re.compile(rb"_authToken=|npmAuthToken|://[^/\s:@$]+:[^/\s@$]+@|<password>[^$<{]|\"private_key\":")
_ENDINGS = (".env", ".local", ".production", ".prod", ".netrc", ".pgpass", ".git-credentials", ".pypirc", ".htpasswd",
            "credentials", "/config", ".json", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".pem", ".key", ".p12",
            ".pfx", ".jks", ".keystore", ".npmrc", ".yarnrc.yml", "pip.conf", "settings.xml")  # fmt: skip
"""How the names end that these patterns know: most files are done with here."""
_NOT_OURS = re.compile(r"/(?:site-packages|dist-packages|node_modules|test|tests|testdata|examples?|ssl/certs|share)/")
_PRIVATE = b"PRIVATE KEY-----"


def find_secrets(evidence: Evidence) -> Iterator[Finding]:
    for layer in evidence.image.layers:
        for entry in layer.entries():
            if entry.kind == "file" and entry.size and _looks_secret(entry, layer) and not _owned(evidence, entry):
                yield _file(evidence, entry, layer)
    yield from _variables(evidence)


def _owned(evidence: Evidence, entry: Entry) -> bool:
    """Part of a package or a runtime: everybody has it, so it is no secret."""
    return evidence.packages.owner(entry.path) is not None


def _looks_secret(entry: Entry, layer: Layer) -> bool:
    path = entry.path
    if not path.endswith(_ENDINGS) or _NOT_OURS.search(path):
        return False
    if _ALWAYS.search(path):
        return True
    wanted = _KEY_FILE.search(path) or _TOKEN_FILE.search(path)
    if not wanted:
        return False
    if path.endswith((".p12", ".pfx", ".jks", ".keystore")):
        return True
    try:
        head = layer.read(entry, 1 << 16)
    except ImgoptError:
        return False
    return _PRIVATE in head or (_TOKEN_FILE.search(path) is not None and _TOKEN.search(head) is not None)


def _file(evidence: Evidence, entry: Entry, layer: Layer) -> Finding:
    live = evidence.tree.get(entry.path)
    gone = live is None or live.inode is None or live.inode.entry is not entry
    note = " (deleted or replaced later, but everybody can read it in its layer)" if gone else ""
    return evidence.finding(
        "secret-file",
        0,
        f"{printable(entry.path)} looks like a secret{note}",
        "leave it out with a .dockerignore, or use RUN --mount=type=secret; then change the secret itself",
        where=evidence.where(layer.index),
        strategy="ignore-file",
        evidence=[(printable(entry.path), entry.size)],
        level="error",
    )


def _variables(evidence: Evidence) -> Iterator[Finding]:
    """Names only: ENV in the configuration, and what the history keeps of build arguments and commands."""
    for name, value in sorted(evidence.image.config.environment.items()):
        if value and is_secret_name(name):
            yield _variable(evidence, f"ENV {name}", evidence.metadata_where("ENV"))
    layer = -1
    for entry in evidence.image.history:
        layer += not entry.empty_layer
        text = entry.created_by.removeprefix("RUN ")
        head, _, command = text.partition("/bin/sh -c") if text.startswith("|") else ("", "", entry.created_by)
        arguments = head or (command if command.startswith("ARG ") else "")
        for name in secret_names(arguments)[:1]:
            yield _variable(evidence, f"build argument {name}", Where())
        if not arguments and not command.startswith("ENV ") and "#(nop)  ENV" not in command:
            yield from _in_command(evidence, command, None if entry.empty_layer else layer)


def _in_command(evidence: Evidence, command: str, layer: int | None) -> Iterator[Finding]:
    for name in secret_names(command):
        bare = name in ("an address", "a header")
        what = f"a command of the history has a password in {name}" if bare else f"a command of the history sets {name}"
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
