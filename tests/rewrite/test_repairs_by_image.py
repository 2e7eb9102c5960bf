"""What is added after a failure: what the failure names, as far as the original has it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.failures import Item, Kind
from imgopt.inspect.image_view import ImageView
from imgopt.loop.repair import asks_for, repair
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.strategy import Repairs

FILES = {
    "usr/bin/xz": File("elf", 0o755),
    "usr/lib/x86_64-linux-gnu/libpq.so.5": "elf",
    "usr/local/lib/python3.11/idlelib/__init__.py": "",
    "srv/uploads": File(folder=True),
    "srv/README.md": "x",
}
OWNERS = {"/usr/bin/xz": "xz-utils", "/usr/lib/x86_64-linux-gnu/libpq.so.5": "libpq5"}
Learns = Callable[..., tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]


@pytest.fixture
def learns(view_of: Callable[..., ImageView]) -> Learns:
    evidence = Evidence(view_of(Recipe((("ADD rootfs", FILES),), {})), SystemPackages(OWNERS))

    def learn(
        kind: Kind, subject: str, path: str = "", **more: bool
    ) -> tuple[tuple[str, ...], ...]:
        found = repair(Repairs(), [Item(kind, subject, path, "/srv/app.py")], evidence, **more)
        again = repair(found.repairs, [Item(kind, subject, path, "/srv/app.py")], evidence, **more)
        assert again.words == (), "what is known is not learned twice"
        assert bool(found.words) == (found.repairs != Repairs())
        return found.repairs.packages, found.repairs.paths, found.repairs.writable

    return learn  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("kind", "subject", "path", "learned"),
    [
        ("missing-command", "xz", "", (("xz-utils",), (), ())),
        ("missing-library", "libpq.so.5", "", (("libpq5",), (), ())),
        (
            "missing-module",
            "idlelib",
            "/usr/local/lib/python3.11/idlelib",
            ((), ("/usr/local/lib/python3.11/idlelib",), ()),
        ),
        ("missing-file", "/srv/README.md", "", ((), ("/srv/README.md",), ())),
        ("not-writable", "/srv/uploads", "", ((), (), ("/srv/uploads",))),
        ("permission", "/srv/README.md", "", ((), (), ("/srv",))),
        ("missing-command", "nowhere", "", ((), (), ())),
        ("missing-file", "/srv/none", "", ((), (), ())),
        ("not-writable", "database", "", ((), (), ())),
        ("answer", "GET :8000/", "", ((), (), ())),
    ],
)
def test_a_failure_teaches_what_it_names(
    kind: Kind, subject: str, path: str, learned: tuple[tuple[str, ...], ...], learns: Learns
) -> None:
    assert learns(kind, subject, path) == learned


def test_a_base_without_packages_gets_the_file_itself(learns: Learns) -> None:
    assert learns("missing-command", "xz", installs=False) == ((), ("/usr/bin/xz",), ())


@pytest.mark.parametrize(
    ("item", "asked"),
    [
        (Item("missing-file", "/app/node_modules/ms/index.js"), True),
        (Item("missing-module", "ms", "/app/node_modules/ms"), True),
        (Item("missing-file", "/app/node_modules/express/index.js"), False),
        (Item("not-writable", "/app/node_modules/ms"), False),
    ],
)
def test_what_the_plan_took_out_of_the_builder_cannot_be_copied_from_it(
    item: Item, asked: bool
) -> None:
    assert asks_for({"/app/node_modules/ms/index.js": "a development package"}, [item]) is asked
