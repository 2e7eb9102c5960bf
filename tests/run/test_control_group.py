from __future__ import annotations

from pathlib import Path

from imgopt.run.control_group import ControlGroup, MemoryWatch


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_version_1_does_not_count_page_cache_that_nobody_uses(tmp_path: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(proc / "7/cgroup", "4:memory:/docker/abc\n2:cpuacct,cpu:/docker/abc\n0::/\n")
    write(root / "memory/docker/abc/memory.usage_in_bytes", "5000\n")
    write(root / "memory/docker/abc/memory.stat", "cache 9\ntotal_inactive_file 1200\n")
    write(root / "memory/docker/abc/memory.max_usage_in_bytes", "9000\n")
    write(root / "cpuacct/docker/abc/cpuacct.usage", "2500000000\n")
    group = ControlGroup.of(7, root, proc)
    assert group.peak_bytes() == 9000
    assert (group.bytes_used(), group.processor_seconds()) == (3800, 2.5)


def test_controllers_that_have_one_folder_and_no_links(tmp_path: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(proc / "7/cgroup", "2:cpuacct,cpu:/docker/abc\n")
    write(root / "cpuacct,cpu/docker/abc/cpuacct.usage", "1000000000\n")
    assert ControlGroup.of(7, root, proc).processor_seconds() == 1.0


def test_version_2(tmp_path: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(root / "cgroup.controllers", "memory cpu\n")
    write(proc / "7/cgroup", "0::/system.slice/docker-abc.scope\n")
    folder = root / "system.slice/docker-abc.scope"
    write(folder / "memory.current", "5000\n")
    write(folder / "memory.stat", "anon 3\ninactive_file 500\n")
    write(folder / "cpu.stat", "usage_usec 1500000\nuser_usec 1\n")
    group = ControlGroup.of(7, root, proc)
    assert (group.bytes_used(), group.processor_seconds()) == (4500, 1.5)


def test_a_group_that_is_gone_is_not_measured(tmp_path: Path) -> None:
    group = ControlGroup.of(7, tmp_path / "cgroup", tmp_path / "proc")
    assert (group.bytes_used(), group.processor_seconds()) == (None, None)


def test_the_most_is_kept_when_it_falls_and_each_part_has_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "group"
    write(folder / "memory.stat", "inactive_file 0\n")
    write(folder / "cpu.stat", "usage_usec 10\n")
    with MemoryWatch(ControlGroup(folder, folder, True)) as watch:
        for used in ("100", "900", "300"):
            (folder / "memory.current").write_text(used)
            watch.now()
        assert watch.mark() == 900
        assert watch.mark() == 300
