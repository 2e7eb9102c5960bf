"""Findings about what an image stands on."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from image.crafting import Item, config, docker_archive, f, sym, tar

from imgopt.analysis import analyze
from imgopt.dockerfile import parse
from imgopt.image import open_image
from imgopt.image.memory import Memory
from imgopt.results.analysis import Finding

STATIC = (
    b"\x7fELF\2\1\1"
    + bytes(9)
    + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 0, 64, 0, 0)
)
LOADER = b"/lib64/ld-linux-x86-64.so.2\0"
DYNAMIC = (
    STATIC[:32] + struct.pack("<Q", 64) + STATIC[40:56] + struct.pack("<H", 1) + STATIC[58:]
    + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(LOADER), len(LOADER), 1) + LOADER
)  # fmt: skip
STATUS = b"".join(
    b"Package: %s\nStatus: install ok installed\nVersion: 1\n\n" % name
    for name in (b"bash", b"apt", b"libc6")
)
DEBIAN = [
    f("etc/os-release", b'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n'),
    f("bin/bash", 1000), sym("bin/sh", "bash"), f("usr/bin/apt-get", 500), f("lib/libc.so.6", 7000),
    f("var/lib/dpkg/status", STATUS),
    f("var/lib/dpkg/info/bash.list", b"/bin/bash\n"), f("var/lib/dpkg/info/apt.list", b"/usr/bin/apt-get\n"),
    f("var/lib/dpkg/info/libc6.list", b"/lib/libc.so.6\n"),
]  # fmt: skip
ALPINE = [f("etc/os-release", b"ID=alpine\n"), f("bin/sh", 9), f("sbin/apk", 9)]
PYTHON = [f("usr/local/bin/python3.12", DYNAMIC, mode=0o755), sym("usr/bin/python", "python3.12")]


def findings(
    tmp_path: Path, items: list[Item], dockerfile: str | None = None, **run: Any
) -> dict[str, Finding]:
    layer = tar(*items)
    path = docker_archive(tmp_path / "i.tar", [layer], config([layer], User="7", **run))
    given = parse(dockerfile, "Dockerfile") if dockerfile is not None else None
    result = analyze(open_image(str(path), memory=Memory(None)), given)
    return {f"{each.id} {each.where.line or ''}".strip(): each for each in result.findings}


NEEDED = {
    "a static program": ([*DEBIAN, f("app", STATIC, mode=0o755)], {"Cmd": ["/app"]}),
    "a static program on another distribution": ([*ALPINE, f("app", STATIC, mode=0o755)], {"Cmd": ["/app"]}),
    "an interpreter": ([*DEBIAN, *PYTHON], {"Entrypoint": ["python3.12", "-m", "app"]}),
    "a script of an interpreter": (
        [*DEBIAN, f("usr/bin/gunicorn", b"#!/usr/bin/env python3.12\n")], {"Cmd": ["gunicorn", "app:app"]}
    ),
    "the entry script of official images": (
        [*DEBIAN, *PYTHON, f("usr/local/bin/docker-entrypoint.sh", b"#!/bin/sh\n")],
        {"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["python3.12", "x.py"]},
    ),
    "relative to the working directory": (
        [*DEBIAN, f("srv/app", STATIC, mode=0o755)], {"Cmd": ["./app"], "WorkingDir": "/srv"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDED)
def test_a_shell_that_the_service_does_not_need_is_found(name: str, tmp_path: Path) -> None:
    items, run = NEEDED[name]
    finding = findings(tmp_path, items, **run)["shell-not-needed"]
    assert finding.strategy == "distroless-base"
    if items[0] is DEBIAN[0]:
        assert [place.path for place in finding.evidence] == ["bash", "apt"]
        assert finding.bytes == sum(place.bytes for place in finding.evidence)


SILENT = {
    "a shell script": ([*DEBIAN, f("run.sh", b"#!/bin/sh\n")], {"Cmd": ["/run.sh"]}),
    "the shell form": ([*DEBIAN, *PYTHON], {"Cmd": ["/bin/sh", "-c", "python3.12 x.py"]}),
    "an interpreter of another distribution": ([*ALPINE, *PYTHON], {"Cmd": ["python3.12"]}),
    "no package manager": (
        [item for item in DEBIAN if item[0].name != "usr/bin/apt-get"] + [f("app", STATIC)], {"Cmd": ["/app"]}
    ),
    "no shell": ([item for item in DEBIAN if item[0].name != "bin/sh"] + [f("app", STATIC)], {"Cmd": ["/app"]}),
    "no command": (DEBIAN, {}),
    "a command that is not there": (DEBIAN, {"Cmd": ["/nowhere"]}),
    "a directory": ([*DEBIAN], {"Cmd": ["/etc"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", SILENT)
def test_nothing_is_said_where_the_shell_may_be_needed(name: str, tmp_path: Path) -> None:
    items, run = SILENT[name]
    assert "shell-not-needed" not in findings(tmp_path, items, **run)


DOCKERFILE = """\
ARG VERSION=3.12
FROM golang:1.22 AS build
FROM debian@sha256:0123456789012345678901234567890123456789012345678901234567890123 AS pinned
FROM node AS unused
FROM python:${VERSION}-slim AS base
FROM base
COPY --from=build /a /a
COPY --from=pinned /b /b
"""


def test_bases_by_tag_are_those_that_the_build_uses(tmp_path: Path) -> None:
    found = findings(tmp_path, [f("a", 1)], DOCKERFILE)
    tags = {name: each for name, each in found.items() if each.id == "base-by-tag"}
    assert {name: each.message.partition(" is ")[0] for name, each in tags.items()} == {
        "base-by-tag 2": "golang:1.22",
        "base-by-tag 5": "python:3.12-slim",
    }
    assert {each.strategy for each in tags.values()} == {"pin-digest"}


def test_without_a_dockerfile_nothing_is_said_about_bases(tmp_path: Path) -> None:
    assert not findings(tmp_path, [f("a", 1)])


def test_scratch_needs_no_digest(tmp_path: Path) -> None:
    assert not findings(tmp_path, [f("a", 1)], "FROM scratch\nCOPY a /\n")
