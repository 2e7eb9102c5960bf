"""The quick listing says what the full one says, and the groups of an ignore file what its patterns
say one by one."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from imgopt.context.files import list_files
from imgopt.context.listing import list_sizes
from imgopt.dockerfile import IgnoreFile
from imgopt.rewrite.strategy import ContextFiles

FILES = [
    "a.txt",
    "b/c.txt",
    "b/node_modules/x/y.js",
    "node_modules/z.js",
    "b/d/e.pyc",
    "b-c/x",
    "b0/x",
]
PATTERNS = st.lists(
    st.sampled_from(
        [
            "*",
            "!b",
            "b/*",
            "**/*.pyc",
            "!**/*.pyc",
            "node_modules",
            "**/node_modules",
            "!b/d/e.pyc",
            "b/**",
            "**b",
            "/a.txt",
        ]
    ),
    max_size=5,
)


def made(folder: Path) -> Path:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_sizes_and_names_are_those_of_the_tree(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "link").symlink_to("b")
    os.mkfifo(tmp_path / "pipe")
    for text in (None, "b\n!b/d\n", "*\n!**/*.pyc\n", "**/node_modules\n"):
        ignore = IgnoreFile.parse(text) if text is not None else None
        expected = {path: entry.size for path, entry in list_files(tmp_path, ignore).files()}
        found = list_sizes(tmp_path, ignore)
        assert list(found.items()) == list(expected.items())
        assert len(found) == len(expected)


@given(PATTERNS)
def test_patterns_in_groups_decide_as_one_by_one(patterns: list[str]) -> None:
    ignore = IgnoreFile.parse("\n".join(patterns))
    for path in FILES:
        decided = ignore.decide(path)
        assert ignore.excludes(path) == (decided is not None and not decided.negated), path


def test_a_folder_is_found_by_its_whole_name() -> None:
    files = ContextFiles(Path("/nowhere"), dict.fromkeys(FILES, 1))
    assert files.below("b") == ["b/c.txt", "b/d/e.pyc", "b/node_modules/x/y.js"]
    assert files.below("") == sorted(FILES)
    assert files.folders == {
        "b",
        "b/d",
        "b/node_modules",
        "b/node_modules/x",
        "node_modules",
        "b-c",
        "b0",
    }
    assert files.named("x") == ["b-c/x", "b0/x"]
