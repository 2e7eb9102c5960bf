"""What a RUN makes on purpose is wanted: empty folders wherever they are, with their owner and mode,
files where programs keep data. What must not change comes first."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from recipes import File, Files, Recipe, elf

from imgopt.image import Image
from imgopt.inspect.files.application_files import made_by_author
from imgopt.inspect.image_view import ImageView
from imgopt.proof.checks.lost_rights import lost_rights
from imgopt.rewrite.draft import Draft
from imgopt.rewrite.final.fates import Carved, drop_rules
from imgopt.rewrite.final.final_stage import FinalStage
from imgopt.rewrite.plan import _wants_a_shell

from .unasked import FAT, Service

MAIN = "print(1)\n"
FOLDER = File(folder=True, mode=0o755)


@pytest.fixture
def service(image_of: Callable[[Recipe], Image], tmp_path: Path) -> Service:
    return Service(image_of, tmp_path)


def made(service: Service, step: str, files: Files) -> frozenset[str]:
    return made_by_author(ImageView(*service.original({"main.py": MAIN}, ((step, files),))))


@pytest.mark.parametrize(
    ("step", "files"),
    [
        ("RUN npm ci", {"usr/local/lib/x/empty": FOLDER}),
        ("RUN mkdir -p /data && yarn", {"root/.yarn/berry/index/0a": FOLDER}),
        ("RUN mkdir -p /data && ./make", {"tmp/x1y2": FOLDER}),
        (
            "RUN apt-get install -y cron && mkdir /data",
            {"var/spool/cron": FOLDER, "var/lib/dpkg/status": "x"},
        ),
        ("RUN apt-get update", {"var/log/dpkg.log": "x"}),
        ("RUN mkdir /proc/x", {"proc/x": FOLDER}),
        ("RUN make > /dev/null", {"usr/share/x/y": "z"}),
    ],
)
def test_what_tools_and_packages_leave_behind_is_not_the_author_s(
    service: Service, step: str, files: Files
) -> None:
    assert made(service, step, files) == frozenset()


@pytest.mark.parametrize(
    ("step", "path"),
    [
        ("RUN mkdir -p /var/spool/inbox", "var/spool/inbox"),
        ("RUN install -d -o 7 /etc/inbox", "etc/inbox"),
        ("RUN mkdir /var/log/app", "var/log/app"),
        ("RUN mkdir -p /tmp/uploads && chmod 777 /tmp/uploads", "tmp/uploads"),
        ("RUN mkdir -p /run/app", "run/app"),
        ("RUN mkdir -p /mnt/data", "mnt/data"),
        ("RUN mkdir -m 700 /var/cache/app", "var/cache/app"),
        ("RUN mkdir -p ${DATA}/inbox", "var/lib/inbox"),
    ],
)
def test_a_folder_that_the_author_makes_is_kept_and_the_user_may_write_there(
    service: Service, step: str, path: str
) -> None:
    assert made(service, step, {path: FOLDER}) == {f"/{path}"}
    for kind in ("slim", "distroless"):
        planned = service.plan({"main.py": MAIN}, ((step, {path: FOLDER}),), kind=kind)
        user = "10001" if kind == "slim" else "65532"
        lines = [line for line in planned.text.splitlines() if f"/{path}" in line]
        assert any(user in line for line in lines), planned.text


def test_a_link_that_the_author_chose_is_kept_also_beside_an_installation(service: Service) -> None:
    files: Files = {
        "usr/bin/editor": File(link="/etc/alternatives/editor"),
        "etc/alternatives/editor": File(link="/usr/bin/env"),
        "etc/alternatives/pager": File(link="/usr/bin/env"),
        "var/lib/dpkg/status": "x",
    }
    step = "RUN apt-get install -y vim && update-alternatives --set editor /usr/bin/env"
    assert made(service, step, files) == {"/usr/bin/editor", "/etc/alternatives/editor"}
    assert made(service, "RUN apt-get install -y vim", files) == frozenset()
    text = service.plan({"main.py": MAIN}, ((step, files),)).text
    assert "/etc/alternatives/editor" in text
    assert "/etc/alternatives/pager" not in text


def test_files_for_data_and_links_to_the_log_of_the_container_are_kept(service: Service) -> None:
    steps: tuple[tuple[str, Files], ...] = (
        ("RUN touch /var/log/app.log", {"var/log/app.log": ""}),
        (
            "RUN ln -sf /dev/stdout /var/log/web/access.log",
            {"var/log/web/access.log": File(link="/dev/stdout")},
        ),
    )
    text = service.plan({"main.py": MAIN}, steps).text
    assert "/var/log/app.log" in text
    assert "--chown=10001:10001 /var/log/app.log /var/log/app.log" in text
    assert "/var/log/web /var/log/web" in text


@pytest.mark.parametrize(
    ("folder", "attributes"),
    [
        (File(folder=True, mode=0o2770, gid=1600), "-o 10001 -g 1600 -m 2771"),
        (File(folder=True, mode=0o1777), "-m 1777"),
        (File(folder=True, mode=0o700), "-m 711"),
    ],
)
def test_a_folder_s_mode_and_group_come_along(
    service: Service, folder: File, attributes: str
) -> None:
    steps = (("RUN mkdir /srv/pool && chmod 700 /srv/pool", {"srv/pool": folder}),)
    final = service.plan({"main.py": MAIN}, steps).final
    assert "install -d" in final
    assert attributes in final


def test_the_proof_misses_the_right_to_write_into_a_folder_that_was_made_empty(
    service: Service,
) -> None:
    steps = (("RUN mkdir /etc/inbox /var/spool/in", {"etc/inbox": FOLDER, "var/spool/in": FOLDER}),)
    original, candidate, _ = service.sides({"main.py": MAIN}, steps, User="1000")
    as_root = ImageView(*service.original({"main.py": MAIN}, steps))
    identity = candidate.identity
    assert identity is not None
    lost = {item.path for item in lost_rights(as_root, candidate, identity)}
    assert {"/etc/inbox", "/var/spool/in"} <= lost
    assert not {"/etc/inbox"} & {item.path for item in lost_rights(original, original, identity)}


def test_logs_of_package_managers_still_go() -> None:
    from imgopt.context.ecosystems import builtin_ecosystems

    rules = drop_rules(builtin_ecosystems(), ["/root"], compiled=False)
    gone = ("/var/log/apt/term.log", "/var/log/dpkg.log", "/var/log/lastlog", "/var/log/dnf.log")
    kept = ("/var/log/app.log", "/var/log/nginx/access.log")
    found = [any(rule.covers(path) for rule in rules) for path in (*gone, *kept)]
    assert found == [True] * 4 + [False] * 2


def loader_cache(*paths: str) -> bytes:
    """An /etc/ld.so.cache with these libraries (sysdeps/generic/dl-cache.h)."""
    head, entry = struct.Struct("<20sIIBBBBIIII"), struct.Struct("<iIIIQ")
    start = head.size + entry.size * len(paths)
    table, entries = b"", b""
    for path in paths:
        name = path.rpartition("/")[2]
        entries += entry.pack(0x0303, start + len(table), start + len(table) + len(name) + 1, 0, 0)
        table += f"{name}\0{path}\0".encode()
    return head.pack(b"glibc-ld.so.cache1.1", len(paths), len(table), 2, 0, 0, 0, 0, 0, 0, 0) + (
        entries + table
    )


LIBRARY = "/usr/local/lib/libx.so.1"
SYSTEM_LIBRARY = "/usr/lib/x86_64-linux-gnu/libx.so.1"


@pytest.mark.parametrize(
    ("library", "cached", "runs"),
    [
        (LIBRARY, (LIBRARY,), True),
        ("/opt/x/lib/libx.so.1", ("/opt/x/lib/libx.so.1",), True),
        (LIBRARY, (), False),  # found by a path of its own
        (SYSTEM_LIBRARY, (SYSTEM_LIBRARY,), False),
        ("/app/lib/libx.so.1", (LIBRARY,), False),
    ],
)
def test_libraries_that_ldconfig_made_known_are_made_known_again(
    service: Service, library: str, cached: tuple[str, ...], runs: bool
) -> None:
    made: Files = {
        library[1:]: elf(soname="libx.so.1"),
        "etc/ld.so.cache": File(loader_cache(*cached)),
    }
    steps = (("RUN make install && ldconfig", made),)
    assert ("\nRUN ldconfig\n" in service.plan({"main.py": MAIN}, steps).final) == runs
    bare = service.plan({"main.py": MAIN}, steps, kind="distroless").final
    assert ("/etc/ld.so.cache" in bare) == runs


@pytest.mark.parametrize("shell", [True, False])
def test_a_stage_without_a_shell_is_not_asked_to_run_anything(
    service: Service, shell: bool
) -> None:
    base = {path: file for path, file in FAT.items() if shell or path != "bin/sh"}
    steps = (("RUN mkdir -p /var/spool/inbox", {"var/spool/inbox": FOLDER}),)
    plan = service.plan({"main.py": MAIN}, steps, kind="distroless", base=base).plan
    assert (plan.final is not None) == shell
    assert any("has no shell" in skip.reason for skip in plan.skips) != shell


BESIDE = "FROM a AS packages\nFROM packages AS production\nRUN mkdir /x\nFROM packages AS builder\n"


@pytest.mark.parametrize(
    ("text", "asked"), [(BESIDE, True), (BESIDE.replace("RUN mkdir /x\n", ""), False)]
)
def test_a_stage_beside_it_that_has_no_shell_either_is_asked_for_nothing(
    text: str, asked: bool
) -> None:
    """What one strategy wanted done may have moved to a stage of its own by another one."""
    final = FinalStage("builder", "b", False, Carved({}, {}))
    view = SimpleNamespace(has_shell=False)
    evidence = SimpleNamespace(view=view)
    project = SimpleNamespace(evidence=evidence, target=None)
    assert _wants_a_shell(Draft(text, (), final=final), cast(Any, project)) is asked
