"""Images made to hurt: a clear error or a right answer, bounded memory, nothing written, no
traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from imgopt.cli.app import main
from imgopt.errors import InputError
from imgopt.image import blobs, ledger, open_image
from imgopt.image.memory import Memory

from .crafting import (
    config,
    docker_archive,
    f,
    hard,
    info,
    oci_files,
    sym,
    tar,
    wh,
    write_directory,
    write_tar,
)


def header(path: str, size: bytes, typeflag: bytes = b"0") -> bytes:
    """A ustar header with a size field of our own."""
    block = bytearray(tarfile.TarInfo(path).tobuf(tarfile.GNU_FORMAT))
    block[124:136], block[156:157], block[148:156] = size, typeflag, b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


EXABYTE = b"\x80" + (1 << 60).to_bytes(11, "big")
END = bytes(1024)

LAYERS: dict[str, tuple[bytes, str | None]] = {
    # name: the tar of the only layer, the error (None: a right answer)
    "a file that claims one exabyte": (header("a", EXABYTE) + END, "cut off in the contents"),
    "a size below zero": (header("a", b"\xff" * 12) + END, None),
    "a size that is no number": (header("a", b"0000zzz8888\0") + END, "is no number"),
    "cut off in a header": (tar(f("a", 10))[:300], "cut off in a header"),
    "cut off in the contents": (tar(f("a", 5000))[:2000], "cut off in the contents"),
    "a record of 3 GB before a header": (header("x", b"30000000000\0", b"x") + END, "has a header record of"),
    "a record that is cut off": (header("x", b"00000777777\0", b"x") + END, "cut off in a header record"),
    "a PAX record with a wrong length": (
        header("x", b"00000000012\0", b"x") + b"99 path=xx".ljust(512, b"\0") + END, "damaged PAX record",
    ),
    "a PAX record without a length after a whole one": (
        header("x", b"00000000020\0", b"x") + b"11 path=ab\nxyz\0\0".ljust(512, b"\0") + END, "damaged PAX record"
    ),
    "a PAX record of length zero": (
        header("x", b"00000000017\0", b"x") + b"11 path=ab\n0 a=".ljust(512, b"\0") + END, "damaged PAX record"
    ),
    "a PAX size of ten thousand digits": (
        tar(f("a", 3, pax_headers={"uid": "9" * 10_000})), "no number",
    ),
    "a path out of the root": (tar(f("../../etc/passwd", 5)), "outside of the root"),
    "a link out of the root": (tar(hard("a", "../../etc/shadow")), "outside of the root"),
    "an absolute path": (tar(f("/etc/passwd", 5)), None),
    "a symlink out of the root": (tar(sym("a", "../../../../etc"), f("a/passwd", 5)), None),
    "links in circles": (tar(sym("a", "b"), sym("b", "a"), f("a/x", 5), wh("b/y")), None),
    "terminal escapes in names": (tar(f("\x1b[2J\x1b]0;x\x07evil\r\nname", 100_000)), None),
    "names of 100,000 characters": (tar(f("n" * 100_000, 5)), "longest that Linux takes"),
    "2,000 directories deep": (tar(f("d/" * 2000 + "x", 5)), None),
    "no tar at all": (b"hello" * 1000, "not a tar"),
    "a file for the root": (tar(f(".", 5)), "in place of the root"),
    "hard links to each other": (tar(hard("a", "b"), hard("b", "a")), None),
    "a damaged header": (header("a", b"00000000000\0")[:482] + b"\1" + bytes(29) + END, "checksum"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("compress", ["", "gzip"])
def test_hostile_layers(
    name: str, compress: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layer, error = LAYERS[name]
    path = docker_archive(tmp_path / "image.tar", [layer], compress=compress)
    before = sorted(each for each in tmp_path.rglob("*") if "cache" not in each.parts)
    code = main(["analyze", str(path), "--files"])
    captured = capsys.readouterr()
    if error is None:
        assert (code, captured.err) == (0, "")
    else:
        assert code == 2 and error in captured.err and "Traceback" not in captured.err
    assert "\x1b" not in captured.out + captured.err
    assert sorted(each for each in tmp_path.rglob("*") if "cache" not in each.parts) == before


def test_a_right_answer_in_every_format_with_names_that_attack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[31m<script>alert(1)</script>|`${x}`\u202egnp.exe"
    layers = [tar(f(evil, 2_000_000)), tar(wh(evil))]
    raw = config(
        layers, [{"created_by": f"RUN {evil}"}, {"created_by": f"COPY {evil} / # buildkit"}]
    )
    path = docker_archive(tmp_path / "image.tar", layers, raw)
    for format in ("text", "json", "markdown", "csv"):
        assert main(["analyze", str(path), "--format", format]) == 0
        output = capsys.readouterr().out
        assert "\x1b" not in output and "\u202e" not in output
        assert format != "markdown" or "<script>" not in output
    assert (
        json.loads(capture(["analyze", str(path), "--format", "json"], capsys))["ledger"]["deleted"]
        == 2_000_000
    )


def capture(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_a_compressed_layer_that_is_cut_off(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "a.tar", [tar(f("a", 100_000))], compress="gzip")
    data = path.read_bytes()
    (tmp_path / "cut.tar").write_bytes(data[: len(data) // 3])
    assert main(["analyze", str(tmp_path / "cut.tar")]) == 2


def test_a_decompression_bomb_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "_BOMB_BYTES", 32 << 20)
    path = write_directory(tmp_path / "oci", oci_files([tar(f("a/b", b"x" * (200 << 20)))]))
    with pytest.raises(InputError, match="refused as a bomb; /a/b alone has 209715200"):
        ledger(open_image(str(path), memory=Memory(None)))


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_zeros_are_no_bomb(compress: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "_BOMB_BYTES", 4 << 20)
    holes = tar(f("var/log/lastlog", bytes(200 << 20)), f("end", b"after the hole"))
    path = write_directory(tmp_path / "oci", oci_files([holes], compress=compress))
    image = open_image(str(path), memory=Memory(None))
    assert ledger(image).live == (200 << 20) + len(b"after the hole")
    assert image.tree().read("/end") == b"after the hole"


def test_more_zeros_than_anybody_waits_for_name_the_file_and_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "_MOST_ZEROS", 64 << 20)
    holes = tar(f("etc/x", 10), f("var/log/lastlog", bytes(200 << 20)))
    path = write_directory(tmp_path / "oci", oci_files([holes]))
    with pytest.raises(InputError, match="/var/log/lastlog alone has 209715200") as raised:
        ledger(open_image(str(path), memory=Memory(None)))
    assert "--no-log-init" in (raised.value.hint or "")


def test_another_layer_than_the_diff_id_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layer, other = tar(f("a", 10)), tar(f("b", 10))
    raw = config([layer])
    manifest = json.dumps([{"Config": "c.json", "RepoTags": [], "Layers": ["l.tar"]}]).encode()
    path = write_tar(tmp_path / "a.tar", {"c.json": raw, "l.tar": other, "manifest.json": manifest})
    assert main(["analyze", str(path)]) == 2
    assert "does not match its digest" in capsys.readouterr().err


def test_duplicate_keys_in_json_have_one_meaning(tmp_path: Path) -> None:
    """The last one counts, as in Go's decoder, which engines use."""
    layer = tar(f("a", 10))
    raw = config([layer])
    manifest = b'[{"Config": "wrong", "Config": "c.json", "Layers": [], "Layers": ["l.tar"]}]'
    path = write_tar(tmp_path / "a.tar", {"c.json": raw, "l.tar": layer, "manifest.json": manifest})
    assert open_image(str(path), memory=Memory(None)).layers[0].payload_bytes == 10


