"""The new forms of ENV, LABEL and ADD give the very same image, which an engine says."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.rewrite.draft import new_draft, run_strategy
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.registry import find_strategy

from .kit import project

VALUES = [
    "b",
    "b c=d",
    "a  b   c",
    "$A",
    "${A:-x}",
    "${A:-x y}",
    '"q $A"',
    "'q $A'",
    '""',
    "#no-comment",
    "a#b",
    "x$",
    "x $ y",
    "=b",
    "a=",
    "[1, 2]",
    "{a}",
    "*",
    "~/x",
    "$UNSET",
    "b; c && d",
    "ü ñ",
    "$A$B",
    "(a)",
]
LEGACY = "FROM scratch\nARG B=from-arg\nENV A=from-env\n" + "".join(
    f"ENV E{number} {value}\nLABEL l{number} {value}\n" for number, value in enumerate(VALUES)
)
ADDS = """FROM scratch
WORKDIR /w
ADD a.txt b.txt dir/
ADD --chown=7:8 --chmod=600 dir /d
add *.txt /t/
ADD . /all/
ADD link /l
"""
FILES = {"a.txt": "a", "b.txt": "b", "dir/c.sh": "c", "dir/inner.tar": "no archive"}


def rewritten(folder: Path, text: str) -> str:
    context = ContextFiles.read(folder, folder / "Dockerfile")
    draft = run_strategy(
        new_draft(text), find_strategy("modern-syntax"), Project(context, builtin_ecosystems())
    )
    assert not draft.skips
    return draft.text


def made(folder: Path) -> Path:
    project(folder, FILES)
    (folder / "link").symlink_to("a.txt")
    (folder / "dir" / "c.sh").chmod(0o755)
    return folder


def test_every_old_form_is_rewritten_and_reads_the_same(tmp_path: Path) -> None:
    made(tmp_path)
    text = rewritten(tmp_path, LEGACY)
    before, after = (parse(one).stages[0].instructions for one in (LEGACY, text))
    assert [item.keyword for item in before] == [item.keyword for item in after]
    assert not any(getattr(item.typed, "legacy", False) for item in after)
    assert "ADD" not in rewritten(tmp_path, ADDS).upper()


def image(folder: Path, text: str, name: str) -> dict[str, Any]:
    """The configuration and the history of the image of a Dockerfile."""
    command = ["docker", "buildx", "build", "-q", "--load", "-t", name, "-f", "-", str(folder)]
    subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    try:
        shown = subprocess.run(
            ["docker", "image", "inspect", name], capture_output=True, check=True
        ).stdout
        history = subprocess.run(
            ["docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", name],
            capture_output=True,
            check=True,
        )
    finally:
        subprocess.run(["docker", "image", "rm", "-f", name], capture_output=True, check=True)
    found = json.loads(shown)[0]
    return {
        "config": found["Config"],
        "author": found.get("Author"),
        "history": history.stdout.decode().splitlines(),
    }


def files(folder: Path, text: str) -> dict[str, tuple[int, int, int, bytes, str]]:
    command = [
        "docker",
        "buildx",
        "build",
        "-q",
        "-f",
        "-",
        "--output",
        "type=tar,dest=-",
        str(folder),
    ]
    built = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(built.stdout)) as archive:
        return {
            member.name: (
                member.mode,
                member.uid,
                member.gid,
                (archive.extractfile(member) or io.BytesIO()).read() if member.isfile() else b"",
                member.linkname,
            )
            for member in archive
        }


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_real_build_makes_the_same_configuration(tmp_path: Path) -> None:
    before = image(tmp_path, LEGACY, "imgopt-test-modern:before")
    after = image(tmp_path, rewritten(tmp_path, LEGACY), "imgopt-test-modern:after")
    assert before == after
    assert len(before["config"]["Labels"]) == len(VALUES)


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_real_build_copies_what_was_added(tmp_path: Path) -> None:
    made(tmp_path)
    before, after = files(tmp_path, ADDS), files(tmp_path, rewritten(tmp_path, ADDS))
    assert before == after
    assert before["d/c.sh"][:3] == (0o600, 7, 8)


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_real_build_of_a_maintainer_fills_a_field_that_no_label_fills(tmp_path: Path) -> None:
    named = image(tmp_path, "FROM scratch\nMAINTAINER jo\n", "imgopt-test-modern:named")
    labelled = image(tmp_path, "FROM scratch\nLABEL maintainer=jo\n", "imgopt-test-modern:labelled")
    assert (named["author"], labelled["author"] or "") == ("jo", "")
