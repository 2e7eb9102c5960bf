"""What an image's start command says of the program that it starts."""

from __future__ import annotations

from typing import Literal

from imgopt.context.facts.fact import Fact


class Start(Fact, frozen=True):
    """Programs that run the sources of one kind."""

    kind: str
    """What the proof calls it; `MayBeAbsent.started` names it."""
    programs: list[str]
    """Names of the programs (glob patterns); the first kind of all ecosystems that fits decides."""


class Runner(Fact, frozen=True):
    """A launcher: what stands behind its own words is what is started."""

    program: str
    reads: Literal["command", "script", "environment"]
    """command: what follows is started; script: a script of the project's manifest; environment: `PROGRAM run` starts
    what follows in the project's own environment."""
    options: list[str] = []
    """Those in front of what is started that decide nothing about it."""
    own_words: bool = False
    """Words behind a script are its own, unless `--` stands in front of them."""
    looks_at_programs: bool = False
    """It looks at the programs of the project's development packages."""
    not_without: str = ""
    """A file of the project with which it alone finds the packages."""
    runs_sources_by: str = ""
    """The program that runs a source, or a module, which is named in the place of a command."""
    files: str = ""
    """Regular expression: what it opens of its own, not needed where its command is started without it."""
    aside: str = ""
    """Regular expression: its caches and settings, at which it looks."""
