"""samples/engine/engine: what it does where there is nothing to start or to stop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "samples" / "engine" / "engine"


def engine(word: str, data: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "IMGOPT_ENGINE_DATA": str(data), "DOCKER_HOST": f"unix://{data}/none.sock"}
    return subprocess.run([SCRIPT, word], env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_stop_says_so_where_it_started_nothing(tmp_path: Path) -> None:
    run = engine("stop", tmp_path)
    assert run.returncode == 0
    assert "nothing to stop" in run.stderr


def test_stop_leaves_a_process_alone_that_took_over_the_number(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        (tmp_path / "dockerd.pid").write_text(f"{other.pid}\n")
        try:
            assert "nothing to stop" in engine("stop", tmp_path).stderr
            assert other.poll() is None
        finally:
            other.kill()


def test_no_engine_is_exit_3_with_what_to_install(tmp_path: Path) -> None:
    run = engine("status", tmp_path)
    assert run.returncode == 3
    assert "docker-buildx" in run.stderr


def test_an_unknown_word_is_wrong_usage(tmp_path: Path) -> None:
    assert engine("begin", tmp_path).returncode == 2
