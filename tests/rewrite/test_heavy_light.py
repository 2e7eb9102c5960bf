"""heavy-light parts a list in the build as it does when it plans: by the same lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.rewrite.plan import make_plan
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.heavy_light import STRATEGY
from imgopt.strategies.heavy_light_examples import TEXT


def planned(folder: Path, listed: str, text: str = TEXT) -> str:
    (folder / "requirements.txt").write_text(listed)
    (folder / "Dockerfile").write_text(text)
    context = ContextFiles.read(folder, folder / "Dockerfile")
    allowed = frozenset({STRATEGY.name})
    project = Project(context, tuple(builtin_ecosystems()), allow=allowed)
    return make_plan(text, project, (STRATEGY,)).dockerfile


def parted(folder: Path, dockerfile: str, listed: str) -> list[str]:
    """What the first RUN of the file really takes out of a list."""
    run = next(item for item in parse(dockerfile).stages[0].instructions if item.keyword == "RUN")
    (folder / "all").write_text(listed)
    script = run.value.replace("/tmp/all-packages.txt", str(folder / "all"))
    script = script.replace("/tmp/heavy-packages.txt", str(folder / "heavy"))
    subprocess.run(["/bin/sh", "-c", script], check=True)
    return (folder / "heavy").read_text().splitlines()


LISTED = "flask==3.0.3\ntorch==2.3.0\n"
LINES = {
    "numpy==1.26.4": True,
    "NumPy == 1.26.4 ; python_version > '3.8'": True,
    "Torch[opt]==2.3.0+cpu # chosen": True,
    "nvidia_cublas-cu12==12.1": True,
    "tensorflow-cpu==2.16": True,
    "scikit_learn==1.5": True,
    "--extra-index-url https://download.example/whl": True,
    "-i https://mirror.example/simple": True,
    "numpydoc==1.7": False,
    "my-torch==1.0": False,
    "torch>=2.3": False,
    "torch": False,
    "torch==2.*": False,
    "torch===2.3.0": False,
    "torch==2.3.0,<3": False,
    "nvidia-smi>=1,==1.2": False,
    "# torch==2.3.0": False,
    "flask==3.0.3": False,
    "--hash=sha256:aa": False,
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_goes_ahead_only_where_nothing_newer_can_come_for_it(
    line: str, tmp_path: Path
) -> None:
    dockerfile = planned(tmp_path, LISTED)
    assert parted(tmp_path, dockerfile, f"click==8\n{line}\n") == ([line] if LINES[line] else [])


def test_hashes_go_with_their_package(tmp_path: Path) -> None:
    listed = (
        "numpy==1.26.4 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via pandas\n"
        "flask==3.0.3 \\\n    --hash=sha256:cc\n"
    )
    found = parted(tmp_path, planned(tmp_path, listed), listed)
    assert [line.split() for line in found] == [
        ["numpy==1.26.4", "--hash=sha256:aa", "--hash=sha256:bb"]
    ]


def test_a_list_that_loses_all_of_them_later_still_builds(tmp_path: Path) -> None:
    assert parted(tmp_path, planned(tmp_path, LISTED), "flask==3.0.3\n") == []


@pytest.mark.parametrize(
    "later",
    (
        "flask==3.0.4\ntorch==2.3.0\n",
        "flask==3.0.3\ntorch==2.4.0\n",
        "flask==3.0.3\ntorch==2.3.0\nscipy==1.13\n",
        "click==8\ntorch==2.3.0\nflask==3.0.3\n",
    ),
)
def test_the_dockerfile_does_not_change_with_the_list(later: str, tmp_path: Path) -> None:
    assert planned(tmp_path, LISTED) == planned(tmp_path, later)


def test_the_part_is_the_same_when_a_light_package_is_raised(tmp_path: Path) -> None:
    dockerfile = planned(tmp_path, LISTED)
    before = parted(tmp_path, dockerfile, LISTED)
    assert before == parted(tmp_path, dockerfile, "click==8.1\nflask==3.1.0\ntorch==2.3.0\n")


def test_twice_is_once(tmp_path: Path) -> None:
    once = planned(tmp_path, LISTED)
    assert once != TEXT
    assert planned(tmp_path, LISTED, once) == once


def test_carriage_returns_of_the_dockerfile_stay(tmp_path: Path) -> None:
    found = planned(tmp_path, LISTED, TEXT.replace("\n", "\r\n"))
    assert found.count("\r\n") == found.count("\n") > TEXT.count("\n")


@pytest.mark.parametrize(
    ("command", "ahead"),
    (
        ("python -m pip install -r requirements.txt", "python -m pip install --no-deps"),
        ("pip3 install --requirement requirements.txt -q", "pip3 install -q --no-deps"),
        ("pip install --requirement=requirements.txt", "pip install --no-deps"),
        ("pip install -rrequirements.txt", "pip install --no-deps"),
        ("pip install --no-deps -r requirements.txt", "pip install --no-deps"),
        (
            "PIP_NO_CACHE_DIR=1 pip install -r requirements.txt",
            "PIP_NO_CACHE_DIR=1 pip install --no-deps",
        ),
        (
            "pip install --index-url https://m.example/simple -r requirements.txt",
            "pip install --index-url https://m.example/simple --no-deps",
        ),
        ("pip install -r ./requirements.txt && rm -rf /tmp/x", "pip install --no-deps"),
    ),
)
def test_the_first_step_is_the_authors_command_without_the_list(
    command: str, ahead: str, tmp_path: Path
) -> None:
    text = TEXT.replace("pip install -r requirements.txt", command)
    lines = planned(tmp_path, LISTED, text).splitlines()
    assert f"    {ahead} -r /tmp/heavy-packages.txt" in lines
    assert f"RUN {command}" in lines


@pytest.mark.parametrize(
    "command",
    (
        "cd /app && pip install -r requirements.txt",
        "pip install -r requirements.txt || true",
        "pip install -r requirements.txt > /log",
        "if true; then pip install -r requirements.txt; fi",
        "pip install -r requirements.txt -r more.txt",
        "pip install --user --upgrade -r requirements.txt",
        "pip install --ignore-installed -r requirements.txt",
        "pip install --force-reinstall -r requirements.txt",
        "pip install --prefix=/install -r requirements.txt",
        "pip install -e . -r requirements.txt",
        "pip install --find-links ./wheels -r requirements.txt",
        "PIP_TARGET=/deps pip install -r requirements.txt",
        "pip install -r $LIST",
        "pip download -r requirements.txt",
    ),
)
def test_other_commands_stay_one_step(command: str, tmp_path: Path) -> None:
    text = TEXT.replace("pip install -r requirements.txt", command)
    assert planned(tmp_path, LISTED, text) == text
