from __future__ import annotations

from collections.abc import Callable

import pytest

from imgopt.engine import RunRequest, Session
from imgopt.run.fanotify import find_mount, traced

MOUNTS = r"""
23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
90 23 0:50 / /data/overlay2/aa/merged rw,relatime shared:9 - overlay overlay rw,lowerdir=x
91 23 0:51 / /data\040root/rootfs/overlayfs/cafe01 rw shared:9 - overlay overlay rw
92 23 0:52 / /data/containers/cafe01/mounts/shm rw - tmpfs shm rw
"""


def test_the_mount_is_found_by_the_drivers_own_folder() -> None:
    assert find_mount(MOUNTS, "0000", "/data/overlay2/aa/merged") == "/data/overlay2/aa/merged"


def test_the_mount_of_the_containerd_store_is_found_by_the_containers_id_with_its_spaces() -> None:
    assert find_mount(MOUNTS, "cafe01", "") == "/data root/rootfs/overlayfs/cafe01"


def test_other_mounts_are_not_taken() -> None:
    assert find_mount(MOUNTS, "0000", "") is None
    assert find_mount("damaged\n", "0000", "/x") is None


@pytest.mark.engine
@pytest.mark.parametrize("network", ["bridge", "none"])
def test_every_file_from_the_first_program_on_is_recorded(
    session: Session, base: Callable[[str], str], network: str
) -> None:
    if session.engine.facts.trace_reason:
        pytest.skip(session.engine.facts.trace_reason)
    script = "read x </etc/debian_version; /usr/bin/id -u; ls /etc >/dev/null"
    image = base("debian:bookworm-slim")
    for _ in range(3):
        container = session.create(
            RunRequest(image, command=("/bin/sh", "-c", script), network=network)
        )
        with container, traced(session.engine, container) as recorder:
            container.start()
            assert container.wait(20) == 0
        trace = recorder.result()
        assert trace.reason is None
        assert {"/usr/bin/dash", "/usr/bin/id", "/usr/bin/ls"} <= trace.executed <= trace.opened
        assert {"/etc/debian_version", "/etc/ld.so.cache"} <= trace.opened
        assert not {"/etc/shadow", "/usr/bin/cat", "/etc"} & trace.opened


@pytest.mark.engine
def test_what_the_container_runtime_reads_is_no_need_of_the_program(
    session: Session, base: Callable[[str], str]
) -> None:
    if session.engine.facts.trace_reason:
        pytest.skip(session.engine.facts.trace_reason)
    container = session.create(RunRequest(base("debian:bookworm-slim"), command=("sleep", "100")))
    with container, traced(session.engine, container) as recorder:
        container.start()
        container.exec(("true",))
    trace = recorder.result()
    assert "/usr/bin/true" in trace.executed
    assert "/etc/passwd" not in trace.opened
