"""What the sources name on a path that no probe takes is not left out, whatever rule would excuse
it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Files, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances, Drop
from imgopt.proof.checks.language_packages import check_language_packages
from imgopt.proof.checks.named_by_sources import check_named
from imgopt.proof.checks.programs import check_programs
from imgopt.proof.derive import derive

SITE = "usr/local/lib/python3.11/site-packages"
BASE: Files = {
    "usr/bin/git": File("elf", 0o755),
    "usr/local/lib/python3.11/os.py": "",
    "usr/local/lib/python3.11/turtle.py": "",
    "usr/local/lib/python3.11/idlelib/__init__.py": "",
}
BLACK: Files = {
    f"{SITE}/black/__init__.py": "",
    f"{SITE}/black-24.1.dist-info/METADATA": "Name: black\nVersion: 24.1\n",
    f"{SITE}/black-24.1.dist-info/RECORD": "black/__init__.py,,\nblack-24.1.dist-info/METADATA,,\n",
}
NODE: Files = {
    "app/package.json": '{"devDependencies": {"pdf": "1"}}',
    "app/node_modules/.package-lock.json": '{"packages": {"node_modules/pdf": {"version": "1.0.0", "dev": true}}}',
    "app/node_modules/pdf/package.json": '{"name": "pdf", "version": "1.0.0"}',
    "app/node_modules/pdf/index.js": "",
}


def original(app: Files, packages: Files | None = None) -> Recipe:
    config = {"WorkingDir": "/app", "Cmd": ["python", "/app/main.py", "/app/server.js"]}
    return Recipe(
        (("ADD rootfs", BASE), ("RUN install", packages or {}), ("COPY . .", app)), config
    )


def refuted(
    view_of: Callable[..., ImageView], before: Recipe, after: Recipe, opened: frozenset[str]
) -> str:
    one, other = view_of(before, 1), view_of(after, 1)
    checks = check_named(one, other, derive(one, other, opened), opened=opened)
    programs = check_programs(one, other, derive(one, other, opened))
    packages = check_language_packages(one, other, derive(one, other, opened), opened=opened)
    return "; ".join(map(str, (*checks.items, *programs.items, *packages.items)))


LOST: dict[str, tuple[Files, Files, list[str], str]] = {
    "a document that is shown": (
        {"app/main.py": "def about(): return open('README.md').read()", "app/README.md": "x"},
        {},
        ["app/README.md"],
        "/app/README.md",
    ),
    "a document beside the module": (
        {"app/lib/a.py": "open(os.path.join(HERE, 'CHANGELOG.md'))", "app/lib/CHANGELOG.md": "x"},
        {},
        ["app/lib/CHANGELOG.md"],
        "/app/lib/a.py names it",
    ),
    "the project's own list": (
        {"app/main.py": "tomllib.load(open('pyproject.toml','rb'))", "app/pyproject.toml": "x"},
        {},
        ["app/pyproject.toml"],
        "pyproject.toml",
    ),
    "data among the tests": (
        {"app/main.py": "demo = 'tests/demo.json'", "app/tests/demo.json": "{}"},
        {},
        ["app/tests/demo.json"],
        "demo.json",
    ),
    "a tool that is imported in a function": (
        {"app/main.py": "def form(s):\n    import black\n    return black.format_str(s)"},
        BLACK,
        list(BLACK),
        "python package black",
    ),
    "a part of the standard library": (
        {"app/main.py": "def draw():\n    import turtle, os"},
        {},
        ["usr/local/lib/python3.11/turtle.py"],
        "module turtle",
    ),
    "a package that is imported by name": (
        {"app/main.py": "importlib.import_module('idlelib')"},
        {},
        ["usr/local/lib/python3.11/idlelib/__init__.py"],
        "module idlelib",
    ),
    "a development package in a lazy require": (
        {
            "app/server.js": "app.get('/r', () => require('./report'))",
            "app/report.js": "const pdf = require('pdf')",
            **NODE,
        },
        {},
        [path for path in NODE if "/pdf/" in path],
        "/app/report.js imports it",
    ),
    "a program that Go calls": (
        {"app/main.go": 'out, _ := exec.Command("git", "log").Output()'},
        {},
        ["usr/bin/git"],
        "git, needed by /app/main.go",
    ),
    "a program that Rust calls": (
        {"app/src/main.rs": 'Command::new("git").arg("log")'},
        {},
        ["usr/bin/git"],
        "git, needed by /app/src/main.rs",
    ),
    "a program that Java calls": (
        {"app/src/A.java": 'new ProcessBuilder(List.of("git", "log")).start()'},
        {},
        ["usr/bin/git"],
        "git, needed by /app/src/A.java",
    ),
    "a program in a list of words": (
        {"app/main.py": "import subprocess\nargs = ['git', 'log']\nsubprocess.run(args)"},
        {},
        ["usr/bin/git"],
        "git, needed by /app/main.py",
    ),
}


@pytest.mark.parametrize("case", LOST)
def test_what_a_source_names_is_missed(case: str, view_of: Callable[..., ImageView]) -> None:
    app, packages, lost, message = LOST[case]
    before = original(app, packages)
    opened = frozenset({"/app/main.py", "/app/server.js", "/usr/local/lib/python3.11/os.py"})
    assert message in refuted(view_of, before, before.but(without=lost), opened)
    assert refuted(view_of, before, before, opened) == ""


UNNAMED: dict[str, tuple[Files, list[str]]] = {
    "a document that nobody names": (
        {"app/main.py": "pass", "app/README.md": "x"},
        ["app/README.md"],
    ),
    "a name in the build's own script": (
        {"app/setup.py": "long = open('README.md').read()", "app/README.md": "x"},
        ["app/README.md"],
    ),
    "a name in a test": (
        {"app/tests/test_a.py": "open('README.md')", "app/README.md": "x"},
        ["app/README.md"],
    ),
    "another file of that name": (
        {"app/main.py": "open('README.md')", "app/docs/x/README.md": "x"},
        ["app/docs/x/README.md"],
    ),
    "a source that goes as well": (
        {"app/main.py": "open('README.md')", "app/README.md": "x"},
        ["app/README.md", "app/main.py"],
    ),
    "a development package that only a tool's settings name": (
        {"app/server.js": "", "app/jest.config.js": "require('pdf')", **NODE},
        [path for path in NODE if "/pdf/" in path],
    ),
    "a program that a module of another author calls": (
        {"go/pkg/mod/x@v1/a.go": 'exec.Command("git")', "app/main.go": ""},
        ["usr/bin/git"],
    ),
    "a resource that is packed into the archive": (
        {
            "app/A.java": 'get("templates/index.html")',
            "app/src/main/resources/templates/index.html": "",
        },
        ["app/src/main/resources/templates/index.html"],
    ),
    "a module of one's own with a name of the standard library": (
        {"app/main.py": "import turtle", "app/turtle.py": ""},
        ["usr/local/lib/python3.11/turtle.py"],
    ),
    "a program in a list that starts nothing": (
        {"app/main.py": "args = ['git', 'log']"},
        ["usr/bin/git"],
    ),
}


@pytest.mark.parametrize("case", UNNAMED)
def test_what_no_running_source_names_may_go(case: str, view_of: Callable[..., ImageView]) -> None:
    app, lost = UNNAMED[case]
    before = original(app)
    opened = frozenset({"/app/main.py", "/app/server.js"})
    assert refuted(view_of, before, before.but(without=lost), opened) == ""


LOADS = {
    "a library that a package loads": (
        f"{SITE}/magic/loader.py",
        'ctypes.CDLL("libmagic.so.1")',
        ["libmagic.so.1"],
    ),
    "a package of the base": ("usr/lib/python3/dist-packages/apt.py", "x = 1", []),
    "tests of a package": (f"{SITE}/magic/tests/test_load.py", 'ctypes.CDLL("libmagic.so.1")', []),
    "a library that the original has not": (
        f"{SITE}/magic/loader.py",
        'ctypes.CDLL("libcudart.so")',
        [],
    ),
    "an installer": (f"{SITE}/pip/_vendor/load.py", 'ctypes.CDLL("libmagic.so.1")', []),
}


@pytest.mark.parametrize(("path", "text", "missing"), LOADS.values(), ids=LOADS)
def test_a_library_that_a_package_loads_on_a_rare_path_is_missed(
    view_of: Callable[..., ImageView], path: str, text: str, missing: list[str]
) -> None:
    library = {
        "usr/lib/x86_64-linux-gnu/libmagic.so.1": File(
            b"\x7fELF\x02\x01\x01" + bytes(11) + b"\x3e\0" + bytes(60)
        )
    }
    layers = (("RUN install", {path: text}), ("COPY . .", {"app/main.py": ""}))
    config = {"WorkingDir": "/app", "Cmd": ["python", "/app/main.py"]}
    fat = view_of(Recipe((("ADD rootfs", {**BASE, **library}), *layers), config), 1)
    slim = view_of(Recipe((("ADD rootfs", BASE), *layers), config), 1)
    check = check_named(fat, slim, derive(fat, slim, frozenset()))
    assert [item.subject for item in check.items] == missing


VIEWS: dict[str, str] = {
    "app/package.json": '{"devDependencies": {"pug": "3", "nodemon": "3"}}',
    "app/server.js": "require('web')\n",
    "app/node_modules/web/package.json": '{"name": "web", "version": "1"}',
    "app/node_modules/pug/package.json": '{"name": "pug", "version": "3"}',
    "app/node_modules/nodemon/package.json": '{"name": "nodemon", "version": "3"}',
}


@pytest.mark.parametrize(
    ("more", "refuted"),
    [
        ({}, False),
        ({"app/notes.js": "f('pug')\n"}, False),  # no run comes there
        ({"app/server.js": "say('a pug')\n"}, False),
        ({"app/settings.json": '{"run": "nodemon"}'}, False),
        ({"app/settings.json": '{"view engine": "pug"}'}, True),
        ({"app/conf.yaml": "engine: pug\n"}, True),
        ({"app/server.js": "app.set('view engine', 'pug')\n"}, True),
    ],
)
def test_a_package_that_is_loaded_by_a_string_is_missed(
    view_of: Callable[..., ImageView], more: dict[str, str], refuted: bool
) -> None:
    files = {**VIEWS, **more}
    config = {"Cmd": ["node", "server.js"], "WorkingDir": "/app"}
    opened = frozenset(["/app/server.js"])
    less = {
        path: text
        for path, text in files.items()
        if "/pug/" not in path and "/nodemon/" not in path
    }
    original, candidate = (
        view_of(Recipe((("ADD", {"bin/x": "x"}), ("COPY", kept)), config), 1)
        for kept in (files, less)
    )
    allowed = Allowances(drops=(Drop("development", frozenset(["/app/node_modules"])),))
    found = check_named(original, candidate, allowed, opened=opened)
    assert [item.subject for item in found.items] == (["pug"] if refuted else [])
