"""A part of a system package that its distribution ships without what it needs counts only where
something opens it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.checks.programs import check_programs
from imgopt.run.opened import Opened

ROUTEL = "usr/bin/routel"
STATUS = "Package: iproute2\nStatus: install ok installed\nArchitecture: amd64\nVersion: 6.1\nDepends: libc6\n"
INSTALLED: Mapping[str, File | str] = {
    ROUTEL: File("#!/usr/bin/python3\n", 0o755),
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/iproute2.list": f"/{ROUTEL}\n",
}
PYTHON = {"usr/bin/python3": File("\x7fELF", 0o755)}


def missing(
    view_of: Callable[..., ImageView],
    files: Mapping[str, File | str],
    opened: Opened | None,
    named: tuple[str, ...] = (),
) -> list[str]:
    original = view_of(Recipe((("RUN apt-get", {**files, **PYTHON}),), {}))
    candidate = view_of(Recipe((("RUN apt-get", files),), {}))
    check = check_programs(original, candidate, Allowances(), opened=opened, named=named)
    return [item.subject for item in check.items]


def test_a_script_of_a_package_that_depends_on_no_interpreter_is_optional(
    view_of: Callable[..., ImageView],
) -> None:
    assert missing(view_of, INSTALLED, Opened(frozenset(["/usr/sbin/nginx"])), ("nginx",)) == []


@pytest.mark.parametrize(
    ("files", "opened", "named"),
    [
        pytest.param(INSTALLED, Opened(frozenset([f"/{ROUTEL}"])), (), id="it was opened"),
        pytest.param(
            INSTALLED,
            Opened(frozenset()),
            ("iproute2=6.1",),
            id="the author installs the package by name",
        ),
        pytest.param({ROUTEL: INSTALLED[ROUTEL]}, Opened(frozenset()), (), id="no package has it"),
        pytest.param(INSTALLED, None, (), id="not measured what was opened"),
    ],
)
def test_it_counts_where_someone_may_use_it(
    files: Mapping[str, File | str],
    opened: Opened | None,
    named: tuple[str, ...],
    view_of: Callable[..., ImageView],
) -> None:
    assert missing(view_of, files, opened, named) == ["/usr/bin/python3"]
