"""A remark says what is wrong and what to write; the hooks take Dockerfiles under every name, and
no templates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from imgopt.ci.lint import dockerfiles_of, lines_of, lint
from imgopt.dockerfile.names import is_dockerfile

IMGOPT = (sys.executable, "-m", "imgopt", "ci", "lint")
ROOT = Path(__file__).parent.parent.parent
HOOKS = (ROOT / ".pre-commit-hooks.yaml").read_text()
NAMES = {
    "Dockerfile": True, "dockerfile": True, "Dockerfile-dev": True, "Dockerfile_test": True, "Dockerfile.prod": True,
    "Containerfile": True, "web.dockerfile": True, "api.Dockerfile": True, "Dockerfile.j2": False,
    "Dockerfile.template": False, "Dockerfile.tmpl": False, "Dockerfile.erb": False, "Dockerfile.dockerignore": False,
    ".dockerignore": False, "Dockerfile.md": False, "Dockerfiles": False, "mydockerfile": False,
}  # fmt: skip


def said(folder: Path, text: str, name: str = "Dockerfile") -> str:
    (folder / name).write_text(text)
    return "\n".join(lines_of(lint([folder / name])))


@pytest.mark.parametrize(
    ("line", "wrong", "write"),
    [
        (
            "RUN pip install flask",
            "is gone when it runs again",
            "add --mount=type=cache,target=/root/.cache/pip to this RUN",
        ),
        (
            "CMD python app.py",
            "does not pass the stop signal on",
            'write `CMD ["python", "app.py"]`',
        ),
        ("ENV A b c", "an old form", 'write `ENV A="b c"`'),
    ],
)
def test_a_remark_says_what_is_wrong_and_what_to_write(
    tmp_path: Path, line: str, wrong: str, write: str
) -> None:
    shown = said(tmp_path, f"FROM python:3.12\n{line}\n")
    assert ":2: warning: " in shown
    assert wrong in shown
    assert write in shown


FILES = {
    "Dockerfile": "FROM python:3.12\nRUN pip install flask\n",
    "docker/web.Dockerfile": "FROM python:3.12\nCOPY src/app.py /app.py\nCMD python /app.py\n",
    "services/api/Dockerfile": "FROM python:3.12\nCOPY main.py /main.py\nCMD python /main.py\n",
    "services/broken/Dockerfile": "RUN pip install flask\n",
    "deploy/Containerfile.prod": "FROM alpine\nCMD a b\n",
    "deploy/Dockerfile.j2": "FROM {{ base }}\n",
    "deploy/Dockerfile.dockerignore": "x\n",
    "node_modules/x/Dockerfile": "FROM alpine\nCMD a b\n",
    ".cache/Dockerfile": "FROM alpine\nCMD a b\n",
    "docs/dockerfile.md": "FROM alpine\nCMD a b\n",
    "src/app.py": "",
    "services/api/main.py": "",
}
FOUND = {"Dockerfile", "docker/web.Dockerfile", "services/api/Dockerfile", "services/broken/Dockerfile",
         "deploy/Containerfile.prod"}  # fmt: skip


def fill(folder: Path) -> Path:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_a_folder_stands_for_the_dockerfiles_in_it_each_with_its_context(tmp_path: Path) -> None:
    found = dockerfiles_of([fill(tmp_path), tmp_path / "Dockerfile"])
    assert {str(path.relative_to(tmp_path)) for path in found} == FOUND
    assert found[tmp_path / "docker/web.Dockerfile"] == tmp_path
    assert found[tmp_path / "services/api/Dockerfile"] == tmp_path / "services/api"


def test_a_folder_is_linted_as_its_files_are_and_they_are_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [*IMGOPT, "."], cwd=fill(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    named, _, _ = done.stderr.partition("\n")
    assert set(named.partition("reads ")[2].split(", ")) == FOUND
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == FOUND
    assert "services/broken/Dockerfile:1: error: " in done.stdout
    assert "docker/web.Dockerfile:3: warning: " in done.stdout


def test_a_folder_without_a_dockerfile_is_said(tmp_path: Path) -> None:
    done = subprocess.run([*IMGOPT, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no Dockerfile here or in the sub-folders" in done.stderr


def test_a_template_is_said_plainly(tmp_path: Path) -> None:
    shown = said(tmp_path, "FROM {{ base }}\n{% if a %}\nRUN true\n{% endif %}\n", "Dockerfile.j2")
    assert shown.count("\n") == 0
    assert "is a template" in shown


@pytest.mark.parametrize("name", NAMES)
def test_hooks_and_program_know_the_same_names(name: str) -> None:
    assert is_dockerfile(name) == NAMES[name]
    for files, exclude in zip(
        re.findall(r"files: (.+)", HOOKS), re.findall(r"exclude: (.+)", HOOKS), strict=True
    ):
        for path in (name, f"docker/{name}"):
            assert bool(re.search(files, path) and not re.search(exclude, path)) == NAMES[name]
