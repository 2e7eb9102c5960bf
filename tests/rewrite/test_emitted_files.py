"""The files that the samples end with, as `make samples` kept them: nothing in them is of one build,
one release or one machine."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path

import pytest

from imgopt.dockerfile import parse
from imgopt.dockerfile.typed import Copy

RESULTS = Path(__file__).parent.parent.parent / "benchmarks" / "results" / "samples"
FILES = {
    f"{path.name.partition('.')[0]} {variant['name']}": (
        result["original"]["dockerfile"],
        variant["dockerfile"],
    )
    for path in sorted(RESULTS.glob("*.json.xz"))
    for result in [json.loads(lzma.decompress(path.read_bytes()))]
    for variant in result["variants"]
    if variant["verdict"] == "proven"
}
OF_ONE_BUILD = {
    "a date": r"\b20\d\d-\d\d-\d\d\b",
    "a hash": r"(?<![\w@:])[0-9a-f]{12,}\b",
    "a version of a library": r"\.so\.\d",
    "an architecture": r"x86_64|aarch64|amd64|arm64",
    "this tool's name": r"(?i)imgopt",
    "a mark for a linter that nobody runs": r"hadolint",
}
DRAWN_BY_THE_AUTHORS_TOOL = {"poetry-colours"}
"""Poetry names its environment by a hash of the project's path: paths of the application stay."""
MOST_SOURCES = 8


@pytest.mark.parametrize("what", OF_ONE_BUILD)
@pytest.mark.parametrize("name", FILES)
def test_nothing_of_one_build_stands_in_it(name: str, what: str) -> None:
    original, text = FILES[name]
    said = set(original.splitlines())
    lines = [line for line in text.splitlines() if line not in said]
    assert not [line for line in lines if re.search(OF_ONE_BUILD[what], line)]


@pytest.mark.parametrize("name", FILES)
def test_no_copy_names_file_by_file(name: str) -> None:
    copies = [item.typed for item in parse(FILES[name][1]).instructions]
    assert all(len(each.sources) <= MOST_SOURCES for each in copies if isinstance(each, Copy))
