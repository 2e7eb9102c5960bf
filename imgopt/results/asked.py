"""What the original and a candidate were asked, as results have it."""

from __future__ import annotations

from imgopt.results import Value


class AskedRequest(Value, frozen=True, kw_only=True):
    """One question. `source` is "user", "image" (its HEALTHCHECK), "found" or "site"; `status` what
    the original answered: HTTP's, or a command's exit code; None where it gave no answer."""

    name: str
    source: str
    status: int | None = None


class Asked(Value, frozen=True, kw_only=True):
    """All questions, in their order; `line` says them in one line, `unasked` what was not asked,
    each with its reason."""

    line: str = ""
    requests: list[AskedRequest] = []
    unasked: list[str] = []
    reached: str = ""
    """How many of the application's own source files the run read, in one line, or that this cannot
    be told of a compiled program; empty where it was not recorded."""
    unread: list[str] = []
    """Those that it did not read."""
    tests: str = ""
    """The project's own tests and what they said of the original, in one line; empty where none
    were run."""
    tests_offer: str = ""
    """Which tests could be run, and the line that says so; nothing runs unasked."""
