"""The main job on the samples: proven, and refuted as soon as the guard against a sample's trap is
off."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.config import load_config
from imgopt.engine import Session
from imgopt.loop.attempt import prove_plan
from imgopt.loop.original import measure_original
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.loop.run import optimize
from imgopt.strategies.variants import choose_variants

from .kit import ROOT, snapshot
from .lint import build_checks, hadolint, new

pytestmark = pytest.mark.engine


def without_runtime_packages(text: str) -> str:
    """Forgets the libraries that only the run needs."""
    lines = text.splitlines(keepends=True)
    start = max(
        index
        for index, line in enumerate(lines)
        if "apt-get update" in line and line.startswith("RUN")
    )
    end = next(
        index for index in range(start, len(lines)) if not lines[index].rstrip().endswith("\\")
    )
    return "".join(lines[:start] + lines[end + 1 :])


def without_dev_dependencies(text: str) -> str:
    """Leaves out what only the build needs, before the build."""
    return text.replace("npm install", "npm install --omit=dev", 1)


def without_templates(text: str) -> str:
    """Copies the program and forgets what it reads when it runs."""
    return re.sub(r"(?m)^(COPY --from=builder .*)/app /app$", r"\1/app/almanac /app/almanac", text)


TRAPS: dict[str, Callable[[str], str]] = {
    "flask-notes": without_runtime_packages,
    "express-links": without_dev_dependencies,
    "go-almanac": without_templates,
}


def request_for(sample: str, bases: dict[str, str]) -> OptimizeRequest:
    import msgspec

    folder = ROOT / "samples" / sample
    config, _ = load_config(folder)
    config = msgspec.structs.replace(config, bases={**bases, **config.bases})
    return OptimizeRequest(folder, folder / "Dockerfile", config, timings=False)


@pytest.mark.parametrize("sample", TRAPS)
def test_a_sample_gets_a_proven_multi_stage_variant(
    sample: str, session: Session, bases: dict[str, str]
) -> None:
    request = request_for(sample, bases)
    before = snapshot(request.context)
    result = optimize(session, request, Silent())
    proven = {variant.name: variant for variant in result.variants if variant.verdict == "proven"}
    assert "slim" in proven, [
        (v.name, v.reason, [c for c in v.checks if c.verdict != "passed"]) for v in result.variants
    ]
    slim = proven["slim"]
    assert result.original.sizes is not None and slim.sizes is not None
    assert slim.dockerfile.count("FROM ") >= 2
    assert (slim.sizes.wire or 0) * 3 < (result.original.sizes.wire or 0)
    assert slim.user not in ("", "root", "0")
    before_lint = hadolint(result.original.dockerfile)
    before_checks = build_checks(result.original.dockerfile, request.context, bases)
    for name, variant in proven.items():
        # what stands marked where the author lints: versions are the distribution's, and of a pipe
        # the last command decides
        said = new(before_lint, hadolint(variant.dockerfile))
        assert said.keys() <= {"DL3008", "DL4006"}, name
        assert new(before_checks, build_checks(variant.dockerfile, request.context, bases)) == {}, (
            name
        )
        assert len(variant.dockerfile.splitlines()) <= (
            1.5 * len(result.original.dockerfile.splitlines()) + 12
        ), name
    assert snapshot(request.context) == before


@pytest.mark.parametrize("sample", TRAPS)
def test_the_proof_refutes_a_sample_without_the_guard_for_its_trap(
    sample: str, session: Session, bases: dict[str, str]
) -> None:
    request = request_for(sample, bases)
    original = measure_original(session, request, request.source(), Silent())
    kind = choose_variants(["slim"])[0]
    guarded = prove_plan(session, request, original, kind, Silent())
    assert guarded.verdict == "proven"
    careless = prove_plan(session, request, original, kind, Silent(), spoil=TRAPS[sample])
    assert careless.verdict == "refuted", careless


def test_sample_folders_have_a_naive_dockerfile() -> None:
    for sample in TRAPS:
        text = (Path(ROOT) / "samples" / sample / "Dockerfile").read_text()
        assert text.count("FROM ") == 1
        assert "COPY . ." in text
