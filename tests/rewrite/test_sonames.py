"""One copy of each library, under the name that programs ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe, elf

from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.final.sonames import named_once

USR = "usr/lib/x86_64-linux-gnu"
MERGED_USR = {
    "lib": File(link="usr/lib"),
    f"{USR}/libz.so.1": File(link="libz.so.1.2.13"),
    f"{USR}/libz.so.1.2.13": elf(soname="libz.so.1"),
    f"{USR}/libblas.so.3": File(link="/etc/alternatives/libblas"),
    "etc/alternatives/libblas": File(link=f"/{USR}/blas/libblas.so.3"),
    f"{USR}/blas/libblas.so.3": elf(soname="libblas.so.3"),
    f"{USR}/ld-linux-x86-64.so.2": elf(soname="ld-linux-x86-64.so.2"),
    "lib64": File(link="usr/lib/x86_64-linux-gnu"),
    "etc/ssl/openssl.cnf": "x",
}


@pytest.mark.parametrize(
    ("asked", "copied"),
    [
        (["/lib/x86_64-linux-gnu/libz.so.1", f"/{USR}/libz.so.1.2.13"], [f"/{USR}/libz.so.1"]),
        ([f"/{USR}/libz.so.1.2.13"], [f"/{USR}/libz.so.1"]),
        (["/lib/x86_64-linux-gnu/libblas.so.3"], [f"/{USR}/libblas.so.3"]),
        (["/lib64/ld-linux-x86-64.so.2"], ["/lib64/ld-linux-x86-64.so.2"]),
        (["/etc/ssl/openssl.cnf"], ["/etc/ssl/openssl.cnf"]),
    ],
)
def test_a_library_is_copied_once_under_its_own_name(
    asked: list[str], copied: list[str], view_of: Callable[..., ImageView]
) -> None:
    view = view_of(Recipe((("ADD", MERGED_USR),), {}))
    assert list(named_once(view, dict.fromkeys(asked, "x"))) == copied
