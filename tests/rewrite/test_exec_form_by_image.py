"""A CMD in shell form on a base with an entry script: the exec form where the script only starts
the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import File, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.strategy import Change, ContextFiles, Project, Situation, Skip
from imgopt.strategies.exec_form import STRATEGY

HANDS_OVER = (
    '#!/bin/sh\nset -e\nif [ -z "$(command -v "$1")" ]; then\n  set -- node "$@"\nfi\nexec "$@"\n'
)
MORE = '#!/bin/sh\nexport NODE_OPTIONS=x\nexec "$@"\n'
PROGRAM = File("\x7fELF", 0o755)


@pytest.mark.parametrize(
    ("script", "command", "kind"),
    [
        (HANDS_OVER, "npm start", Change),
        (MORE, "npm start", Skip),
        (HANDS_OVER, "unknown start", Skip),
    ],
)
def test_an_entry_script_that_only_starts_the_command_is_no_reason(
    script: str, command: str, kind: type, image_of: Callable[[Recipe], Image], tmp_path: Path
) -> None:
    base = {"bin/sh": PROGRAM, "usr/bin/npm": PROGRAM, "usr/bin/start.sh": File(script, 0o755)}
    config = {
        "Entrypoint": ["start.sh"],
        "Cmd": ["/bin/sh", "-c", command],
        "Env": ["PATH=/usr/bin:/bin"],
    }
    layers = (("ADD", base), ("COPY . .", {"app/a.js": "1"}))
    view = ImageView(image_of(Recipe(layers, config)), image_of(Recipe(layers[:1], config)))
    project = Project(
        ContextFiles(tmp_path, {}), builtin_ecosystems(), evidence=Evidence(view, SystemPackages())
    )
    (found,) = STRATEGY.rewrite(
        Situation(project, parse(f"FROM node:20\nCOPY . /app\nCMD {command}\n"))
    )
    assert type(found) is kind
