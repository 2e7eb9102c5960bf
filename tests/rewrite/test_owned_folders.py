"""What has to belong to a service that is not root any more, by the configuration of the
original."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages
from imgopt.rewrite.final.writable import writable

BASE = ("ADD rootfs", {"/bin/sh": "", "/srv/": File(folder=True)})


def test_a_volume_below_the_working_directory_is_made_for_the_user(
    view_of: Callable[..., ImageView],
) -> None:
    """The engine makes the folder of a volume for root, where the image does not have it."""
    recipe = Recipe(
        (BASE, ("COPY . .", {"/app/main": "x", "/app/kept/a": "x"})),
        {"WorkingDir": "/app", "Volumes": {"/app/data": {}, "/app/kept": {}}},
    )
    owned = writable(
        Evidence(
            view_of(recipe, 1), SystemPackages(), Seen(written=("/app/data", "/app/data/x.db"))
        )
    )
    assert owned.trees == ("/app", "/app/data")
    assert owned.told() == "/app (the working directory), /app/data (a volume)"


MADE = {
    "a folder of its own": ("os.makedirs('/data/uploads')", ("/data",)),
    "below a folder of the system": ("os.makedirs('/var/lib/jobs')", ("/var/lib/jobs",)),
    "below the application's own": ("os.makedirs('up/today')", ("/app/up",)),
    "a folder for all": ("os.makedirs('/tmp/up')", ()),
    "a folder of the system's settings": ("os.makedirs('/etc/jobs')", ()),
    "one that is not known": ("os.makedirs(folder)", ("/app",)),
    "the source's own": ("open('a.log', 'a')", ("/app",)),
}


@pytest.mark.parametrize(("source", "trees"), MADE.values(), ids=MADE)
def test_a_folder_that_the_sources_make_is_made_ahead(
    view_of: Callable[..., ImageView], source: str, trees: tuple[str, ...]
) -> None:
    system = ("ADD rootfs", {**BASE[1], "/var/lib/dpkg/": File(folder=True), "/etc/passwd": ""})
    recipe = Recipe(
        (system, ("COPY . .", {"/app/a.py": f"import os\n{source}\n"})), {"WorkingDir": "/app"}
    )
    assert writable(Evidence(view_of(recipe, 1), SystemPackages())).trees == trees


def test_a_folder_that_the_run_made_is_made_ahead_and_the_one_above_stays_closed(
    view_of: Callable[..., ImageView],
) -> None:
    recipe = Recipe(
        (("ADD rootfs", {"/var/lib/dpkg/": File(folder=True)}), ("COPY . .", {"/app/a": ""})), {}
    )
    seen = Seen(written=("/var/lib/jobs", "/var/lib/jobs/state.json"))
    owned = writable(Evidence(view_of(recipe, 1), SystemPackages(), seen))
    assert (owned.trees, owned.paths) == (("/app", "/var/lib/jobs"), ())


READS = {"/app/a.py": "print(open('a.txt').read())\n", "/app/a.txt": "x"}
WROTE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "nothing": ((), ()),
    "bytecode": (("/app/__pycache__", "/app/__pycache__/a.pyc"), ()),
    "a new folder": (("/app/data", "/app/data/x.db"), ("/app/data",)),
    "beside the source": (("/app/x.db",), ("/app",)),
    "one of the source's files": (("/app/a.txt",), ("/app",)),
    "a folder that holds some": (("/app/lib/x",), ("/app",)),
    "elsewhere": (("/var/lib/jobs", "/var/lib/jobs/x"), ("/var/lib/jobs",)),
}


@pytest.mark.parametrize(("written", "trees"), WROTE.values(), ids=WROTE)
def test_sources_that_write_nothing_stay_roots_but_for_what_the_run_wrote(
    view_of: Callable[..., ImageView], written: tuple[str, ...], trees: tuple[str, ...]
) -> None:
    system = ("ADD rootfs", {**BASE[1], "/var/lib/dpkg/": File(folder=True)})
    files = {**READS, "/app/lib/b.py": "1\n"}
    recipe = Recipe((system, ("COPY . .", files)), {"WorkingDir": "/app"})
    seen = Seen(written=written)
    assert writable(Evidence(view_of(recipe, 1), SystemPackages(), seen)).trees == trees


def test_a_folder_that_the_author_made_for_data_is_the_users(
    view_of: Callable[..., ImageView],
) -> None:
    made = ("RUN mkdir /app/uploads", {"/app/uploads": File(folder=True)})
    recipe = Recipe((BASE, ("COPY . .", READS), made), {"WorkingDir": "/app"})
    assert writable(Evidence(view_of(recipe, 1), SystemPackages())).trees == ("/app/uploads",)


def test_where_an_earlier_run_could_not_write_the_sources_are_the_users_again(
    view_of: Callable[..., ImageView],
) -> None:
    recipe = Recipe((BASE, ("COPY . .", READS)), {"WorkingDir": "/app"})
    evidence = Evidence(view_of(recipe, 1), SystemPackages())
    assert writable(evidence).trees == ()
    assert writable(evidence, ["/app"]).trees == ("/app",)
