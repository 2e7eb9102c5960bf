"""Libraries for a base without a package manager are found by the build, whatever is there then; no
library, version or architecture of one build stands in the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import File, Files, Recipe, elf

from imgopt.image import Image

from .unasked import ARCH, FAT, Planned, Service

MODULE = "usr/local/lib/python3.11/lib-dynload/_bz2.cpython-311-x86_64-linux-gnu.so"
SITE = "usr/local/lib/python3.11/site-packages"
LIBRARIES: Files = {
    MODULE: elf("libbz2.so.1.0"),
    f"{ARCH}/libbz2.so.1.0": File(link="libbz2.so.1.0.4"),
    f"{ARCH}/libbz2.so.1.0.4": elf("libdeep.so.2", soname="libbz2.so.1.0"),
    f"{ARCH}/libdeep.so.2": elf(soname="libdeep.so.2"),
}
MERGED: Files = {"lib": File(link="usr/lib")}


@pytest.fixture
def service(image_of: Callable[[Recipe], Image], tmp_path: Path) -> Service:
    return Service(image_of, tmp_path)


def planned(service: Service, more: Files, opened: tuple[str, ...] = (MODULE,)) -> Planned:
    return service.plan(
        {"main.py": "print(1)\n"},
        kind="distroless",
        base={**FAT, **LIBRARIES, **more},
        opened=frozenset("/" + path for path in opened),
    )


def test_a_service_that_needs_none_gets_no_step(service: Service) -> None:
    text = service.plan({"main.py": "print(1)\n"}, kind="distroless", opened=frozenset()).text
    assert "ldd" not in text
    assert "/staging" not in text


def test_no_name_of_a_library_stands_in_the_file(service: Service) -> None:
    found = planned(service, {})
    assert "COPY --from=builder /staging/root/ /" in found.final
    assert re.search(r"needed=\$\(find [^\n]*/usr/local/lib\b", found.text), found.text
    assert "libbz2" not in found.text
    assert "x86_64" not in found.text


def test_what_is_missing_later_fails_the_build(service: Service) -> None:
    assert "if echo \"$needed\" | grep 'not found'; then exit 1; fi" in planned(service, {}).text


def test_what_the_original_lacks_too_fails_no_build(service: Service) -> None:
    lacking = {f"{SITE}/gpu.so": elf("libcuda.so.1")}
    text = planned(service, lacking, (MODULE, f"{SITE}/gpu.so")).text
    assert "-exec ldd" in text
    assert "not found" not in text


def test_where_usr_is_merged_no_folder_lies_on_a_link(service: Service) -> None:
    assert 'cp --parents -L "/usr${file#/usr}" /staging/root' in planned(service, MERGED).text
    assert 'cp --parents -L "$file" /staging/root' in planned(service, {}).text


def test_a_library_that_is_loaded_by_its_name_is_looked_for_on_any_architecture(
    service: Service,
) -> None:
    more = {f"{ARCH}/libmagic.so.1": elf("libdeep.so.2", soname="libmagic.so.1")}
    text = planned(service, more, (MODULE, f"{ARCH}/libmagic.so.1")).text
    assert text.count("/usr/lib/*/libmagic.so.1") == 2
    assert "x86_64" not in text


def test_what_a_node_module_asks_for_is_found_though_it_is_no_program(service: Service) -> None:
    addon = f"{SITE}/addon.node"
    more = {addon: elf("libdeep.so.2")}
    assert "-name '*.node'" in planned(service, more, (MODULE, addon)).text
    assert "-name '*.node'" not in planned(service, {}).text


DRAWS = (("RUN make", {f"{SITE}/draw.so": elf("libtk8.6.so")}),)
CHECK = "RUN ! find /usr/local/lib"


def on_slim(service: Service, steps: tuple[tuple[str, Files], ...]) -> Planned:
    opened = frozenset(f"/{path}" for _, files in steps for path in files)
    return service.plan({"main.py": "print(1)\n"}, steps, opened=opened)


def test_where_packages_give_the_libraries_the_build_fails_without_one(service: Service) -> None:
    found = on_slim(service, DRAWS)
    assert found.installs("libtk8.6")
    assert CHECK in found.final
    assert found.final.index(CHECK) < found.final.index(" /app/\n")  # no edit makes it run again


def test_what_the_original_lacks_is_not_asked_for_by_the_build(service: Service) -> None:
    steps = (*DRAWS, ("RUN make", {f"{SITE}/gpu.so": elf("libcuda.so.1")}))
    assert CHECK not in on_slim(service, steps).final


def test_a_service_without_packages_of_the_system_is_not_checked(service: Service) -> None:
    assert "RUN ! find" not in service.plan({"main.py": "print(1)\n"}).final


@pytest.mark.parametrize(("interpreter", "comes"), [("python3.11", True), ("perl", False)])
def test_what_starts_programs_of_packages_comes_where_they_run_on_the_service_s_own_interpreter(
    interpreter: str, comes: bool, service: Service
) -> None:
    found = service.plan(
        {"main.py": "print(1)\n", "node_modules/.bin/tool": f"#!/usr/bin/env {interpreter}\n"},
        kind="distroless",
        base={**FAT, "usr/bin/env": elf(), "usr/bin/perl": elf()},
        opened=frozenset(),
    )
    assert ("/usr/bin/env /usr/bin/env" in found.final) is comes
    assert "/usr/bin/perl" not in found.final
