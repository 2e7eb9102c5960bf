"""Source that no step changes is copied from the context; where a step may have changed it, or where
more would come along than the original's run needs, the builder gives it as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import File, Files, Recipe

from imgopt.dockerfile import parse
from imgopt.image import Image
from imgopt.rewrite.final.final_stage import CONTEXT, Copy
from imgopt.rewrite.strategy import ContextFiles, Project, Situation
from imgopt.strategies.source_last import _as_source

from .unasked import Planned, Service

SITE = "usr/local/lib/python3.11/site-packages"
PACKAGES = ("RUN make", {f"{SITE}/a/__init__.py": "x\n" * 9})
HEAD = "FROM python:3.11\nWORKDIR /app\nRUN make\n"
OWN = {"main.py": "import a\n", "data/words.txt": "one\n", "README.md": "x\n"}


@pytest.fixture
def service(image_of: Callable[[Recipe], Image], tmp_path: Path) -> Service:
    return Service(image_of, tmp_path)


def planned(
    service: Service,
    copy: str,
    steps: tuple[tuple[str, Files], ...] = (PACKAGES,),
    files: dict[str, File | str] | None = None,
) -> Planned:
    return service.plan({**OWN, **(files or {})}, steps, text=f"{HEAD}{copy}\n")


@pytest.mark.parametrize(
    "copy",
    [
        "COPY . /app\nRUN python -m compileall .",  # a step works on it
        "COPY --chmod=755 . /app",
        "COPY main.py README.md /app/",
        "COPY . /app\nADD extra.tar.gz /app",
        "ARG FROM_HERE=.\nCOPY $FROM_HERE /app",
    ],
)
def test_other_shapes_come_from_the_builder(service: Service, copy: str) -> None:
    assert "COPY --from=builder" in planned(service, copy).final
    assert "\nCOPY . " not in planned(service, copy).final
    assert "\nCOPY --chown=10001:10001 . " not in planned(service, copy).final


def test_what_earlier_steps_made_in_its_folder_stays_from_the_builder(service: Service) -> None:
    made: Files = {f"app/made/{n}": "1\n" for n in range(9)}
    final = planned(service, "COPY . /app", (PACKAGES, ("RUN make", made))).final
    assert " . /app/" not in final


def test_a_lock_file_of_an_earlier_step_comes_beside_it(service: Service) -> None:
    final = planned(
        service, "COPY . /app", (PACKAGES, ("RUN make", {"app/deps.lock": "1\n"}))
    ).final
    assert "/app/deps.lock /app/deps.lock\n" in final
    assert final.index("/app/deps.lock") < final.index(" . /app/\n")


@pytest.mark.parametrize(
    ("copy", "line"),
    [
        ("COPY *.py README.md data ./", "COPY *.py README.md data /app/"),
        ("COPY --chown=7:7 . .", "COPY . /app/"),
        ('COPY ["a b", "/srv/"]', 'COPY ["a b", "/srv/"]'),
        ("COPY main.py app", ""),  # a file of that name
        ("COPY https://example.org/x /app/", ""),
        ("COPY --link . /app/", ""),
        ("COPY . /", ""),
    ],
)
def test_the_sources_stay_as_they_are_written(copy: str, line: str, tmp_path: Path) -> None:
    project = Project(ContextFiles(tmp_path, {"main.py": 1, "data/a": 1}), ())
    dockerfile = parse(f"FROM python:3.11\nWORKDIR /app\nRUN make\n{copy}\n")
    item = dockerfile.instructions[-1]
    found = _as_source(Situation(project, dockerfile), item)
    shown = Copy(found.written, f"{found.folder}/", stage=CONTEXT).render("x") if found else ""
    assert shown == line


def test_a_new_file_of_the_project_will_be_in_the_image(service: Service) -> None:
    plan = planned(service, "COPY . /app")
    assert plan.final.count("/app/main.py") == 0
    assert " . /app/\n" in plan.final
    assert "COPY . /app" not in plan.text.partition("\nFROM python:3.11-slim")[0]


def test_the_new_user_gets_what_was_writable_for_the_old_one(service: Service) -> None:
    writing = {"keep.py": "def keep(name, text):\n    open(name, 'w').write(text)\n"}
    final = planned(service, "COPY . /app", files=dict(writing)).final
    assert "COPY --chown=10001:10001 . /app/\n" in final


def test_what_no_source_writes_to_stays_roots(service: Service) -> None:
    assert "COPY . /app/\n" in planned(service, "COPY . /app").final
