"""Which strategies are left out when a failure names nothing that could be added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from recipes import Recipe

from imgopt.dockerfile import parse
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.loop.repair import (
    INIT,
    in_force,
    is_authors,
    repair,
    suspects,
    to_leave_out,
    without,
)
from imgopt.loop.user_shows import shows_the_user
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.strategy import Repairs


def test_one_after_the_other_and_all_when_it_makes_no_difference() -> None:
    names = ["non-root", "slim-base", "ignore-file"]
    assert to_leave_out({}, names, "a file is lost") == ["non-root"]
    assert to_leave_out({"bytecode": "a file is lost"}, names, "a file is lost") == ["non-root"]
    assert to_leave_out({"bytecode": "x", "exec-form": "x"}, names, "a file is lost") == [
        "non-root"
    ]
    assert to_leave_out({"bytecode": "x", "exec-form": "x"}, names, "x") == names


LIBRARIES = [f"/usr/lib/x86_64-linux-gnu/lib{name}.so.1" for name in "abc"]
PAGES = [f"/srv/web/{name}.css" for name in "abc"]
ASKED = {
    "two files of a folder": (PAGES[:2], PAGES[:2]),
    "one file each of three folders": (
        ["/srv/a/1", "/srv/b/1", "/srv/c/1"],
        ["/srv/a/1", "/srv/b/1", "/srv/c/1"],
    ),
    "libraries of the system": (LIBRARIES, LIBRARIES),
    "programs of all kinds": (["/usr/local/bin/a", "/usr/local/bin/b", "/usr/local/bin/c"], None),
    "three files of a folder": ([*PAGES, "/srv/x"], ["/srv/web", "/srv/x"]),
    "three folders of a folder": (
        [f"/opt/kit/{folder}/{n}" for folder in "abc" for n in range(3)],
        ["/opt/kit"],
    ),
}


def learned(
    paths: Sequence[str], before: Repairs | None = None
) -> tuple[list[str], tuple[str, ...]]:
    """Paths that the next plan keeps, and what is told of it, where the original has them all."""
    view = SimpleNamespace(exists=bool)
    evidence: Any = SimpleNamespace(view=view, owner={}.get)
    found = repair(
        before or Repairs(), [Item("missing-file", path, path) for path in paths], evidence
    )
    return sorted(found.repairs.paths), found.words


def test_where_a_step_of_the_author_fails_what_comes_before_it_is_suspected_first() -> None:
    used = [
        "ignore-file",
        "layer-order",
        "start-command",
        "multi-stage",
        "slim-base",
        "non-root",
        "deps-stage",
    ]
    assert suspects(used, ())[:2] == ("deps-stage", "start-command")
    assert suspects(used, (), authors_step=True)[:3] == ("layer-order", "ignore-file", "deps-stage")


def test_where_only_the_user_shows_it_is_the_user_that_is_left_out() -> None:
    used = ["start-command", "slim-base", "non-root", "deps-stage", "bytecode"]
    assert suspects(used, (), user_shows=True)[0] == "non-root"


PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n"
ANSWERS = {
    "a name": ("POST /whoami: body is app instead of root", True),
    "a name in a sentence": ('GET /me: body is "hello, app!" instead of "hello, root!"', True),
    "a number": ("GET /id: body is uid=1000 gid=1000 instead of uid=0 gid=0", True),
    "a home": ("GET /where: body is /home/app/notes instead of /root/notes", True),
    "another word": ("GET /: body is bye instead of hello", False),
    "a part of a word": ("GET /: body is apple instead of grassroots", False),
    "only one side": ("GET /: body is app instead of hello", False),
    "a path of the application": ("GET /: body is /srv/app instead of /srv/root", False),
    "no comparison": ("the log names the module app, which root has", False),
}


@pytest.mark.parametrize(("message", "shows"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_shows_the_user_by_name_number_or_home(
    message: str, shows: bool, view_of: Callable[..., ImageView]
) -> None:
    layers = (("ADD rootfs /", {"etc/passwd": PASSWD}),)
    original, candidate = (view_of(Recipe(layers, {"User": user})) for user in ("", "1000"))
    answer = Item("answer", "GET /", message=message)
    assert shows_the_user([answer], original, candidate) is shows
    assert not shows_the_user([], original, candidate)
    assert not shows_the_user([answer], original, original)
    other = Item("answer", "GET /x", message="GET /x: status is 500 instead of 200")
    assert not shows_the_user([answer, other], original, candidate)


def test_a_step_is_the_authors_by_its_command_whatever_options_it_has_now() -> None:
    dockerfile = parse("FROM a\nRUN yarn build\nRUN set -e \\\n && make all\nRUN\n")
    for name in (
        "RUN yarn build",
        "RUN --mount=type=cache,target=/root/.yarn yarn build",
        "RUN set -e  && make all",
    ):
        assert is_authors(name, dockerfile)
    for name in (
        "RUN apt-get install -y libpq5",
        "RUN yarn build --all",
        "COPY --from=builder /a /a",
        "",
    ):
        assert not is_authors(name, dockerfile)


@pytest.mark.parametrize(("missing", "added"), ASKED.values(), ids=ASKED)
def test_the_third_file_of_a_folder_asks_for_the_folder(
    missing: list[str], added: list[str] | None
) -> None:
    assert learned(missing)[0] == (added or missing)


def test_files_that_earlier_builds_asked_for_count() -> None:
    paths, words = learned(["/srv/web/c.css"], Repairs(paths=("/srv/web/a.css", "/srv/web/b.css")))
    assert paths == ["/srv/web"]
    assert words == ("added /srv/web: file after file of it was missing",)


def test_a_file_of_a_folder_that_was_added_is_not_learned_again() -> None:
    assert learned(["/srv/web/d.css"], Repairs(paths=("/srv/web",))) == (["/srv/web"], ())


TOLD = [
    ("gave /srv/data to the user", "owner of /srv/data"),
    ("added package libpq5", "libpq5"),
    ("added /srv/web", "/srv/web"),
    ("left out /srv/x: only here", ""),
]
LEARNED = Repairs(packages=("libpq5",), paths=("/srv/web",), writable=("/srv/data",))


@pytest.mark.parametrize(
    ("name", "files", "told"),
    [
        ("all in the plan", lambda r: (r.packages, r.paths, r.writable), [0, 1, 2, 3]),
        ("the user was left out", lambda r: (r.packages, r.paths), [1, 2, 3]),
        ("a base without packages", lambda r: (r.paths, r.writable), [0, 2, 3]),
        ("nothing is carved any more", lambda r: r.reasons, [3]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_only_repairs_that_are_in_the_files_are_told(
    name: str, files: Any, told: list[int]
) -> None:
    assert list(in_force(TOLD, LEARNED, files)) == [TOLD[at][0] for at in told], name


def test_each_repair_has_the_name_that_takes_it_back() -> None:
    view = SimpleNamespace(exists=bool)
    tree = SimpleNamespace(resolve={"/srv/data": SimpleNamespace(kind="dir")}.get)
    evidence: Any = SimpleNamespace(view=view, owner={"/usr/lib/x.so": "libx"}.get, tree=tree)
    items = [
        Item("missing-file", "/usr/lib/x.so", "/usr/lib/x.so"),
        *(Item("missing-file", path, path) for path in [*PAGES, "/srv/x"]),
        Item("not-writable", "/srv/data"),
    ]
    found = repair(Repairs(), items, evidence)
    assert len(found.names) == len(found.words) == 4
    left = found.repairs
    for name in found.names:
        less = without(left, name)
        assert less != left, name
        left = less
    assert (left.packages, left.paths, left.writable) == ((), (), ())


STOP = Item("stop", "docker stop", message="stops in 10.0 s with exit code 137")


@pytest.mark.parametrize(
    ("other_start", "installs", "known", "learned"),
    [
        (True, True, False, True),
        (False, True, False, False),  # the start is the original's: an init is not what it lacks
        (True, False, False, False),  # nothing can be installed
        (True, True, True, False),  # it has one
    ],
)
def test_what_does_not_stop_any_more_gets_an_init(
    other_start: bool,
    installs: bool,
    known: bool,
    learned: bool,
    view_of: Callable[..., ImageView],
) -> None:
    evidence = Evidence(view_of(Recipe((("ADD rootfs", {"/a": ""}),), {})), SystemPackages())
    found = repair(
        Repairs(init=known), [STOP], evidence, installs=installs, other_start=other_start
    )
    assert bool(found.words) == learned
    assert found.repairs.init == (learned or known)
    assert not without(found.repairs, INIT).init
