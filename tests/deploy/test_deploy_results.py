"""Results of three kinds share a module; a saved one is read as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.errors import InputError
from imgopt.report import load
from imgopt.results import Result, to_json
from imgopt.results.deploy import (
    DeployCheck,
    DeployFile,
    DeployFiles,
    DeployFinding,
    DeployProof,
)
from imgopt.results.run_facts import RunFacts


@pytest.mark.parametrize(
    "result", [DeployFiles(), DeployCheck(), DeployProof(), RunFacts()], ids=str
)
def test_a_saved_result_is_read_as_what_it_is(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(to_json(result))
    assert load(path) == result


@pytest.mark.parametrize("kind", ["deploy-checks", "deploy-", "-deploy", "run-fact", "../deploy"])
def test_a_name_that_is_nearly_one_of_them_is_none(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(f'{{"schema": "imgopt/{kind}/1"}}')
    with pytest.raises(InputError, match="not known"):
        load(path)


@pytest.mark.parametrize(
    ("before", "change"), [(None, "new"), ("a\n", "unchanged"), ("b\n", "changed")]
)
def test_a_file_knows_what_becomes_of_what_lies_there(before: str | None, change: str) -> None:
    assert DeployFile(path="x", text="a\n", before=before).change == change


def test_findings_are_counted_by_their_level_the_gravest_first() -> None:
    levels = ("note", "error", "note")
    findings = [DeployFinding(id="d1", level=level, message="x") for level in levels]
    assert list(DeployCheck(findings=findings).counts.items()) == [
        ("error", 1),
        ("warning", 0),
        ("note", 2),
    ]
