"""--env-file and --env as `docker run` takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.cli.options import BuildOptions, SmokeOptions, effective_config
from imgopt.errors import InputError
from imgopt.run.settings import read_env_file


def written(folder: Path, text: str) -> Path:
    path = folder / "service.env"
    path.write_text(text, encoding="utf-8")
    return path


def test_values_are_taken_as_they_stand(tmp_path: Path) -> None:
    text = "\ufeff# note\n\nA=1\n  B='x y' # z\nC=\nD=a=b\n"
    assert read_env_file(written(tmp_path, text)) == {
        "A": "1",
        "B": "'x y' # z",
        "C": "",
        "D": "a=b",
    }


def test_a_name_alone_takes_the_callers_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "from outside")
    monkeypatch.delenv("NOBODYS", raising=False)
    assert read_env_file(written(tmp_path, "OURS\nNOBODYS\n")) == {"OURS": "from outside"}


@pytest.mark.parametrize("line", ["=x", "A B=1", "two words"])
def test_what_names_no_variable_is_refused_with_its_line(line: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_env_file(written(tmp_path, f"A=1\n{line}\n"))
    assert "service.env:2" in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_env_file(tmp_path / "none.env")


def test_the_command_line_goes_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "from outside")
    smoke = SmokeOptions(env=["A=2", "OURS"], env_file=written(tmp_path, "A=1\nB=1\n"))
    config = effective_config(tmp_path, BuildOptions(), smoke)
    assert config.smoke.env == {"A": "2", "B": "1", "OURS": "from outside"}
