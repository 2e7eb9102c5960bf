"""Where `exec` may stand in a shell text, and by which command it is put there."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.rewrite.start.last_command import last_command, sed_command, text_with_exec

STAYS: Mapping[str, tuple[str, str]] = {
    "a condition at the end": ("if a; then serve; fi", "no plain command (if)"),
    "a loop": ("while :; do serve; done", "no plain command (while)"),
    "a case": ("case $1 in a) serve;; esac", "no plain command"),
    "a pipe": ("serve | tee log", "no plain command"),
    "a subshell": ("(cd x; serve)", "no plain command"),
    "a group with one log": ("{ serve; } > log", "no plain command"),
    "in the background": ("serve &", "in the background"),
    "beside another one in the background": ("worker & serve", "in the background"),
    "waited for": ("worker\nwait", "waits for what runs in the background"),
    "a trap": ("trap 'rm x' EXIT\nserve", "trap"),
    "a trap in a condition": ("if a; then trap 'rm x' TERM; fi\nserve", "trap"),
    "a function": ("serve() { x; }\nserve", "function"),
    "an alias": ("alias serve=x\nserve", "alias"),
    "a builtin": ("serve\necho done", "shell's own (echo)"),
    "the exit code of the script": ("serve\nexit $?", "shell's own (exit)"),
    "a file that is read": ("set -e\n. ./serve.sh", "shell's own (.)"),
    "the other way": ("serve || report", "only where another one fails"),
    "negated": ("! serve", "starts no program"),
    "an assignment alone": ("X=1", "starts no program"),
    "words of a variable": ("$COMMAND", "named by a variable"),
    "words of a substitution": ("$(find serve) -x", "named by a variable"),
    "evaluated": ('eval "$COMMAND"', "shell's own (eval)"),
    "an exec with a name of its own": ("exec -a web serve", "none of a plain program"),
    "an exec of streams alone": ("exec > log", "none of a plain program"),
    "nothing": ("# serve", "no command"),
    "broken": ("if serve", ""),
    "line ends of another system": ("serve\r", "cannot be read"),
}


@pytest.mark.parametrize(("text", "reason"), STAYS.values(), ids=STAYS)
def test_a_shell_keeps_its_place(text: str, reason: str) -> None:
    found = last_command(f"#!/bin/sh\n{text}\n")
    assert isinstance(found, str)
    assert reason in found
    assert text_with_exec(text) == text


GIVES: Mapping[str, tuple[str, str]] = {
    "one program": ("serve --port 80", "exec serve --port 80"),
    "behind others": ("a && b; serve", "a && b; exec serve"),
    "behind a condition": ("if a; then b; fi\nserve", "if a; then b; fi\nexec serve"),
    "behind a loop that waits": (
        "until nc -z db 1; do sleep 1; done\nserve",
        "until nc -z db 1; do sleep 1; done\nexec serve",
    ),
    "on several lines": ("serve \\\n  --a \\\n  --b", "exec serve \\\n  --a \\\n  --b"),
    "with variables of its own": ("A=1 B=2 serve", "A=1 B=2 exec serve"),
    "with a log": ("serve >> log 2>&1", "exec serve >> log 2>&1"),
    "with what it was given": ('set -e\n"$@"', 'set -e\nexec "$@"'),
    "by a path with a variable": ('"$HOME/bin/serve" -x', 'exec "$HOME/bin/serve" -x'),
    "with computed words": ("serve $(nproc) ${X:-1}", "exec serve $(nproc) ${X:-1}"),
    "as another one begins, in the last line": ("serve -a\nserve -b", "serve -a\nexec serve -b"),
    "as another one begins": (
        "serve -a\nserve -b \\\n  -c\n# end",
        "serve -a\nexec serve -b \\\n  -c\n# end",
    ),
    "above a comment": ("serve # now\n# end", "exec serve # now\n# end"),
}


@pytest.mark.parametrize(("text", "new"), GIVES.values(), ids=GIVES)
def test_a_shell_gives_its_place(text: str, new: str) -> None:
    assert text_with_exec(text) == new
    assert text_with_exec(new) == new


@pytest.mark.parametrize("text", [text for text, _ in GIVES.values()], ids=GIVES)
def test_the_command_of_a_build_makes_the_same_of_a_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "start.sh"
    whole = f"#!/bin/sh\n{text}\n"
    path.write_text(whole)
    last = last_command(whole)
    assert not isinstance(last, str)
    command = sed_command(whole, last, str(path))
    assert command is not None
    for _ in range(2):
        subprocess.run(["/bin/sh", "-c", command], check=True)
        assert path.read_text() == text_with_exec(whole)


CHANGED: Mapping[str, tuple[str, str, str]] = {
    "other options": ("serve -a\n", "serve -b\n", "exec serve -b\n"),
    "another program": ("serve -a\n", "other -a\n", "other -a\n"),
    "a line more behind it": ("serve -a\n", "serve -a\necho done\n", "serve -a\necho done\n"),
    "a condition around it": (
        "serve -a\n",
        "if x; then\nserve -a\nfi\n",
        "if x; then\nserve -a\nfi\n",
    ),
    "exec by the author": ("serve -a\n", "exec serve -a\n", "exec serve -a\n"),
}


@pytest.mark.parametrize(("before", "edited", "after"), CHANGED.values(), ids=CHANGED)
def test_a_later_edit_of_the_script_is_not_broken(
    before: str, edited: str, after: str, tmp_path: Path
) -> None:
    path = tmp_path / "start.sh"
    last = last_command(before)
    assert not isinstance(last, str)
    command = sed_command(before, last, str(path))
    assert command is not None
    path.write_text(edited)
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert path.read_text() == after


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_the_program_has_the_number_of_the_shell_and_its_variables(shell: str) -> None:
    text = text_with_exec("true\nA=1 B=2 sh -c 'echo $$ $A $B; true'")
    process = subprocess.Popen([shell, "-c", text], stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate()
    assert said.split() == [str(process.pid), "1", "2"]


@pytest.mark.parametrize(
    "text",
    ["serve -a\nserve -a\n# end\n", "a && serve -x\na && serve -x\n# end\n", "\tserve\n"],
    ids=["twice", "twice in a list", "behind a tab"],
)
def test_no_expression_is_made_that_may_mean_another_line(text: str) -> None:
    last = last_command(text)
    assert not isinstance(last, str)
    assert sed_command(text, last, "/start.sh") is None
