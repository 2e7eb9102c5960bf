from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.cli.app import main
from imgopt.cli.run_facts import MeasureOptions, size_of
from imgopt.errors import InputError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512Mi", 512 << 20),
        ("512m", 512 << 20),
        ("1g", 1 << 30),
        ("1.5GiB", 3 << 29),
        ("4096", 4096),
        ("8kb", 8192),
    ],
)
def test_sizes_are_read_as_docker_and_kubernetes_write_them(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "1 2", "1e9x"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no size"):
        size_of(text)


def test_options_are_words_for_another_command() -> None:
    options = MeasureOptions(load=60.0, no_rights=True, memory="512Mi", cpus=0.5)
    assert options.words() == ["--load", "60", "--no-rights", "--memory", "512Mi", "--cpus", "0.5"]
    assert MeasureOptions().words() == []


def test_no_load_is_none() -> None:
    assert MeasureOptions(no_load=True).wanted().load is None
    assert MeasureOptions(memory="64m").wanted().limits.memory == 64 << 20


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("run-facts shop:1 --variant slim", "give a folder"),
        ("run-facts . --variant slim --with other", "give a folder"),
        ("run-facts . --variant fat", "safe, slim, distroless"),
        ("run-facts . --memory much", "write 512Mi"),
        ("run-facts ./Dockerfile", "no build context"),
        ("run-facts empty", "no such Dockerfile"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_built(
    command: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    assert said in " ".join(capsys.readouterr().err.split())
