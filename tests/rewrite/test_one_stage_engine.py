"""A fat base and one script, with a real engine: another base, not root, proven; and what is kept
when timing ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .kit import SERVER, environment, imgopt, project, result_of, snapshot

pytestmark = pytest.mark.engine

NODE = """\
const fs = require("fs");
fs.mkdirSync("log", { recursive: true });
require("http").createServer((request, answer) => {
  fs.appendFileSync("log/asked", request.url);
  answer.end("hello\\n");
}).listen(8000);
process.on("SIGTERM", () => process.exit(0));
"""
PYTHON = {
    "Dockerfile": 'FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD ["python", "server.py"]\n',
    "server.py": SERVER,
    "page.txt": "hello\n",
}


@pytest.mark.parametrize(
    ("files", "base"),
    [
        (PYTHON, "python:3.11-slim"),
        (
            {
                "Dockerfile": 'ARG V=20\nFROM node:${V}\nWORKDIR /app\nCOPY a.js .\nCMD ["node", "a.js"]\n',
                "a.js": NODE,
            },
            "node:${V}-bookworm-slim",
        ),
    ],
)
def test_one_script_over_a_fat_base_is_slim_not_root_and_proven(
    files: dict[str, str], base: str, tmp_path: Path
) -> None:
    folder = project(tmp_path, files)
    result = result_of(
        imgopt(
            *("optimize", str(folder), "--variant", "slim", "--no-timings", "--no-lives"),
            *("--format", "json"),
        )
    )
    (slim,) = result["variants"]
    assert (result["verdict"], result["recommended"], slim["verdict"]) == (
        "proven",
        "slim",
        "proven",
    )
    assert slim["dockerfile"].count("FROM ") == 1 and f"FROM {base}" in slim["dockerfile"]
    assert slim["user"].partition(":")[0] not in ("", "0", "root")
    assert result["original"]["sizes"]["wire"] >= 4 * slim["sizes"]["wire"]


@pytest.mark.parametrize(
    ("number", "named"),
    [
        (signal.SIGINT, True),
        (signal.SIGTERM, False),
        (signal.SIGKILL, True),
        (signal.SIGKILL, False),
    ],
)
def test_a_run_that_is_ended_while_timing_has_kept_what_is_proven(
    number: signal.Signals, named: bool, tmp_path: Path
) -> None:
    folder = project(tmp_path / "shop", PYTHON)
    before = snapshot(folder)
    words = [
        "optimize",
        str(folder),
        "--variant",
        "slim",
        "--no-lives",
        *(["--out", str(tmp_path / "out")] if named else []),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "imgopt", *words],
        env={**environment(), "XDG_STATE_HOME": str(tmp_path / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Timing"):
            os.kill(process.pid, number)
            break
    said, _ = process.communicate()
    kept = tmp_path / "out" if named else next((tmp_path / "state" / "imgopt").iterdir())
    assert {"Dockerfile.slim", "optimize.json"} <= {path.name for path in kept.iterdir()}
    result = json.loads((kept / "optimize.json").read_text())
    assert (result["verdict"], result["recommended"]) == ("proven", "slim")
    assert snapshot(folder) == before
    if number == signal.SIGKILL:
        return
    assert process.returncode == 130
    assert said.startswith("proven: the slim variant does the same job")
    assert f"Timing was interrupted by {number.name}" in " ".join(said.split())


def test_timing_takes_no_longer_than_the_builds_unless_it_is_asked_to(tmp_path: Path) -> None:
    folder = project(tmp_path, PYTHON)
    words = ["optimize", str(folder), "--variant", "slim", "--no-lives", "--format", "json"]
    result = result_of(imgopt(*words))
    assert result["timing_budget"] > 0
    whole = imgopt(*words, "--time-all")
    timed = result_of(whole)
    assert timed["timing_budget"] is None and timed["timing_note"] == ""
    assert len(timed["variants"][0]["timings"]["edit-source"]["after"]) == 3
