"""What a name leads to: another folder in front, another interpreter beside, a file that is picked
up by its name, another clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Files, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances, Move
from imgopt.proof.checks.locale_and_time import check_locale_and_time
from imgopt.proof.checks.named_by_sources import check_named
from imgopt.proof.found_first import hidden_module, hidden_program
from imgopt.proof.picked_up import picked_up

Views = Callable[..., ImageView]
PROGRAM = File("one", 0o755)
LIBRARY = "usr/local/lib/python3.11"
PIP = {
    f"{LIBRARY}/site-packages/pip/__init__.py": "",
    f"{LIBRARY}/site-packages/pip-1.dist-info/METADATA": "Name: pip\nVersion: 1\n",
    f"{LIBRARY}/site-packages/pip-1.dist-info/RECORD": "pip/__init__.py,,\n",
}
BASE: Files = {
    "usr/bin/git": PROGRAM,
    f"{LIBRARY}/os.py": "",
    f"{LIBRARY}/wave.py": "",
    f"{LIBRARY}/json/__init__.py": "",
    **PIP,
}


def image(view_of: Views, own: Files, base: Files = BASE) -> ImageView:
    config = {"WorkingDir": "/app", "Cmd": ["python3", "main.py"]}
    return view_of(Recipe((("ADD rootfs /", base), ("COPY . .", own)), config), 1)


HIDES = {
    "a program of another name": ({"x/bin/gitk": PROGRAM}, ""),
    "the same program": ({"x/bin/git": PROGRAM}, ""),
    "a link to it": ({"x/bin/git": File(link="/usr/bin/git")}, ""),
    "what nobody may execute": ({"x/bin/git": File("other", 0o644)}, ""),
    "a virtual environment": ({"x/bin/git": File("o", 0o755), "x/pyvenv.cfg": ""}, ""),
    "another program of that name": ({"x/bin/git": File("other", 0o755)}, "git"),
}


@pytest.mark.parametrize(("own", "hidden"), HIDES.values(), ids=HIDES)
def test_a_folder_in_front_hides_another_program_of_that_name(
    own: Files, hidden: str, view_of: Views
) -> None:
    assert hidden_program(image(view_of, own), "/x/bin", ["/usr/bin"]) == hidden


MODULES = {
    "a module of one's own": ({"x/mine.py": ""}, ""),
    "installers": ({"x/pip/__init__.py": ""}, ""),
    "a folder without modules": ({"x/json/data.txt": ""}, ""),
    "notes of a package": ({"x/wave-1.0.dist-info/METADATA": ""}, ""),
    "a module of the library": ({"x/wave.py": ""}, "wave"),
    "a package of the library": ({"x/json/__init__.py": ""}, "json"),
    "a compiled one": ({"x/wave.cpython-311-x86_64-linux-gnu.so": ""}, "wave"),
}


@pytest.mark.parametrize(("own", "hidden"), MODULES.values(), ids=MODULES)
def test_a_folder_of_modules_hides_those_of_the_library(
    own: Files, hidden: str, view_of: Views
) -> None:
    assert hidden_module(image(view_of, own), ["/x", ""]) == hidden


def test_the_librarys_own_folder_hides_nothing(view_of: Views) -> None:
    assert hidden_module(image(view_of, {}), [f"/{LIBRARY}", f"/{LIBRARY}/site-packages/"]) == ""


@pytest.mark.parametrize(
    ("opened", "lost"),
    [
        ({f"/{LIBRARY}/os.py"}, ["wave"]),
        ({"/usr/lib/python3.11/os.py"}, []),
        ({f"/{LIBRARY}/os.py", "/usr/lib/python3.11/os.py"}, []),
        (set(), []),
    ],
)
def test_the_library_of_an_interpreter_that_does_not_run_is_no_help(
    opened: set[str], lost: list[str], view_of: Views
) -> None:
    own = {"app/main.py": "def f():\n    import wave\n"}
    other = {"usr/lib/python3.11/os.py": "", "usr/lib/python3.11/wave.py": ""}
    before = image(view_of, own, {**BASE, **other})
    less = {path: file for path, file in BASE.items() if not path.endswith("wave.py")}
    after = image(view_of, own, {**less, **other})
    found = check_named(before, after, Allowances(), opened=frozenset(opened))
    assert [item.subject for item in found.items] == lost


NEW = {
    "one that the original has": ({"app/package.json": "{}"}, {"app/package.json": "{}"}, False),
    "one of a package": (
        {},
        {
            f"{LIBRARY}/site-packages/a.pth": "",
            f"{LIBRARY}/site-packages/a-1.dist-info/METADATA": "Name: a\nVersion: 1\n",
            f"{LIBRARY}/site-packages/a-1.dist-info/RECORD": "a.pth,,\n",
        },
        False,
    ),
    "one of a tool": ({}, {f"{LIBRARY}/site-packages/_virtualenv.pth": ""}, False),
    "settings of a server that is not there": ({}, {"app/gunicorn.conf.py": ""}, False),
    "a package's manifest": ({}, {"app/node_modules/x/package.json": "{}"}, False),
    "a name that only ends like one": ({}, {"app/my_sitecustomize.py": ""}, False),
    "a module that every start runs": ({}, {f"{LIBRARY}/sitecustomize.py": ""}, True),
    "one beside the packages of a run time that counts what is below as its own": (
        {},
        {"usr/local/bin/python3.11": PROGRAM, f"{LIBRARY}/site-packages/sitecustomize.py": ""},
        True,
    ),
    "paths that every start adds": ({}, {f"{LIBRARY}/site-packages/mine.pth": "/x"}, True),
    "a manifest beside sources": ({}, {"app/src/package.json": '{"type":"module"}'}, True),
    "a library for every program": ({}, {"etc/ld.so.preload": "/x.so"}, True),
    "settings in the folder of the start": ({}, {"app/application.yml": "a: b"}, True),
}


@pytest.mark.parametrize(("before", "after", "said"), NEW.values(), ids=NEW)
def test_a_file_more_counts_where_something_reads_it_by_its_name(
    before: Files, after: Files, said: bool, view_of: Views
) -> None:
    original, candidate = image(view_of, before), image(view_of, after)
    assert bool(list(picked_up(original, candidate, Allowances()))) is said


def test_settings_of_a_server_that_is_there_are_picked_up_and_what_moved_is_not_new(
    view_of: Views,
) -> None:
    server = {
        f"{LIBRARY}/site-packages/gunicorn-1.dist-info/METADATA": "Name: gunicorn\nVersion: 1\n",
        f"{LIBRARY}/site-packages/gunicorn-1.dist-info/RECORD": "",
    }
    original = image(view_of, {}, {**BASE, **server})
    candidate = image(view_of, {"app/gunicorn.conf.py": "timeout = 1"}, {**BASE, **server})
    (item,) = picked_up(original, candidate, Allowances())
    assert str(item).startswith("/app/gunicorn.conf.py is new, and is read by gunicorn")
    moved = Allowances(moves=(Move("/srv", "/app", "it moved"),))
    assert list(picked_up(original, candidate, moved)) == []


UTC, TOKYO, BERLIN = (f"TZif2\0x\n{rule}\n" for rule in ("UTC0", "JST-9", "CET-1CEST"))
CLOCKS = {
    "none and UTC": (None, UTC, False),
    "UTC and none": (UTC, None, False),
    "the same": (TOKYO, TOKYO, False),
    "UTC and another": (UTC, TOKYO, True),
    "none and another": (None, TOKYO, True),
    "another and none": (TOKYO, None, True),
    "two others": (TOKYO, BERLIN, True),
}


@pytest.mark.parametrize(("before", "after", "said"), CLOCKS.values(), ids=CLOCKS)
def test_a_clock_without_a_file_is_in_utc(
    before: str | None, after: str | None, said: bool, view_of: Views
) -> None:
    views = [
        image(view_of, {}, BASE if clock is None else {**BASE, "etc/localtime": clock})
        for clock in (before, after)
    ]
    assert bool(check_locale_and_time(*views, Allowances()).items) is said
