"""`imgopt/lives/1`: which later edits of a project survive in another Dockerfile for it."""

from __future__ import annotations

from imgopt.results import Result, Value


class LaterEdit(Value, frozen=True, kw_only=True):
    """One edit. verdict: holds, breaks, "does not count" (the original does not survive it), "does
    not apply" (the project has nothing for it) or "not tried"."""

    name: str
    means: str = ""
    """What changes, in words."""
    verdict: str
    detail: str = ""
    """Why, where it does not hold."""
    check: str = ""
    """What failed: a check of the proof, or "build"."""
    seconds: float = 0.0


class Lives(Value, frozen=True, kw_only=True):
    """The edits of one candidate."""

    name: str
    """A variant's name, or the path of a Dockerfile."""
    edits: list[LaterEdit] = []
    why_not: str = ""
    """Why no edit was tried: it does not do the same job as it is."""


class Past(Value, frozen=True, kw_only=True):
    """One commit of the project's own history, newest first; verdict as of a later edit."""

    commit: str
    time: int
    """Of the committer, in seconds since the epoch."""
    changed: list[str] = []
    """Paths of manifests, sources and data that it changed, some of many."""
    installs: bool = False
    """A manifest or a lock file is among them."""
    verdict: str
    detail: str = ""
    check: str = ""
    seconds: float = 0.0


class History(Value, frozen=True, kw_only=True):
    """The commits that one candidate was carried over to."""

    name: str
    commits: list[Past] = []
    ended: str = ""
    """Why no older commit was tried; "" where as many were as were asked for."""


class LivesResult(Result, frozen=True, kw_only=True):
    schema: str = "imgopt/lives/1"
    project: str = ""
    context: str
    dockerfile: str
    """Path of the original, relative to the context."""
    verdict: str
    """lives (all that the original survives survive, and something was tried), breaks, or
    unproven"""
    message: str = ""
    candidates: list[Lives] = []
    history: list[History] = []
    seconds: float = 0.0
    arguments: list[str] = []
    """What the command was given, as words for another one; no values of secrets."""
    run_arguments: list[str] = []
    """The same of how the image is run."""
