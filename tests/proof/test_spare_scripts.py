"""Packages that lie elsewhere without the scripts that people type: missed where something calls
one, and no difference where nothing does. What must not be excused comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Outcome
from imgopt.proof.checks.language_packages import check_language_packages
from imgopt.proof.checks.programs import check_programs
from imgopt.run.opened import Opened

SITE, DEPS = "usr/local/lib/python3.11/site-packages", "deps"
PYTHON = File("x", 0o755)
RECORD = "flask/__init__.py,,\n../../../bin/flask,,\nflask-3.0.dist-info/METADATA,,\n"
START = ["python3", "app.py"]


def package(root: str, script: str, shebang: str) -> dict[str, File | str]:
    return {
        f"{root}/flask/__init__.py": "x = 1\n",
        f"{root}/flask-3.0.dist-info/METADATA": "Name: Flask\nVersion: 3.0\n",
        f"{root}/flask-3.0.dist-info/RECORD": RECORD,
        script: File(f"#!{shebang}\nimport flask\n", 0o755),
    }


def outcomes(
    view_of: Callable[..., ImageView],
    source: str = "import flask\n",
    start: list[str] = START,
    opened: frozenset[str] = frozenset(),
) -> tuple[Outcome, Outcome]:
    """The packages and the programs of a candidate whose interpreter and packages lie elsewhere."""
    own: dict[str, File | str] = {"app/app.py": source}
    config = {"Entrypoint": start, "WorkingDir": "/app", "Env": ["PATH=/usr/local/bin:/usr/bin"]}
    before = {"usr/local/bin/python3": PYTHON, "usr/local/bin/python": PYTHON}
    installed = package(SITE, "usr/local/bin/flask", "/usr/local/bin/python")
    original = view_of(Recipe((("ADD", before), ("RUN", installed), ("COPY", own)), config), 1)
    moved = package(DEPS, "deps/bin/flask", "/usr/local/bin/python")
    after = {"usr/bin/python3": PYTHON}
    candidate = view_of(Recipe((("ADD", after), ("COPY", moved), ("COPY", own)), config), 1)
    seen = Opened(opened)
    return (
        check_language_packages(original, candidate, Allowances(), opened=seen.files),
        check_programs(original, candidate, Allowances(), opened=seen),
    )


@pytest.mark.parametrize(
    "given",
    [
        {"source": "import subprocess\nsubprocess.run(['flask', 'routes'])\n"},
        {"start": ["flask", "run"]},
        {"start": ["sh", "-c", "flask db upgrade && exec python3 app.py"]},
        {"opened": frozenset(["/usr/local/bin/flask"])},
    ],
    ids=["a source calls it", "the start", "a line of a shell", "it was opened"],
)
def test_a_script_that_something_calls_is_missed(
    given: dict[str, Any], view_of: Callable[..., ImageView]
) -> None:
    packages, _ = outcomes(view_of, **given)
    assert [item.path for item in packages.items] == ["/usr/local/bin/flask"]


def test_a_script_for_people_is_not(view_of: Callable[..., ImageView]) -> None:
    packages, programs = outcomes(view_of)
    assert packages.items == ()
    assert programs.items == ()
    assert any("for people" in text for text in packages.allowed)
