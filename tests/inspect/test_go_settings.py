"""Which linker flags of a Go program count as a difference: those that put values into it."""

from __future__ import annotations

import pytest

from imgopt.inspect.files.contents import program_settings

BUILT = [
    "path\texample.org/a",
    "mod\texample.org/a\t(devel)\t",
    "dep\texample.org/b\tv1.2.3\th1:x=",
    "build\tGOOS=linux",
]


@pytest.mark.parametrize("flags", ['"-s -w"', "-s", '"-w -extldflags=-static"'])
def test_flags_that_only_strip_or_link_are_no_setting(flags: str) -> None:
    assert program_settings([*BUILT, f"build\t-ldflags={flags}"]) == program_settings(BUILT)


def test_values_that_the_linker_puts_in_are_settings() -> None:
    one = program_settings([*BUILT, 'build\t-ldflags="-s -X main.version=1"'])
    assert one == program_settings([*BUILT, "build\t-ldflags=\"-w -X 'main.version=1'\""])
    assert one != program_settings([*BUILT, 'build\t-ldflags="-X main.version=2"'])
    assert one != program_settings(BUILT)
