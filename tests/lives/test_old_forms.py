"""Forms of a file that hold today and not tomorrow: each does the same job as the original, and an
ordinary later edit breaks it. What names folders instead of files survives all of them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.engine import BuildRequest, Engine, Session
from imgopt.lives.later import AS_IT_IS, LaterEdit, LaterProject
from imgopt.lives.operations import New
from imgopt.lives.started import Start
from imgopt.lives.trials import BREAKS, HOLDS, NOT_COUNTED, NOT_TRIED, Candidate, LaterTrials
from imgopt.rewrite.strategy import ContextFiles
from imgopt.run.settings import SmokeSettings

ORIGINAL = """FROM python:3.11
WORKDIR /app
COPY . .
RUN pip install -r requirements.txt && pip install --no-deps . && rm -rf build *.egg-info
EXPOSE 8000
CMD ["python", "app.py"]
"""
FILES = {
    "app.py": (
        "import signal\nimport sys\n\nimport bottle\nimport pages\n\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        "bottle.route('/')(lambda: pages.FIRST)\n"
        "bottle.route('/static/<name>')(lambda name: bottle.static_file(name, 'static'))\n"
        "bottle.run(host='0.0.0.0', port=8000)\n"
    ),
    "pages.py": "FIRST = 'welcome'\n",
    "static/site.css": "p { color: #123 }\n",
    "requirements.txt": "bottle==0.13.2\n",
    "pyproject.toml": (
        '[project]\nname = "shop"\nversion = "1.2.0"\n\n[tool.setuptools]\npy-modules = ["pages"]\n'
    ),
    "Dockerfile": ORIGINAL,
}
BUILDER = f"{ORIGINAL.partition('EXPOSE')[0].replace('3.11', '3.11 AS builder')}\n"
FINAL = "FROM python:3.11-slim\nWORKDIR /app\n"
PLACE = "/usr/local/lib/python3.11/site-packages"
PACKAGES = f"COPY --from=builder {PLACE} {PLACE}\n"
SCRIPTS = "COPY --from=builder /usr/local/bin /usr/local/bin\n"
SOURCE = "COPY . .\n"
NAMED = (
    f"COPY --from=builder {PLACE}/bottle.py {PLACE}/pages.py {PLACE}/\n"
    f"COPY --from=builder {PLACE}/bottle-0.13.2.dist-info {PLACE}/bottle-0.13.2.dist-info\n"
    f"COPY --from=builder {PLACE}/shop-1.2.0.dist-info {PLACE}/shop-1.2.0.dist-info\n"
)
GOOD = BUILDER + FINAL + PACKAGES + SCRIPTS + SOURCE
OLD: Mapping[str, tuple[str, str]] = {
    "single sources": (
        "new-module",
        BUILDER + FINAL + PACKAGES + SCRIPTS + "COPY --from=builder /app/app.py /app/pages.py"
        " /app/pyproject.toml /app/requirements.txt /app/\n"
        "COPY --from=builder /app/static /app/static\n",
    ),
    "the folders of one day": (
        "data-folder",
        BUILDER + FINAL + PACKAGES + SCRIPTS + "COPY *.py *.txt *.toml ./\n"
        "COPY --from=builder /app/static /app/static\n",
    ),
    "files by their endings": (
        "settings-file",
        BUILDER + FINAL + PACKAGES + SCRIPTS + "COPY *.py *.txt *.toml ./\nCOPY static static\n",
    ),
    "single files for browsers": (
        "browser-file",
        BUILDER + FINAL + PACKAGES + SCRIPTS + "COPY *.py *.txt *.toml ./\n"
        "COPY static/site.css static/\n",
    ),
    "single scripts": (
        "program-dependency",
        BUILDER + FINAL + PACKAGES + "COPY --from=builder /usr/local/bin/bottle.py"
        " /usr/local/bin/wheel /usr/local/bin/\n"
        "COPY --from=builder /usr/local/bin/__pycache__ /usr/local/bin/__pycache__\n" + SOURCE,
    ),
    "a list of modules": ("pure-dependency", BUILDER + FINAL + NAMED + SCRIPTS + SOURCE),
    "modules without folders": (
        "compiled-dependency",
        BUILDER
        + FINAL
        + NAMED.replace(f"{PLACE}/bottle.py {PLACE}/pages.py", f"{PLACE}/*.py")
        + SCRIPTS
        + SOURCE,
    ),
    "a version in a path": ("raise-version", BUILDER + FINAL + NAMED + SCRIPTS + SOURCE),
    "requirements written out": (
        "pure-dependency",
        FINAL
        + SOURCE
        + "RUN pip install bottle==0.13.2 && pip install --no-deps . && rm -rf build *.egg-info\n",
    ),
    "a builder that holds the data": (
        "data-folder",
        BUILDER.replace("COPY . .", "COPY *.py *.txt *.toml ./")
        + FINAL
        + PACKAGES
        + SCRIPTS
        + "COPY --from=builder /app /app\nCOPY static static\n",
    ),
}
EVIDENCE = {
    "new-module": "later_note",
    "data-folder": "later-data",
    "settings-file": r"later\.conf",
    "browser-file": "later-note",
    "program-dependency": "tabulate",
    "pure-dependency": "inflection",
    "compiled-dependency": "xxhash",
    "raise-version": r"shop-1\.2\.0",
}
END = f"EXPOSE{ORIGINAL.partition('EXPOSE')[2]}"


@dataclass(frozen=True)
class Laboratory:
    trials: LaterTrials
    edits: Mapping[str, LaterEdit]

    def tried(self, edit: LaterEdit, text: str) -> tuple[str, str]:
        """The verdict, and its evidence."""
        found = self.trials.tried(edit, Candidate("form", text + END))
        return found.verdict, " ".join(filter(None, (found.check, found.detail)))


@pytest.fixture(scope="module")
def laboratory(
    tmp_path_factory: pytest.TempPathFactory, engine: Engine, bases: dict[str, str]
) -> Iterator[Laboratory]:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    context = ContextFiles.read(folder, folder / "Dockerfile")
    start = Start(("python", "app.py"), workdir="/app")
    project = LaterProject(context, ORIGINAL, start, builtin_ecosystems())
    found = project.edits([name for name, _ in OLD.values()])
    edits = {one.name: one for one in found if isinstance(one, LaterEdit)}
    request = BuildRequest(folder, ORIGINAL, bases=bases)
    with Session(engine) as session:
        yield Laboratory(LaterTrials(session, request, SmokeSettings(), project), edits)


@pytest.mark.engine
@pytest.mark.parametrize("form", OLD)
def test_a_later_edit_breaks_an_old_form(form: str, laboratory: Laboratory) -> None:
    name, text = OLD[form]
    assert laboratory.tried(AS_IT_IS, text) == (HOLDS, "")
    verdict, evidence = laboratory.tried(laboratory.edits[name], text)
    assert verdict == BREAKS
    assert re.search(EVIDENCE[name], evidence), evidence


@pytest.mark.engine
@pytest.mark.parametrize("name", sorted(EVIDENCE))
def test_a_file_that_names_folders_survives_them(name: str, laboratory: Laboratory) -> None:
    assert laboratory.tried(laboratory.edits[name], GOOD) == (HOLDS, "")


@pytest.mark.engine
def test_an_edit_that_the_original_does_not_survive_does_not_count(laboratory: Laboratory) -> None:
    broken = LaterEdit("broken", "", (New("app.py", "raise SystemExit(3)\n"),))
    verdict, evidence = laboratory.tried(broken, GOOD)
    assert verdict == NOT_COUNTED
    assert evidence.startswith("the original does not start then: ")
    unbuilt = LaterEdit("unbuilt", "", (New("requirements.txt", "no such thing\n"),))
    verdict, evidence = laboratory.tried(unbuilt, GOOD)
    assert (verdict, evidence[:35]) == (NOT_COUNTED, "the original does not build then: R")


@pytest.mark.engine
def test_a_time_that_is_over_tries_nothing(laboratory: Laboratory) -> None:
    laboratory.trials.until = time.monotonic()
    edit = LaterEdit("late", "", (New("late.txt", "late"),))
    verdict, evidence = laboratory.tried(edit, GOOD)
    laboratory.trials.until = None
    assert (verdict, evidence) == (NOT_TRIED, "the time for it was over")
