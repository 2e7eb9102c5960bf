"""Versions of run times are read from their own files; how, is a fact of each ecosystem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from recipes import File, Files, Recipe, elf

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.runtimes import used_runtimes, version_of

RUN = 0o755


def program(*needed: str) -> File:
    return replace(elf(*needed), mode=RUN)


CASES: dict[str, tuple[Files, str, list[str]]] = {
    "a script that is called as an interpreter is none": (
        {"usr/bin/python3.11": File(b"#!/bin/sh\0003.11.2\0", RUN)},
        "/usr/bin/python3.11",
        [],
    ),
    "a program of another name": ({"usr/bin/nodemon": File(b"node.js/v20.1.0", RUN)}, "/usr/bin/nodemon", []),
    "in the program": ({"usr/bin/node": File(b"\0node.js/v20.1.0\0", RUN)}, "/usr/bin/node", ["node 20.1.0 20"]),
    "in its library": (
        {
            "usr/bin/python3.11": program("libpython3.11.so.1.0"),
            "usr/lib/libpython3.11.so.1.0": File(b"\x7fELF\0003.11.9\0"),
        },
        "/usr/bin/python3.11",
        ["python 3.11.9 3.11"],
    ),
    "by its name alone": ({"usr/bin/python3.11": program()}, "/usr/bin/python3.11", ["python 3.11 3.11"]),
    "in a file of its folder": (
        {
            "opt/java/openjdk/bin/java": program(),
            "opt/java/openjdk/release": 'IMPLEMENTOR="x"\nJAVA_VERSION="1.8.0_402"\n',
        },
        "/opt/java/openjdk/bin/java",
        ["java 8.0_402 8"],
    ),
    "by its folder": (
        {"usr/lib/jvm/java-17-openjdk-amd64/bin/java": program()},
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
        ["java 17 17"],
    ),
    "by a folder of its library": (
        {"usr/local/bin/ruby": program(), "usr/local/lib/ruby/3.2.0/set.rb": "1"},
        "/usr/local/bin/ruby",
        ["ruby 3.2.0 3.2"],
    ),
    "the first of two patterns": (
        {"usr/local/sbin/php-fpm": File(b"\0007.4.1\0X-Powered-By: PHP/8.2.4\0", RUN)},
        "/usr/local/sbin/php-fpm",
        ["php 8.2.4 8.2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "opened", "versions"), CASES.values(), ids=CASES)
def test_the_version_of_what_ran(
    files: Files, opened: str, versions: list[str], view_of: Callable[..., ImageView]
) -> None:
    view = view_of(Recipe((("ADD rootfs", files),), {}))
    found = list(used_runtimes(view, frozenset([opened])))
    assert [f"{one.name} {v} {one.interface(v)}" for one, v in found] == versions
    assert [version_of(view, one) for one, _ in found] == [version for _, version in found]
