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
    own_authorities: bool = False
    """It brings root certificates of its own, and looks at those of the system when it is told
    to."""


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
    wraps: str = ""
    """Regular expression of the words behind the interpreter's that it makes of a program of the
    project, with blanks between them; the group `words` is the list of the program's own words."""
    files: str = ""
    """Regular expression: what it opens of its own, not needed where its command is started without
    it."""
    aside: str = ""
    """Regular expression: its caches and settings, at which it looks."""


class Bookkeeping(Fact, frozen=True):
    """What a launcher, or a shell, tells what it starts of itself: nothing that the author set.

    Only what no source names is without a reader."""

    programs: list[str]
    """Names of the launchers (glob patterns)."""
    sets: list[str]
    """Names of the variables (glob patterns)."""
    path: list[str] = []
    """Folders that it puts into PATH (glob patterns over the whole path)."""


class HandedOn(Fact, frozen=True):
    """Settings that a launcher reads and hands on to what it starts: without the launcher they are
    not there."""

    programs: list[str]
    """Names of the launchers (glob patterns), or the first words of their command."""
    means: str
    """What it does, in one clause for the user."""
    files: list[str] = []
    """Where it finds them (glob patterns): in the working directory and the folders above it, `~/`
    in the home folder, or absolute."""
    key: str = ""
    """Regular expression of a line that says one; a group `value` is its value. "": that the
    file is there decides."""
    variables: list[str] = []
    """Variables of the image that say the same (glob patterns)."""
    unless: list[str] = []
    """Variables that switch it off where they are set to something else than `0` or `false`."""
    above_base: bool = False
    """A file of the base says nothing that is not said by every program of it."""
    becomes: str = ""
    """The variable that the value becomes; "": what becomes of it is not known."""


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
    types: dict[str, list[str]] = {}
    """Media types -> endings that it gives them to, for files that a site gets later; of no use
    where it was seen to give one of these endings another type."""
