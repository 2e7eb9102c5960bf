"""Which scripts ask for their interpreter: those that run, not those that are imported or lie
beside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.checks.programs import check_programs
from imgopt.run.opened import Opened

SCRIPT = File("#!/bin/sh\n", 0o755)
PYTHON = {"usr/local/bin/python3.11": File("x", 0o755)}
BASE = {**PYTHON, "bin/sh": File("x", 0o755), "usr/local/bin/python3.11-config": SCRIPT}
MODULE = "usr/local/lib/python3.11/base64.py"
IN_PACKAGE = "usr/local/lib/python3.11/site-packages/tqdm/completion.sh"
APP = {"app/main.py": "x"}
CONFIG = {"Cmd": ["python3.11", "/app/main.py"], "Env": ["PATH=/usr/local/bin:/bin"]}


def missing(view_of: Callable[..., ImageView], opened: Opened, *scripts: str) -> list[str]:
    """Interpreters that a candidate without a shell lacks; the scripts in `app` are the author's,
    all else the base's.

    The candidate is built on another base, so that everything in it is its own.
    """
    files = dict.fromkeys(scripts, SCRIPT)
    base = {**BASE, **{path: file for path, file in files.items() if not path.startswith("app")}}
    own = {**APP, **{path: file for path, file in files.items() if path.startswith("app")}}
    original = view_of(Recipe((("ADD", base), ("COPY", own)), CONFIG), 1)
    candidate = view_of(
        Recipe((("ADD", {"etc/x": "x"}), ("COPY", {**PYTHON, **own, **files})), CONFIG), 1
    )
    return [
        item.subject
        for item in check_programs(original, candidate, Allowances(), opened=opened).items
    ]


@pytest.mark.parametrize("script", ["usr/local/bin/python3.11-config", MODULE, IN_PACKAGE])
def test_a_script_that_was_carried_along_and_never_executed_needs_no_interpreter(
    script: str, view_of: Callable[..., ImageView]
) -> None:
    assert missing(view_of, Opened(frozenset([f"/{script}"])), script) == []


@pytest.mark.parametrize("script", ["usr/local/bin/python3.11-config", MODULE, IN_PACKAGE])
def test_a_script_that_was_executed_needs_its_interpreter(
    script: str, view_of: Callable[..., ImageView]
) -> None:
    run = frozenset([f"/{script}"])
    assert missing(view_of, Opened(run, run), script) == ["/bin/sh"]


def test_a_script_of_the_author_needs_its_interpreter_also_where_no_probe_ran_it(
    view_of: Callable[..., ImageView],
) -> None:
    assert missing(view_of, Opened(frozenset()), "app/nightly") == ["/bin/sh"]
