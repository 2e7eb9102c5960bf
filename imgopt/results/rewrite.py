"""`imgopt/rewrite/1`: the plan and the new Dockerfile, from text alone."""

from __future__ import annotations

from imgopt.results import Result, Value
from imgopt.results.ignored import IgnoredFiles


class Change(Value, frozen=True, kw_only=True):
    """One edit that a strategy made. `line` counts in the original file; None for a new part."""

    strategy: str
    line: int | None
    because: str


class Skip(Value, frozen=True, kw_only=True):
    """What a strategy would have done, and the reason it did not."""

    strategy: str
    line: int | None
    reason: str


class Finding(Value, frozen=True, kw_only=True):
    """Something that no strategy changes and the author should: `file` lies in the context, `line`
    is the Dockerfile's. Never what is in the file."""

    id: str
    level: str
    """error or warning"""
    file: str
    line: int
    message: str
    hint: str


class StaticVariant(Value, frozen=True, kw_only=True):
    name: str
    dockerfile: str
    dockerignore: str | None
    changes: list[Change] = []
    skips: list[Skip] = []


class RewriteResult(Result, frozen=True, kw_only=True):
    schema: str = "imgopt/rewrite/1"
    dockerfile: str
    """Path of the original, relative to the context."""
    original: str = ""
    """Text of the original."""
    ignored: IgnoredFiles = IgnoredFiles()
    variants: list[StaticVariant] = []
    arguments: list[str] = []
    """What the command was given, as words for another one: the context, -f, --target, --base, ...;
    no values of secrets."""
    findings: list[Finding] = []
