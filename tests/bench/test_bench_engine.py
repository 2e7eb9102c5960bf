"""A benchmark on a real engine, of a small service whose two files differ in the order of two
lines."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from page_sums import check_sums

from imgopt.bench.arms import ArmSpec, from_file, original, revision, with_target
from imgopt.bench.run import Bench
from imgopt.bench.scenarios import choose
from imgopt.bench.settings import Listener, Progress, Settings
from imgopt.cache.scenarios import Scenario
from imgopt.cli.app import main
from imgopt.config import Config
from imgopt.engine import Engine, Session
from imgopt.errors import InputError
from imgopt.report import load, render
from imgopt.results.bench import BenchResult
from imgopt.run.settings import SmokeSettings

pytestmark = pytest.mark.engine

SLOW = """FROM {base} AS app
WORKDIR /app
COPY . .
RUN sleep 1 && head -c 3000000 /dev/urandom > /big && rm /big && head -c 20000 /dev/urandom > /small
EXPOSE 8000
CMD ["python3", "-m", "http.server", "8000"]
"""
FAST = """FROM {base} AS app
WORKDIR /app
RUN sleep 1 && head -c 20000 /dev/urandom > /small
COPY . .
EXPOSE 8000
CMD ["python3", "-m", "http.server", "8000"]
"""


@pytest.fixture
def project(tmp_path: Path, base: Callable[[str], str]) -> Path:
    name = base("python:3.11-slim")
    (tmp_path / "Dockerfile").write_text(SLOW.format(base=name))
    (tmp_path / "Fast").write_text(FAST.format(base=name))
    (tmp_path / "Broken").write_text(f"FROM {name}\nRUN echo so it goes && exit 7\n")
    (tmp_path / ".dockerignore").write_text("Dockerfile\nFast\nBroken\n*.json\n")
    (tmp_path / "app.py").write_text("print(1)\n")
    return tmp_path


@pytest.fixture
def arms(project: Path) -> list[ArmSpec]:
    return [
        original(project, Config()),
        from_file("fast", "file", project, project / "Fast", Config()),
    ]


SMOKE = SmokeSettings(ports=(8000,), stop_timeout=1)  # the service heeds no signal
BUILDS = Settings(runs=6, seed=1, max_time=None, cold=False, containers=False)


def _edits(arms: list[ArmSpec]) -> list[Scenario]:
    return [
        one for one in choose(arms[0], ("no-change", "edit-source")) if isinstance(one, Scenario)
    ]


def test_a_better_order_of_lines_runs_less_moves_less_and_every_sum_holds(
    session: Session, arms: list[ArmSpec], project: Path
) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in project.rglob("*"))
    result = Bench(session, arms, _edits(arms), SMOKE, BUILDS).run()
    assert [(arm.name, arm.failure) for arm in result.arms] == [("original", None), ("fast", None)]
    assert not result.partial
    measures = {measure.name: measure for measure in result.measures}
    (edit,) = measures["edit-source"].comparisons
    before_edit, after_edit = (samples.values for samples in measures["edit-source"].samples)
    if min(before_edit) > 1.1 * max(
        after_edit
    ):  # a busy machine may hide the second that the order costs
        assert edit.verdict == "faster"
    assert edit.verdict in ("faster", "inconclusive")
    moved = {samples.arm: samples.wire_bytes for samples in measures["edit-source"].samples}
    assert moved["original"] is not None
    assert moved["fast"] is not None
    assert moved["original"] > 20_000 > moved["fast"] > 0
    assert [samples.wire_bytes for samples in measures["no-change"].samples] == [0, 0]
    for samples in measures["edit-source"].samples:
        assert len(samples.values) == 6
        ran = {step.name.split("] ")[-1].split()[0] for step in samples.steps if not step.cached}
        assert ("RUN" in ran) == (samples.arm == "original")
    for comparison in result.comparisons:
        live = [
            sum(getattr(figure, side) for figure in comparison.contents)
            for side in ("before", "after")
        ]
        assert live == [arm.exact.sizes.live for arm in result.arms if arm.exact]
        for fall in comparison.waterfalls:
            assert fall.start + sum(cause.bytes for cause in fall.causes) == fall.end
        payload = next(fall for fall in comparison.waterfalls if fall.size == "payload")
        causes = {cause.name: cause.bytes for cause in payload.causes}
        assert "base image" not in causes
    for arm in result.arms:
        assert arm.exact is not None
        assert sum(layer.tar for layer in arm.layers) == arm.exact.sizes.tar
        assert sum(layer.payload for layer in arm.layers) == arm.exact.sizes.payload
        assert any(layer.base for layer in arm.layers)
        assert not all(layer.base for layer in arm.layers)
    assert sorted((path, path.stat().st_mtime_ns) for path in project.rglob("*")) == before
    for format in ("text", "markdown", "csv", "json"):
        assert render(result, format)
    assert check_sums(render(result, "html")) >= 6


def test_the_container_is_measured_and_a_cold_build_runs_every_step(
    session: Session, arms: list[ArmSpec]
) -> None:
    settings = replace(BUILDS, runs=2, warm_up=0, cold=True, containers=True, again=True)
    result = Bench(session, arms, [], SMOKE, settings).run()
    measures = {measure.name: measure for measure in result.measures}
    assert {"start", "memory", "stop", "cold"} <= set(measures)
    assert all(
        0.01 < value < 30 for samples in measures["start"].samples for value in samples.values
    )
    assert all(len(samples.exit_codes) == 2 for samples in measures["stop"].samples)
    assert all(
        0 <= export < 30
        for samples in measures["cold"].samples
        for export in samples.export_seconds
    )
    assert all(
        value > 1_000_000 for samples in measures["memory"].samples for value in samples.values
    )
    assert all(value >= 1 for samples in measures["cold"].samples for value in samples.values)
    assert measures["cold"].noise_floor is not None
    assert [samples.arm for samples in measures["cold"].samples] == [
        "original",
        "fast",
        "original (again)",
    ]
    for arm in result.arms:
        hits = {step.name.split("] ")[-1].split()[0] for step in arm.steps if step.cached}
        assert hits <= {
            "FROM",
            "WORKDIR",
        }  # BuildKit's --no-cache does not reach WORKDIR, which costs nothing
        assert len(arm.steps) == 4
    assert {
        comparison.verdict for measure in result.measures for comparison in measure.comparisons
    } == {"inconclusive"}


def test_an_arm_that_does_not_build_is_a_result(
    session: Session, arms: list[ArmSpec], project: Path
) -> None:
    broken = from_file("broken", "file", project, project / "Broken", Config())
    result = Bench(
        session, [arms[0], broken], _edits(arms)[:1], SMOKE, replace(BUILDS, runs=1, warm_up=0)
    ).run()
    failure = result.arms[1].failure
    assert failure is not None
    assert (failure.line, "so it goes" in failure.output[-1]) == (2, True)
    assert [samples.arm for samples in result.measures[0].samples] == ["original"]
    assert "so it goes" in render(result, "markdown")
    assert "so it goes" in render(result, "html")


def test_the_time_limit_ends_it_early_and_it_goes_on_where_it_was(
    session: Session, arms: list[ArmSpec]
) -> None:
    first = Bench(
        session, arms, _edits(arms), SMOKE, replace(BUILDS, runs=2, warm_up=0, max_time=0.0)
    ).run()
    assert (first.partial, "--max-time" in first.reason) == (True, True)
    assert first.arms[0].exact is not None
    again = Bench(session, arms, _edits(arms)[:1], SMOKE, replace(BUILDS, runs=2, warm_up=0))
    half = again.run()
    more = Bench(session, arms, _edits(arms)[:1], SMOKE, BUILDS)
    more.resume(half)
    assert more.run().measures == half.measures
    other = Bench(
        session, [arms[0], replace(arms[1], text="FROM scratch")], _edits(arms), SMOKE, BUILDS
    )
    with pytest.raises(InputError, match="other Dockerfiles"):
        other.resume(half)


def test_an_interrupt_leaves_a_valid_partial_result_and_nothing_else(
    engine: Engine, arms: list[ArmSpec]
) -> None:
    kept: list[BenchResult] = []

    def interrupt(now: Progress) -> None:
        if now.what == "edit-source" and now.done == 1:
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

    with Session(engine) as session:
        label = session.id
        result = Bench(
            session, arms, _edits(arms), SMOKE, BUILDS, Listener(interrupt, kept.append)
        ).run()
    assert (result.partial, result.reason) == (True, "interrupted")
    assert (
        len(
            next(measure for measure in result.measures if measure.name == "no-change")
            .samples[0]
            .values
        )
        == 6
    )
    assert kept
    assert engine.client.images.list(filters={"label": f"imgopt.session={label}"}) == []


def test_a_target_and_a_revision_are_arms(session: Session, project: Path) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    subprocess.run(["git", *who, "commit", "-q", "-m", "x"], cwd=project, check=True)
    (project / "app.py").write_text("print(2)\n")
    old = revision(session, project, "HEAD", Config())
    assert (old.context / "app.py").read_text() == "print(1)\n"
    arms = [
        old,
        original(project, Config(), "working tree"),
        with_target(original(project, Config()), "app"),
    ]
    result = Bench(session, arms, _edits(arms)[:1], SMOKE, replace(BUILDS, runs=1, warm_up=0)).run()
    assert [arm.role for arm in result.arms] == ["revision", "original", "target"]
    assert all(arm.image for arm in result.arms)
    assert result.arms[0].image != result.arms[1].image
    assert result.environment.git_dirty is True


def test_the_command_writes_what_report_renders(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = project / "bench.json"
    code = main(
        [
            "bench",
            str(project),
            "--with",
            "Fast",
            "--quick",
            "--scenario",
            "no-change",
            "--output",
            f"json:{file}",
        ]
    )
    shown = capsys.readouterr()
    assert code == 0
    assert "inconclusive" in shown.out
    assert "no-change: " in shown.err
    result = load(file)
    assert isinstance(result, BenchResult)
    assert not result.partial
    assert "--seed" in result.command
    assert main(["report", str(file), "--format", "csv"]) == 0
    assert "no-change,build,seconds,original,1," in capsys.readouterr().out
