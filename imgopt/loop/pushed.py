"""How many bytes of an image are pushed and pulled again after an edit of the source: the
compressed layers of the steps that a build does not find in its cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from imgopt.analysis.steps import Step as MadeStep
from imgopt.analysis.steps import read_steps
from imgopt.cache.edits import Edit
from imgopt.cache.graph import Step
from imgopt.cache.predict import predict
from imgopt.cache.state import State
from imgopt.image import Image
from imgopt.image.wire import wire_size

_MAKE_LAYERS = ("RUN", "COPY", "ADD", "WORKDIR")


@dataclass(frozen=True, slots=True)
class Pushed:
    """`at_most`: a step of them may be found all the same, which only a build can tell."""

    bytes: int
    at_most: bool = False


def pushed(
    image: Image, state: State, edit: Edit, measured: Mapping[Step, bool] | None = None
) -> Pushed | None:
    """`measured`: whether a build of the edited state found the step; the others are predicted.
    None where the layers cannot be told apart by their steps, or their bytes are not known."""
    prediction = predict(state, edit.applied(state))
    stages = state.dockerfile.bind(state.build_args)
    chain = {one.index for one in stages[state.dockerfile.target(state.target).index].chain}
    ours = [one for one in prediction.steps if one.step.stage_index in chain]
    made = _own_steps(read_steps(image), len(ours))
    if [one.keyword for one in made] != [one.step.keyword for one in ours]:
        return None
    found = measured or {}
    answers = [
        ("hit" if found[one.step] else "miss") if one.step in found else one.verdict for one in ours
    ]
    first = next((n for n, answer in enumerate(answers) if answer != "hit"), len(answers))
    layers = [one.layer for one in made[first:] if one.layer is not None]
    wires = [wire_size(image.layers[number]) for number in layers]
    known = [wire.bytes for wire in wires if wire is not None]
    if len(known) < len(wires):
        return None
    return Pushed(sum(known), answers[first : first + 1] == ["unknown"] and bool(known))


def _own_steps(steps: Iterable[MadeStep], count: int) -> list[MadeStep]:
    """The last steps of the history, without WORKDIR /, which makes nothing."""
    making = [
        one
        for one in steps
        if one.keyword in _MAKE_LAYERS and (one.keyword, one.text.strip()) != ("WORKDIR", "/")
    ]
    return making[len(making) - count :] if count else []
