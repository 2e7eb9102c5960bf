"""The later edits of one candidate, and what they say as a check of its proof."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.start_words import plain_start
from imgopt.lives.later import CHEAP, LaterEdit, NotHere, together
from imgopt.lives.started import Start
from imgopt.lives.trials import BREAKS, HOLDS, NOT_COUNTED, Candidate, Tried
from imgopt.proof.check import Outcome, counted, not_measured
from imgopt.results.lives import LaterEdit as Shown
from imgopt.results.lives import Lives

CHECK = "lives"
NOT_HERE = "does not apply"
_SCRIPT_BYTES = 1 << 16


def start_of(view: ImageView) -> Start:
    """What an image starts, its entry scripts' own words included."""
    words = (*(view.config.entrypoint or ()), *(view.config.cmd or ()))
    nodes = [view.command(word) for word in words[:4]]
    scripts = [node for node in nodes if node is not None and view.shebang(node)]
    texts = (one.read(_SCRIPT_BYTES).decode("utf-8", "replace") for one in scripts)
    inner = [word for text in texts for word in text.split()]
    return Start((*plain_start(view), *words, *inner), view.config.environment, view.workdir)


class Trials(Protocol):
    """Tries one edit on one candidate, until a time (time.monotonic(); None: as long as it
    takes)."""

    until: float | None

    def tried(self, edit: LaterEdit, candidate: Candidate) -> Tried: ...


@dataclass
class LaterEdits:
    """The chosen edits of a project, tried on one candidate after the other.

    `since` (time.monotonic(), None: no bound): all candidates together take no longer than what was
    done since then without them. Those of files alone are made together, and
    one by one only where they break, or where the original does not survive them together.
    """

    trials: Trials
    edits: Sequence[LaterEdit | NotHere]
    since: float | None = None
    spent: float = 0.0

    def on(self, candidate: Candidate) -> tuple[Tried | NotHere, ...]:
        """Each edit with what it came to, in order."""
        started = time.monotonic()
        if self.since is not None:
            others = started - self.since - self.spent
            self.trials.until = started + max(0.0, others - self.spent)
        try:
            found = {one.edit.name: one for one in self._tried(candidate)}
        finally:
            self.spent += time.monotonic() - started
        return tuple(one if isinstance(one, NotHere) else found[one.name] for one in self.edits)

    def _tried(self, candidate: Candidate) -> Iterable[Tried]:
        here = [one for one in self.edits if isinstance(one, LaterEdit)]
        cheap = [one for one in here if one.name in CHEAP]
        if len(cheap) > 1:
            whole = self.trials.tried(together(cheap), candidate)
            if whole.verdict not in (BREAKS, NOT_COUNTED):
                share = whole.seconds / len(cheap)
                yield from (_part(whole, one, share) for one in cheap)
                here = [one for one in here if one not in cheap]
        for one in here:
            yield self.trials.tried(one, candidate)


def _part(whole: Tried, edit: LaterEdit, seconds: float) -> Tried:
    return Tried(edit, whole.verdict, whole.detail, seconds=seconds)


def outcome(found: Iterable[Tried | NotHere]) -> Outcome:
    """As a check of the proof: failed where an edit breaks the candidate; its items are those of
    what broke first."""
    tried = [one for one in found if isinstance(one, Tried)]
    broken = [one for one in tried if one.verdict == BREAKS]
    held = [one for one in tried if one.verdict == HOLDS]
    if broken:
        said = "; ".join(f"{one.edit.name}: {one.detail}" for one in broken)
        return Outcome(CHECK, "failed", said, broken[0].items)
    if not held:
        why = next((one.detail for one in tried if one.detail), "the project has nothing for it")
        return not_measured(CHECK, why)
    names = ", ".join(one.edit.name for one in held)
    return Outcome(CHECK, "passed", f"{counted(len(held), 'later edit')}: {names}")


def shown(name: str, found: Iterable[Tried | NotHere]) -> Lives:
    """As the results have it."""
    return Lives(name=name, edits=[_shown(one) for one in found])


def _shown(one: Tried | NotHere) -> Shown:
    if isinstance(one, NotHere):
        return Shown(name=one.name, verdict=NOT_HERE, detail=one.reason)
    return Shown(
        name=one.edit.name,
        means=one.edit.means,
        verdict=one.verdict,
        detail=one.detail,
        check=one.check,
        seconds=round(one.seconds, 1),
    )
