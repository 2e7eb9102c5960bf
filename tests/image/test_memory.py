"""The cache of layers: shared by runs at once, whole after a kill, bounded, and never in the
way."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from imgopt.analysis import analyze
from imgopt.image import memory as module
from imgopt.image import open_image
from imgopt.image.entries import Entry, LayerIndex
from imgopt.image.memory import Memory, default_memory

from .crafting import docker_archive, f, tar

INDEX = LayerIndex(
    [
        Entry("/a", "file", 10, 0o644, 1, 2, -5, "", 512, b"12345678", (("user.x", b"\xff\0"),)),
        Entry("/b\udcff\n", "symlink", linkname="/tmp/\udcfe"),
        Entry("/c", "whiteout"),
    ],
    4096,
)


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.keep_layer_index("sha256:x", INDEX)
    assert memory.layer_index("sha256:x") == INDEX
    assert memory.layer_index("sha256:y") is None
    memory.keep_layer_index("sha256:empty", LayerIndex([], 1024))
    assert memory.layer_index("sha256:empty") == LayerIndex([], 1024)


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\x93\x01", b"x" * 5000])
def test_damaged_files_are_no_answer(damage: bytes, tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.keep_layer_index("sha256:x", INDEX)
    (path,) = (tmp_path / "layers").iterdir()
    path.write_bytes(damage)
    assert memory.layer_index("sha256:x") is None


def test_every_cut_of_a_file_is_no_answer_or_the_right_one(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.keep_layer_index("sha256:x", INDEX)
    (path,) = (tmp_path / "layers").iterdir()
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert memory.layer_index("sha256:x") is None


def test_another_format_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(tmp_path)
    memory.keep_layer_index("sha256:x", INDEX)
    monkeypatch.setattr(module, "_FORMAT", 99)
    assert memory.layer_index("sha256:x") is None


def test_the_oldest_go_when_the_bound_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BOUND", 2500)
    memory = Memory(tmp_path)
    for number in range(4):
        memory.keep("kind", str(number), bytes(1000))
        path = next((tmp_path / "kind").glob(f"{number}.*"))
        os.utime(path, (number, number))
    assert sorted(path.name[0] for path in (tmp_path / "kind").iterdir()) == ["2", "3"]


def look(path: str, folder: str, until: float) -> None:
    while time.time() < until:
        analyze(open_image(path, memory=Memory(Path(folder))))


def test_runs_at_once_and_a_kill_leave_only_whole_files(tmp_path: Path) -> None:
    path = docker_archive(
        tmp_path / "i.tar", [tar(*(f(f"d/{number}", number) for number in range(300)))]
    )
    expected = analyze(open_image(str(path), memory=Memory(None)))
    folder = tmp_path / "cache"
    context = multiprocessing.get_context("fork")
    runs = [
        context.Process(target=look, args=(str(path), str(folder), time.time() + 30))
        for _ in range(3)
    ]
    for run in runs:
        run.start()
    for _ in range(5):
        time.sleep(0.1)
        assert analyze(open_image(str(path), memory=Memory(folder))) == expected
        for kept in folder.glob("*/sha256*"):
            kept.unlink(missing_ok=True)
    for run in runs:
        run.kill()
        run.join()
    assert analyze(open_image(str(path), memory=Memory(folder))) == expected


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = Memory(tmp_path / "file")
    memory.keep("kind", "key", b"x")
    assert memory.get("kind", "key") is None
    path = docker_archive(tmp_path / "i.tar", [tar(f("a", 5))])
    assert analyze(open_image(str(path), memory=memory)).sizes.live == 5


def test_keys_are_no_paths(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "cache")
    memory.keep("kind", "../../../outside", b"x")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["..-..-..-outside.1"]


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_memory().directory == tmp_path / "imgopt"
    monkeypatch.setenv("IMGOPT_CACHE", "off")
    assert default_memory().directory is None
