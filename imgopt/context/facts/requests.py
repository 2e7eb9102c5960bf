"""What sources say of the requests that a service takes: routes with their methods, fields of
bodies, WebSockets. Patterns are regular expressions, where `{quoted}` stands for a string in quotes
that is the path (group `path`)."""

from __future__ import annotations

from imgopt.context.facts.fact import Fact


class WriteRoute(Fact, frozen=True):
    """A path and the methods that are not GET. Without a group `path` the methods count for every
    path that this source names, and for the routes of the others."""

    files: list[str]
    """Endings of the sources."""
    pattern: str
    """With `path`, `method`, or `methods` (a text that names several)."""
    methods: list[str] = []
    """Where the pattern has neither group."""
    below: str = ""
    """Regular expression: what in the same source all its paths lie below."""
    file: str = ""
    """Regular expression over the path of the source itself, whose group `path` is the route."""


class BodyField(Fact, frozen=True):
    """How a handler reads a field of what it was sent."""

    files: list[str]
    pattern: str
    """With a group `name`, or `names` with commas between them."""


class SocketRoute(Fact, frozen=True):
    """Where WebSockets are opened: `pattern` with a group `path`, or `usual` where it has none."""

    files: list[str]
    pattern: str
    usual: str = "/"
