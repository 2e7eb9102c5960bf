"""The result in every format: valid by what is published, and harmless whatever a file says."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema
from ci.kit import SCHEMAS, valid_published

from imgopt.report import formats_of, load, render
from imgopt.report.github import ANNOTATIONS
from imgopt.results import to_json
from imgopt.results.deploy import Accepted, DeployCheck, DeployFinding, NotChecked

BAD = "a\x1b[31m<script>::error::|`x`\n\u202e"


def finding(**given: object) -> DeployFinding:
    known: dict[str, object] = {
        "id": "D3",
        "level": "error",
        "message": f"will not start {BAD}",
        "file": "k8s/web file.yaml",
        "line": 7,
        "object": f"Deployment/{BAD}",
        "evidence": f"USER {BAD}",
        "fix": f"a number {BAD}",
        **given,
    }
    return DeployFinding(**known)  # type: ignore[arg-type]


def result(count: int = 1) -> DeployCheck:
    return DeployCheck(
        files=["k8s/web file.yaml", "k8s/good.yaml"],
        images=[f"shop{BAD}"],
        objects=3,
        findings=[finding(line=n + 1, message=f"{n} {BAD}") for n in range(count)]
        + [finding(id="D23", level="note"), finding(id="D0", level="warning", line=None)],
        accepted=[Accepted(finding=finding(id="D34"), because=f"ours {BAD}", line=9)],
        not_checked=[
            NotChecked(what=f"image {BAD}", reason=BAD),
            NotChecked(what="x.yaml", reason=BAD, file="x.yaml", line=3, fix=BAD, bad=True),
        ],
    )


def test_it_has_these_formats() -> None:
    wanted = ("text", "json", "markdown", "sarif", "junit", "gitlab", "github")
    assert formats_of("deploy-check") == wanted


def test_a_saved_result_reads_back(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(to_json(result()))
    assert load(tmp_path / "r.json") == result()


@pytest.mark.parametrize("format", formats_of("deploy-check"))
def test_no_control_of_a_file_comes_through(format: str) -> None:
    shown = render(result(), format)
    assert "\x1b" not in shown
    if format != "json":
        assert "\u202e" not in shown


def test_sarif_is_valid_and_on_the_line() -> None:
    document = json.loads(render(result(3), "sarif"))
    valid_published(document, "sarif-2.1.0")
    run = document["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["D3", "D23", "D0"]
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "k8s/web%20file.yaml"
    assert place["region"] == {"startLine": 1, "endLine": 1}
    assert all(len(one["message"]["text"]) <= 1_024 for one in run["results"])


def test_sarif_fingerprints_do_not_move_with_lines() -> None:
    def prints(**given: object) -> list[str]:
        made = DeployCheck(findings=[finding(**given)])
        run = json.loads(render(made, "sarif"))["runs"][0]
        return [one["partialFingerprints"]["primaryLocationLineHash"] for one in run["results"]]

    assert prints() == prints(line=99, evidence="other")
    assert prints() != prints(id="D4")


def test_junit_is_valid_and_fails_by_errors_alone() -> None:
    text = render(result(), "junit")
    xmlschema.XMLSchema(SCHEMAS / "junit.xsd").validate(text)
    root = ElementTree.fromstring(text)
    cases = root.findall("./testsuite/testcase")
    assert int(root.get("tests", "")) == len(cases) == 5
    assert int(root.get("failures", "")) == len(root.findall(".//failure")) == 1
    assert int(root.get("errors", "")) == len(root.findall(".//error")) == 1


def test_gitlab_has_each_fingerprint_once() -> None:
    twice = DeployCheck(findings=[finding(), finding(line=9), finding(id="D4")])
    issues = json.loads(render(twice, "gitlab"))
    assert [issue["check_name"] for issue in issues] == ["imgopt/D3", "imgopt/D4"]
    assert issues[0]["severity"] == "major"


def test_github_shows_ten_of_a_level_and_counts_the_rest() -> None:
    lines = render(result(30), "github").splitlines()
    errors = [line for line in lines if line.startswith("::error file=k8s")]
    assert len(errors) == ANNOTATIONS - 1
    assert "::error title=imgopt::and 21 more errors" in lines
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)


def test_the_exit_code_follows_the_level() -> None:
    noted = DeployCheck(findings=[finding(level="note")])
    codes = {level: noted.exit_code(level) for level in ("error", "warning", "note", "never")}
    assert codes == {"error": 0, "warning": 0, "note": 1, "never": 0}
    assert DeployCheck(findings=[finding()]).exit_code() == 1
    assert result().exit_code("never") == 2


def test_markdown_keeps_its_table_whatever_stands_in_it() -> None:
    table = [line for line in render(result(), "markdown").splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table[:5]}) == 1
