"""Findings about what the image stands on: bases without a digest, and a shell that a service does
not need."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from imgopt.analysis.evidence import Evidence
from imgopt.image import Node, is_elf, read_elf
from imgopt.results.analysis import Finding, Where

_INTERPRETERS = re.compile(r"^(?:python(?:3(?:\.\d+)?)?|node(?:js)?|java)$")
_SHELL_PACKAGES = re.compile(
    r"^(?:bash|dash|busybox(?:-binsh)?|coreutils|util-linux(?:-extra)?|apt|libapt-pkg[\d.]+|dpkg|perl-base|apk-tools"
    r"|alpine-keys|debian-archive-keyring|gpgv|debconf|login|passwd|mount|findutils|grep|sed|tar|gzip|diffutils"
    r"|hostname|ncurses-(?:base|bin)|sysvinit-utils|e2fsprogs|rpm|dnf|microdnf)$"
)
"""What distroless bases leave out: shells, what shells call, and package managers."""
_ENTRY_SCRIPT = "docker-entrypoint.sh"
"""Of the official images: it runs the command that follows it."""
_MANAGERS = ("/usr/bin/apt-get", "/sbin/apk", "/usr/bin/dnf", "/usr/bin/microdnf", "/usr/bin/yum")


def find_bases(evidence: Evidence) -> Iterator[Finding]:
    yield from _tags(evidence)
    yield from _shell(evidence)


def _tags(evidence: Evidence) -> Iterator[Finding]:
    """Bases of the stages that the build used; known only where the Dockerfile is."""
    source = evidence.source
    for stage in source.reachable(evidence.target) if source is not None else ():
        base = stage.base
        if stage.parent is not None or stage.is_scratch or isinstance(base, str) or base.digest:
            continue
        yield evidence.finding(
            "base-by-tag",
            0,
            f"{base} is only a tag: the next build may stand on another image",
            f"write FROM {base}@sha256:…; `docker buildx imagetools inspect {base}` prints the"
            " digest",
            where=Where(file=evidence.file, line=stage.line, instruction=f"FROM {base}"),
            strategy="pin-digest",
            level="info",
        )


def _shell(evidence: Evidence) -> Iterator[Finding]:
    """A shell and a package manager beside a service that starts without either, on a distribution
    with a distroless base."""
    tree = evidence.tree
    manager = next((path for path in _MANAGERS if tree.resolve(path)), None)
    if manager is None or tree.resolve("/bin/sh") is None or not _has_distroless(evidence):
        return
    what = _service(evidence)
    if what is None:
        return
    found = sorted(
        ((package.name, package.bytes) for package in evidence.packages
         if package.ecosystem in ("deb", "apk", "rpm") and _SHELL_PACKAGES.match(package.name)),
        key=lambda item: -item[1],
    )  # fmt: skip
    total = sum(size for _, size in found)
    yield evidence.finding(
        "shell-not-needed",
        total,
        f"{what}: it needs neither the shell nor the package manager, nor their tools",
        "take a distroless base, which has neither",
        strategy="distroless-base",
        evidence=found,
        level="info",
    )


def _has_distroless(evidence: Evidence) -> bool:
    """Debian's programs need Debian's libraries; a static program runs anywhere."""
    release = evidence.tree.resolve("/etc/os-release")
    text = release.read(1 << 16) if release is not None and release.inode is not None else b""
    return re.search(rb"(?m)^ID=\"?debian\"?$", text) is not None or _static(_program(evidence))


def _service(evidence: Evidence) -> str | None:
    """What starts, when it starts without a shell."""
    node = _program(evidence)
    if node is None or node.inode is None:
        return None
    head = node.read(256)
    if head[:2] == b"#!":
        words = head[2:].partition(b"\n")[0].decode("utf-8", "replace").split()
        name = (
            posixpath.basename(words[-1] if words and words[0].endswith("/env") else words[0])
            if words
            else ""
        )
        return f"the service is a {name} program" if _INTERPRETERS.match(name) else None
    if not is_elf(head):
        return None
    if _INTERPRETERS.match(node.name):
        return f"the service is started by {node.name} itself"
    if _static(node):
        return f"{node.name} is a static program"
    return None


def _static(node: Node | None) -> bool:
    if node is None or node.inode is None:
        return False
    with node.open() as file:
        elf = read_elf(file)
    return elf is not None and elf.interpreter is None and not elf.needed


def _program(evidence: Evidence) -> Node | None:
    """The first word of ENTRYPOINT and CMD as the engine finds it; None for a shell or what is not
    there."""
    config = evidence.image.config
    command = [*(config.entrypoint or ()), *(config.cmd or ())]
    if len(command) > 1 and posixpath.basename(command[0]) == _ENTRY_SCRIPT:
        del command[0]
    if not command or posixpath.basename(command[0]) in ("sh", "bash", "dash", "ash"):
        return None
    name = command[0]
    if "/" in name:
        return evidence.tree.resolve(posixpath.join(config.workdir or "/", name))
    folders = config.environment.get(
        "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ).split(":")
    found = (evidence.tree.resolve(posixpath.join(folder, name)) for folder in folders if folder)
    return next((node for node in found if node is not None and node.inode is not None), None)
