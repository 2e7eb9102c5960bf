"""An edit of the source, as it is timed and predicted: the file that is edited, and what the
original and each variant are built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from imgopt.cache.graph import Step
from imgopt.cache.scenarios import Scenario, scenarios
from imgopt.cache.state import State, read_state
from imgopt.context.files import list_files
from imgopt.dockerfile import IgnoreFile
from imgopt.image import Image
from imgopt.loop.pushed import Pushed, pushed
from imgopt.loop.request import OptimizeRequest
from imgopt.rewrite.plan import Plan
from imgopt.rewrite.source import Source

ORIGINAL = "original"


@dataclass(frozen=True)
class Edited:
    """`states`: "original" and the variants by name; `scenario` is None where nothing can be
    edited."""

    states: Mapping[str, State] = field(default_factory=dict)
    scenario: Scenario | None = None

    @property
    def words(self) -> str:
        return self.scenario.edit if self.scenario is not None else ""

    def pushed(
        self, name: str, image: Image | None, measured: Mapping[Step, bool] | None = None
    ) -> Pushed | None:
        """What the edit has pushed again of the image that was built from this state."""
        if self.scenario is None or image is None or name not in self.states:
            return None
        return pushed(image, self.states[name], self.scenario.example, measured)


def edited(request: OptimizeRequest, source: Source, plans: Mapping[str, Plan]) -> Edited:
    """The edit for this project and these plans; the user's files are only read."""
    section = request.config.build
    state = read_state(
        request.context, request.dockerfile, target=section.target, build_args=section.args
    )
    chosen = scenarios(request.context, state, source.churn, only=("edit-source",))
    states = {name: _state_of(request, state, plan) for name, plan in plans.items()}
    return Edited(
        {ORIGINAL: state, **states},
        next((one for one in chosen if isinstance(one, Scenario)), None),
    )


def _state_of(request: OptimizeRequest, state: State, plan: Plan) -> State:
    ignore = IgnoreFile.parse(plan.ignore) if plan.ignore is not None else None
    return replace(
        state.with_dockerfile(plan.dockerfile),
        ignore_text=plan.ignore,
        tree=list_files(request.context, ignore),
        dockerfile_path=None,
    )
