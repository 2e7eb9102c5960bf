"""What an image's start command says of the program that it starts."""

from __future__ import annotations

from imgopt.context.facts.fact import Fact


class Start(Fact, frozen=True):
    """Programs that run the sources of one kind."""

    kind: str
    """What the proof calls it; `MayBeAbsent.started` names it."""
    programs: list[str]
    """Names of the programs (glob patterns); the first kind of all ecosystems that fits decides."""
