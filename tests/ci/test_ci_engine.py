"""The gate on a real engine: commits of a git repository, built and checked one after the other."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgopt.results.ci import CiResult

from .conftest import Project

pytestmark = pytest.mark.engine

PYTHON = "imgopt.local/python:3.11-slim"
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TAG = f"imgopt-test-gate-{os.getpid()}"

DOCKERFILE = f"""\
FROM {PYTHON}
WORKDIR /srv
COPY requirements.txt .
RUN --mount=type=bind,source=wheels,target=/wheels \\
    pip install --no-cache-dir --no-compile --no-index --find-links /wheels \\
      -r requirements.txt
COPY app app
CMD ["python", "app/main.py"]
"""


def wheel(folder: Path, name: str, size: int) -> None:
    """A wheel with one file of random bytes."""
    stem, info = name.replace("-", "_"), f"{name.replace('-', '_')}-1.0.dist-info"
    files = {
        f"{stem}/__init__.py": b"",
        f"{stem}/data.bin": random.Random(name).randbytes(size),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]).encode()
    with zipfile.ZipFile(folder / f"{stem}-1.0-py3-none-any.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0)), data)


class Repository:
    """The project, with `docker build` instead of a hand-written archive."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.tags: list[str] = []

    def build(self) -> str:
        tag = f"{TAG}:{len(self.tags)}"
        command = [
            "docker",
            "build",
            "--quiet",
            "--network",
            "none",
            "--tag",
            tag,
            str(self.project.folder),
        ]
        subprocess.run(command, check=True, capture_output=True)
        self.tags.append(tag)
        return tag

    def check(self, *arguments: str) -> tuple[int, CiResult]:
        """Commits, builds and checks, as a pipeline would."""
        from imgopt.results import from_json

        self.project.commit("a change")
        code, out, err = self.project.imgopt(
            "check", "--format", "json", *arguments, f"app={self.build()}"
        )
        assert out, err
        return code, from_json(out, CiResult)


@pytest.fixture
def repository(project: Project) -> Iterator[Repository]:
    folder = project.folder
    (folder / "wheels").mkdir()
    wheel(folder / "wheels", "small-package", 20_000)
    wheel(folder / "wheels", "heavy-models", 30_000_000)
    project.write("Dockerfile", DOCKERFILE)
    project.write("requirements.txt", "# what the service needs\nsmall-package==1.0\n")
    (folder / "app").mkdir()
    project.write("app/main.py", "print('hello')\n")
    made = Repository(project)
    project.commit("a service")
    assert project.imgopt("baseline", f"app={made.build()}")[0] == 0
    project.commit("its baseline")
    yield made
    subprocess.run(["docker", "image", "rm", "--force", *made.tags], capture_output=True)


def test_the_gate_over_the_commits_of_a_repository(repository: Repository) -> None:
    project = repository.project
    code, result = repository.check()
    assert (code, result.status, result.images[0].state) == (0, "passed", "unchanged")

    project.write(
        "requirements.txt", "# what the service needs\nsmall-package==1.0\nheavy_models==1.0\n"
    )
    code, result = repository.check()
    (error,) = [finding for finding in result.findings if finding.level == "error"]
    assert (
        code == 1
        and error.place is not None
        and (error.place.file, error.place.line) == ("Dockerfile", 4)
    )
    assert any(
        "package python:heavy-models +30.0 MB (requirements.txt:3, Dockerfile:4" in c
        for c in error.causes
    )
    attribution = result.images[0].attribution
    assert attribution is not None and attribution.base is not None and attribution.base.delta == 0

    project.git("revert", "--no-edit", "HEAD")
    (project.folder / "app" / "backup.tar.gz").write_bytes(random.Random(1).randbytes(12_000_000))
    code, result = repository.check()
    (error,) = [finding for finding in result.findings if finding.level == "error"]
    assert code == 1 and error.place is not None and error.place.line == 7
    assert any(
        "path /srv/app/backup.tar.gz +12.0 MB (Dockerfile:7" in cause for cause in error.causes
    )

    arguments = (
        "--because",
        "needed until the move",
        "--until",
        "2999-01-01",
        f"app={repository.tags[-1]}",
    )
    assert project.imgopt("accept", *arguments)[0] == 0
    code, result = repository.check()
    assert (code, result.status) == (0, "passed")
    assert [rule.verdict for rule in result.images[0].rules if rule.rule == "own-layers"] == [
        "accepted"
    ]