SCRIPT = """
import sys
from pathlib import Path
from imgopt.image import Memory, find_packages, ledger, open_image
image = open_image(sys.argv[1], memory=Memory(None))
found = ledger(image)
find_packages(image.tree())
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(len(image.layers[0].entries()), int(status["VmHWM"].split()[0]) // 1024)
"""


def measured(path: Path) -> tuple[int, int]:
    """Entries, and megabytes at the peak, of a process of its own (ru_maxrss would count what the
    parent had)."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], check=True, capture_output=True, text=True
    )
    entries, megabytes = result.stdout.split()
    return int(entries), int(megabytes)


def many(path: Path, count: int) -> Path:
    """A layer of `count` files in directories of a thousand; written by hand, tarfile takes
    minutes."""
    template = bytearray(info("x", tarfile.REGTYPE).tobuf(tarfile.GNU_FORMAT))
    template[148:156] = b" " * 8
    rest, chunks = sum(template[100:]), []
    for number in range(count):
        name = b"usr/share/data/%06d/file-%09d.txt" % (number // 1000, number)
        template[0:100] = name.ljust(100, b"\0")
        template[148:156] = b"%06o\0 " % (rest + sum(name))
        chunks.append(bytes(template))
    return docker_archive(path, [b"".join(chunks) + END], compress="gzip")


def test_200000_files_take_less_than_300_megabytes(tmp_path: Path) -> None:
    entries, megabytes = measured(many(tmp_path / "many.tar", 200_000))
    assert entries == 200_000
    assert megabytes < 300


@pytest.mark.skipif("IMGOPT_FUZZ" not in os.environ, reason="takes a minute: make fuzz")
def test_a_million_entries_are_read_in_bounded_memory(tmp_path: Path) -> None:
    entries, megabytes = measured(many(tmp_path / "many.tar", 1_000_000))
    assert entries == 1_000_000
    assert megabytes < 1200


def test_deep_trees_are_deleted_without_recursion(tmp_path: Path) -> None:
    deep = "d/" * 2000
    layers = [tar(f(f"{deep}x", 5)), tar(wh("d"))]
    found = ledger(open_image(str(docker_archive(tmp_path / "a.tar", layers)), memory=Memory(None)))
    assert found.classes["deleted-directory"] == 5
