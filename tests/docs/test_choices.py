"""Every option with fixed values says them in --help, and a wrong value is answered with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imgopt.bench.scenarios import REPEATABLE
from imgopt.cache.scenarios import NAMES
from imgopt.cli import choices
from imgopt.cli.app import main
from imgopt.errors import InputError
from imgopt.lives import later
from imgopt.report import formats_of
from imgopt.strategies.registry import all_strategies
from imgopt.strategies.variants import VARIANTS

HELP = {
    "optimize": [*choices.FORMATS["optimize"], *choices.VARIANTS, *choices.SUGGESTIONS],
    "rewrite": [*choices.FORMATS["rewrite"], *choices.VARIANTS],
    "prove": [*choices.FORMATS["proof"], *choices.DIFFERENCES],
    "lives": [*choices.FORMATS["lives"], *choices.VARIANTS, *choices.LATER_EDITS],
    "run-facts": choices.FORMATS["run-facts"],
    "analyze": choices.FORMATS["analysis"],
    "diff": choices.FORMATS["diff"],
    "cache": [*choices.FORMATS["cache"], *choices.SCENARIOS],
    "bench": [*choices.FORMATS["bench"], *choices.VARIANTS, *choices.MEASURED],
    "ci check": [*choices.FORMATS["ci"], *choices.FAIL_LEVELS],
    "ci history": choices.FORMATS["history"],
    "deploy check": [*choices.FORMATS["deploy-check"], *choices.DEPLOY_LEVELS],
    "fleet cost": choices.FORMATS["fleet-cost"],
    "fleet layout": choices.FORMATS["fleet-layout"],
    "report": choices.FORMATS["ci"],
    "registry scan": [*choices.FORMATS["registry"], "parquet", *choices.FAIL_LEVELS],
    "registry query": ["text", "csv", "json", "parquet"],
    "deploy prove": [*choices.FORMATS["deploy-proof"], *choices.TRIALS],
    "deploy compose": choices.FORMATS["deploy"],
    "deploy kubernetes": [*choices.FORMATS["deploy"], *choices.SCALES],
}


def test_what_is_written_out_is_what_the_program_knows() -> None:
    assert {kind: formats_of(kind) for kind in choices.FORMATS} == choices.FORMATS
    assert tuple(kind.name for kind in VARIANTS) == choices.VARIANTS
    assert (
        tuple(s.name for s in all_strategies() if s.safety == "suggestion") == choices.SUGGESTIONS
    )
    assert choices.SCENARIOS == NAMES
    assert choices.LATER_EDITS == later.NAMES
    assert (*REPEATABLE, "cold", "run") == choices.MEASURED


@pytest.mark.parametrize("command", HELP)
@pytest.mark.parametrize("columns", ["40", "60", "80", "200"])
def test_help_lists_the_values(
    command: str, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    main([*command.split(), "--help"])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= int(columns)
    words = re.findall(r"[\w-]+", re.sub(r"-\n +", "-", text))  # a hyphen is a joint
    for value in HELP[command]:
        assert value.partition(":")[0] in words, value


WRONG = {
    "rewrite . --format sarif": "text, json, markdown",
    "rewrite . --output exe:x": "text, json",
    "rewrite . --variant fat": "safe, slim, distroless",
    "optimize . --allow everything": "graceful-stop, health-check, health-prober, pin-digest",
    "optimize . --format csv": "text, json, markdown, pr, html",
    "prove . --with Dockerfile --allow everything": "user, entrypoint",
    "prove . --with Dockerfile --allow env:": "env:NAME",
    "lives . --edits everything": "data-folder, settings-file",
    "lives . --format csv": "text, json, markdown, html",
    "run-facts . --format csv": "text, json, markdown, html",
    "cache . --scenario nothing": "edit-source",
    "ci check --fail-on maybe x": "error, warn, never",
    "ci check --format exe x": "sarif, junit",
    "deploy check x.yaml --format csv": "text, json, markdown, sarif",
    "deploy check x.yaml --fail-on most": "error, warning, note, never",
    "deploy prove x.yaml --format csv": "text, json, markdown, html",
    "deploy prove x.yaml --trial everything": "probes, update, drain",
    "fleet cost . --format csv": "text, json, markdown, html",
    "fleet layout . --format sarif": "text, json, markdown, html",
    "deploy kubernetes . --scale magic": "none, cpu, requests",
    "strategies layer": "layer-order",
    "registry scan registry:x.y --format exe": "text, json, markdown, html, csv, parquet",
}


@pytest.mark.parametrize("command", WRONG)
def test_a_wrong_value_is_answered_with_the_right_ones(
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\nCOPY . .\nCMD x\n")
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    assert WRONG[command] in capsys.readouterr().err


def test_names_of_the_users_own_are_taken() -> None:
    choices.check("--allow", ["user", "env:LANG", "file:/etc/x:y"], choices.DIFFERENCES)
    with pytest.raises(InputError, match="--allow users"):
        choices.check("--allow", ["user", "users"], choices.DIFFERENCES)


def test_variants_of_the_configuration_hold_for_rewrite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\nCOPY . .\nCMD x\n")
    (tmp_path / "imgopt.toml").write_text('[rewrite]\nvariants = ["slim"]\n')
    monkeypatch.chdir(tmp_path)
    assert main(["rewrite", ".", "--format", "json"]) == 0
    assert '"name": "slim"' in capsys.readouterr().out
