"""What sources say of paths that no run took: pages, programs and places. Patterns are regular
expressions, and what is computed is left to the run."""

from __future__ import annotations

from imgopt.context.facts.fact import Fact


class ReadRoute(Fact, frozen=True):
    """A path that is asked with GET; with a group `rest`, the words behind it may name the methods
    it takes."""

    files: list[str]
    """Endings of the sources."""
    patterns: list[str]
    """Each with a group `path`; `{quoted}` stands for it as a string in quotes."""


class ProgramCall(Fact, frozen=True):
    """A call that starts a program which it names."""

    files: list[str]
    pattern: str
    """With a group `text`, the program or a command line; `{word}` stands for it as the first word
    in the brackets of a call."""
    starts: str = ""
    """A source that starts programs: lists of words and constants in it are handed to a call as
    well, and files of settings that it names hold command lines."""
    only_there: bool = False
    """The words of `pattern` are those of other things as well: they count in such a source
    alone."""


class WrittenPlace(Fact, frozen=True):
    """A call, or a setting, that writes to a place which it names."""

    files: list[str]
    pattern: str
    """With groups `before` and `text`, the place; `{first}` stands for both as the first argument,
    `{text}` for a string in quotes, `{to_write}` for a mode behind it that writes."""
    is_folder: bool = False
    """The place is a folder that it makes, or puts files into."""


class WritingCall(Fact, frozen=True):
    """Words of a source that writes files, wherever to: without any of them it writes none."""

    files: list[str]
    """Endings of the sources; one that no such fact names may write anything."""
    patterns: list[str]
