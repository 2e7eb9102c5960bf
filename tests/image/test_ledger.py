"""Crafted images with their exact ledgers; every case is one rule of image-spec `layer.md`, or one
trap."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from imgopt.image import ledger, open_image
from imgopt.image.memory import Memory

from .crafting import d, dev, docker_archive, f, hard, info, opq, sym, tar, wh

K = 1000
BASE = f("base", 50 * K)
BIG = 100 * K


def sparse_tar() -> bytes:
    """PAX sparse format 1.0: the map is a block of text before the 10 bytes that are stored."""
    stored = b"1\n1048576\n10\n".ljust(512, b"\0") + b"0123456789"
    member = info("GNUSparseFile.0/hole", tarfile.REGTYPE)
    member.size = len(stored)
    member.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "hole", "GNU.sparse.realsize": "2097152",
    }  # fmt: skip
    return tar((member, stored))


CASES: dict[str, tuple[list[bytes], dict[str, int], list[str]]] = {
    # name: layers, classes that are not zero, paths of the final tree that must be there
    "dive 1: directory deleted later": (
        [tar(BASE), tar(d("dir"), f("dir/a", 60 * K), f("dir/b", 40 * K)), tar(wh("dir"))],
        {"live": 50 * K, "deleted-directory": BIG},
        ["/base"],
    ),
    "dive 2: every file deleted one by one": (
        [tar(BASE), tar(d("dir"), f("dir/a", 60 * K), f("dir/b", 40 * K)), tar(d("dir"), wh("dir/a"), wh("dir/b"))],
        {"live": 50 * K, "deleted": BIG},
        ["/base", "/dir"],
    ),
    "dive 3: opaque whiteout over a directory": (
        [tar(BASE), tar(d("dir"), f("dir/a", BIG)), tar(d("dir"), opq("dir"))],
        {"live": 50 * K, "opaque-hidden": BIG},
        ["/base", "/dir"],
    ),
    "dive 4: chmod of a file": (
        [tar(BASE), tar(f("big", BIG)), tar(f("big", BIG, mode=0o600))],
        {"live": 150 * K, "metadata-only": BIG},
        ["/big"],
    ),
    "dive 5: a file that grows": (
        [tar(BASE), tar(f("log", 1 * K)), tar(f("log", BIG))],
        {"live": 150 * K, "overwritten": 1 * K},
        ["/log"],
    ),
    "dive 6: a whiteout of what is not below does not stop the rest": (
        [tar(BASE), tar(f("big", b"a" * BIG)), tar(wh("nothing"), wh("no/such/dir"), f("big", b"b" * BIG))],
        {"live": 150 * K, "overwritten": BIG},
        ["/big"],
    ),
    "chown of a file": (
        [tar(f("a", 10)), tar(f("a", 10, uid=1000, gid=1000))],
        {"live": 10, "metadata-only": 10},
        ["/a"],
    ),
    "touch of a file": ([tar(f("a", 10)), tar(f("a", 10, mtime=99))], {"live": 10, "metadata-only": 10}, ["/a"]),
    "setcap of a file": (
        [tar(f("a", 10)), tar(f("a", 10, pax_headers={"SCHILY.xattr.security.capability": "x"}))],
        {"live": 10, "metadata-only": 10},
        ["/a"],
    ),
    "the same file copied again": ([tar(f("a", 10)), tar(f("a", 10))], {"live": 10, "identical-rewrite": 10}, ["/a"]),
    "same size, other bytes": (
        [tar(f("a", b"1" * 10)), tar(f("a", b"2" * 10))],
        {"live": 10, "overwritten": 10},
        ["/a"],
    ),
    "written three times: each dead copy once": (
        [tar(f("a", b"1" * 10)), tar(f("a", b"2" * 10)), tar(f("a", b"2" * 10, mode=0o700))],
        {"live": 10, "overwritten": 10, "metadata-only": 10},
        ["/a"],
    ),
    "hard link: bytes count once": ([tar(f("a", 100), hard("b", "a"))], {"live": 100}, ["/a", "/b"]),
    "hard link: one name deleted, bytes live on": (
        [tar(f("a", 100), hard("b", "a")), tar(wh("a"))],
        {"live": 100},
        ["/b"],
    ),
    "hard link: both names deleted": (
        [tar(f("a", 100), hard("b", "a")), tar(wh("a"), wh("b"))],
        {"deleted": 100},
        [],
    ),
    "hard link to a file of a lower layer ships it again": (
        [tar(f("a", 100)), tar(f("a", 100), hard("b", "a"))],
        {"live": 100, "hardlink-copy-up": 100},
        ["/a", "/b"],
    ),
    "hard link without its target in the layer": ([tar(f("a", 100)), tar(hard("b", "a"))], {"live": 100}, ["/a", "/b"]),
    "hard link that dangles": ([tar(f("a", 5), hard("b", "none"))], {"live": 5}, ["/a", "/b"]),
    "file replaces a directory": (
        [tar(d("x"), f("x/in", 70)), tar(f("x", 30))],
        {"live": 30, "deleted-directory": 70},
        ["/x"],
    ),
    "directory replaces a file": (
        [tar(f("x", 70)), tar(d("x"), f("x/in", 30))],
        {"live": 30, "overwritten": 70},
        ["/x/in"],
    ),
    "symlink replaces a directory": (
        [tar(d("x"), f("x/in", 70)), tar(sym("x", "elsewhere"))],
        {"deleted-directory": 70},
        ["/x"],
    ),
    "directory entry replaces a symlink": (
        [tar(d("usr/lib"), f("usr/lib/a", 5), sym("lib", "usr/lib")), tar(d("lib"), f("lib/b", 7))],
        {"live": 12},
        ["/usr/lib/a", "/lib/b"],
    ),
    "parents that are links are followed": (
        [tar(d("usr/lib"), sym("lib", "usr/lib"), f("usr/lib/a", b"1" * 9)), tar(f("lib/a", b"2" * 9))],
        {"live": 9, "overwritten": 9},
        ["/usr/lib/a"],
    ),
    "whiteout through a linked parent": (
        [tar(d("usr/lib"), sym("lib", "/usr/lib"), f("usr/lib/a", 9)), tar(wh("lib/a"))],
        {"deleted": 9},
        ["/usr/lib"],
    ),
    "links out of the root stay inside": (
        [tar(sym("up", "../../../../etc"), d("etc"), f("etc/x", 4)), tar(f("up/x", 6))],
        {"live": 6, "overwritten": 4},
        ["/etc/x"],
    ),
    "links in a circle": ([tar(sym("a", "b"), sym("b", "a"), f("ok", 3)), tar(f("a/x", 4))], {"live": 7}, ["/ok"]),
    "whiteout spares what its own layer adds, in any order": (
        [tar(f("a", b"1" * 8)), tar(f("a", b"2" * 9), wh("a"))],
        {"live": 9, "deleted": 8},
        ["/a"],
    ),
    "opaque spares what its own layer adds, in any order": (
        [tar(d("x"), f("x/old", 8)), tar(d("x"), f("x/new", 9), opq("x"))],
        {"live": 9, "opaque-hidden": 8},
        ["/x/new"],
    ),
    "AUFS bookkeeping and invalid whiteouts are no files": (
        [tar(f("a", 4), f(".wh..wh.plnk"), f(".wh..wh.aufs"), f(".wh."))],
        {"live": 4},
        ["/a"],
    ),
    "the same path twice in one layer: all bytes are shipped": (
        [tar(f("a", b"1" * 30), f("a", b"2" * 20))],
        {"live": 20, "overwritten": 30},
        ["/a"],
    ),
    "missing parents are made": ([tar(f("deep/er/file", 5))], {"live": 5}, ["/deep/er/file"]),
    "odd spellings of one path": (
        [tar(f("./a", b"1" * 5)), tar(f("/a", b"2" * 5)), tar(f("x/../a", b"3" * 5)), tar(f("x//./b", 1))],
        {"live": 6, "overwritten": 10},
        ["/a", "/x/b"],
    ),
    "devices and pipes have no bytes": (
        [tar(dev("null"), dev("pipe", tarfile.FIFOTYPE), dev("disk", tarfile.BLKTYPE), f("a", 1))],
        {"live": 1},
        ["/null", "/pipe", "/disk"],
    ),
    "names that are not UTF-8": (
        [tar(f("caf\udce9", 5), format=tarfile.GNU_FORMAT), tar(wh("caf\udce9"), format=tarfile.GNU_FORMAT)],
        {"deleted": 5},
        [],
    ),
    "long names, GNU": ([tar(f("n" * 300, 5), format=tarfile.GNU_FORMAT)], {"live": 5}, [f"/{'n' * 300}"]),
    "long names, PAX": (
        [tar(f("d/" * 99 + "n" * 200, 5), sym("s", "t" * 300))],
        {"live": 5},
        ["/" + "d/" * 99 + "n" * 200],
    ),
    "long names, ustar prefix": (
        [tar(f("p" * 120 + "/" + "n" * 90, 5), format=tarfile.USTAR_FORMAT)],
        {"live": 5},
        ["/" + "p" * 120 + "/" + "n" * 90],
    ),
    "numbers in base 256": ([tar(f("a", 5, uid=2**30), format=tarfile.GNU_FORMAT)], {"live": 5}, ["/a"]),
    "sparse file: only what is stored counts": ([sparse_tar()], {"live": 522}, ["/hole"]),
    "AUFS keeps names of files for itself": (
        [tar(f("a", 5), d(".wh..wh.plnk"), f(".wh..wh.plnk/11.22", 7), f(".wh..wh.aufs", 3))],
        {"live": 5},
        ["/a"],
    ),
    "AUFS: links to what it keeps are files, shipped once": (
        [tar(f(".wh..wh.plnk/11.22", 7), hard("b", ".wh..wh.plnk/11.22"), hard("x/c", "/.wh..wh.plnk/11.22"))],
        {"live": 7},
        ["/b", "/x/c"],
    ),
    "AUFS: orphans are nobody's": (
        [tar(d(".wh..wh.orph"), f(".wh..wh.orph/1.2/deep", 9), f("a", 5))], {"live": 5}, ["/a"],
    ),
    "empty layer": ([tar(f("a", 5)), tar(), tar(f("b", 6))], {"live": 11}, ["/a", "/b"]),
    "a directory again only renews its attributes": (
        [tar(d("x"), f("x/a", 5)), tar(d("x", mode=0o700, uid=7))],
        {"live": 5},
        ["/x/a"],
    ),
}  # fmt: skip


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "cache")


@pytest.mark.parametrize("name", CASES)
def test_every_byte_is_in_its_class(name: str, tmp_path: Path, memory: Memory) -> None:
    layers, expected, paths = CASES[name]
    path = docker_archive(tmp_path / "image.tar", layers)
    for _ in range(2):  # the second time from the cache
        image = open_image(str(path), memory=memory)
        found = ledger(image)
        assert {kind: size for kind, size in found.classes.items() if size} == expected
        assert (
            found.payload
            == sum(layer.payload_bytes for layer in image.layers)
            == sum(expected.values())
        )
        assert [layer.tar_bytes for layer in image.layers] == [len(layer) for layer in layers]
        for layer, classes in zip(image.layers, found.layers, strict=True):
            assert sum(classes.values()) == layer.payload_bytes
        for wanted in paths:
            assert image.tree().get(wanted) is not None, wanted
        inodes = {id(node.inode): node.size for node in image.tree().files()}
        assert sum(inodes.values()) == found.live


def test_waste_names_the_layer_that_shipped_and_the_one_that_killed(tmp_path: Path) -> None:
    layers = [tar(f("a", 10)), tar(f("b", 20)), tar(wh("a"), f("b", 20, mode=0o600))]
    found = ledger(
        open_image(str(docker_archive(tmp_path / "image.tar", layers)), memory=Memory(None))
    )
    assert [
        (item.path, item.bytes, item.kind, item.shipped_by, item.killed_by) for item in found.waste
    ] == [
        ("/b", 20, "metadata-only", 1, 2),
        ("/a", 10, "deleted", 0, 2),
    ]
    assert found.layers[0]["deleted"] == 10 and found.layers[1]["metadata-only"] == 20


def test_tree_reads_follows_and_refuses(tmp_path: Path) -> None:
    layers = [
        tar(
            d("usr/bin"),
            f("usr/bin/env", b"#!x"),
            sym("bin", "usr/bin"),
            sym("loop", "loop"),
            sym("gone", "no"),
        )
    ]
    tree = open_image(
        str(docker_archive(tmp_path / "image.tar", layers)), memory=Memory(None)
    ).tree()
    assert tree.read("/bin/env") == tree.read("bin/../bin/env") == b"#!x"
    node = tree.get("/bin")
    assert node is not None and (node.kind, node.linkname) == ("symlink", "usr/bin")
    resolved = tree.resolve("/bin")
    assert resolved is not None and resolved.path == "/usr/bin"
    assert (
        tree.resolve("/loop") is None
        and tree.resolve("/gone") is None
        and tree.get("/gone") is not None
    )
    with pytest.raises(FileNotFoundError):
        tree.read("/usr/bin")
    assert [each.path for each in tree.walk("/usr")] == ["/usr", "/usr/bin", "/usr/bin/env"]
    env = tree.get("/usr/bin/env")
    assert env is not None and env.digest is not None and env.digest.startswith("sha256:")


def test_a_sparse_file_is_read_expanded(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", [sparse_tar()])
    contents = open_image(str(path), memory=Memory(None)).tree().read("/hole")
    assert len(contents) == 2097152 and contents[1048576:1048586] == b"0123456789"


def test_global_pax_headers_apply_to_all_that_follow(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", pax_headers={"uid": "4242"}) as archive:
        for member, contents in (f("a", 3), f("b", 4)):
            archive.addfile(member, io.BytesIO(contents))
    image = open_image(
        str(docker_archive(tmp_path / "image.tar", [out.getvalue()])), memory=Memory(None)
    )
    assert {node.uid for node in image.tree().files()} == {4242}
