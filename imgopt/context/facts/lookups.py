"""What a run looks up, compiles or starts only when somebody asks for it: a run that was not asked
shows nothing of it."""

from __future__ import annotations

from imgopt.context.facts.fact import Fact


class Table(Fact, frozen=True):
    """Files of the system that are read on demand: kept whole, or known not to be missed. A rewrite
    asks `[[looked_up]]`, the proof `[[must_stay]]`, by the same shape."""

    paths: list[str]
    """Glob patterns of absolute paths, `*` does not cross `/`; a folder stands for all in it."""
    reason: str
    """What it says, for the report."""
    source: str
    """Where the makers of what looks it up say so."""
    programs: list[str] = []
    """Names of programs (glob patterns), one of which the image starts."""
    named: str = ""
    """Regular expression: a source, a setting or a program of the application that looks it up."""
    packages: list[str] = []
    """Language packages, one of which is installed, that look it up."""
    opened: list[str] = []
    """Files (glob patterns over the whole path, `*` crosses `/`), one of which the run opened: the
    module that looks it up is loaded."""
    if_part_opened: bool = False
    """Each path by itself: the run opened a file below it, and the rest of it belongs to that."""
    unless: str = ""
    """Regular expression: a source that brings the table with it."""
    unless_packages: list[str] = []
    """Language packages that bring it with them."""


class Compiled(Fact, frozen=True):
    """Code that a program compiles while it runs; `named`, or one of `packages`, is enough. A
    rewrite asks `[[compiled_at_run_time]]`, the proof `[[must_compile]]`."""

    named: str
    """Regular expression: a source that compiles."""
    needs: list[str]
    """Paths (glob patterns) of the compiler, and of what it cannot do without, each kept where the
    original has it."""
    source: str
    """Where the makers of what compiles say so."""
    packages: list[str] = []
    """Language packages that compile by themselves."""
    tools: list[str] = []
    """Language packages that serve builds else, and are part of it."""


class Modules(Fact, frozen=True):
    """How scripts of a language name its modules, and where those are."""

    sources: list[str]
    """Endings of the scripts' names."""
    uses: str
    """Regular expression: group 1 is a module's name."""
    separator: str
    """What stands between the parts of a name, in the place of `/`."""
    ending: str
    """Behind the name of a module's file."""
    folders: list[str]
    """Where modules are looked for (glob patterns)."""
