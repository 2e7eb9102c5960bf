"""What BuildKit's client does not send, and what only the call of a build changes: measured, one
rule per test."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imgopt.cache import State, predict, read_state
from imgopt.cache.explain import explain, state_against
from imgopt.cache.isolate import built_steps, isolated
from imgopt.cache.local_bases import local_bases
from imgopt.context.files import BytesContent, Entry, Tree
from imgopt.engine import BuildRequest, Engine, Session

from .kit import BASE, Project, write

pytestmark = pytest.mark.engine
Answers = Callable[..., str]


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


@pytest.fixture
def build(session: Session, base_image: str) -> Answers:
    """Builds a folder with this test's own mark; one letter per step: H or M."""
    nonce = secrets.token_hex(6)

    def answers(folder: Path, image: str = base_image, **changes: object) -> str:
        state = read_state(folder)
        text = isolated(state.dockerfile, state.dockerfile.stages, lambda _: nonce)
        request = BuildRequest(folder, dockerfile=text.replace(BASE, image), output="cacheonly")
        built = built_steps(state, session.build(replace(request, **changes)).steps)  # type: ignore[arg-type]
        return "".join("H" if built[step].cached else "M" for step, _ in state.graph.placed)

    return answers


def project(folder: Path, dockerfile: str, **files: str) -> Path:
    write(Project(f"FROM {BASE}\n{dockerfile}", files), folder)
    return folder


def test_same_size_and_time_with_new_bytes_is_a_stale_hit(tmp_path: Path, build: Answers) -> None:
    root = project(tmp_path / "now", "COPY a /a\n", a="1")
    os.utime(root / "a", (7, 7))
    assert build(root) == "M"
    shutil.copytree(root, tmp_path / "old")
    (root / "a").write_text("2")
    os.utime(root / "a", (7, 7))
    assert build(root) == "H"
    now = read_state(root)
    found = explain(state_against(tmp_path / "old", root, now), now, 2, "old")
    assert [trap.name for trap in found.traps] == ["stale-time"]
    os.utime(root / "a", (8, 8))
    assert build(root) == "M"


def test_mode_of_a_directory_that_was_sent_before_is_a_stale_hit_and_a_miss_elsewhere(
    tmp_path: Path, build: Answers
) -> None:
    root = project(tmp_path / "one", "COPY d /d\n", **{"d/a": "1"})
    assert build(root) == "M"
    (root / "d").chmod(0o700)
    assert build(root) == "H"
    shutil.copytree(root, tmp_path / "two")
    assert build(tmp_path / "two") == "M"


@pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")
def test_owner_on_the_host_is_not_in_the_key(tmp_path: Path, build: Answers) -> None:
    root = project(tmp_path, "COPY a /a\n", a="1")
    assert build(root) == "M"
    os.chown(root / "a", 4711, 4711)
    os.utime(root / "a", (8, 8))
    assert build(root) == "H"


def test_a_reverted_file_finds_the_old_record(tmp_path: Path, build: Answers) -> None:
    root = project(tmp_path, "COPY a /a\nRUN true\n", a="1")
    assert build(root) == "MM"
    (root / "a").write_text("22")
    assert build(root) == "MM"
    (root / "a").write_text("1")
    assert build(root) == "HH"


def test_no_cache_filter_runs_the_stage_again_and_later_builds_hit(
    tmp_path: Path, build: Answers
) -> None:
    write(
        Project(
            f"FROM {BASE} AS one\nRUN true\nFROM {BASE} AS two\nCOPY --from=one /etc/hostname* /etc/passwd /p/\n"
        ),
        tmp_path,
    )
    assert build(tmp_path) == "MM"
    assert build(tmp_path, no_cache_filter=("one",)) == "MH"
    assert build(tmp_path) == "HH"


def test_value_and_absence_of_a_secret_are_not_in_the_key(tmp_path: Path, build: Answers) -> None:
    root = project(tmp_path / "c", "RUN --mount=type=secret,id=s true\n")
    for value in ("1", "2"):
        (tmp_path / value).write_text(value)
    assert build(root, secrets=(f"id=s,src={tmp_path / '1'}",)) == "M"
    assert build(root, secrets=(f"id=s,src={tmp_path / '2'}",)) == "H"
    assert build(root) == "H"


def test_another_name_of_the_same_image_is_not_in_the_key(
    tmp_path: Path, build: Answers, session: Session, base_image: str
) -> None:
    root = project(tmp_path, "COPY a /a\nRUN true\n", a="1")
    assert build(root) == "MM"
    alias = f"imgopt.test/alias-{secrets.token_hex(4)}"
    session.engine.client.images.get(base_image).tag(alias, "1")
    try:
        assert build(root, image=f"{alias}:1") == "HH"
        before, after = (
            replace(state, bases=local_bases(session.engine, state.dockerfile, {}, {}))
            for name in (base_image, f"{alias}:1")
            for state in (read_state(root).with_dockerfile(f"FROM {name}\nCOPY a /a\nRUN true\n"),)
        )
        assert [one.verdict for one in predict(before, after).steps] == ["hit", "hit"]
        blind = predict(replace(before, bases={}), replace(after, bases={}))
        assert [one.verdict for one in blind.steps] == ["unknown", "unknown"]
    finally:
        session.engine.client.images.remove(f"{alias}:1")


def test_name_of_the_dockerfile_is_not_in_the_key(tmp_path: Path, build: Answers) -> None:
    root = project(tmp_path, "COPY a /a\n", a="1")
    assert build(root) == "M"
    assert build(root, file="other/Dockerfile.name") == "H"


def test_onbuild_of_a_base_image_runs_in_the_build(
    tmp_path: Path, build: Answers, session: Session, base_image: str
) -> None:
    base = tmp_path / "base"
    write(Project(f"FROM {base_image}\nENV FROM_BASE=1\nWORKDIR /srv\nONBUILD COPY a a\n"), base)
    made = session.build(BuildRequest(base, name="onbuild"))
    assert made.reference
    root = project(tmp_path / "c", "RUN true\n", a="1")
    build(root, image=made.reference)
    before = _with_bases(root, session, made.reference)
    (root / "a").write_text("22")
    real = build(root, image=made.reference)
    after = _with_bases(root, session, made.reference)
    steps = predict(before, after).steps
    assert [(one.step.line, one.step.instruction, one.verdict) for one in steps] == [
        (1, "ONBUILD COPY a a", "miss"),
        (2, "RUN true", "miss"),
    ]
    assert real == "M"


def _with_bases(root: Path, session: Session, image: str) -> State:
    state = read_state(root).with_dockerfile(f"FROM {image}\nRUN true\n")
    frozen = Entry("file", 0o644, BytesContent((root / "a").read_bytes()))
    return replace(
        state,
        tree=Tree({**state.tree.entries, "a": frozen}),
        bases=local_bases(session.engine, state.dockerfile, {}, {}),
    )
