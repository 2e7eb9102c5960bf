"""Measurement: the scenarios built for real, on a copy of the context, with a mark that no other
run's cache has."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from imgopt.cache.edits import Edit
from imgopt.cache.graph import Step
from imgopt.cache.isolate import built_steps, isolated, original_lines
from imgopt.cache.state import State
from imgopt.cache.workspace import copy_tree
from imgopt.context.files import Tree
from imgopt.engine import BuildEvent, BuildFailure, BuildRequest, Session
from imgopt.engine import Step as BuiltStep

Answer = Literal["hit", "miss"]


@dataclass(frozen=True, slots=True)
class StepMeasure:
    """`seconds` is 0.0 for a hit."""

    answer: Answer
    seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One build: what each step did. A step that is missing was not reached; `failure` says why."""

    steps: Mapping[Step, StepMeasure] = field(default_factory=dict)
    seconds: float = 0.0
    failure: str = ""


class Laboratory:
    """A copy of the context in which scenarios are made, built and taken back.

    `request` says how the user's builds are called; its context and Dockerfile are replaced by the
    copy's. A build that has not ended at `until` (time.monotonic()) raises OutOfTime.
    """

    def __init__(
        self,
        session: Session,
        context: Path,
        state: State,
        request: BuildRequest,
        also: Tree | None = None,
        on_event: Callable[[BuildEvent], None] | None = None,
        until: float | None = None,
    ) -> None:
        self._session = session
        self._state = state
        self._request = request
        self._on_event = on_event
        self._until = until
        self.first: Measured | None = None
        self._nonce = secrets.token_hex(6)
        self.folder = session.temp_tree("cache")
        self._tree = Tree({**(also.entries if also else {}), **state.tree.entries})
        copy_tree(context, self._tree, self.folder)

    def cold(self) -> Measured:
        """The first build: every step runs, because of the mark."""
        self.first = self._build(self._state, ())
        return self.first

    def after(self, edit: Edit) -> Measured:
        """The build after one change; `cold` comes before the first. The copy is as before
        afterwards."""
        after = edit.applied(self._state)
        edit.write(self.folder)
        try:
            return self._build(after, edit.bumped)
        finally:
            edit.undo(self.folder, replace(self._state, tree=self._tree))

    def _build(self, state: State, bumped: Iterable[str]) -> Measured:
        names = set(bumped)
        stages = state.dockerfile.bind(state.build_args)
        text = isolated(
            state.dockerfile,
            stages,
            lambda base: self._nonce + ("-newer" if base in names else ""),
        )
        request = replace(
            self._request,
            context=self.folder,
            dockerfile=text,
            ignore=state.ignore_text,
            build_args=dict(state.build_args),
            target=state.target,
            output="cacheonly",
        )
        try:
            build = self._session.build(request, self._on_event, self._until)
        except BuildFailure as failure:
            message = original_lines(failure.message, stages)
            return Measured(_measures(state, failure.steps), 0.0, message)
        return Measured(_measures(state, build.steps), build.seconds)


def _measures(state: State, built: Iterable[BuiltStep]) -> dict[Step, StepMeasure]:
    found = built_steps(state, built)
    return {
        step: StepMeasure("hit" if one.cached else "miss", one.seconds or 0.0)
        for step, one in found.items()
        if not one.error and (one.cached or one.completed is not None)
    }
