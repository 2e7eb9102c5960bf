"""The loader's search on real ELF files, made by hand: a header, a dynamic section and its
strings."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping

import pytest
from recipes import File, Recipe, elf

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.libraries import library_path
from imgopt.inspect.system.loader import Loader, default_folders, read_cache
from imgopt.proof.allowances import Allowances
from imgopt.proof.checks.library_closure import check_library_closure


def cache(entries: Mapping[str, str]) -> File:
    """/etc/ld.so.cache in glibc's new format."""
    strings, rows = bytearray(), []
    start = 48 + 24 * len(entries)
    for name, path in entries.items():
        key = start + len(strings)
        strings += name.encode() + b"\0"
        value = start + len(strings)
        strings += path.encode() + b"\0"
        rows.append(struct.pack("<iIIIQ", 0x303, key, value, 0, 0))
    head = b"glibc-ld.so.cache1.1" + struct.pack("<II", len(entries), len(strings)) + bytes(20)
    return File(head + b"".join(rows) + bytes(strings))


LOADER = "/lib64/ld-linux-x86-64.so.2"
SYSTEM = {
    "lib64/ld-linux-x86-64.so.2": elf(),
    "lib/x86_64-linux-gnu/libc.so.6": elf(soname="libc.so.6"),
}


def found(
    view_of: Callable[..., ImageView], files: Mapping[str, File], **config: object
) -> list[str]:
    """What the candidate lacks, where the original has everything at its default place."""
    complete = {**SYSTEM, **files, "usr/lib/x86_64-linux-gnu/libx.so.1": elf(soname="libx.so.1")}
    original = view_of(Recipe((("COPY", complete),), dict(config)))
    candidate = view_of(Recipe((("COPY", {**SYSTEM, **files}),), dict(config)))
    return [item.subject for item in check_library_closure(original, candidate, Allowances()).items]


def closure(view: ImageView, paths: Iterable[str]) -> dict[str, str]:
    """Paths of all libraries that these files need, directly or not, each with the file that asked
    for it first."""
    found: dict[str, str] = {}
    queue = list(paths)
    seen = set(queue)
    while queue:
        path = queue.pop()
        node = view.file(path)
        elf = view.elf(node) if node is not None else None
        if node is None or elf is None:
            continue
        wanted = [library_path(view, node, elf, name) for name in elf.needed]
        for library in (*wanted, elf.interpreter):
            if library and library not in seen:
                seen.add(library)
                queue.append(library)
                found[library] = path
    return found


@pytest.mark.parametrize(
    ("files", "env"),
    [
        ({"app/a": elf("libx.so.1", runpath="$ORIGIN/../lib"), "lib/libx.so.1": elf()}, []),
        ({"app/a": elf("libx.so.1", rpath="${ORIGIN}/own"), "app/own/libx.so.1": elf()}, []),
        ({"app/a": elf("libx.so.1"), "opt/x/libx.so.1": elf()}, ["LD_LIBRARY_PATH=/opt/x:/none"]),
        (
            {
                "app/a": elf("libx.so.1"),
                "o/libx.so.1": elf(),
                "etc/ld.so.cache": cache({"libx.so.1": "/o/libx.so.1"}),
            },
            [],
        ),
        ({"app/a": elf("/abs/libx.so.1"), "abs/libx.so.1": elf()}, []),
        (
            {
                "app/a": elf("libx.so.1"),
                "usr/lib/libx.so.1": File(link="libx.so.1.2"),
                "usr/lib/libx.so.1.2": elf(),
            },
            [],
        ),
    ],
    ids=["runpath", "rpath", "environment", "cache", "path", "link"],
)
def test_a_library_is_found_where_the_loader_looks(
    files: dict[str, File], env: list[str], view_of: Callable[..., ImageView]
) -> None:
    assert found(view_of, files, Env=env) == []


