"""Words as a Dockerfile and a shell take them."""

from __future__ import annotations

import re


def json_string(word: str) -> str:
    """The word as a string of the exec form."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def json_words(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(json_string(word) for word in words) + "]"


def shell_word(word: str) -> str:
    """The word as the shell takes it, quoted where it must be."""
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else "'" + word.replace("'", "'\\''") + "'"
