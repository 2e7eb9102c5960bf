"""Named replacements: what does the same job at another place, and what only looks like it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from recipes import File, Files, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Outcome
from imgopt.proof.checks.application_files import check_application_files
from imgopt.proof.checks.configuration import check_configuration
from imgopt.proof.checks.opened_files import check_opened_files
from imgopt.proof.derive import derive
from imgopt.run.opened import Opened

ELF = File(b"\x7fELF\x02\x01\x01" + bytes(200), 0o755)
SITE = {"index.html": "<div>", "static/js/main.js": "run()"}
BASE: Files = {
    "usr/local/bin/node": ELF,
    "usr/local/bin/serve": File("#!/usr/bin/env node\n", 0o755),
    "usr/bin/env": ELF,
}
SOURCES = {
    "app/src/App.jsx": "<App/>",
    "app/public/favicon.ico": "ico",
    "app/package.json": '{"name": "site"}',
}


def front_end(view_of: Callable[..., ImageView], command: list[str], **more: str) -> ImageView:
    files = {**SOURCES, **{f"app/build/{path}": text for path, text in SITE.items()}, **more}
    config = {"Cmd": command, "WorkingDir": "/app", "Env": ["PATH=/usr/local/bin:/usr/bin"]}
    return view_of(Recipe((("ADD base", BASE), ("COPY . .", files)), config), 1)


def web_server(view_of: Callable[..., ImageView], site: Mapping[str, str]) -> ImageView:
    files = {
        "usr/sbin/nginx": ELF,
        **{f"usr/share/nginx/html/{path}": text for path, text in site.items()},
    }
    config = {
        "Cmd": ["nginx", "-g", "daemon off;"],
        "StopSignal": "SIGQUIT",
        "Env": ["PATH=/usr/sbin:/usr/bin"],
    }
    return view_of(Recipe((("COPY", files),), config))


OPENED = frozenset(
    {
        "/app/build/index.html",
        "/app/build/static/js/main.js",
        "/usr/local/bin/node",
        "/usr/local/bin/serve",
    }
)


def verdicts(original: ImageView, candidate: ImageView, opened: frozenset[str]) -> dict[str, str]:
    allowances: Allowances = derive(original, candidate, opened)
    checks: list[Outcome] = [
        check_configuration(original, candidate, allowances),
        check_application_files(original, candidate, allowances, opened=opened),
        check_opened_files(original, candidate, Opened(opened), allowances),
    ]
    return {check.name: check.verdict for check in checks}


def test_a_built_site_may_be_served_by_a_web_server_from_another_folder(
    view_of: Callable[..., ImageView],
) -> None:
    found = verdicts(
        front_end(view_of, ["serve", "-s", "build"]), web_server(view_of, SITE), OPENED
    )
    assert set(found.values()) == {"passed"}


def test_a_built_site_may_be_served_by_a_web_server_from_its_own_folder(
    view_of: Callable[..., ImageView],
) -> None:
    files = {"usr/sbin/nginx": ELF, **{f"app/build/{path}": text for path, text in SITE.items()}}
    config = {"Cmd": ["nginx"], "Env": ["PATH=/usr/sbin:/usr/bin"], "WorkingDir": "/app"}
    candidate = view_of(Recipe((("COPY", files),), config))
    found = verdicts(front_end(view_of, ["serve", "-s", "build"]), candidate, OPENED)
    assert set(found.values()) == {"passed"}


def test_a_site_without_a_server_is_not_served(view_of: Callable[..., ImageView]) -> None:
    files = {"bin/true": ELF, **{f"app/build/{path}": text for path, text in SITE.items()}}
    config = {"Cmd": ["true"], "Env": ["PATH=/bin"], "WorkingDir": "/app"}
    candidate = view_of(Recipe((("COPY", files),), config))
    assert (
        "failed"
        in verdicts(front_end(view_of, ["serve", "-s", "build"]), candidate, OPENED).values()
    )


@pytest.mark.parametrize(
    ("command", "site", "opened"),
    [
        (["serve", "-s", "build"], {"index.html": "<div>"}, OPENED),
        (["serve", "-s", "build"], {**SITE, "index.html": "<p>"}, OPENED),
        (["node", "server.js"], SITE, OPENED),
        (["serve", "-s", "build", "--cors"], SITE, OPENED),
        (["serve", "-s", "build"], SITE, OPENED - {"/app/build/index.html"}),
    ],
    ids=[
        "a file of the site is lost",
        "a page differs",
        "a program of one's own serves it",
        "its server sends headers of its own",
        "the index was not opened",
    ],
)
def test_what_only_looks_like_the_same_site_is_refuted(
    command: list[str],
    site: dict[str, str],
    opened: frozenset[str],
    view_of: Callable[..., ImageView],
) -> None:
    assert (
        "failed"
        in verdicts(front_end(view_of, command), web_server(view_of, site), opened).values()
    )


def python(view_of: Callable[..., ImageView], prefix: str, minor: str = "3.11") -> ImageView:
    home = f"{prefix}/lib/python{minor}"
    files = {
        f"{prefix}/bin/python{minor}": ELF,
        f"{home}/os.py": f"# {prefix}",
        f"{home}/json/__init__.py": "# json",
        f"{home}/lib-dynload/math.so" if prefix == "usr/local" else f"{home}/x.py": "elf",
    }
    return view_of(Recipe((("ADD", files), ("COPY . /app", {"app/main.py": "import json"})), {}), 1)


OPENED_BY_PYTHON = frozenset(
    f"/usr/local/{path}"
    for path in (
        "bin/python3.11",
        "lib/python3.11/json/__init__.py",
        "lib/python3.11/lib-dynload/math.so",
    )
)


def test_another_build_of_the_same_python_stands_in_for_it(
    view_of: Callable[..., ImageView],
) -> None:
    original, candidate = python(view_of, "usr/local"), python(view_of, "usr")
    allowances = derive(original, candidate, OPENED_BY_PYTHON)
    check = check_opened_files(original, candidate, Opened(OPENED_BY_PYTHON), allowances)
    assert check.items == ()
    assert any("another build of python3.11, at /usr" in text for text in check.allowed)


def test_another_version_of_python_does_not(view_of: Callable[..., ImageView]) -> None:
    original, candidate = python(view_of, "usr/local"), python(view_of, "usr", "3.12")
    allowances = derive(original, candidate, OPENED_BY_PYTHON)
    assert (
        check_opened_files(original, candidate, Opened(OPENED_BY_PYTHON), allowances).verdict
        == "failed"
    )
