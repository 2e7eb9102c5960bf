"""What `poetry run`, `pipenv run` and `uv run` start, and which files only they open."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from recipes import File, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.image import Image
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.environment_runners import environment_of, is_closed, run_by
from imgopt.proof.same_start import same_start
from imgopt.rewrite.evidence import Evidence, Seen, SystemPackages
from imgopt.rewrite.strategy import Change, ContextFiles, Project, Situation, Skip
from imgopt.strategies.cache_mounts import STRATEGY

VENV = "root/.cache/pypoetry/virtualenvs/shop-x1"
SYSTEM = "usr/local/lib/python3.11/site-packages"
PROGRAM = File("elf", 0o755)
FILES: Mapping[str, File | str] = {
    "usr/local/bin/python3.11": PROGRAM,
    "usr/local/bin/python": File(link="python3.11"),
    "usr/local/bin/poetry": File("#!/usr/local/bin/python3.11\n", 0o755),
    "usr/local/bin/uv": PROGRAM,
    f"{VENV}/pyvenv.cfg": "home = /usr/local/bin\ninclude-system-site-packages = false\n",
    f"{VENV}/bin/python": File(link="/usr/local/bin/python3.11"),
    f"{VENV}/bin/shop": File(f"#!/{VENV}/bin/python\n", 0o755),
    "app/main.py": "print()",
}
PATH = {"Env": ["PATH=/usr/local/bin:/bin"], "WorkingDir": "/app"}


def view(
    view_of: Callable[..., ImageView], files: Mapping[str, File | str] = FILES, **config: object
) -> ImageView:
    return view_of(Recipe((("COPY", files),), {**PATH, **config}))


@pytest.mark.parametrize(
    ("command", "started"),
    [
        ("poetry run shop --port 80", f"/{VENV}/bin/shop --port 80"),
        ("poetry run python main.py", f"/{VENV}/bin/python main.py"),
        ("uv run main.py", f"/{VENV}/bin/python main.py"),
        ("uv run --no-sync -- shop", f"/{VENV}/bin/shop"),
        ("uv run -m shop.web", f"/{VENV}/bin/python -m shop.web"),
    ],
)
def test_the_command_is_the_one_of_the_environment(
    command: str, started: str, view_of: Callable[..., ImageView]
) -> None:
    run = run_by(view(view_of), tuple(command.split()))
    assert run is not None
    assert " ".join(run.words) == started


@pytest.mark.parametrize(
    "command", ["poetry run nowhere", "uv run --with httpx main.py", "poetry install", "npm run"]
)
def test_what_cannot_be_told_is_refused(command: str, view_of: Callable[..., ImageView]) -> None:
    assert run_by(view(view_of), tuple(command.split())) is None


def test_two_environments_that_could_be_meant_are_refused(
    view_of: Callable[..., ImageView],
) -> None:
    other = {
        f"root/.cache/pypoetry/virtualenvs/old/{name}": File("x", 0o755)
        for name in ("pyvenv.cfg", "bin/shop")
    }
    assert run_by(view(view_of, {**FILES, **other}), ("poetry", "run", "shop")) is None


def test_the_projects_own_environment_comes_first(view_of: Callable[..., ImageView]) -> None:
    own = {f"app/.venv/{name}": File("x", 0o755) for name in ("pyvenv.cfg", "bin/shop")}
    run = run_by(view(view_of, {**FILES, **own}), ("poetry", "run", "shop"))
    assert run is not None
    assert run.environment == "/app/.venv"


def test_packages_that_a_closed_environment_cannot_see_are_the_launchers(
    view_of: Callable[..., ImageView],
) -> None:
    run = run_by(view(view_of), ("poetry", "run", "shop"))
    open_too = {**FILES, f"{VENV}/pyvenv.cfg": "include-system-site-packages = true\n"}
    other = run_by(view(view_of, open_too), ("poetry", "run", "shop"))
    assert run is not None
    assert other is not None
    assert re.search(run.files, f"/{SYSTEM}/cleo/application.py")
    assert not re.search(run.files, "/usr/local/lib/python3.11/json/decoder.py")
    assert not re.search(other.files, f"/{SYSTEM}/requests/api.py")


def test_the_environment_on_the_search_path_starts_the_same_program(
    view_of: Callable[..., ImageView],
) -> None:
    original = view(view_of, Cmd=["poetry", "run", "shop"])
    path = {"Env": [f"PATH=/{VENV}/bin:/usr/local/bin:/bin"]}
    assert same_start(original, view(view_of, Cmd=["shop"], **path)).start is not None
    assert same_start(original, view(view_of, Cmd=["python", "main.py"], **path)).start is None


def test_the_environment_of_a_start_is_told_by_its_first_word(
    view_of: Callable[..., ImageView],
) -> None:
    image = view(view_of)
    assert environment_of(image, (f"/{VENV}/bin/python", "main.py")) == f"/{VENV}"
    assert environment_of(image, ("python", "main.py")) == ""
    assert is_closed(image, f"/{VENV}")


def test_what_only_the_runner_opened_of_its_cache_forbids_no_mount(
    image_of: Callable[[Recipe], Image],
) -> None:
    """`uv run` looks into its cache at every start; with the program that it starts in its place
    nothing does."""
    marker = "root/.cache/uv/sdists-v11/.git"
    command = ["uv", "run", "-m", "shop.web"]
    image = image_of(Recipe((("COPY", {**FILES, marker: "x"}),), {**PATH, "Cmd": command}))
    evidence = Evidence(
        ImageView(image), SystemPackages(), Seen(opened=frozenset([f"/{marker}", "/app/main.py"]))
    )
    project = Project(ContextFiles(Path("/nowhere"), {}), builtin_ecosystems(), evidence=evidence)

    def found(start: list[str]) -> Change | Skip:
        text = f"FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN uv sync --frozen\nCMD {json.dumps(start)}\n"
        (only,) = STRATEGY.rewrite(Situation(project, parse(text)))
        return only

    kept = found(command)
    assert isinstance(kept, Skip)
    assert kept.reason == f"the service reads /{marker}, which lies in the cache of uv"
    assert isinstance(found([f"/{VENV}/bin/python", "-m", "shop.web"]), Change)
