"""What the proof knows by itself. It never asks `[[drop]]` and `[[state]]`, by which a rewrite
leaves things out: one wrong fact must not blind both sides. A test holds that each of theirs is
known here, or explained by a rule of it."""

from __future__ import annotations

from typing import Literal

from imgopt.context.facts.fact import Fact


class MayBeAbsent(Fact, frozen=True):
    """What a good final image leaves out. What the original opened is excused by no such rule."""

    reason: str
    folders: list[str] = []
    """Names of folders at any depth, with all that lies in them."""
    files: list[str] = []
    """Names of files at any depth (glob patterns)."""
    below: list[str] = []
    """Paths of the file system (glob patterns, `~` is a home folder) with all that lies in them,
    but for the folders where the application lies."""
    paths: list[str] = []
    """Regular expressions that are found in the whole path."""
    unused: bool = False
    """Only where it is known that the original did not open them."""
    started: Literal["", "compiled", "java", "node", "site"] = ""
    """Only where the image starts such a program, or serves a built site."""


class FileOfBuild(Fact, frozen=True):
    """A file that works where an image is built or started, and lies in it only because the whole
    context was copied: what it says, or what a step did with it, shows that no run needs it.

    It has to be in the original unopened, and no other source or setting may name it.
    """

    files: list[str]
    """Names of files at any depth (glob patterns)."""
    reason: str
    calls: list[str] = []
    """Only scripts that call one of these programs, none of which the image has."""
    used_by_build: str = ""
    """Only where a RUN step says so: a regular expression, in which `{name}` is the file's own."""
    unless_said: str = ""
    """Only where no source, setting or program says this (regular expression): who reads such a
    file need not name it."""


class PickedUp(Fact, frozen=True):
    """A file that a run time, or a server, reads by its name without being told: one that the
    original has not changes what the service does."""

    paths: list[str]
    """Regular expressions that are found in the whole path."""
    by: str
    """What reads it, in words."""
    packages: list[str] = []
    """Only where the original has one of these packages; [] for any image."""
    source: str = ""


class ToolsOwn(Fact, frozen=True):
    """What tools keep for themselves, in the eyes of the proof: `State` says of which kind."""

    paths: list[str] = []
    """Regular expressions that are found in the whole path, from its beginning where they say `^`;
    `~/` in front is any home folder of a hidden one. Each covers what lies below it."""
    hold: list[str] = []
    """Texts, one of which stands in each of these paths, where it is none that other ecosystems
    name: they are looked for first, as an image has hundreds of thousands of files."""


class InstallersNote(Fact, frozen=True):
    """What an installer writes for itself about what it did: the next installation writes something
    else there, and no program reads it."""

    paths: list[str]
    """Regular expressions that are found in the whole path."""
    into: list[str] = []
    """Names of the author's own files that it writes into as well, where the original opened none
    of them and no COPY brought them last (lock files)."""
