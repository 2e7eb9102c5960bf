"""An image that does not build is a finding on its line; the images beside it are checked all the
same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgopt.ci.subjects import Subject
from imgopt.ci.unbuilt import not_built
from imgopt.engine import BuildFailure
from imgopt.errors import Location
from imgopt.report import formats_of, render

from .conftest import Project
from .kit import image, result, valid_json, valid_published


def _failed(folder: Path) -> Subject:
    failure = BuildFailure(
        "the build fails: exit code 7", kind="step", step=None, steps=(), hint="look at the step's output",
        location=Location(str(folder / "Dockerfile"), 3),
    )  # fmt: skip
    return Subject("broken", dockerfile=folder / "Dockerfile", context=folder, failure=failure)


def test_the_finding_stands_on_the_line_that_fails_on_every_surface(project: Project) -> None:
    broken = not_built(_failed(project.folder))
    assert broken.findings[0].place is not None
    assert (broken.findings[0].place.file, broken.findings[0].place.line) == ("Dockerfile", 3)
    shown = result(image([]), broken)
    assert shown.exit_code() == 1
    for format in formats_of("ci"):
        assert render(shown, format)
    sarif = json.loads(render(shown, "sarif"))
    valid_published(sarif, "sarif-2.1.0")
    assert sarif["runs"][0]["results"][0]["ruleId"] == "build"
    valid_json(render(shown, "gitlab"), "gitlab-code-quality")
    assert "::error file=Dockerfile,line=3,title=imgopt%3A Build failure::broken: " in render(
        shown, "github"
    )
    assert "broken: not built" in render(shown, "text")
    assert "exit code 7" in render(shown, "junit")


@pytest.mark.engine
def test_one_broken_service_of_three_does_not_silence_the_others(project: Project) -> None:
    for name in ("web", "worker", "broken"):
        (project.folder / name).mkdir()
        project.write(f"{name}/data", "x" * 1000)
        project.write(f"{name}/Dockerfile", "FROM scratch\nCOPY data /data\n")
    services = "".join(
        f'[[ci.image]]\nname = "{name}"\ncontext = "{name}"\n'
        for name in ("web", "worker", "broken")
    )
    project.write("imgopt.toml", services)
    code, _, said = project.imgopt("baseline")
    assert code == 0, said
    recorded = project.baseline.read_text()
    project.write("worker/data", "x" * 9_000_000)
    project.write("broken/Dockerfile", "FROM scratch\nCOPY dta /data\n")
    code, shown, _ = project.imgopt("check", "--format", "json", "--ratchet")
    answer = json.loads(shown)
    assert code == 1
    assert [item["state"] for item in answer["images"]] == ["compared", "compared", "not-built"]
    found = {
        (each["image"], each["rule"]): each["place"]
        for item in answer["images"]
        for each in item["findings"]
    }
    assert found["broken", "build"]["line"] == 2
    assert found["broken", "build"]["file"] == "broken/Dockerfile"
    assert ("worker", "own-layers") in found
    assert project.imgopt("baseline")[0] == 1
    assert project.baseline.read_text() == recorded
