"""The engine for the cache tests: a small base image and a bench that builds many cases at once."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgopt.engine import Engine, connect
from imgopt.errors import EnvironmentFailure

from .kit import Bench, Project, write

_BASES = ("imgopt.local/debian:bookworm-slim", "debian:bookworm-slim")
_SMALL = """FROM {base} AS all
RUN <<E
set -e
mkdir -p /small/tmp /small/etc
for name in bash cat cp date ln ls mkdir mv rm sh sleep touch true; do cp --parents -L /usr/bin/$name /small; done
for file in $(ldd /small/usr/bin/* | grep -v : | grep -o '/[^ ]*' | sort -u); do cp --parents -L $file /small; done
ln -s usr/bin /small/bin
cp /etc/passwd /etc/group /small/etc
E
FROM scratch
COPY --from=all /small /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
"""


@pytest.fixture(scope="session")
def engine() -> Engine:
    try:
        return connect()
    except EnvironmentFailure as error:
        if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def base_image(engine: Engine) -> str:
    found = next((name for name in _BASES if engine.image_available(name)), None)
    if found is None and not os.environ.get("IMGOPT_REQUIRE_ENGINE"):
        pytest.skip("no base image: run `make bases`")
    assert found is not None, "no base image: run `make bases`"
    return found


@pytest.fixture(scope="session")
def bench(base_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """On a base of a few programs: many cases copy or hash all of a root file system."""
    name = f"imgopt.test/small:{secrets.token_hex(6)}"
    docker = ["docker", "buildx", "build", "--quiet", "--load", "--tag", name, "-"]
    subprocess.run(
        docker, input=_SMALL.format(base=base_image), text=True, check=True, capture_output=True
    )
    yield Bench(tmp_path_factory.mktemp("bench"), name)
    subprocess.run(["docker", "image", "rm", "--force", name], check=True, capture_output=True)


def git(folder: Path, *arguments: str) -> None:
    """Runs git with a fixed name and no configuration of this machine."""
    names = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **names, **own},
        capture_output=True,
        check=True,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project with two commits: everything, and an edited source file."""
    root = tmp_path / "repository"
    files = {"app/main.py": "1", "req.txt": "1", "README.md": "1"}
    dockerfile = "FROM python\nWORKDIR /app\nCOPY req.txt .\nRUN pip install\nCOPY . .\nRUN check\n"
    write(Project(dockerfile, files), root)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    (root / "app/main.py").write_text("2")
    git(root, "add", ".")
    git(root, "commit", "-qm", "two")
    return root
