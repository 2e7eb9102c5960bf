"""A file is read at one go: none has more than 400 lines."""

from __future__ import annotations

from import_graph import sources

MOST = 400


def test_no_file_has_more_lines_than_are_read_at_one_go() -> None:
    lines = {name: len(path.read_text().splitlines()) for name, path in sources().items()}
    assert {name for name, count in lines.items() if count > MOST} == set()
