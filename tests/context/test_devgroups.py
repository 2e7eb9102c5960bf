"""Which packages a project lists for its development alone."""

from __future__ import annotations

import pytest

from imgopt.context.devgroups import development_packages

POETRY = """
[tool.poetry.dependencies]
python = "^3.11"
Flask = "^3"
[tool.poetry.group.dev.dependencies]
pytest = "^8"
flask = "^3"
[tool.poetry.group.ml.dependencies]
torch = "*"
[tool.poetry.dev-dependencies]
types_requests = "*"
"""
PEP = """
[project]
dependencies = ["httpx[http2]>=0.27"]
[project.optional-dependencies]
test = ["respx"]
s3 = ["boto3"]
[dependency-groups]
dev = ["ruff==0.4", {include-group = "test"}]
[tool.uv]
dev-dependencies = ["mypy"]
"""


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"pyproject.toml": POETRY}, {"pytest", "types-requests"}),
        ({"pyproject.toml": PEP}, {"respx", "ruff", "mypy"}),
        ({"Pipfile": "[packages]\nbottle='*'\n[dev-packages]\nblack='*'\nbottle='*'\n"}, {"black"}),
        (
            {"requirements.txt": "flask\n", "requirements-dev.txt": "-r x.txt\nflask\npytest>=8\n"},
            {"pytest"},
        ),
        (
            {"requirements/base.txt": "django\n", "requirements/test.txt": "factory_boy\n"},
            {"factory-boy"},
        ),
        ({"latest/requirements.txt": "flask\n", "pyproject.toml": "not [ toml"}, set()),
    ],
    ids=[
        "poetry",
        "groups and extras",
        "pipfile",
        "requirements",
        "a folder of requirements",
        "no list for development",
    ],
)
def test_development_packages(files: dict[str, str], names: set[str]) -> None:
    assert development_packages(files, files.__getitem__) == names
