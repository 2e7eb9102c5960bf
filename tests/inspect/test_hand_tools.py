"""Tools that people call by hand may go only where nothing names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.hand_tools import named_in, unused_tools

STATUS = "Package: curl\nStatus: install ok installed\nVersion: 7\nArchitecture: amd64\n\n"
SYSTEM = {
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/curl.list": "/.\n/usr/bin/curl\n",
    "usr/bin/curl": File("elf", 0o755),
}
SITE = "usr/local/lib/python3.11/site-packages"


def unused(
    view_of: Callable[..., ImageView],
    files: Mapping[str, str | File],
    *opened: str,
    **config: object,
) -> list[str]:
    view = view_of(
        Recipe(
            (("ADD", {"etc/x": ""}), ("RUN apt-get install curl", SYSTEM), ("COPY", files)), config
        ),
        1,
    )
    return list(unused_tools(view, view.packages, frozenset(opened)))


def test_a_tool_that_nothing_names_is_unused(view_of: Callable[..., ImageView]) -> None:
    files = {
        "app/a.py": "import pycurl\nprint('curl-like')",
        "app/README.md": "curl",
        "app/Dockerfile": "RUN curl x",
    }
    assert unused(view_of, files) == ["curl"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("app/a.py", "subprocess.run(command)  # curl in most cases"),
        ("app/wait", "#!/bin/sh\nuntil curl -f db; do sleep 1; done\n"),
        ("app/compose.yml", "healthcheck: {test: curl -f localhost}"),
        (f"{SITE}/a/b.py", "run(['curl', url])"),
        (f"{SITE}/a/b.py", "run('curl -s ' + url)"),
    ],
)
def test_a_tool_that_something_names_is_used(
    path: str, text: str, view_of: Callable[..., ImageView]
) -> None:
    assert unused(view_of, {path: text}) == []


def test_a_package_that_only_speaks_of_it_does_not_call_it(
    view_of: Callable[..., ImageView],
) -> None:
    assert unused(view_of, {f"{SITE}/a/b.py": '"""As curl does."""\nnames = {"curl": 1}'}) == [
        "curl"
    ]


def test_what_ran_or_checks_the_health_is_used(view_of: Callable[..., ImageView]) -> None:
    check = {"Test": ["CMD-SHELL", "curl -f http://localhost"]}
    assert unused(view_of, {}, "/usr/bin/curl") == []
    assert unused(view_of, {}, Healthcheck=check) == []


def test_the_kind_of_a_repository_is_no_call_of_git() -> None:
    assert named_in('{"type": "git", "url": "github"}', ["git"]) == frozenset()
    assert named_in("git describe", ["git"]) == {"git"}
