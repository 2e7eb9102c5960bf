"""What a failed item means: what a user of the service would notice, what to write instead, and the
key that says it is meant so."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.installed import SYSTEM
from imgopt.proof.check import Outcome


@dataclass(frozen=True, slots=True)
class Advice:
    """`key` is what `--allow` takes for it; "" where nobody can mean it (a service that does not
    answer)."""

    notice: str
    instead: str
    key: str = ""


def advise(item: Item, original: ImageView | None = None) -> Advice:
    """Of one failed item; the original says the values and packages that are to be written."""
    notice, instead = _SAID[item.kind]
    if item.kind in ("configuration", "process") or item.subject.startswith(_OWN_KEYS):
        notice, instead = _of_setting(item, original, (notice, instead))
    elif original is not None:
        instead = _written(item, original) or instead
    return Advice(notice, instead, key_of(item))


_SAID: Mapping[str, tuple[str, str]] = {
    "missing-library": (
        "what is linked to it, or loads it, fails as soon as it is used",
        "keep the library, or install the package that brings it",
    ),
    "missing-file": (
        "whoever asks for what needs it gets an error, or an answer without it",
        "copy it to the same path",
    ),
    "missing-module": (
        "the request that imports it fails, though the service starts",
        "keep the package among those that are installed for the run",
    ),
    "missing-command": ("what calls it fails", "install the package that brings it"),
    "missing-locale": (
        "dates, numbers, sorting and messages are those of another language",
        "keep the locale: install `locales` and make it, or copy its folder",
    ),
    "missing-time-zone": (
        "times are told in another zone",
        "keep the zone: install `tzdata`, or copy its file",
    ),
    "missing-certificates": (
        "requests to other services by https fail",
        "install `ca-certificates`, or copy the bundle",
    ),
    "not-writable": (
        "what it saves there is refused: permission denied",
        "give the folder to the service's user: COPY --chown, or RUN chown",
    ),
    "permission": (
        "what reads or starts it is refused: permission denied",
        "keep the original's owner and mode: COPY --chown --chmod, or RUN chown and chmod",
    ),
    "package": (
        "what imports or calls it fails, or does what another version does",
        "install the same version",
    ),
    "changed-file": (
        "what is read or sent is what this file holds now",
        "take the original's file: copy it behind the step that changes it",
    ),
    "configuration": ("the container is started in another way", "write it as the original has it"),
    "answer": (
        "this is what is answered now",
        "its log says why: give it what it lacks, or start it as the original does",
    ),
    "process": ("", "start the program as the original does"),
    "stop": (
        "each stop and each roll-out takes longer or is reported as failed; what is under way is"
        " cut off",
        "let the program itself be process 1 and handle SIGTERM, or put an init in front of it"
        " (tini, docker run --init)",
    ),
}
_KEYS = {
    "missing-library": "library:{0.subject}",
    "missing-module": "module:{0.subject}",
    "missing-command": "program:{0.subject}",
    "missing-locale": "locale:{0.subject}",
    "missing-time-zone": "zone:{0.subject}",
    "missing-certificates": "certificates",
    "missing-file": "file:{0.subject}",
    "changed-file": "file:{0.subject}",
    "not-writable": "mode:{0.subject}",
    "permission": "mode:{0.subject}",
    "package": "package:{0.subject}",
    "configuration": "{0.subject}",
    "process": "{0.subject}",
}
_OWN_KEYS = ("account:", "group:", "env:")


def key_of(item: Item) -> str:
    """What `--allow` takes for this item; "" for an answer and a stop."""
    if item.subject.startswith(_OWN_KEYS):
        return item.subject
    return _KEYS.get(item.kind, "").format(item)


def without_intended(check: Outcome, said: Mapping[str, str]) -> Outcome:
    """The check without the items that the user means; `said` is by key, a glob, or a folder."""
    reasons = {item: reason for item in check.items if (reason := _meant(key_of(item), said))}
    if not reasons:
        return check
    left = tuple(item for item in check.items if item not in reasons)
    allowed = (*check.allowed, *(f"{item}: {reason}" for item, reason in reasons.items()))
    return replace(check, verdict="failed" if left else "passed", items=left, allowed=allowed)


def _meant(key: str, said: Mapping[str, str]) -> str:
    for each, reason in said.items() if key else ():
        if key == each or key.startswith(each.rstrip("/") + "/") or fnmatchcase(key, each):
            return reason
    return ""


_OF_SETTINGS: Mapping[str, tuple[str, str]] = {
    "entrypoint": ("`docker run IMAGE` starts something else", "ENTRYPOINT {entrypoint}"),
    "command": ("`docker run IMAGE` starts it with other words", "CMD {command}"),
    "workdir": (
        "paths that begin with no / lead elsewhere, in the service and for docker exec",
        "WORKDIR {workdir}",
    ),
    "stop-signal": ("docker stop ends it in another way", "STOPSIGNAL {signal}"),
    "healthcheck": (
        "who waits for a healthy container waits for something else",
        "the original's HEALTHCHECK",
    ),
    "user": ("other files can be read and written", "USER {user}"),
    "env": ("what reads the variable does something else", ""),
    "expose": ("docker run -P and proxies that look for ports find others", "EXPOSE {name}"),
    "volume": ("data are kept in the container, and go with it", "VOLUME {name}"),
    "label": ("what selects containers by the label finds others", ""),
    "account": ("what looks the user up by name or number fails", "RUN useradd {name}"),
    "group": ("what looks the group up fails", "RUN groupadd {name}"),
    "hosts": ("names of other services lead elsewhere", "the original's /etc/nsswitch.conf"),
    "root": ("the start script fails there", "start as root, or leave the call out"),
    "platform": ("it does not start on the same machines", "build for the same platform"),
    "onbuild": ("images that are built on it get other steps", "the original's ONBUILD"),
}


def _of_setting(item: Item, original: ImageView | None, other: tuple[str, str]) -> tuple[str, str]:
    kind, _, name = item.subject.partition(":")
    notice, instead = _OF_SETTINGS.get(kind, other)
    if original is None:
        return notice, "write it as the original has it" if "{" in instead else instead or other[1]
    config = original.config
    if kind == "env" and item.kind != "configuration" and name not in config.environment:
        return notice, "set it by ENV, or start as the original does"
    if kind == "env":
        return notice, _line("ENV", name, config.environment.get(name))
    if kind == "label":
        return notice, _line("LABEL", name, config.labels.get(name))
    known = {
        "entrypoint": _json(config.entrypoint),
        "command": _json(config.cmd),
        "workdir": original.workdir,
        "signal": config.stop_signal or "SIGTERM",
        "user": config.user or "root",
        "name": name,
    }
    return notice, instead.format(**known)


def _line(word: str, name: str, value: str | None) -> str:
    if value is None:
        return f"leave out {word} {name}"
    return f"{word} {name}={value if value and value.isalnum() else _quoted(value)}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _json(words: tuple[str, ...] | None) -> str:
    return "[" + ", ".join(_quoted(word) for word in words or ()) + "]"


def _written(item: Item, original: ImageView) -> str:
    """With the path's own package, owner and mode; "" where the image does not know it."""
    node = original.tree.get(item.path) if item.path else None
    if node is None:
        return ""
    owner = original.owner(node.path)
    if item.kind in ("missing-library", "missing-command", "missing-file") and owner is not None:
        how = "install the package" if owner.ecosystem in SYSTEM else f"keep the {owner.ecosystem}"
        return f"{how} {'' if owner.ecosystem in SYSTEM else 'package '}{owner.name}"
    if item.kind == "missing-file":
        if node.kind == "dir":
            return f"RUN mkdir -p {node.path} (owner {node.uid}:{node.gid}, mode {node.mode:o})"
        return f"COPY it to {posixpath.dirname(node.path)}/, or keep the step that makes it"
    if item.kind == "permission":
        return f"owner {node.uid}:{node.gid} and mode {node.mode:o}, as in the original"
    return ""
