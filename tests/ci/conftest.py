"""A project whose image is a hand-written archive: every figure is known, and no engine is
needed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from image.crafting import Item, config, d, docker_archive, f, tar

from imgopt.cli.app import main

DOCKERFILE = """\
FROM debian:bookworm-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install \\
      -r requirements.txt \\
      && echo done
COPY . .
CMD ["python3", "main.py"]
"""
HISTORY = [
    {"created_by": "RUN /bin/sh -c echo base # buildkit"},
    {"created_by": 'CMD ["bash"]', "empty_layer": True},
    {"created_by": "WORKDIR /app"},
    {"created_by": "COPY requirements.txt . # buildkit"},
    {
        "created_by": "RUN /bin/sh -c pip install       -r requirements.txt       && echo done # buildkit"
    },
    {"created_by": "COPY . . # buildkit"},
    {"created_by": 'CMD ["python3" "main.py"]', "empty_layer": True},
]
SITE = "usr/lib/python3/dist-packages"


def package(name: str, size: int, needs: Iterable[str] = ()) -> list[Item]:
    """A Python distribution with one data file."""
    info = f"{SITE}/{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + "".join(
        f"Requires-Dist: {n}\n" for n in needs
    )
    record = f"{name}/data.bin,,\n{name}-1.0.dist-info/METADATA,,\n{name}-1.0.dist-info/RECORD,,\n"
    return [
        d(f"{SITE}/{name}"),
        f(f"{SITE}/{name}/data.bin", size),
        d(info),
        f(f"{info}/METADATA", metadata.encode()),
        f(f"{info}/RECORD", record.encode()),
    ]


@dataclass
class Project:
    """A folder with a Dockerfile, a manifest, git, and an image of it as an archive."""

    folder: Path
    capsys: Any

    @property
    def archive(self) -> Path:
        return self.folder.parent / "app.tar"

    @property
    def baseline(self) -> Path:
        return self.folder / "imgopt-baseline.json"

    def image(
        self, *, base: int = 5_000_000, packages: Iterable[Item] = (), source: Iterable[Item] = (),
        history: list[dict[str, Any]] | None = None, path: Path | None = None, **run: Any,
    ) -> Path:  # fmt: skip
        """Writes the image: a base of one file, the packages that RUN installed, the source that
        COPY brought."""
        layers = [
            tar(d("usr"), d("usr/lib"), f("usr/lib/base.so", base)),
            tar(d("app")),
            tar(f("app/requirements.txt", b"flask==3\n")),
            tar(d("usr/lib/python3"), d(SITE), *package("flask", 400_000), *packages),
            tar(f("app/main.py", b"print(1)\n"), *source),
        ]
        return docker_archive(
            path or self.archive, layers, config(layers, history or HISTORY, **run)
        )

    def write(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ("git", *arguments), cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def imgopt(self, *arguments: str) -> tuple[int, str, str]:
        """Runs `imgopt ci ...` in the folder; exit code, standard output, standard error."""
        code = main(["ci", *arguments])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def check(self, *arguments: str) -> tuple[int, str, str]:
        return self.imgopt("check", *arguments, "--", f"app={self.archive}")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was learned of a layer in one test serves the others: they share most of their
    layers."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def project(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("COLUMNS", "160")
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    made = Project(folder, capsys)
    made.write("Dockerfile", DOCKERFILE)
    made.write("requirements.txt", "flask==3\n")
    made.write("main.py", "print(1)\n")
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("config", "user.name", "Ada Example")
    made.git("config", "user.email", "ada@example.org")
    made.image()
    return made


@pytest.fixture
def recorded(project: Project) -> Project:
    assert project.imgopt("baseline", f"app={project.archive}")[0] == 0
    project.commit("baseline")
    return project
