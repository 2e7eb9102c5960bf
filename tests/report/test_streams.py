"""What is printed arrives: in any encoding, on a full disk, through a pipe that closes early."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from report_examples import bench_result, optimize_result

from imgopt.cli.streams import HANDLER, tell
from imgopt.errors import EnvironmentFailure
from imgopt.report.files import write_atomic
from imgopt.results import to_json

NARROW = {
    "PYTHONIOENCODING=ascii": {"PYTHONIOENCODING": "ascii"},
    "PYTHONIOENCODING=latin-1": {"PYTHONIOENCODING": "latin-1"},
    "PYTHONIOENCODING=cp1252": {"PYTHONIOENCODING": "cp1252"},
    "LANG=C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def _run(
    *arguments: str | bytes,
    env: Mapping[str, str] | None = None,
    stdout: int | None = subprocess.PIPE,
    shell: str = "",
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "imgopt", *arguments]
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "LC_", "GITHUB"))
    }
    if shell:
        command = ["sh", "-c", shell, "sh", *command]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, env=clean | (env or {}), timeout=60
    )


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "optimize.json"
    path.write_text(to_json(optimize_result()))
    return str(path)


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A project whose names are no UTF-8 in the file system, and no ASCII in the Dockerfile."""
    (tmp_path / os.fsdecode(b"caf\xe9")).write_text("x")
    (tmp_path / "requirements.txt").write_text("flask\n")
    text = "FROM python:3.12\nWORKDIR /größe\nCOPY . .\nRUN pip install -r requirements.txt # → 日本\nCMD x\n"
    (tmp_path / "Dockerfile").write_text(text)
    return tmp_path


@pytest.mark.parametrize("env", NARROW.values(), ids=NARROW)
def test_text_of_a_result_in_a_terminal_without_its_characters(
    saved: str, env: Mapping[str, str]
) -> None:
    done = _run("report", saved, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"412.3 MB -> 96.1 MB" in done.stdout


@pytest.mark.parametrize("env", NARROW.values(), ids=NARROW)
@pytest.mark.parametrize("command", ["rewrite", "cache", "strategies layer-order", "ci lint"])
def test_commands_in_a_terminal_without_the_characters_of_their_names(
    named: Path, command: str, env: Mapping[str, str]
) -> None:
    subject = {
        "rewrite": [str(named)],
        "cache": [str(named)],
        "ci lint": [str(named / "Dockerfile")],
    }
    done = _run(*command.split(), *subject.get(command, ()), env=env)
    assert (
        done.returncode in (0, 1) and b"bug" not in done.stderr and b"Traceback" not in done.stderr
    )
    assert done.stdout.strip()


@pytest.mark.parametrize("env", NARROW.values(), ids=NARROW)
def test_an_error_about_a_file_whose_name_cannot_be_shown(
    env: Mapping[str, str], tmp_path: Path
) -> None:
    done = _run("report", os.fsencode(tmp_path) + b"/caf\xe9-\xe2\x86\x92-\x1b[31m.json", env=env)
    assert done.returncode == 2
    assert b"cannot be read: No such file or directory" in done.stderr
    assert b"\x1b" not in done.stderr and b"caf" in done.stderr


@pytest.mark.parametrize("env", NARROW.values(), ids=NARROW)
@pytest.mark.parametrize("format", ["json", "html", "markdown"])
def test_a_document_is_utf_8_whatever_the_terminal_is(
    tmp_path: Path, format: str, env: Mapping[str, str]
) -> None:
    path = tmp_path / "bench.json"
    path.write_text(to_json(bench_result()))
    done = _run(
        "report", str(path), "--format", format, "--output", f"{format}:{tmp_path}/same", env=env
    )
    assert done.stdout == (tmp_path / "same").read_bytes()
    done.stdout.decode("utf-8")


@pytest.mark.parametrize("format", ["text", "html", "markdown", "json"])
def test_a_full_disk_is_an_error_that_says_what_and_where(saved: str, format: str) -> None:
    done = _run("report", saved, "--format", format, shell='"$@" > /dev/full')
    assert done.returncode == 3
    assert b"standard output cannot be written: No space left on device" in done.stderr
    assert b"--output FORMAT:PATH" in done.stderr


def test_help_on_a_full_disk_is_an_error_too() -> None:
    assert _run("--help", shell='"$@" > /dev/full').returncode == 3


def test_files_are_written_though_standard_output_is_full(saved: str, tmp_path: Path) -> None:
    done = _run(
        "report",
        saved,
        "--format",
        "json",
        "--output",
        f"html:{tmp_path}/page.html",
        shell='"$@" > /dev/full',
    )
    assert done.returncode == 3
    assert (tmp_path / "page.html").read_text().rstrip().endswith("</html>")


def test_a_reader_that_had_enough_is_no_error(saved: str) -> None:
    done = _run("report", saved, "--format", "html", shell='{ "$@"; echo $? >&2; } | head -c 5')
    assert (done.stdout, done.stderr) == (b"<!DOC", b"0\n")


def test_what_an_encoding_lacks_is_written_as_what_it_has() -> None:
    assert "1 → 2 · ⠋ ██▌ é \udcff".encode("ascii", HANDLER) == b"1 -> 2 - * ##| \\xe9 \\xff"
    assert "é → ✓".encode("latin-1", HANDLER) == b"\xe9 -> +"


def test_a_closed_standard_output_is_an_error(saved: str) -> None:
    done = _run("report", saved, shell='"$@" >&-')
    assert done.returncode == 3 and b"standard output cannot be written" in done.stderr


def test_nothing_of_standard_error_gets_into_a_result(saved: str) -> None:
    done = _run("report", saved + ".missing", shell='"$@" 2>&-')
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_device_is_written_to_and_not_replaced(saved: str) -> None:
    with pytest.raises(EnvironmentFailure, match="No space left") as caught:
        write_atomic(Path("/dev/full"), "x")
    assert Path("/dev/full").is_char_device()
    assert "another disk" in (caught.value.hint or "")
    assert _run("report", saved, "--output", "markdown:/dev/stdout").stdout.startswith(
        b"### imgopt"
    )


def test_messages_break_between_words_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tell(
        "a message that is longer than one line of it",
        "what to do about it, also in a whole sentence",
    )
    assert capsys.readouterr().err.splitlines() == [
        "imgopt: a message that is longer than one line of it",
        "        what to do about it, also in a whole sentence",
    ]
    shown = _on_a_terminal(
        24,
        "import sys; from imgopt.cli.streams import tell; tell('a message that is longer', 'a b')",
    )
    assert shown.split() == ["imgopt:", "a", "message", "that", "is", "longer", "a", "b"]
    assert len(shown.splitlines()) == 3


def _on_a_terminal(columns: int, code: str) -> str:
    """What a program writes to a terminal of that width."""
    here, there = pty.openpty()
    env = os.environ | {"COLUMNS": str(columns), "LINES": "24"}
    process = subprocess.Popen([sys.executable, "-c", code], stderr=there, env=env)
    os.close(there)
    text = b""
    with suppress(OSError):  # the end of a terminal is an error on Linux
        while part := os.read(here, 4096):
            text += part
    os.close(here)
    assert process.wait(timeout=60) == 0
    return text.decode()
