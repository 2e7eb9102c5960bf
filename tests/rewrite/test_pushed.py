"""What an edit of the source pushes and pulls again: the layers of the steps that no cache has."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import Recipe

from imgopt.cache.edits import Edit
from imgopt.cache.scenarios import Scenario, scenarios
from imgopt.cache.state import State, read_state
from imgopt.image import Image
from imgopt.image.wire import wire_size
from imgopt.loop.pushed import Pushed, pushed

BASE = ("ADD rootfs", {"/etc/os-release": "ID=debian\n"})
NOISE = secrets.token_hex(20_000)
PACKAGES = {"/packages/big": NOISE}
SOURCE = {"/app/app.py": "print(1)\n"}


def edited(folder: Path, text: str) -> tuple[State, Edit]:
    (folder / "Dockerfile").write_text(text)
    (folder / "app.py").write_text("print(1)\n")
    (folder / "requirements.txt").write_text("flask\n")
    state = read_state(folder)
    found = scenarios(folder, state, only=("edit-source",))[0]
    assert isinstance(found, Scenario)
    return state, found.example


def wire(image: Image, *layers: int) -> int:
    return sum(found.bytes for n in layers for found in [wire_size(image.layers[n])] if found)


@pytest.mark.parametrize(
    ("text", "layers", "again"),
    [
        (  # the source in front of the packages: both
            "FROM debian\nCOPY . /app\nRUN pip install -r /app/requirements.txt\n",
            [("COPY . /app # buildkit", SOURCE), ("RUN /bin/sh -c pip # buildkit", PACKAGES)],
            (1, 2),
        ),
        (  # behind them: itself alone
            "FROM debian\nCOPY requirements.txt /\nRUN pip install -r /requirements.txt\nCOPY . /app\n",
            [("COPY r /", {"/r": "r"}), ("RUN /bin/sh -c pip", PACKAGES), ("COPY . /app", SOURCE)],
            (3,),
        ),
        (  # a step that does not see the edited file
            "FROM debian\nCOPY requirements.txt /\n",
            [("COPY requirements.txt /", {"/requirements.txt": "flask\n"})],
            (),
        ),
        (  # an empty last step, which makes no layer of a size that counts
            "FROM debian\nWORKDIR /\nCOPY . /app\nWORKDIR /app\n",
            [("COPY . /app", SOURCE), ("WORKDIR /app", {})],
            (1, 2),
        ),
        (  # of two stages, those of the last one alone, and those that it stands on
            "FROM debian AS one\nRUN pip\nFROM debian AS tools\nCOPY . /x\nFROM one\nCOPY . /app\n",
            [("RUN /bin/sh -c pip", PACKAGES), ("COPY . /app", SOURCE)],
            (2,),
        ),
    ],
)
def test_the_layers_from_the_first_step_that_reads_the_edited_file(
    tmp_path: Path,
    image_of: Callable[[Recipe], Image],
    text: str,
    layers: list[tuple[str, dict[str, str]]],
    again: tuple[int, ...],
) -> None:
    state, edit = edited(tmp_path, text)
    image = image_of(Recipe((BASE, *layers), {}))
    assert pushed(image, state, edit) == Pushed(wire(image, *again))


def test_what_only_a_build_can_tell_is_at_most_and_a_build_tells_it(
    tmp_path: Path, image_of: Callable[[Recipe], Image]
) -> None:
    text = (
        "FROM debian AS b\nCOPY . /app\nRUN make\nFROM debian\nCOPY --from=b /packages /packages\n"
    )
    state, edit = edited(tmp_path, text)
    image = image_of(Recipe((BASE, ("COPY /packages /packages", PACKAGES)), {}))
    assert pushed(image, state, edit) == Pushed(wire(image, 1), at_most=True)
    copy = state.graph.placed[-1][0]
    assert pushed(image, state, edit, {copy: True}) == Pushed(0)
    assert pushed(image, state, edit, {copy: False}) == Pushed(wire(image, 1))


def test_layers_that_are_not_those_of_the_steps_are_no_number(
    tmp_path: Path, image_of: Callable[[Recipe], Image]
) -> None:
    state, edit = edited(tmp_path, "FROM debian\nCOPY . /app\nRUN make\n")
    image = image_of(Recipe((BASE, ("COPY all at once", SOURCE)), {}))
    assert pushed(image, state, edit) is None
