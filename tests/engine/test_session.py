from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.engine import BuildRequest, Engine, RunRequest, Session, sweep
from imgopt.engine.container import Container
from imgopt.engine.session import LABEL, remove_tree
from imgopt.errors import Interrupted

Base = Callable[[str], str]

PROGRAM = """
import sys, time
from pathlib import Path
from imgopt.engine import BuildRequest, RunRequest, Session, connect
moment, image, nonce = sys.argv[1:]
def reached(name):
    if name == moment:
        print("at", session.id, flush=True)
        time.sleep(30)
with Session(connect()) as session:
    tree = session.temp_tree("context")
    (tree / "x").write_text(nonce)
    reached("start")
    def listen(event):
        if moment == "build" and event.text == "begun":
            print("at", session.id, flush=True)
    wait = 30 if moment == "build" else 0
    build = session.build(BuildRequest(tree, f"FROM {image}\\nCOPY x /\\nRUN echo begun; sleep {wait}.{nonce}"), listen)
    reached("built")
    container = session.start(RunRequest(build.reference, command=("sleep", "100"), ports=("80/tcp",)))
    reached("running")
    container.exec(("true",))
    if moment == "exec":
        print("at", session.id, flush=True)
        container.exec(("sleep", "60"), timeout=60)
"""


def left(engine: Engine, session: str) -> list[str]:
    """Everything in the engine and on this machine that carries the session's label or name."""
    api, mine = engine.client.api, {"label": f"{LABEL}={session}"}
    found = [item["Id"] for item in api.containers(all=True, filters=mine)]
    found += [item["Id"] for item in api.images(filters=mine)]
    found += [tag for item in api.images() for tag in item["RepoTags"] or () if session in tag]
    return found + [str(path) for path in Path("/tmp").glob(f"imgopt-{session}-*")]


def start(moment: str, image: str) -> tuple[subprocess.Popen[str], str]:
    nonce = str(time.time_ns())[-9:]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, moment, image, nonce],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": "/tmp"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("at "), process.communicate()
    return process, line.split()[1]


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["start", "build", "built", "running", "exec"])
def test_an_interrupt_leaves_nothing_within_ten_seconds(
    engine: Engine, base: Base, moment: str, number: signal.Signals
) -> None:
    process, session = start(moment, base("debian:bookworm-slim"))
    assert left(engine, session)
    sent = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - sent < 10
    assert f"Interrupted: interrupted by {number.name}" in errors
    assert left(engine, session) == []


class LateEngine:
    """Its builder tags an image a while after the build's client has gone."""

    def __init__(self) -> None:
        self.client = self.api = self
        self.asked = 0
        self.images_left = ["late"]

    def builds_nothing(self) -> bool:
        self.asked += 1
        return self.asked > 2

    def images(self, filters: dict[str, str]) -> list[dict[str, object]]:
        session = filters["label"].partition("=")[2]
        there = self.images_left if self.asked > 1 else []
        return [
            {"Id": name, "Labels": {LABEL: session}, "RepoTags": [f"imgopt-{session}/a:1"]}
            for name in there
        ]

    def remove_image(self, name: str, **_: object) -> None:
        if name == "late":
            self.images_left.clear()

    def containers(self, **_: object) -> list[object]:
        return []

    def networks(self, **_: object) -> list[object]:
        return []

    def volumes(self, **_: object) -> dict[str, object]:
        return {}

    def build(self, *_: object, **__: object) -> None:
        raise Interrupted("interrupted by SIGTERM")


def test_an_image_that_the_engine_finishes_after_the_interrupt_is_removed_too(
    tmp_path: Path,
) -> None:
    engine = LateEngine()
    session = Session(engine)  # type: ignore[arg-type]
    with pytest.raises(Interrupted):
        session.build(BuildRequest(tmp_path))
    session.close()
    assert engine.images_left == []


