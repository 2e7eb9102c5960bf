"""Every sample is whole, and is built and answers as its settings say.

The engine tests take the three samples that the demo and the loop's own tests build on;
IMGOPT_ALL_SAMPLES=1 takes all of them, which needs `samples/bases/bases.py --all` and some ten
minutes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.config import load_config
from imgopt.dockerfile import Dockerfile, parse
from imgopt.engine import BuildRequest, Session
from imgopt.run.observe import observe
from imgopt.run.settings import SmokeSettings

FOLDER = Path(__file__).parents[2] / "samples"
SAMPLES = sorted(path.parent.name for path in FOLDER.glob("*/Dockerfile"))
BUILT = SAMPLES if os.environ.get("IMGOPT_ALL_SAMPLES") else ["express-links", "flask-notes", "go-almanac"]
PROGRAMS_THAT_END = {"good-c", "good-rust"}
LOCKS = {
    "package.json": "package-lock.json",
    "Cargo.toml": "Cargo.lock",
    "go.mod": "go.sum",
    "pyproject.toml": "poetry.lock",
}


def dockerfile(sample: str) -> Dockerfile:
    parsed = parse((FOLDER / sample / "Dockerfile").read_text())
    parsed.check()
    return parsed


def public_bases(sample: str) -> set[str]:
    stages = dockerfile(sample).stages
    return {str(stage.base) for stage in stages if stage.parent is None and str(stage.base) != "scratch"}


def smoke(sample: str) -> SmokeSettings:
    config, path = load_config(FOLDER / sample)
    assert path == FOLDER / sample / "imgopt.toml"
    section = config.smoke
    return SmokeSettings(http=tuple(section.http), ports=tuple(section.ports), start_timeout=section.start_timeout)


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_settings_are_valid_and_ask_the_service(sample: str) -> None:
    assert bool(smoke(sample).http) == (sample not in PROGRAMS_THAT_END)


@pytest.mark.parametrize("sample", SAMPLES)
def test_dependencies_are_locked(sample: str) -> None:
    for manifest, lock in LOCKS.items():
        assert (FOLDER / sample / manifest).exists() == (FOLDER / sample / lock).exists(), manifest
    for line in (FOLDER / sample / "requirements.txt",):
        assert not line.exists() or all("==" in entry for entry in line.read_text().split("\n") if entry)


@pytest.mark.parametrize("sample", SAMPLES)
def test_only_files_that_are_good_already_have_an_ignore_file_and_no_root(sample: str) -> None:
    good = sample.startswith("good-")
    last = dockerfile(sample).stages[-1]
    named_user = any(instruction.keyword == "USER" for instruction in last.instructions)
    assert (named_user or str(last.base).endswith(":nonroot")) == good
    assert (FOLDER / sample / ".dockerignore").exists() == good


@pytest.mark.engine
@pytest.mark.parametrize("sample", BUILT)
def test_it_is_built_and_answers(sample: str, session: Session, base: Callable[[str], str]) -> None:
    bases = {name: base(name) for name in public_bases(sample)}
    build = session.build(BuildRequest(context=FOLDER / sample, bases=bases, name=sample))
    assert build.reference is not None
    settings = smoke(sample)
    seen = observe(session, build.reference, settings, trace=False)
    assert seen.started, (seen.reason, seen.log_tail)
    texts = [answer for answer in seen.answers if answer.probe.text]
    assert len(texts) == sum("=" in probe.partition("?")[0] or "==" in probe for probe in settings.http)
    for answer in texts:
        assert (answer.probe.text or "").encode() in answer.body, (answer.probe.name, answer.body[:500])
    if sample in PROGRAMS_THAT_END:
        assert seen.exit_code == 0 and seen.output
