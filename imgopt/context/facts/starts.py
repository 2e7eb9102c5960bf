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
    """command: what follows is started; script: a script of the project's manifest; environment:
    `PROGRAM run` starts what follows in the project's own environment."""
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
    """Regular expression: what it opens of its own, not needed where its command is started without
    it."""
    aside: str = ""
    """Regular expression: its caches and settings, at which it looks."""


class FileServer(Fact, frozen=True):
    """A program that hands out the files of one folder, and what may stand in its command line
    without making it more than that."""

    command: str
    """The words that it begins with."""
    flags: list[str]
    values: list[str]
    """Options that take a value."""
    port: list[str]
    """Those of them that give the port."""
    port_variable: str = ""
    """Environment variable that gives the port where no option does."""
    folder: list[str] = []
    """Options that give the folder; else it is the first argument."""
    usual: str = "."
    """The folder where none is named."""
    answers: list[str] = []
    """Files of its own that say what it answers: in the folder that is served, or the working
    directory."""
    settings: list[str] = []
    """Files there that may do so, unless `harmless` says that they do not."""
    harmless: str = ""
    """Regular expression on such a file without its comments; without one its being there
    decides."""