@pytest.mark.parametrize(
    "files",
    [
        {"app/a": elf("libx.so.1")},
        {"app/a": elf("libx.so.1"), "usr/local/lib/libx.so.1": elf()},
        {"app/a": elf("libx.so.1"), "o/libx.so.1": elf(), "etc/ld.so.conf.d/x.conf": File("/o\n")},
        {"app/a": elf("libx.so.1"), "etc/ld.so.cache": cache({"libx.so.1": "/gone/libx.so.1"})},
        {"app/a": elf("libx.so.1", rpath="/r", runpath="/other"), "r/libx.so.1": elf()},
        {"app/a": elf("libx.so.1"), "usr/lib/libx.so.1": File(link="libx.so.1.2")},
    ],
    ids=[
        "nowhere",
        "not a default folder",
        "no ldconfig",
        "stale cache",
        "rpath beside runpath",
        "dangling link",
    ],
)
def test_a_library_elsewhere_is_missing(
    files: dict[str, File], view_of: Callable[..., ImageView]
) -> None:
    assert found(view_of, files) == ["libx.so.1"]


def test_a_missing_loader_is_a_missing_library(view_of: Callable[..., ImageView]) -> None:
    program = {"app/server": elf("libc.so.6", interpreter=LOADER)}
    original = view_of(Recipe((("COPY", {**SYSTEM, **program}),), {}))
    candidate = view_of(Recipe((("COPY", program),), {}))
    items = check_library_closure(original, candidate, Allowances()).items
    assert [(item.subject, item.needed_by) for item in items] == [
        (LOADER, "/app/server"),
        ("libc.so.6", "/app/server"),
    ]
    assert items[1].path == "/lib/x86_64-linux-gnu/libc.so.6"


def test_what_was_missing_before_is_no_difference(view_of: Callable[..., ImageView]) -> None:
    files = {**SYSTEM, "app/a": elf("libnever.so")}
    moved = {**SYSTEM, "srv/a": elf("libnever.so")}
    for candidate in (files, moved):
        sides = view_of(Recipe((("COPY", files),), {})), view_of(Recipe((("COPY", candidate),), {}))
        assert check_library_closure(*sides, Allowances()).verdict == "passed"


def test_what_the_base_ships_incomplete_passes_until_it_is_opened(
    view_of: Callable[..., ImageView],
) -> None:
    part = {"usr/lib/python3/_tkinter.so": elf("libtk.so")}
    full = Recipe(
        (("ADD", {**SYSTEM, **part, "usr/lib/libtk.so": elf()}), ("COPY . .", {"app/x": "x"})), {}
    )
    slim = Recipe((("ADD", {**SYSTEM, **part}), ("COPY . .", {"app/x": "x"})), {})
    original, candidate = view_of(full, 1), view_of(slim, 1)
    assert check_library_closure(original, candidate, Allowances()).verdict == "passed"
    opened = frozenset({"/usr/lib/python3/_tkinter.so"})
    assert (
        check_library_closure(original, candidate, Allowances(), opened=opened).verdict == "failed"
    )


def test_musl_looks_into_its_path_file(view_of: Callable[..., ImageView]) -> None:
    files = {
        "lib/ld-musl-x86_64.so.1": elf(),
        "app/a": elf("libc.musl-x86_64.so.1", "libx.so.1", "liby.so"),
        "etc/ld-musl-x86_64.path": File("/opt/lib\n"),
        "opt/lib/libx.so.1": elf(),
    }
    view = view_of(Recipe((("ADD", files),), {}))
    node = view.file("/app/a")
    assert node is not None
    found = view.elf(node)
    assert found is not None
    assert [library_path(view, node, found, name) for name in found.needed] == [
        "/lib/ld-musl-x86_64.so.1",
        "/opt/lib/libx.so.1",
        None,
    ]


def test_a_damaged_cache_is_an_empty_one() -> None:
    assert read_cache(b"glibc-ld.so.cache1.1" + b"\xff" * 28) == {}
    assert read_cache(b"") == {}
    whole = cache({"a": "/a"}).data
    assert isinstance(whole, bytes)
    assert read_cache(whole) == {"a": ["/a"]}
    assert all(isinstance(read_cache(whole[:size]), dict) for size in range(len(whole)))


def test_the_first_folder_wins() -> None:
    there = {"/one/l.so", "/two/l.so", "/usr/lib/l.so"}
    loader = Loader(there.__contains__, {}, ("/one",))
    assert loader.find("l.so", "x86_64", "/app", ["/two"]) == "/one/l.so"
    assert loader.find("l.so", "x86_64", "/app", [], ["/two"]) == "/two/l.so"
    assert default_folders("aarch64")[0] == "/lib/aarch64-linux-gnu"