class Dropping:
    """A signal that comes while this is taken away: what its handler raises is dropped by
    Python."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_dropped_ends_the_work_at_the_next_build(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="SIGINT"), Session(LateEngine()) as session:  # type: ignore[arg-type]
        gone = Dropping()
        del gone
        session.build(BuildRequest(tmp_path))


@pytest.mark.engine
def test_a_container_that_the_engine_makes_after_the_interrupt_is_removed_too(
    engine: Engine, base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, asked = base("debian:bookworm-slim"), engine.create

    def cut_short(request: RunRequest) -> Container:
        threading.Timer(0.5, asked, [request]).start()
        raise Interrupted("interrupted by SIGINT")

    monkeypatch.setattr("imgopt.engine.client.Engine.create", lambda _, request: cut_short(request))
    with pytest.raises(Interrupted), Session(engine) as session:
        session.create(RunRequest(image))
    assert left(engine, session.id) == []
    time.sleep(1)
    assert left(engine, session.id) == []


@pytest.mark.engine
def test_an_impatient_user_does_not_stop_the_cleaning(engine: Engine, base: Base) -> None:
    process, session = start("exec", base("debian:bookworm-slim"))
    for _ in range(6):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    process.communicate(timeout=20)
    assert left(engine, session) == []


@pytest.mark.engine
def test_an_interrupted_build_stops_in_the_engine(engine: Engine, base: Base) -> None:
    process, _ = start("build", base("debian:bookworm-slim"))
    nonce = process.args[-1]  # type: ignore[index]
    if engine.facts.local:
        assert _soon(lambda: _runs(f"sleep 30.{nonce}"))
    process.terminate()
    process.communicate(timeout=20)
    assert _soon(lambda: not _runs(f"sleep 30.{nonce}"))


@pytest.mark.engine
def test_what_a_killed_run_left_is_swept_and_what_a_living_one_has_is_not(
    engine: Engine, base: Base
) -> None:
    image = base("debian:bookworm-slim")
    killed, dead = start("running", image)
    living, alive = start("running", image)
    killed.kill()
    killed.communicate()
    assert left(engine, dead)
    sweep(engine)
    assert left(engine, dead) == []
    assert len(left(engine, alive)) >= 4
    living.terminate()
    living.communicate(timeout=20)
    assert left(engine, alive) == []


@pytest.mark.engine
def test_bases_and_the_users_own_images_stay(engine: Engine, base: Base, tmp_path: Path) -> None:
    image = base("debian:bookworm-slim")
    (tmp_path / "x").write_text("mine")
    with Session(engine) as session:
        build = session.build(BuildRequest(tmp_path, f"FROM {image}\nCOPY x /\n"))
        own = "imgopt-test-own/kept:1"
        engine.client.api.tag(build.reference, "imgopt-test-own/kept", "1")
    try:
        assert engine.has_image(image)
        assert engine.has_image(own)
        assert not engine.has_image(build.reference or "")
    finally:
        engine.client.api.remove_image(own, force=True)


@pytest.mark.engine
def test_anonymous_volumes_go_with_their_container(
    session: Session, base: Base, tmp_path: Path
) -> None:
    text = f"FROM {base('debian:bookworm-slim')}\nVOLUME /data\n"
    build = session.build(BuildRequest(tmp_path, text))
    with session.start(RunRequest(build.reference or "", command=("true",))) as container:
        [volume] = [mount["Name"] for mount in container.inspect()["Mounts"]]
    names = [item["Name"] for item in session.engine.client.api.volumes()["Volumes"] or ()]
    assert volume not in names


def test_a_tree_with_read_only_folders_is_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").write_text(json.dumps({}))
    (tree / "deep").chmod(0o500)
    remove_tree(tree)
    assert not tree.exists()


def _soon(holds: Callable[[], bool]) -> bool:
    """Whether it holds within ten seconds."""
    end = time.monotonic() + 10
    while not (there := holds()) and time.monotonic() < end:
        time.sleep(0.1)
    return there


def _runs(command: str) -> bool:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue
            if words.strip() == command:
                return True
    return False
