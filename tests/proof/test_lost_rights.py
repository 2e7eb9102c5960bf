"""What is taken away from a service with its root rights, though no probe asks for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.checks.non_root import check_non_root
from imgopt.proof.derive import derive

BASE = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nweb:x:7:7::/home/web:/bin/sh\n",
    "etc/group": "root:x:0:\nweb:x:7:\n",
    "root": File(folder=True, mode=0o700),
    "tmp": File(folder=True, mode=0o1777),
    "home/web": File(folder=True, uid=7, gid=7),
    "state": File(folder=True, uid=7, gid=7),
    "var/log": File(folder=True, mode=0o755),
}
OWNED = File(folder=True, uid=7, gid=7)


def recipe(source: str, **config: object) -> Recipe:
    files = {"app": File(folder=True), "app/a.py": source}
    return Recipe((("ADD rootfs", BASE), ("COPY . .", files)), {"WorkingDir": "/app", **config})


def said(view_of: Callable[..., ImageView], original: Recipe, candidate: Recipe) -> str:
    before, after = view_of(original, 1), view_of(candidate, 1)
    return "; ".join(map(str, check_non_root(before, after, derive(before, after, None)).items))


LOST = {
    "a file beside the source": ("open('notes.txt', 'a')", {"User": "7"}, "may not write to /app"),
    "a database": ("sqlite3.connect('x.db')", {"User": "7"}, "may not write to /app"),
    "a folder that is made on a rare path": (
        "os.makedirs('up/today')",
        {"User": "7"},
        "so /app/up/today cannot be made",
    ),
    "a log of the system": ("FileHandler('/var/log/a.log')", {"User": "7"}, "/var/log"),
    "a home that is asked for": ("Path.home()", {"User": "8"}, "home folder /"),
    "a name that is asked for": ("getpass.getuser()", {"User": "8"}, "/etc/passwd has no user 8"),
}


@pytest.mark.parametrize("case", LOST)
def test_a_right_that_the_sources_need_is_lost(
    case: str, view_of: Callable[..., ImageView]
) -> None:
    source, config, message = LOST[case]
    assert message in said(view_of, recipe(source), recipe(source, **config))


KEPT = {
    "the working directory is given": ("open('notes.txt', 'a')", {"app": OWNED}, {"User": "7"}),
    "nothing is written": ("open('notes.txt')", {}, {"User": "7"}),
    "an open folder": ("open('/tmp/x', 'w')", {}, {"User": "7"}),
    "a home of its own": ("Path.home()", {}, {"User": "7"}),
    "a home by variable": ("Path.home()", {}, {"User": "8", "Env": ["HOME=/tmp"]}),
    "a number without a name that nobody asks for": ("print()", {}, {"User": "8"}),
}


@pytest.mark.parametrize("case", KEPT)
def test_a_right_that_is_kept_or_not_needed_is_no_failure(
    case: str, view_of: Callable[..., ImageView]
) -> None:
    source, files, config = KEPT[case]
    assert said(view_of, recipe(source), recipe(source, **config).but(files=files)) == ""


def test_a_volume_of_root_is_lost_and_one_of_the_user_is_not(
    view_of: Callable[..., ImageView],
) -> None:
    config: dict[str, object] = {"Volumes": {"/var/log": {}}}
    assert "may not write to /var/log" in said(
        view_of, recipe("", **config), recipe("", User="7", **config)
    )
    config = {"Volumes": {"/state": {}}}
    assert said(view_of, recipe("", **config), recipe("", User="7", **config)) == ""


def test_a_base_without_a_folder_for_temporary_files_is_refuted(
    view_of: Callable[..., ImageView],
) -> None:
    bare = Recipe(
        (("ADD rootfs", {"etc/passwd": BASE["etc/passwd"]}), ("COPY . .", {"app/a.py": ""})),
        {"WorkingDir": "/app"},
    )
    assert "/tmp cannot be made" in said(view_of, recipe(""), bare.but(User="7"))
    assert said(view_of, recipe(""), bare) == ""  # root makes it where it wants


def test_a_script_that_needs_root_is_refuted_for_another_user(
    view_of: Callable[..., ImageView],
) -> None:
    script = File("#!/bin/sh\nservice cron start\nexec python a.py\n", 0o755)
    config = {"Cmd": ["/app/run.sh"], "WorkingDir": "/app"}
    original = recipe("", **config).but(files={"app/run.sh": script})
    assert "/app/run.sh calls service" in said(view_of, original, original.but(User="7"))
    assert said(view_of, original, original) == ""


def test_what_the_original_gave_to_its_user_stays_its_own(
    view_of: Callable[..., ImageView],
) -> None:
    original = recipe("", User="7").but(files={"app": OWNED, "app/a.py": File("", uid=7)})
    assert "may not write to /app " in said(view_of, original, recipe("", User="7"))
    assert "may not write to /app/a.py " in said(
        view_of, original, recipe("", User="7").but(files={"app": OWNED})
    )
    assert said(view_of, original, original) == ""


def test_a_user_of_the_original_may_write_what_it_owned(view_of: Callable[..., ImageView]) -> None:
    config = {"User": "7"}
    original = recipe("open('notes.txt', 'w')", **config).but(files={"app": OWNED})
    assert said(view_of, original, original) == ""
    assert "may not write to /app" in said(
        view_of, original, recipe("open('notes.txt', 'w')", **config)
    )
