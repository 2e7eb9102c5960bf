"""A tool for people that the author installs for the run comes along, though nothing of the image
calls it; one that is there for no reason stays behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import Recipe

from imgopt.image import Image

from .unasked import Planned, Service

COMPOSE = "services:\n  web:\n    build: app\n    healthcheck:\n      test: [CMD, curl, -f, http://localhost]\n"


def planned(folder: Path, image_of: Callable[[Recipe], Image], install: str) -> Planned:
    folder.mkdir(exist_ok=True)
    step = (
        "RUN apt-get install -y curl",
        {"etc/curl-was-here": "x\n"},
    )
    text = f"FROM python:3.11\nWORKDIR /app\n{install}RUN make\nCOPY . /app\n"
    service = Service(image_of, folder)
    return service.plan({"main.py": "print(1)\n"}, (step,), text=text, named=("curl",))


PLAIN = "RUN apt-get install -y curl\n"


@pytest.mark.parametrize(
    "install",
    [
        "# Add curl for healthcheck\nRUN apt-get install -y curl\n",
        "RUN apt-get install -y \\\n    # the liveness probe asks with it\n    curl\n",
        "# needed at run time\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
    ],
)
def test_the_author_says_what_it_is_for(
    install: str, tmp_path: Path, image_of: Callable[[Recipe], Image]
) -> None:
    assert planned(tmp_path, image_of, install).installs("curl")


@pytest.mark.parametrize("install", [PLAIN, "# tools for the build\n" + PLAIN])
def test_nobody_says_so(install: str, tmp_path: Path, image_of: Callable[[Recipe], Image]) -> None:
    assert not planned(tmp_path, image_of, install).installs("curl")


@pytest.mark.parametrize("name", ["docker-compose.yml", "compose.yaml", "docker-compose.prod.yml"])
def test_a_compose_file_of_the_repository_calls_it(
    name: str, tmp_path: Path, image_of: Callable[[Recipe], Image]
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / name).write_text(COMPOSE)
    assert planned(tmp_path / "app", image_of, PLAIN).installs("curl")


def test_files_above_that_are_of_no_repository_are_not_read(
    tmp_path: Path, image_of: Callable[[Recipe], Image]
) -> None:
    (tmp_path / "docker-compose.yml").write_text(COMPOSE)
    assert not planned(tmp_path / "app", image_of, PLAIN).installs("curl")
