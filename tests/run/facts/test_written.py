from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping

import pytest
from recipes import File, Recipe

from imgopt.engine import Change
from imgopt.image import Image
from imgopt.image.tree import Tree
from imgopt.run.facts.written import Mark, by_folder, folder_for, hides, marks_of

FILES: Mapping[str, File | str] = {
    "tmp": File(folder=True, mode=0o1777),
    "tmp/left": "of the build",
    "tmp/of-the-build": File(folder=True, mode=0o755),
    "app/main.py": "x",
    "app/cache": File(folder=True, mode=0o755),
    "run/lock": File(folder=True, mode=0o755),
    "var/lib/app/seed.db": "x",
}


@pytest.fixture
def tree(image_of: Callable[[Recipe], Image]) -> Tree:
    return image_of(Recipe((("COPY . .", FILES),), {})).tree()


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/tmp/x", "/tmp"),  # everybody may write there, though a file of the build lies in it
        ("/tmp/a/b/c", "/tmp"),
        ("/tmp/of-the-build/x", "/tmp"),  # what a step left there is no place of its own
        ("/app/cache/x", "/app/cache"),  # empty in the image
        ("/app/cache/a/b", "/app/cache"),
        ("/app/uploads/a.png", "/app/uploads"),  # new: the program's own files stay in sight
        ("/app/uploads/2026/a.png", "/app/uploads"),
        ("/app/db.sqlite", "/app"),
        ("/var/lib/app/seed.db", "/var/lib/app"),
        ("/run/app.pid", "/run"),
        ("/data.db", "/"),
        ("/data/x", "/data"),
    ],
)
def test_the_folder_hides_as_little_as_can_be(tree: Tree, path: str, folder: str) -> None:
    assert folder_for(path, tree) == folder


def test_a_folder_with_files_of_the_image_hides_them(tree: Tree) -> None:
    assert hides("/app", tree) and hides("/var/lib/app", tree)
    assert not hides("/app/cache", tree) and not hides("/app/uploads", tree)


def test_sizes_are_summed_and_the_largest_are_shown(tree: Tree) -> None:
    marks = [Mark(f"/tmp/{size}", size) for size in (5, 900, 20, 1)] + [Mark("/app/cache/d", None)]
    folders = by_folder(marks, tree)
    assert [(one.folder, one.bytes, one.files) for one in folders] == [
        ("/app/cache", 0, 0),
        ("/tmp", 926, 4),
    ]
    assert folders[1].examples == ["/tmp/900", "/tmp/20", "/tmp/5"]


def seen(path: str) -> os.stat_result | None:
    folders = ("/app", "/app/uploads", "/tmp", "/app/new")
    if path == "/gone":
        return None
    kind = stat.S_IFDIR if path in folders else stat.S_IFREG
    return os.stat_result((kind | 0o644, 0, 0, 1, 0, 0, 7, 0, 0, 0))


def test_folders_above_what_changed_are_no_writes() -> None:
    changes = [
        Change("/app", "modified"),
        Change("/app/new", "added"),
        Change("/app/uploads", "added"),
        Change("/app/uploads/a", "added"),
        Change("/gone", "deleted"),
        Change("/tmp", "modified"),
    ]
    assert marks_of(changes, seen) == (
        Mark("/app/new", None),
        Mark("/app/uploads/a", 7),
        Mark("/gone", 0),
    )
