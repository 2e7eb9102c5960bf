"""What a container listens on beside TCP, as the kernel's tables say it."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from imgopt.run.listening import bound_datagrams, listening_paths, other_sockets
from imgopt.run.processes import home_of


def test_a_bound_datagram_port_counts_and_one_of_a_conversation_does_not() -> None:
    lines = [
        "  1: 00000000:0035 00000000:0000 07 0:0 00:0 0 0 0 1 2 0 0",
        "  2: 0100007F:00A1 0200007F:0035 01 0:0 00:0 0 0 0 1 2 0 0",
        "  3: 00000000:9C40 00000000:0000 07 0:0 00:0 0 0 0 1 2 0 0",
        "  4: 0B00007F:0050 00000000:0000 07 0:0 00:0 0 0 0 1 2 0 0",
        "  5: 00000000000000000000000000000000:0202 00000000000000000000000000000000:0000 07 0 0 0 0 0 0 0",
    ]
    assert list(bound_datagrams(lines)) == [53, 514]


def test_a_socket_that_accepts_counts_and_a_connected_one_does_not() -> None:
    lines = [
        "0000: 00000002 00000000 00010000 0001 01 123 /run/app.sock",
        "0000: 00000003 00000000 00000000 0001 03 124 /run/app.sock",
        "0000: 00000002 00000000 00010000 0001 01 125",
    ]
    assert list(listening_paths(lines)) == ["/run/app.sock"]


def test_the_sockets_of_a_real_process_are_seen(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with (
        socket.socket(socket.AF_UNIX) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
    ):
        stream.bind(path)
        stream.listen()
        datagram.bind(("127.0.0.1", 0))
        found = other_sockets(os.getpid())
    assert f"unix {path}" in found
    assert other_sockets(0) == frozenset()


def test_the_home_folder_of_a_real_process_is_known() -> None:
    command = ["/bin/sh", "-c", "echo up; exec /bin/sleep 9"]
    with subprocess.Popen(
        command, env={"HOME": "/home/\xe4", "X": "1"}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert (
            process.stdout.readline() == b"up\n"
        )  # before it runs, the kernel shows no environment
        found = ""
        while (
            not found and process.poll() is None
        ):  # exec fills it in after it closed what Popen waits for
            found = home_of(process.pid)
        process.kill()
    assert (found, home_of(0)) == ("/home/\xe4", "")