def test_two_fine_branches_are_caught_on_merge_and_a_smaller_image_ratchets(
    repository: Repository,
) -> None:
    project = repository.project
    for branch in ("one", "two"):
        project.git("checkout", "--quiet", "-b", branch, "main")
        (project.folder / "app" / f"{branch}.bin").write_bytes(
            random.Random(branch).randbytes(3_000_000)
        )
        code, result = repository.check("--against", "main")
        assert (code, result.status) == (0, "passed")
    project.git("merge", "--quiet", "--no-edit", "one")
    code, result = repository.check("--against", "main")
    assert (code, result.status) == (1, "failed")
    (error,) = [finding for finding in result.findings if finding.level == "error"]
    assert error.place is not None and error.place.line == 7
    assert project.imgopt("baseline", f"app={repository.tags[-1]}")[0] == 0
    assert repository.check("--against", "main")[1].status == "failed"

    (project.folder / "app" / "two.bin").unlink()
    code, result = repository.check()
    assert (code, result.status, result.images[0].smaller) == (0, "passed", True)
    assert "--ratchet" in project.imgopt("check", f"app={repository.tags[-1]}")[1]


def test_a_new_base_warns_and_blames_nobody(repository: Repository) -> None:
    project = repository.project
    larger = f"{TAG}-base:1"
    context = project.folder.parent / "base"
    context.mkdir()
    (context / "extra").write_bytes(random.Random(2).randbytes(15_000_000))
    (context / "Dockerfile").write_text(
        f'FROM {PYTHON}\nCOPY extra /usr/lib/extra\nCMD ["python3"]\n'
    )
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", larger, str(context)],
        check=True,
        capture_output=True,
    )
    repository.tags.append(larger)
    project.write("Dockerfile", DOCKERFILE.replace(PYTHON, larger))
    code, result = repository.check()
    assert (code, result.status) == (0, "warned")
    (warning,) = [finding for finding in result.findings if finding.level == "warn"]
    attribution = result.images[0].attribution
    assert warning.rule == "base" and attribution is not None and attribution.base is not None
    assert attribution.base.delta > 15_000_000 and abs(attribution.own) < 10_000


def test_archive_and_store_agree_to_the_byte(repository: Repository, tmp_path: Path) -> None:
    from imgopt.ci import check

    project, tag = repository.project, repository.tags[0]
    archive = tmp_path / "saved.tar"
    subprocess.run(["docker", "save", "--output", str(archive), tag], check=True)
    store = check([f"app={tag}"], folder=project.folder).images[0]
    saved = check([f"app={archive}"], folder=project.folder).images[0]
    assert (store.source, saved.source, saved.state) == ("store", "archive", "unchanged")
    for metric in ("tar", "payload", "live"):
        assert store.sizes.of(metric) == saved.sizes.of(metric)  # type: ignore[arg-type]
    assert check([f"app={tag}"], folder=project.folder).status == "passed"


def test_images_of_the_configuration_are_built_and_removed(repository: Repository) -> None:
    project = repository.project
    project.write(
        "imgopt.toml", '[build]\nnetwork = "none"\n[[ci.image]]\nname = "app"\ncontext = "."\n'
    )
    project.write("Dockerfile", f"{DOCKERFILE}LABEL imgopt.test.removed={TAG}\n")
    code, out, err = project.imgopt("check", "--format", "json")
    assert code == 0 and "building app" in err
    assert json.loads(out)["images"][0]["state"] == "compared"
    listing = ["docker", "image", "ls", "--quiet", "--filter", f"label=imgopt.test.removed={TAG}"]
    assert subprocess.run(listing, capture_output=True, text=True, check=True).stdout == ""


def test_the_plain_shell_script_builds_checks_and_cleans_up(repository: Repository) -> None:
    project = repository.project
    script = ROOT / "ci-templates" / "check.sh"
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        [script, "app", "."], cwd=project.folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    project.baseline.unlink()
    done = subprocess.run(
        [script, "app", "."], cwd=project.folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2 and "no baseline" in done.stdout
    images = subprocess.run(
        ["docker", "image", "ls", "imgopt-check-app"], capture_output=True, text=True
    ).stdout
    assert len(images.splitlines()) == 1
