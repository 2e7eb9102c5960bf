"""What is known of a language beyond its facts: small programs beside its `facts.toml`.

`strategies/ecosystems/NAME/language.py` has a `LANGUAGE`, which answers the questions that it knows
something of.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Protocol

from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.strategy import ContextFiles

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Launched:
    """The words that start the program itself, and the shell command that builds it; or why this is
    not known."""

    words: Words = ()
    build: str = ""
    refused: str = ""


@dataclass
class Stub:
    """What a build of the dependencies alone needs. Paths are relative to the project's folder;
    `refused` says why it cannot be."""

    empty_program: str = ""
    """A source with a main function that does nothing."""
    manifests: list[str] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    """Sources with a main function."""
    libraries: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    refused: str = ""

    def shell(self, words: str, forget: Iterable[str]) -> str:
        """The step: makes the sources, builds, and forgets what was built of them (`forget` has
        {package})."""
        folders = sorted(
            {posixpath.dirname(path) for path in (*self.programs, *self.libraries)} - {""}
        )
        steps = [f"mkdir -p {' '.join(folders)}"] if folders else []
        if self.libraries:
            steps.append(f"touch {' '.join(self.libraries)}")
        if len(self.programs) == 1:
            steps.append(f"echo '{self.empty_program}' > {self.programs[0]}")
        elif self.programs:
            steps.append(f"echo '{self.empty_program}' | tee {' '.join(self.programs)} > /dev/null")
        gone = [path.replace("{package}", package) for package in self.packages for path in forget]
        return " && ".join([*steps, words, f"rm -rf {' '.join(gone)}"])


class Packages(Protocol):
    """Installed packages of one project, of which some are for its development only."""

    @property
    def installed_in(self) -> str:
        """The folder below that of the project."""

    def for_development(self) -> tuple[str, ...]:
        """Their folders."""

    def pruned(self, packages: Iterable[str]) -> set[str]:
        """All paths that go with them."""

    def named(self, packages: Iterable[str], spared: frozenset[str]) -> tuple[str, str] | None:
        """One of them that a run may load by its name, and where that stands; packages that are
        `spared` may be named by other packages."""

    def package_of(self, path: str) -> str:
        """The name of the package that a file belongs to."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language; None is that nothing is known."""

    launched: Callable[[Words, Words, ContextFiles, str], Launched] | None = None
    """What a launcher starts that is called by these words, with others behind them, where the
    project is in this folder of the context. An empty answer: it builds nothing."""
    stub: Callable[[ContextFiles, str], Stub] | None = None
    """The least source with which the dependencies of the project in this folder can be built."""
    packages: Callable[[Evidence, str], Packages] | None = None
    """The packages of the project in this folder of the image."""


@cache
def language_of(ecosystem: str) -> Language:
    """An empty one where the facts say all that is known."""
    folder = files("imgopt") / "strategies" / "ecosystems" / ecosystem
    if not ecosystem or not (folder / "language.py").is_file():
        return Language()
    found = import_module(f"imgopt.strategies.ecosystems.{ecosystem}.language").LANGUAGE
    assert isinstance(found, Language)
    return found
