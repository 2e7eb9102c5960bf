"""Which Go programs were built of the image's own source, and which of them cannot do without C."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import File, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.inspect.files.contents import c_packages, compare_contents
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.final.go_programs import go_programs
from imgopt.rewrite.go_examples import PUBLISHED, go_program
from imgopt.rewrite.strategy import Change, ContextFiles, Project, Situation, Skip
from imgopt.strategies import static_link, strip_symbols

DOCKERFILE = "FROM golang:1.22\nWORKDIR /app\nCOPY . .\nRUN go build -o main .\nCMD ./main\n"


def situation(view: ImageView) -> Situation:
    evidence = Evidence(view, SystemPackages())
    return Situation(
        Project(ContextFiles(Path("/nowhere"), {}), builtin_ecosystems(), evidence=evidence),
        parse(DOCKERFILE),
    )


@pytest.fixture
def image(view_of: Callable[..., ImageView]) -> Callable[..., ImageView]:
    def make(**programs: bytes) -> ImageView:
        files = {f"/app/{name}": File(data, 0o755) for name, data in programs.items()}
        shell = {"/bin/sh": File(b"#!", 0o755)}
        return view_of(
            Recipe(
                (("ADD rootfs", shell), ("RUN go build", files)),
                {"Cmd": ["/bin/sh", "-c", "./main"]},
            ),
            1,
        )

    return make


def test_programs_of_the_source_are_found_whatever_starts_them(
    image: Callable[..., ImageView],
) -> None:
    view = image(
        main=go_program(),
        tool=go_program(PUBLISHED),
        script=b"#!/bin/sh\n",
        other=b"\x7fELF\2\1\1" + bytes(200),
    )
    assert [node.path for node in go_programs(Evidence(view, SystemPackages()))] == ["/app/main"]


C = b"\0main.main\0net._Cfunc_getaddrinfo\0example.org/sqlite._Cfunc_open\0"


def test_packages_that_call_c_are_read_from_the_names_of_functions(
    image: Callable[..., ImageView],
) -> None:
    view = image(main=go_program(functions=bytes(1 << 20) + C), plain=go_program(functions=C[:30]))
    nodes = [view.file("/app/main"), view.file("/app/plain")]
    assert [c_packages(node) for node in nodes if node] == [
        frozenset(["example.org/sqlite"]),
        frozenset(),
    ]


def test_a_program_that_lost_its_c_is_another_program(image: Callable[..., ImageView]) -> None:
    one, other = image(main=go_program(functions=C)), image(main=go_program(functions=C[:30]))
    same = image(main=go_program(functions=C + b"\0more"))
    node = one.file("/app/main")
    found = [compare_contents(one, node, view, view.file("/app/main")) for view in (other, same)]  # type: ignore[arg-type]
    assert found == ["different", "rebuilt"]


def test_a_program_behind_a_shell_is_linked_statically_and_stripped(
    image: Callable[..., ImageView],
) -> None:
    there = situation(image(main=go_program(functions=C[:30])))
    assert [type(found) for found in static_link.STRATEGY.rewrite(there)] == [Change]
    assert [type(found) for found in strip_symbols.STRATEGY.rewrite(there)] == [Change]


REFUSED = {
    "a package that calls C": (
        go_program(functions=C),
        "example.org/sqlite, a part of /app/main, calls C",
    ),
    "a library of its own": (go_program(needed=b"libvips.so.42"), "needs libvips.so.42"),
    "static already": (go_program(needed=b""), "needs no library already"),
    "of a published module": (
        go_program(PUBLISHED),
        "no Go program that was built from its source",
    ),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_needs_c_is_not_linked_statically(
    image: Callable[..., ImageView], data: bytes, reason: str
) -> None:
    (found,) = static_link.STRATEGY.rewrite(situation(image(main=data)))
    assert isinstance(found, Skip)
    assert reason in found.reason


def test_one_program_of_several_that_needs_c_is_enough(image: Callable[..., ImageView]) -> None:
    view = image(main=go_program(), worker=go_program(functions=C))
    (found,) = static_link.STRATEGY.rewrite(situation(view))
    assert isinstance(found, Skip)
    assert "/app/worker" in found.reason
