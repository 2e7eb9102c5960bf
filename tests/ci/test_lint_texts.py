"""A remark says what is wrong and what to write; the hooks take Dockerfiles under every name, and no templates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imgopt.ci.lint import lines_of, lint
from imgopt.dockerfile.names import is_dockerfile

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
        ("CMD python app.py", "does not pass the stop signal on", 'write `CMD ["python", "app.py"]`'),
        ("ENV A b c", "an old form", 'write `ENV A="b c"`'),
    ],
)
def test_a_remark_says_what_is_wrong_and_what_to_write(tmp_path: Path, line: str, wrong: str, write: str) -> None:
    shown = said(tmp_path, f"FROM python:3.12\n{line}\n")
    assert ":2: warning: " in shown
    assert wrong in shown
    assert write in shown


def test_a_template_is_said_plainly(tmp_path: Path) -> None:
    shown = said(tmp_path, "FROM {{ base }}\n{% if a %}\nRUN true\n{% endif %}\n", "Dockerfile.j2")
    assert shown.count("\n") == 0
    assert "is a template" in shown


@pytest.mark.parametrize("name", NAMES)
def test_hooks_and_program_know_the_same_names(name: str) -> None:
    assert is_dockerfile(name) == NAMES[name]
    for files, exclude in zip(re.findall(r"files: (.+)", HOOKS), re.findall(r"exclude: (.+)", HOOKS), strict=True):
        for path in (name, f"docker/{name}"):
            assert bool(re.search(files, path) and not re.search(exclude, path)) == NAMES[name]
