"""What a code change costs to rebuild: step keys as BuildKit makes them, predicted, measured,
explained, replayed.

    before = read_state(Path("."))  # Dockerfile, context after the ignore file, build arguments
    for scenario in scenarios(Path("."), before):
        if isinstance(scenario, Scenario):
            after = scenario.make("token").applied(before)
            for step in predict(before, after).steps:
                print(scenario.name, step.step.line, step.verdict, step.reason)

`imgopt.cache.project.Project` does the whole: examine, measure, explain, replay.
"""

from imgopt.cache.bases import BaseConfig
from imgopt.cache.predict import Prediction, StepPrediction, predict
from imgopt.cache.scenarios import Scenario, Skipped, scenarios
from imgopt.cache.state import State, read_revision, read_state

__all__ = [
    "BaseConfig",
    "Prediction",
    "Scenario",
    "Skipped",
    "State",
    "StepPrediction",
    "predict",
    "read_revision",
    "read_state",
    "scenarios",
]
