"""`imgopt optimize --all`: a part for each build, and a summary."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.cli.every import optimize_every
from imgopt.cli.options import BuildOptions
from imgopt.errors import FindingsError, InputError
from imgopt.report import render
from imgopt.results import from_json, to_json
from imgopt.results.optimize import OptimizeResult, Original
from imgopt.results.stack import StackResult

COMPOSE = "services:\n  web: {build: web}\n  api: {build: api}\n  db: {image: postgres}\n"


def _optimized(build: BuildOptions, out: Path | None) -> OptimizeResult:
    if build.service == "api":
        raise FindingsError("the build failed")
    assert out is not None and out.name == build.service
    return OptimizeResult(
        context="web",
        dockerfile="Dockerfile",
        verdict="good",
        message="this file is good",
        original=Original(image="x"),
    )


@pytest.fixture
def stack(tmp_path: Path) -> StackResult:
    folder = tmp_path / "shop"
    for name in ("web", "api"):
        (folder / name).mkdir(parents=True)
        (folder / name / "Dockerfile").write_text("FROM busybox\n")
    (folder / "compose.yaml").write_text(COMPOSE)
    return optimize_every(folder, BuildOptions(), tmp_path / "out", _optimized)


def test_each_build_is_a_part_and_a_failure_is_one_too(stack: StackResult) -> None:
    assert [(part.name, part.failure) for part in stack.parts] == [
        ("web", ""),
        ("api", "the build failed"),
    ]
    assert from_json(to_json(stack), StackResult) == stack


def test_the_summary_stands_above_the_parts(stack: StackResult) -> None:
    lines = render(stack, "text").splitlines()
    assert lines[:3] == [
        "shop: 2 builds in compose.yaml, 1 proven or good",
        "  web: good: this file is good",
        "  api: no result: the build failed",
    ]
    page = render(stack, "markdown")
    assert page.startswith("## shop: 2 builds in compose.yaml") and "| api | no result" in page


def test_a_name_beside_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--all takes every build"):
        optimize_every(tmp_path, BuildOptions(service="web"), None, _optimized)
    with pytest.raises(InputError, match="neither a Compose nor a Bake file"):
        optimize_every(tmp_path, BuildOptions(), None, _optimized)
