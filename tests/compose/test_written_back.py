"""A Compose file with other words in it: the rest keeps its bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.compose.written_back import rewritten
from imgopt.results.optimize import ComposeNote

USER = ComposeNote(service="web", key="user", message="", instead="1000:1000")
VOLUME = ComposeNote(service="web", key="volumes", message="", instead="/app/.venv")
HEAD = "# ours\nservices:\n  web:\n    build: .   # here\n"


@pytest.mark.parametrize(
    ("before", "note", "after"),
    [
        (HEAD + "    user: node  # not root\n", USER, HEAD + '    user: "1000:1000"  # not root\n'),
        (HEAD + "    user: 'node'\n", USER, HEAD + '    user: "1000:1000"\n'),
        (
            HEAD + "    volumes:\n      - ./:/app # live\n\n  db:\n    image: x\n",
            VOLUME,
            HEAD
            + "    volumes:\n      - ./:/app # live\n      - /app/.venv\n\n  db:\n    image: x\n",
        ),
        (
            HEAD + "    volumes:\n    - ./:/app\n    user: a\n",
            VOLUME,
            HEAD + "    volumes:\n    - ./:/app\n    - /app/.venv\n    user: a\n",
        ),
        (
            HEAD + "    volumes: ['./:/app']\n",
            VOLUME,
            HEAD + "    volumes: ['./:/app', /app/.venv]\n",
        ),
        (
            HEAD + "    volumes:\n      - type: bind\n        source: .\n        target: /app",
            VOLUME,
            HEAD
            + "    volumes:\n      - type: bind\n        source: .\n        target: /app\n      - /app/.venv\n",
        ),
    ],
)
def test_only_the_words_change(before: str, note: ComposeNote, after: str, tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    for eol in ("\n", "\r\n"):
        path.write_bytes(before.replace("\n", eol).encode())
        assert rewritten([path], [note])[path][1] == after.replace("\n", eol)


def test_the_last_file_that_says_it_is_changed(tmp_path: Path) -> None:
    first, last = tmp_path / "compose.yaml", tmp_path / "compose.override.yaml"
    first.write_text(HEAD + "    user: a\n")
    last.write_text("services:\n  web:\n    user: b\n")
    assert [*rewritten([first, last], [USER])] == [last]


@pytest.mark.parametrize(
    "text",
    [
        "x-a: &a\n  user: node\nservices:\n  web:\n    <<: *a\n    build: .\n",
        "services:\n  web:\n    extends: {file: base.yaml, service: web}\n",
        HEAD,
    ],
)
def test_what_is_said_elsewhere_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(text)
    assert rewritten([path], [USER, VOLUME]) == {}


def test_a_note_without_other_words_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(HEAD + "    user: node\n")
    note = ComposeNote(service="web", key="user", message="x")
    assert rewritten([path], [note]) == {}
