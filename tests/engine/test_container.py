from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.engine import RunRequest, Session
from imgopt.engine.container import MOST_LOG_BYTES, StartFailure
from imgopt.errors import EnvironmentFailure

pytestmark = pytest.mark.engine
Base = Callable[[str], str]


@pytest.fixture
def shell(base: Base) -> Callable[..., RunRequest]:
    image = base("debian:bookworm-slim")
    return lambda script, **more: RunRequest(image, command=("/bin/sh", "-c", script), **more)


def test_output_exit_code_and_written_paths(
    session: Session, shell: Callable[..., RunRequest]
) -> None:
    with session.start(
        shell("echo out; echo err >&2; echo x >/new; rm /etc/issue; exit 3")
    ) as container:
        assert container.wait(20) == 3
        logs = container.logs()
        assert (logs.stdout, logs.stderr) == (b"out\n", b"err\n")
        assert {(change.path, change.kind) for change in container.changes()} >= {
            ("/new", "added"),
            ("/etc/issue", "deleted"),
        }
        assert container.read_file("/new") == b"x\n"
        assert container.read_file("/nothing") is None


def test_exec_gives_both_streams_and_the_code_and_keeps_time(
    session: Session, shell: Callable[..., RunRequest]
) -> None:
    with session.start(shell("sleep 100")) as container:
        output = container.exec(("/bin/sh", "-c", "echo a; echo b >&2; exit 4"))
        assert (output.code, output.stdout, output.stderr) == (4, b"a\n", b"b\n")
        assert container.exec(("/not/there",)).code in (126, 127)
        started = time.monotonic()
        assert container.exec(("sleep", "30"), timeout=1).code is None
        assert time.monotonic() - started < 5


def test_exec_in_a_container_that_has_ended_is_no_fault(
    session: Session, shell: Callable[..., RunRequest]
) -> None:
    with session.start(shell("exit 3")) as container:
        container.wait(10)
        output = container.exec(("true",))
        assert output.code == 126
        assert b"not running" in output.stderr


def test_a_stop_that_is_ignored_takes_the_whole_time_and_is_told(
    session: Session, shell: Callable[..., RunRequest]
) -> None:
    with session.start(shell("trap '' TERM; echo up; while :; do sleep 0.1; done")) as container:
        while b"up" not in container.logs().stdout:
            time.sleep(0.05)
        seconds, code = container.stop(2)
        assert seconds >= 2
        assert code == 137


def test_a_stop_that_is_heard_gives_the_programs_own_code(
    session: Session, shell: Callable[..., RunRequest]
) -> None:
    with session.start(
        shell("trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done")
    ) as container:
        while b"up" not in container.logs().stdout:
            time.sleep(0.05)
        seconds, code = container.stop(10)
        assert seconds < 5
        assert code == 7


def test_ports_are_published_on_the_local_address_only(
    session: Session, shell: Callable[..., RunRequest]
) -> None:
    with session.start(shell("sleep 100", ports=("8000/tcp",))) as container:
        [place] = container.inspect()["NetworkSettings"]["Ports"]["8000/tcp"]
        assert place["HostIp"] == "127.0.0.1"
        assert container.ports() == {"8000/tcp": int(place["HostPort"])}
        socket.create_connection(("127.0.0.1", container.ports()["8000/tcp"]), 5).close()


def test_settings_reach_the_container(
    session: Session, shell: Callable[..., RunRequest], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mounted\n")
    tmp_path.chmod(0o755)
    request = shell(
        'echo "$A"; cat /m/file; id -u; hostname; touch /m/x || echo ro',
        env={"A": "b c"},
        mounts=(f"{tmp_path}:/m:ro",),
        user="1234",
        hostname="here",
    )
    with session.start(request) as container:
        container.wait(20)
        assert container.logs().stdout.split() == b"b c mounted 1234 here ro".split()


def test_an_endless_log_does_not_fill_the_memory(
    session: Session, shell: Callable[..., RunRequest]
) -> None:
    with session.start(
        shell("head -c 9000000 /dev/zero | tr '\\0' 'x' | fold -w 1000")
    ) as container:
        container.wait(60)
        assert len(container.logs().both) <= MOST_LOG_BYTES
        assert len(container.logs(tail=2).stdout) < 10_000


def test_a_command_that_is_not_there_is_a_finding(session: Session, base: Base) -> None:
    with pytest.raises(StartFailure, match="not found"):
        session.start(RunRequest(base("debian:bookworm-slim"), command=("not-there",)))


def test_an_image_that_is_not_there_is_an_environment_failure(session: Session) -> None:
    with pytest.raises(EnvironmentFailure):
        session.start(RunRequest("imgopt.invalid/none:1"))
