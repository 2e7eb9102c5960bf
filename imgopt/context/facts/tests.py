"""How a project's own tests are found and run."""

from __future__ import annotations

from imgopt.context.facts.fact import Fact


class OwnTests(Fact, frozen=True):
    """Tests that may be run against a service: where `files` are there, `command` is offered. The
    first that fits counts."""

    files: list[str]
    """Names of files (glob patterns)."""
    command: str
    """What runs them; `{folder}` is the folder that all of them are in."""
    says: str = ""
    """Regular expression: what one of them has to say, by which its runner is known."""
