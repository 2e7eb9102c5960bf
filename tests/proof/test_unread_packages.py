"""Where the database of packages cannot be read, nothing was compared, and nothing passed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.checks.system_packages import check_system_packages
from imgopt.proof.example import CONFIG, LAYERS

STATUS = "Package: hello\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"


def _verdict(
    view_of: Callable[..., ImageView], files: dict[str, str], *names: str
) -> tuple[str, str]:
    view = view_of(Recipe((("ADD rootfs", {**files, "bin/sh": File("x", 0o755)}),), {}))
    check = check_system_packages(view, view, Allowances(), names)
    return check.verdict, check.detail


@pytest.mark.parametrize(
    ("path", "text", "whose"),
    [
        ("var/lib/rpm/Packages", "berkeley", "Berkeley DB"),
        ("var/lib/rpm/Packages.db", "cut", "ndb"),
        ("lib/apk/db/installed", "ADBd.", "apk"),
    ],
)
def test_an_unreadable_database_is_not_measured(
    path: str, text: str, whose: str, view_of: Callable[..., ImageView]
) -> None:
    verdict, detail = _verdict(view_of, {path: text}, "curl")
    assert verdict == "not measured"
    assert f"/{path}" in detail and whose in detail


def test_where_nothing_was_asked_for_nothing_is_missed(view_of: Callable[..., ImageView]) -> None:
    assert _verdict(view_of, {"var/lib/rpm/Packages": "berkeley"})[0] == "passed"


def test_a_database_that_is_read_is_compared(view_of: Callable[..., ImageView]) -> None:
    files = {"var/lib/dpkg/status": STATUS, "var/lib/rpm/Packages": "left behind"}
    assert _verdict(view_of, files, "hello") == (
        "passed",
        "1 package that the author installed by name",
    )


def test_the_example_has_no_such_database(view_of: Callable[..., ImageView]) -> None:
    assert view_of(Recipe(LAYERS, CONFIG)).packages.unread == ()
