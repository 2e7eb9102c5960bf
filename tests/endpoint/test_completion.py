"""-h everywhere, and completion in the shells themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from engines import program

from imgopt.cli.app import COMMANDS, main

TABS = """\
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PROMPT=; autoload -Uz compinit; compinit -u -D; setopt nobeep'
zpty -w z 'eval "$(imgopt completion zsh)"; print rea""dy'
until [[ $seen == *ready* ]]; do zpty -r -t z more && seen+=$more || sleep 0.1; done
zpty -w -n z $'imgopt ana\\t--la\\t'
until [[ $out == *ana*lyze*--la*yers* ]]; do zpty -r -t z more && out+=$more || sleep 0.1; done
print -r -- "$out"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """`imgopt` on the PATH, and a home without settings."""
    (tmp_path / "imgopt").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m imgopt "$@"\n')
    (tmp_path / "imgopt").chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TERM": "dumb",
    }


def printed(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("line", "candidates"),
    [
        ("ana", ["analyze"]),
        ("analyze --la", ["--layers"]),
        ("ci ch", ["check"]),
        ("ci check --requ", ["--require-baseline"]),
        ("--host unix:///x.sock doc", ["doctor", "docker-plugin"]),
        ("completion f", ["fish"]),
    ],
)
def test_bash_completes_commands_and_options(
    environment: dict[str, str], line: str, candidates: list[str]
) -> None:
    words = f"imgopt {line}".split()
    script = (
        'eval "$(imgopt completion bash)"; complete -p imgopt >/dev/null || exit 1; '
        f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; "
        '_imgopt_completion imgopt; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    found = printed(["bash", "--norc", "-c", script], environment).split()
    assert sorted(found) == sorted(word for word in candidates if word.startswith(words[-1]))


@pytest.mark.engine
def test_fish_completes_with_what_each_does(environment: dict[str, str]) -> None:
    script = 'imgopt completion fish | source; complete -C "imgopt ana"; complete -C "imgopt analyze --la"'
    found = printed([program("fish"), "--no-config", "-c", script], environment)
    assert [line.partition("\t")[0] for line in found.splitlines()] == ["analyze", "--layers"]
    assert "Look inside an image" in found


@pytest.mark.engine
def test_zsh_completes_at_a_terminal(environment: dict[str, str]) -> None:
    program("zsh")
    shown = printed(
        ["zsh", "-f", "-c", TABS], environment
    )  # the rest of a word is drawn behind what was typed
    assert "yers" in shown


def test_another_shell_is_refused_with_those_that_are_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["completion", "tcsh"]) == 2
    said = capsys.readouterr().err
    assert "bash" in said and "fish" in said


@pytest.mark.parametrize("command", [*COMMANDS, "ci check", "ci lint", "docker-plugin install", ""])
def test_every_command_helps_by_h(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "-h"]) == 0
    assert f"Usage: imgopt {command}".strip() in capsys.readouterr().out
