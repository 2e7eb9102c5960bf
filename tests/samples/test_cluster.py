"""samples/cluster: what it does where there is nothing to start or to stop, and how it tells its own
processes from others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "samples" / "cluster"
SCRIPT = FOLDER / "cluster"
MARK = "IMGOPT_CLUSTER_OF"


def cluster(data: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "IMGOPT_CLUSTER_DATA": str(data), **more}
    return subprocess.run(
        [sys.executable, SCRIPT, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_stop_says_so_where_nothing_was_started(tmp_path: Path) -> None:
    done = cluster(tmp_path, "stop")
    assert done.returncode == 0
    assert done.stderr.count("nothing to stop") == 2


def test_status_is_exit_3_where_nothing_runs(tmp_path: Path) -> None:
    done = cluster(tmp_path, "status")
    assert (done.returncode, done.stdout) == (3, "nothing runs\n")


def test_without_go_it_says_what_to_install(tmp_path: Path) -> None:
    done = cluster(tmp_path, "build", "--api", PATH="/nowhere", IMGOPT_CLUSTER_GO="/nowhere/go")
    assert done.returncode == 3
    assert "https://go.dev/dl/" in done.stderr


def test_a_node_without_a_cluster_is_exit_3(tmp_path: Path) -> None:
    done = cluster(tmp_path, "node-stop", "node-1")
    assert (done.returncode, "no cluster runs" in done.stderr) == (3, True)


def test_stop_leaves_a_process_alone_that_took_over_a_number(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "api" / "pid").mkdir(parents=True)
    (tmp_path / "api" / "pid" / "etcd").write_text(f"{sleeper.pid} 1\n")
    assert "stopped" in cluster(tmp_path, "stop").stderr
    assert sleeper.poll() is None
    assert not (tmp_path / "api").exists()


def test_stop_ends_what_a_killed_start_left_without_a_note(tmp_path: Path) -> None:
    """Marked, but in no file of numbers: the start was killed before it could write one."""
    environment = {**os.environ, MARK: str(tmp_path / "api")}
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env=environment
    ) as left:
        time.sleep(0.3)  # it has its own environment only behind exec
        assert "stopped" in cluster(tmp_path, "stop").stderr
        assert left.wait(5) != 0


def test_stop_leaves_what_another_data_folder_started(tmp_path: Path) -> None:
    environment = {**os.environ, MARK: str(tmp_path / "other" / "api")}
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env=environment
    ) as other:
        time.sleep(0.3)
        cluster(tmp_path, "stop")
        assert other.poll() is None
        other.kill()


def test_a_damaged_state_file_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "cluster.json").write_text('{"half')
    assert cluster(tmp_path, "status").returncode == 3
    assert cluster(tmp_path, "stop").returncode == 0
    assert not (tmp_path / "node").exists()


def asked(expression: str, data: Path) -> object:
    """A value of the script's own modules."""
    program = f"import json, sys; sys.path.insert(0, {str(FOLDER)!r}); {expression}"
    environment = {**os.environ, "IMGOPT_CLUSTER_DATA": str(data)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_two_data_folders_have_two_control_groups_and_short_sockets(tmp_path: Path) -> None:
    names = asked(
        "from pathlib import Path; from layout import Layout;"
        "print(json.dumps([Layout(Path(p), 'node').name for p in ('/a' * 80, '/b')]))",
        tmp_path,
    )
    assert isinstance(names, list) and len(set(names)) == 2
    assert all(len(f"/run/{name}/node-1/containerd.sock.ttrpc") < 107 for name in names)


def test_the_pause_image_is_an_archive_that_an_engine_can_load(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")
    found = asked(
        "import io, tarfile; from pathlib import Path; from node import _pause_archive;"
        f"tar = tarfile.open(fileobj=io.BytesIO(_pause_archive(Path({str(program)!r}))));"
        "print(json.dumps([tar.getnames(), json.load(tar.extractfile('manifest.json'))]))",
        tmp_path,
    )
    assert isinstance(found, list)
    names, (manifest,) = found
    assert manifest["RepoTags"] == ["imgopt.local/pause:1"]
    assert {manifest["Config"], *manifest["Layers"], "manifest.json"} == set(names)


def test_the_version_in_the_script_is_the_module_s() -> None:
    text = (FOLDER / "parts" / "go.mod").read_text()
    version = asked("from layout import VERSION; print(json.dumps(VERSION))", FOLDER)
    assert f"k8s.io/kubernetes v{version}\n" in text
    assert f"k8s.io/api => k8s.io/api v0.{str(version).partition('.')[2]}\n" in text
