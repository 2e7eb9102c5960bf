"""The second process: what it finds is what the first one would find, and nothing depends on it."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import NoReturn

import pytest

from imgopt.analysis import analyze
from imgopt.image import ahead as module
from imgopt.image import open_image
from imgopt.image.ahead import Ahead, Helper
from imgopt.image.contents import TarContents
from imgopt.image.following import Follower
from imgopt.image.image import Image
from imgopt.image.memory import Memory

from .crafting import docker_archive, f, oci_files, tar, write_tar

LAYERS = [
    tar(*(f(f"usr/share/{n}/{i}", bytes([n, i % 7]) * 3000) for i in range(40))) for n in range(5)
]


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test runners have threads of their own; they hold no lock that the child needs."""
    monkeypatch.setattr(module, "can_fork", lambda: True)


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    """One whose layers are worth a second process."""
    monkeypatch.setattr(TarContents, "index_bytes", 300 << 10)
    return open_image(
        str(docker_archive(tmp_path / "image.tar", LAYERS)), memory=Memory(tmp_path / "memory")
    )


def test_results_come_in_order_and_none_after_a_failure() -> None:
    def fail() -> NoReturn:
        raise ValueError

    with Helper((lambda: ("a\udcff", 1), lambda: os.getpid(), fail, lambda: 3)) as helper:
        assert helper.result(0) == ("a\udcff", 1)
        assert helper.result(1) not in (None, os.getpid())
        assert helper.result(3) is None
        assert helper.result(1) is not None


def test_a_killed_helper_is_no_answer_and_a_failure_ends_it() -> None:
    with Helper((os.getpid, lambda: time.sleep(600))) as helper:
        process = helper.result(0)
        os.kill(process, signal.SIGKILL)
        assert helper.result(1) is None
    with pytest.raises(KeyError), Helper((os.getpid, lambda: time.sleep(600))) as helper:
        process = helper.result(0)
        raise KeyError
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_the_rules_of_forking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    busy = threading.Event()
    thread = threading.Thread(target=busy.wait)
    thread.start()
    try:
        with Helper((os.getpid,)) as helper:
            assert helper.result(0) is None
    finally:
        busy.set()
        thread.join()


def test_two_processes_find_what_one_finds(image: Image, tmp_path: Path) -> None:
    alone = open_image(str(tmp_path / "image.tar"), memory=Memory(None))
    assert analyze(image) == analyze(alone)


def test_the_other_process_leaves_its_half_in_the_memory(image: Image) -> None:
    with Ahead(image) as ahead:
        ahead.duplicates()
        measured = {path.name for path in (image.memory.directory or Path()).glob("wire-sample/*")}
        assert 0 < len(measured) < len(LAYERS)
        ahead.read()
        assert ahead.wires() and all(layer.entries() for layer in image.layers)


def test_little_or_far_too_much_to_read_starts_no_process(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (0, 1 << 10, 5 << 20):
        monkeypatch.setattr(TarContents, "index_bytes", size)
        with Ahead(image) as ahead:
            assert ahead._helper.result(2) is None


def test_an_archive_is_read_while_it_is_written(tmp_path: Path) -> None:
    data = as_engines_save(tmp_path)
    memory = Memory(tmp_path / "memory")
    with (
        (tmp_path / "spool").open("w+b", buffering=0) as spool,
        Follower(spool, memory) as follower,
    ):
        for start in range(0, len(data), 100_000):
            spool.write(data[start : start + 100_000])
            time.sleep(0.01)
        follower.finish()
        kept = {
            path.name.removesuffix("-tar.1") for path in (tmp_path / "memory" / "layers").iterdir()
        }
    (tmp_path / "image.tar").write_bytes(data)
    image = open_image(str(tmp_path / "image.tar"), memory=memory)
    assert kept == {layer.diff_id.replace(":", "-") for layer in image.layers}
    fresh = open_image(str(tmp_path / "image.tar"), memory=Memory(None))
    assert [layer.entries() for layer in image.layers] == [
        layer.entries() for layer in fresh.layers
    ]


@pytest.mark.parametrize("cut", [0, 100, 512, 70_000, -600])
def test_a_broken_archive_does_not_stop_the_follower(cut: int, tmp_path: Path) -> None:
    data = as_engines_save(tmp_path)[:cut] + b"\xff" * 700
    memory = Memory(tmp_path / "memory")
    with (
        (tmp_path / "spool").open("w+b", buffering=0) as spool,
        Follower(spool, memory) as follower,
    ):
        spool.write(data)
        follower.finish()


def as_engines_save(folder: Path) -> bytes:
    """Blobs by their digests, plain, in front of the files that name them."""
    return write_tar(folder / "saved.tar", oci_files(LAYERS, compress="")).read_bytes()
