"""A small file of settings that the base wrote itself and that was read comes along: it keeps no
base."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import Files, Recipe

from imgopt.image import Image

from .unasked import FAT, Planned, Service

SITE = "usr/local/lib/python3.11/site-packages"
PACKAGES = ("RUN make", {f"{SITE}/a/__init__.py": "x\n" * 9})


@pytest.fixture
def service(image_of: Callable[[Recipe], Image], tmp_path: Path) -> Service:
    return Service(image_of, tmp_path)


def planned(service: Service, kind: str, path: str, text: str = "hosts: files dns\n") -> Planned:
    base: Files = {**FAT, path.lstrip("/"): text}
    return service.plan(
        {"main.py": "print(1)\n"}, (PACKAGES,), kind=kind, base=base, opened=frozenset([path])
    )


@pytest.mark.parametrize("kind", ["slim", "distroless"])
@pytest.mark.parametrize("path", ["/etc/nsswitch.conf", "/etc/app-defaults/limits.conf"])
def test_it_is_copied_and_the_base_is_left(service: Service, kind: str, path: str) -> None:
    found = planned(service, kind, path)
    assert f"{path}\n" in found.final
    assert "FROM python:3.11\n" not in found.final


@pytest.mark.parametrize("kind", ["slim", "distroless"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/large.conf", "x" * 20_000),  # nobody knows what it is
        ("/etc/machine-id", "0123\n"),  # the machine's own
        ("/etc/shadow", "root:*:\n"),
        ("/etc/ssl/private/service.key", "secret\n"),
    ],
)
def test_what_is_no_small_setting_is_not(service: Service, kind: str, path: str, text: str) -> None:
    assert f"{path} {path}" not in planned(service, kind, path, text).final
