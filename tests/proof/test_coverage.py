"""Where the user says how much of the code has to be asked, and less was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest
from recipes import Recipe

from imgopt.config import SmokeSection, load_config
from imgopt.engine import Session
from imgopt.errors import InputError
from imgopt.inspect.image_view import ImageView
from imgopt.proof.derive import derive
from imgopt.proof.example import CONFIG, LAYERS, NAMED, SEEN, Mutation
from imgopt.proof.trial import Judgement, Trial
from imgopt.run.request_report import asked_of
from imgopt.run.settings import SmokeSettings, settings_of

Views = Callable[..., ImageView]
ORIGINAL = Recipe(LAYERS, CONFIG)
UNUSED = ("usr/bin/env",)


def judged(view_of: Views, mutation: Mutation, least: int) -> Judgement:
    """The example service reads main.py, and not export.py."""
    original, candidate = view_of(ORIGINAL, 1), view_of(Recipe.of(mutation), 1)
    settings = SmokeSettings(coverage=least)
    trial = Trial(cast(Session, None), original, (SEEN, SEEN), settings, named=NAMED)
    assert trial.opened is not None
    return trial.judge(candidate, derive(original, candidate, trial.opened.files), mutation.run)


CASES = {
    "nothing is wanted": (UNUSED, 0, "proven"),
    "as much as was asked is wanted": (UNUSED, 33, "proven"),
    "nothing is left out": ((), 90, "proven"),
    "what no run needs is left out": (("app/.git/HEAD",), 90, "proven"),
    "what the rest could use is left out": (UNUSED, 90, "unproven"),
    "what the rest names is left out": (("usr/lib/python3.11/wave.py",), 90, "refuted"),
}


@pytest.mark.parametrize(("without", "least", "verdict"), CASES.values(), ids=CASES)
def test_below_the_share_what_drops_something_is_unproven(
    without: Sequence[str], least: int, verdict: str, view_of: Views
) -> None:
    assert judged(view_of, Mutation("x", without=tuple(without)), least).verdict == verdict


def test_it_is_said_how_much_was_asked_and_what_is_left_out(view_of: Views) -> None:
    found = judged(view_of, Mutation("x", without=UNUSED), 90)
    (smoke,) = [check for check in found.checks if check.name == "smoke"]
    assert smoke.verdict == "not measured"
    assert "% of the code was asked, 90 % are wanted, and /usr/bin/env is left out" in smoke.detail
    assert smoke.detail.endswith("add [smoke] requests")
    assert found.too_little == smoke.detail
    assert not judged(view_of, Mutation("x", without=UNUSED), 0).too_little


def test_of_a_compiled_program_nobody_can_tell(view_of: Views) -> None:
    layers = (("ADD base", {"bin/x": "x"}), ("COPY", {"app/server": LAYERS[-1][1]["app/greet"]}))
    compiled = view_of(Recipe(layers, {"Cmd": ["/app/server"]}), 1)
    assert asked_of((SEEN,), compiled).reached.startswith("reached: not measured")
    assert asked_of((SEEN,), view_of(ORIGINAL, 1)).reached.startswith("reached: 1 of ")


def test_the_share_is_a_setting_in_per_cent(tmp_path: Path) -> None:
    assert settings_of(SmokeSection(coverage=60), tmp_path).coverage == 60
    (tmp_path / "imgopt.toml").write_text("[smoke]\ncoverage = 160\n")
    with pytest.raises(InputError):
        load_config(tmp_path)
