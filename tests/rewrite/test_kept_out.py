"""Where files of the context would be in the image, had the new ignore file not kept them out."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.rewrite.ignored.hidden_paths import kept_out
from imgopt.rewrite.strategy import ContextFiles, Project, Situation

CASES = {
    "copied here": ("FROM a\nWORKDIR /app\nCOPY . .\n", {"/app/.github/ci.yml"}),
    "copied from a stage": (
        "FROM a AS build\nWORKDIR /build\nADD . .\nFROM b\nWORKDIR /app\nCOPY --from=build /build /app\n",
        {"/build/.github/ci.yml", "/app/.github/ci.yml"},
    ),
    "from a stage by its number": (
        "FROM a\nCOPY . /build\nFROM b\nCOPY --from=0 /build/.github /ci\n",
        {"/build/.github/ci.yml", "/ci/ci.yml"},
    ),
    "from another image": (
        "FROM a AS build\nCOPY . /build\nFROM b\nCOPY --from=c /build /app\n",
        {"/build/.github/ci.yml"},
    ),
    "another folder of the stage": (
        "FROM a AS build\nCOPY . /build\nFROM b\nCOPY --from=build /build/bin /app\n",
        {"/build/.github/ci.yml"},
    ),
}


@pytest.mark.parametrize(("text", "found"), CASES.values(), ids=CASES)
def test_what_the_ignore_file_keeps_out_is_gone_wherever_it_is_copied_to(
    text: str, found: set[str]
) -> None:
    context = ContextFiles(Path("/nowhere"), {"main.go": 1, ".github/ci.yml": 1, "bin/x": 1})
    situation = Situation(Project(context, builtin_ecosystems()), parse(text), ignore=".github\n")
    assert kept_out(situation) == found
