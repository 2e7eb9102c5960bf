"""`imgopt/explain/1`: why one step is not found in the cache, between two states of a project."""

from __future__ import annotations

from typing import Literal

from imgopt.results import Result, Value


class ChangedPath(Value, frozen=True, kw_only=True):
    """`what`: added, removed, bytes, mode, link or kind; `detail` is a sentence."""

    path: str
    what: str
    detail: str


class TrapFound(Value, frozen=True, kw_only=True):
    name: str
    advice: str


class ExplainedStep(Value, frozen=True, kw_only=True):
    line: int
    instruction: str
    verdict: Literal["hit", "miss", "unknown"]
    reason: str


class ExplainResult(Result, frozen=True, kw_only=True):
    """`first_line` and `cause` are of the step that starts the miss, which may stand above.
    `changed` lists up to 200 paths, `changed_more` counts the rest."""

    schema: str = "imgopt/explain/1"
    compared_with: str
    line: int | None = None
    instruction: str | None = None
    verdict: Literal["hit", "miss", "unknown"]
    reason: str
    first_line: int | None = None
    first_instruction: str | None = None
    cause: str | None = None
    changed: list[ChangedPath] = []
    changed_more: int = 0
    traps: list[TrapFound] = []
    steps: list[ExplainedStep] = []
