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


class Compiled(Fact, frozen=True):
    """Code that a program compiles while it runs. `named`, `packages` and `source` as in `Table`;
    where both are said, one of them is enough."""

    named: str
    needs: list[str]
    """Paths of the compiler, and of what it cannot do without, each kept where the original has
    it."""
    source: str
    packages: list[str] = []
    tools: list[str] = []
    """Language packages that serve builds else, and are part of it."""
