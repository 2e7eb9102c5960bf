"""`imgopt/stack/1`: every build of a project, one after the other."""

from __future__ import annotations

from imgopt.results import Result, Value
from imgopt.results.optimize import OptimizeResult


class Part(Value, frozen=True, kw_only=True):
    """One build, by the name of its service or target. `result` is None where it came to none, for
    the reason in `failure`."""

    name: str
    result: OptimizeResult | None = None
    failure: str = ""


class StackResult(Result, frozen=True, kw_only=True):
    schema: str = "imgopt/stack/1"
    project: str
    """Name of the folder."""
    file: str
    """The file that says what is built, relative to the folder."""
    parts: list[Part]
