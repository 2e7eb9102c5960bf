"""What the commands of a build do and make, and what a working copy has that no image needs."""

from __future__ import annotations

from typing import Literal

from imgopt.context.facts.fact import Fact


class Hook(Fact, frozen=True):
    """A script of a manifest that installations run, of which it is known what it reads."""

    command: str
    """Regular expression over the whole command."""
    reads: list[str] = []
    """Files and folders beside the manifest."""


class Stamps(Fact, frozen=True):
    """Values that every build has anew: a commit, a date, the number of a run."""

    names: list[str] = []
    """Names (glob patterns, upper case) of variables that carry one wherever they stand."""
    read_by_tools: list[str] = []
    """Names (glob patterns) that compilers, packers and BuildKit itself look up."""
    ignored_by: list[str] = []
    """Commands beside those of `program` and the installers that look up no such variable."""
    files: list[str] = []
    """Files of a project (glob patterns) that call the build."""
    values: list[str] = []
    """Regular expressions over what such a file gives a build argument."""


class Program(Fact, frozen=True):
    """A command that installs nothing, and what it does with files: whether it may stand in front
    of a COPY."""

    commands: list[str]
    """Words that it begins with; the first program of all ecosystems that fits decides."""
    does: str
    """Its row in the table of `imgopt.rewrite.order.passing`: nothing, tidies, accounts, folders,
    files, settings."""
    unless: list[str] = []
    """Options with which it does something else, of which nothing is known here."""
    only_with: list[str] = []
    """Options one of which has to be there for all this to hold."""
    writes: list[str] = []
    """Options whose value is a path that it writes to; its plain words are none then."""
    here: list[str] = []
    """Options with which it writes into its working directory, under a name from elsewhere."""
    here_unless: list[str] = []
    """It writes into its working directory, but with one of these options."""
    least: int = 0
    """With less plain words than this it asks the project."""
    here_below: int = 0
    """It writes into its working directory where it has less words than this behind its name (`git
    clone URL`)."""
    words: str = ""
    """Regular expression: its first plain word, where that is no path."""
    files: list[str] = []
    """Files of the working directory that it writes."""
    files_with: list[str] = []
    """Words with which alone it writes them."""
    files_surely: list[str] = []
    """Words that say so; without them it depends on the version."""
    files_unless: list[str] = []
    """Words with which it writes files of the user instead, or none."""
    makes: str = ""
    """It fills the folder that its last plain word names, this one without a word (`uv venv`)."""


class Account(Fact, frozen=True):
    """A command that makes an account, and with it a record of logins as long as its number."""

    command: str
    number: list[str]
    """Options whose value is the account's number."""
    largest: int
    """The largest number that a system gives by itself (login.defs: UID_MAX)."""
    without: str
    """The option with which it makes no record."""
    said: list[str]
    """All ways to write that option."""
    because: str


class Launcher(Fact, frozen=True):
    """A start command that builds first; the language (`imgopt.rewrite.language`) reads its other
    words."""

    command: str
    """Its words, for instance "go run"."""
    anywhere: bool = False
    """The second word is a goal that may stand anywhere among the words."""
    sometimes: bool = False
    """Whether it builds depends on what the project's manifest makes of its words."""


class Made(Fact, frozen=True):
    """What commands of a build make where they run: a developer's own must not come to lie over
    it."""

    commands: list[str]
    """Words that such a command begins with, for instance "npm ci"; options may stand between
    them."""
    folders: list[str]
    """Folders below the working directory; {last}: the one that the last word names."""
    needs: list[str] = []
    """Files (glob patterns), one of which the command must find there."""
    beside: list[str] = []
    """Files (glob patterns): the folders are beside each of them, at any depth."""
    members: list[str] = []
    """The same for folders that are there already: those of a workspace's members."""
    marks: list[str] = []
    """Paths (glob patterns), one of which a folder has that was made so; one without is the
    author's own."""
    only: list[str] = []
    """Names (glob patterns): a folder that holds anything else is the author's own."""
    when: str = ""
    """Regular expression over the commands and variables of the Dockerfile, without which nothing
    is made there."""
    unless: str = ""
    """Regular expression over the command, the variables in force and `unless_in`: it is made
    elsewhere."""
    unless_in: list[str] = []
    """Files (glob patterns) of the working directory that may say so."""


class Asker(Fact, frozen=True):
    """A program that can ask a service for a page and say by its exit code whether it got one."""

    program: str
    arguments: list[str]
    """{port} and {path} stand for what is asked."""
    variable: str = ""
    """How it reads the port from the environment; "": it needs a shell for that."""


class Stray(Fact, frozen=True):
    """What lies about in working copies and belongs to no image."""

    names: list[str]
    """Names of files and folders (glob patterns), in the root of the context; with `**/` in front
    at any depth."""
    kind: Literal["vcs", "project", "machine"]
    """vcs: version control data; project: committed beside the source, for people and for builds;
    machine: what tools leave on one machine."""
    reason: str
    like: str = ""
    """Regular expression: what is in such a file, where its name alone does not say it."""
    inside: str = ""
    """A file in such a folder, without which it is the author's own."""
    beside: str = ""
    """For files: the name of what each is made from, with {stem}; one without it is the author's
    own."""
    from_sources: list[str] = []
    """Files (glob patterns): where a context has one, running it makes what is named here sooner or
    later."""
