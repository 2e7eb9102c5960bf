"""What a rule is: it looks at a situation and says what it found there; it never edits.

A rule is a frozen value. Its examples are its tests and its documentation: `good` are files that it
has nothing to say of, each named after its trap, and there are at least as many as of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imgopt.deploy.check.nodes import Node
from imgopt.results.deploy import Level

if TYPE_CHECKING:
    from imgopt.deploy.check.situation import Situation
    from imgopt.image.recipe import Files
    from imgopt.results.run_facts import ImageFacts


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is wrong. `evidence` is what was found in the file, in the image, or measured;
    `level` where it is not the rule's own."""

    node: Node
    about: str
    message: str
    evidence: str
    fix: str
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An image of an example: its files, and what a container starts with."""

    files: Files = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A file, with the image that it names and what a run of that showed, where the rule asks for
    them. `line` is where it is found."""

    name: str
    text: str
    line: int = 0
    image: Image | None = None
    facts: ImageFacts | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """`needs`: "image" or "facts", without which it has nothing to say; what a rule can say with
    less, it says."""

    id: str
    name: str
    level: Level
    title: str
    why: str
    reference: str
    look: Callable[[Situation], Iterator[Found]]
    good: tuple[Case, ...]
    bad: tuple[Case, ...]
    needs: tuple[str, ...] = ()
