"""The files of a context as BuildKit's client would send them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from imgopt.context.files import (
    BytesContent,
    DiskContent,
    Entry,
    Tree,
    list_files,
    same_content,
    sifted,
)
from imgopt.dockerfile import IgnoreFile
from imgopt.errors import InputError


def make(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


def test_lists_files_directories_and_links_with_modes_and_sizes(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "d/b.txt")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("d")
    (tmp_path / "a.txt").chmod(0o750)
    tree = list_files(tmp_path)
    assert [*tree] == ["a.txt", "d", "d/b.txt", "empty", "link"]
    assert (tree.entries["a.txt"].mode, tree.entries["a.txt"].size) == (0o750, 5)
    assert (tree.entries["link"].kind, tree.entries["link"].link) == ("link", "d")
    assert tree.size == len("a.txt") + len("d/b.txt")


def test_a_link_out_of_the_context_is_not_followed(tmp_path: Path) -> None:
    make(tmp_path / "outside", "secret")
    root = make(tmp_path / "context", "a")
    (root / "out").symlink_to(tmp_path / "outside")
    assert [*list_files(root)] == ["a", "out"]


def test_a_cycle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert list_files(tmp_path).resolve("a") is None


def test_links_resolve_inside_the_root() -> None:
    tree = Tree(
        {
            "d": Entry("dir"),
            "d/f": Entry("file"),
            "abs": Entry("link", link="/d"),
            "up": Entry("link", link="../../d/f"),
            "d/back": Entry("link", link="../abs/f"),
        }
    )
    assert [tree.resolve(path) for path in ("abs/f", "up", "d/back", "nothing")] == [
        "d/f",
        "d/f",
        "d/f",
        None,
    ]


def test_ignored_directories_are_not_walked(tmp_path: Path) -> None:
    make(tmp_path, "a", "node_modules/x/y")
    (tmp_path / "node_modules").chmod(0)
    try:
        assert [*list_files(tmp_path, IgnoreFile.parse("node_modules\n"))] == ["a"]
    finally:
        (tmp_path / "node_modules").chmod(0o755)


def test_a_directory_comes_back_only_with_what_is_taken_back_in_it(tmp_path: Path) -> None:
    make(tmp_path, "s/keep", "s/other", "t/x")
    ignore = IgnoreFile.parse("*\n!s/keep\n")
    assert [*list_files(tmp_path, ignore)] == ["s", "s/keep"]
    assert [*sifted(list_files(tmp_path), ignore)] == ["s", "s/keep"]


def test_sockets_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert [*list_files(tmp_path)] == []


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).write_text("x")
    assert [os.fsencode(path) for path in list_files(tmp_path)] == [b"caf\xe9"]


def test_a_missing_context_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a directory"):
        list_files(tmp_path / "no")


def test_contents_are_compared_by_bytes_when_sizes_are_equal(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12")
    on_disk = DiskContent(str(tmp_path / "a"), 2, 0)
    assert same_content(on_disk, BytesContent(b"12"))
    assert not same_content(on_disk, BytesContent(b"13"))
    assert not same_content(on_disk, BytesContent(b"123"))
    assert not same_content(on_disk, None)


def test_an_edited_tree_shares_the_rest() -> None:
    tree = Tree({"a": Entry("file"), "d": Entry("dir"), "d/x": Entry("file")})
    edited = tree.edited({"a": None, "n/m/f": Entry("file", 0o600)})
    again = edited.edited({"n/m/f": None, "l": Entry("link", link="d")})
    assert sorted(edited) == ["d", "d/x", "n", "n/m", "n/m/f"]
    assert sorted(again) == ["d", "d/x", "l", "n", "n/m"]
    assert (len(again), "a" in again, again.get("d/x") is tree.get("d/x"), again.links) == (
        5,
        False,
        True,
        ("l",),
    )
    assert "a" in tree
