"""Words as a Dockerfile and a shell take them."""

from __future__ import annotations

import re
from textwrap import wrap

LINE = 110
"""Longer shell commands that we write are folded."""


def json_string(word: str) -> str:
    """The word as a string of the exec form."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def json_words(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(json_string(word) for word in words) + "]"


def shell_word(word: str) -> str:
    """The word as the shell takes it, quoted where it must be."""
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else "'" + word.replace("'", "'\\''") + "'"


def folded(command: str) -> str:
    """A shell command on lines of a readable length; nothing is split at what a quoted word
    holds."""
    if len(command) <= LINE or "'" in command or '"' in command:
        return command
    parts = [
        wrap(part, LINE - 6, break_long_words=False, break_on_hyphens=False)
        for part in command.split(" && ")
    ]
    return " \\\n && ".join(" \\\n    ".join(lines) for lines in parts)
