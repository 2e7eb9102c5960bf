"""The scopes of one file, each made once: strategies ask for them at every instruction, over and
over."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict

from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.scope import SETTING, Scope, ScopeBuilder
from imgopt.dockerfile.stages import Stage

_REMEMBERED = 256
"""Scopes, and not one per instruction: a file may set a variable in each of ten thousand lines."""


class StageScopes:
    """What the instructions of a stage see. Asked for in file order, all of them take one walk."""

    def __init__(self, stage: Stage, start: ScopeBuilder) -> None:
        self._settings = [item for item in stage.instructions if item.keyword in SETTING]
        self._places = [item.span.start for item in self._settings]
        self._start = start.add(
            [stage.start]
        )  # which sets nothing, and has the file's escape character
        self._walked, self._done = start.child(), 0
        self._known: OrderedDict[int, Scope] = OrderedDict()

    def at(self, instruction: Instruction) -> Scope:
        """What is in force at an instruction of the stage: it changes only behind those that set
        something."""
        count = bisect_left(self._places, instruction.span.start)
        found = self._known.get(count)
        if found is None:
            found = self._known[count] = self._walk_to(count).scope()
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _walk_to(self, count: int) -> ScopeBuilder:
        if count < self._done:
            self._walked, self._done = self._start.child(), 0
        self._walked.add(self._settings[self._done : count])
        self._done = count
        return self._walked
