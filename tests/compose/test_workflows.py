"""A workflow's build step is a hint."""

from __future__ import annotations

from pathlib import Path

import pytest
from grammar import written

from imgopt.cli.found import settled
from imgopt.cli.options import BuildOptions
from imgopt.compose.workflows import hint

HEAD = "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"
ACTION = """      - uses: docker/build-push-action@v6
        with:
          context: ./app
          file: docker/Dockerfile.prod
          target: run
          tags: shop:${{ github.sha }}
          build-args: |
            PYTHON=3.12
            COMMIT=${{ github.sha }}
"""
ACTION_SAYS = "./app -f docker/Dockerfile.prod --target run --build-arg PYTHON=3.12"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (ACTION, ACTION_SAYS),
        (
            "      - run: |\n          docker build -t shop:$TAG \\\n"
            "            --target=run --build-arg A=1 -f Dockerfile.web . # ours\n",
            ". --target run --build-arg A=1 -f Dockerfile.web",
        ),
        (
            "      - run: docker buildx build --push --platform linux/amd64 --target run web\n",
            "web --target run",
        ),
    ],
)
def test_what_a_step_gives_to_the_build(step: str, said: str, tmp_path: Path) -> None:
    where = written({".github/workflows/ci.yml": HEAD + step}, tmp_path)
    assert hint(where) == f".github/workflows/ci.yml:7 builds with: {said}"


@pytest.mark.parametrize(
    "step",
    [
        "      - uses: docker/build-push-action@v6\n        with: {context: ., push: true}\n",
        "      - run: docker build -t x --build-arg SHA=$GITHUB_SHA .\n",
        "      - run: docker compose build\n",
        "      - run: docker build -t 'x .\n",
        "     broken: [\n# docker build\n",
    ],
)
def test_what_says_no_more_than_a_context_is_no_hint(step: str, tmp_path: Path) -> None:
    assert hint(written({".github/workflows/ci.yml": HEAD + step}, tmp_path)) == ""


def test_the_hint_is_told_where_nothing_else_says_how_it_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {".github/workflows/ci.yml": HEAD + ACTION, "Dockerfile": "FROM busybox\n"}
    where = written(files, tmp_path)
    settled(where, BuildOptions())
    assert ACTION_SAYS in capsys.readouterr().err
    settled(where, BuildOptions(target="x"))
    assert capsys.readouterr().err == ""
