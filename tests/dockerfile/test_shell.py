"""The shell inside instructions: structure, values, places in the file, and what is left alone as
unknown."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import Command, Compound, Group, Pipeline, Script, parse, read_shell
from imgopt.dockerfile.shellmodel import Item

SH = ("/bin/sh", "-c")


def script(text: str, shell: tuple[str, ...] = SH) -> Script:
    return read_shell(parse("FROM x\n" + text + "\n").instructions[1], shell)


def picture(items: tuple[Item, ...]) -> str:
    """A script in one line: `&&[a b]`, `|(…)` for pipelines, `((…))` for subshells, `kind{…}` for
    the rest."""
    return " ".join(operator + _node(node) for operator, node in items)


def _node(node: object) -> str:
    if isinstance(node, Command):
        words = [
            f"{each.name}={each.word}"
            for each in node.assignments
            if not node.words or node.words[0].text != "export"
        ]
        words += ["?" if word.value is None else word.value for word in node.words]
        words += [
            f"{'' if each.fd is None else each.fd}{each.operator}{each.target or ''}"
            for each in node.redirections
        ]
        return (
            ("!" if node.negated else "")
            + "["
            + " ".join(words)
            + "]"
            + ("&" if node.background else "")
        )
    if isinstance(node, Pipeline):
        return "|(" + " ".join(_node(part) for part in node.parts) + ")"
    if isinstance(node, Group):
        kind = (
            "((" + picture(node.items) + "))" if node.subshell else "{" + picture(node.items) + "}"
        )
        return kind + "".join(f"{each.operator}{each.target}" for each in node.redirections)
    assert isinstance(node, Compound)
    return node.kind + "{" + picture(node.items) + "}"


def _fd(number: int | None) -> str:
    return "" if number is None else str(number)


PICTURES = {
    "a && b || c; d": "[a] &&[b] ||[c] ;[d]",
    "a & b": "[a]& &[b]",
    "a | b |& c": "|([a] [b] [c])",
    "a && b | c > f": "[a] &&|([b] [c >f])",
    "! a | b": "|(![a] [b])",
    "(a; b) && c": "(([a] ;[b])) &&[c]",
    "{ a; b; } > f": "{[a] ;[b]}>f",
    "if a; then b; else c; fi; d": "if{[a] [b] [c]} ;[d]",
    "for x in 1 2; do a $x; done": "for{[a ?]}",
    "while read x; do a; done < f": "while{[read x] [a]}",
    "case $x in a) b;; *) c;; esac": "case{[b] [c]}",
    "f() { a; }; f": "function_definition{{[a]}} ;[f]",
    "[ -d x ] && a": "test_command{} &&[a]",
    "A=1 B='x y' a": "[A=1 B=x y a]",
    "A=1; B=$A": "[A=1] ;[B=$A]",
    "export A=1 B": "[export A=1 B]",
    "a > f 2>&1 < g": "[a >f 2>&1 <g]",
    "a > f b": "[a b >f]",
    "> f a": "[a >f]",
    "a 2>/dev/null || true": "[a 2>/dev/null] ||[true]",
    "a && b > x && c": "[a] &&[b >x] &&[c]",
    "a # b && c": "[a]",
    "a \\\n  && b \\\n  # why\n  && c": "[a] &&[b] &&[c]",
    "a 'b c' \"d e\" f\\ g h'i'\"j\"": "[a b c d e f g hij]",
    "a $b ${c} $(d) `e` $((1+2)) \"$f\" x$y": "[a ? ? ? ? ? ? ?]",
    "a '$b' \\$c \"\\$d\" \"e\\f\"": "[a $b $c $d e\\f]",
    "a -j$(nproc) --x=y": "[a ? --x=y]",
    "rm -rf /var/lib/apt/lists/* ~/.cache": "[rm -rf /var/lib/apt/lists/* ~/.cache]",
    "set -eux; a; b": "[set -eux] ;[a] ;[b]",
    "échö ü && b": "[échö ü] &&[b]",
    "cat <<<x": "[cat <<<x]",
    "": "",
}  # fmt: skip


@pytest.mark.parametrize("text", PICTURES)
def test_structure(text: str) -> None:
    found = script("RUN " + text)
    assert found.unknown is None
    assert picture(found.items) == PICTURES[text]


@pytest.mark.parametrize("text", PICTURES)
def test_every_word_lies_where_it_says(text: str) -> None:
    file = parse("FROM x\nRUN --mount=type=cache,target=/c " + text + "\n")
    for command in read_shell(file.instructions[1]).commands:
        for word in command.words:
            assert file.text[slice(*word.span)] == word.text
        if command.words:
            assert command.span.start <= command.words[0].span.start
            assert command.words[-1].span.end <= command.span.end


def test_a_command_over_several_lines_spans_its_continuations() -> None:
    file = parse("FROM x\nRUN a \\\n  # c\n\n  b && \\\n d\n")
    first, second = read_shell(file.instructions[1]).commands
    assert file.text[slice(*first.span)] == "a \\\n  # c\n\n  b"
    assert file.text[slice(*second.span)] == "d"


def test_directories_that_cd_leads_to() -> None:
    found = script(
        "RUN a && cd /x && b && (cd y; c) && d && cd ../z && e; cd $V; f; cd /q; g; if h; then cd i; fi; j"
    )
    assert {command.name: command.cwd for command in found.commands if command.name not in ("cd", "h")} == {
        "a": ".", "b": "/x", "c": "/x/y", "d": "/x", "e": "/z", "f": None, "g": "/q", "j": None,
    }  # fmt: skip


def test_conditional_commands_say_so() -> None:
    found = script("RUN a; if b; then c; fi; d")
    assert [(command.name, command.conditional) for command in found.commands] == [
        ("a", False), ("b", True), ("c", True), ("d", False),
    ]  # fmt: skip


def test_commands_in_substitutions_are_apart() -> None:
    found = script('RUN a "$(b c)" `d` && e=$(f | g)')
    assert [command.values for command in found.commands] == [("a", None, None), ()]
    assert [command.values for command in found.substituted] == [("b", "c"), ("d",), ("f",), ("g",)]


def test_values_with_known_variables() -> None:
    word = script('RUN a "x${V}y"').commands[0].words[1]
    assert word.value is None
    assert word.resolve({"V": "1 2"}) == "x1 2y"
    assert word.resolve({}) is None
    unquoted = script("RUN a $V").commands[0].words[1]
    assert unquoted.resolve({"V": "1"}) == "1"
    assert unquoted.resolve({"V": "1 2"}) is None
    assert script("RUN a ${V:-x}").commands[0].words[1].resolve({"V": "1"}) is None


@pytest.mark.parametrize(
    ("text", "special"),
    [
        ("a", False),
        ("*.c", True),
        ("'*.c'", False),
        ("~/x", True),
        ("x~", False),
        ("{a,b}", True),
        ("a?", True),
    ],
)
def test_words_that_the_shell_may_replace(text: str, special: bool) -> None:
    assert script("RUN a " + text).commands[0].words[1].special is special


def test_plain_lists_can_be_cut() -> None:
    assert script("RUN a && b; c").is_plain_list
    assert not script("RUN a || b").is_plain_list
    assert not script("RUN a | b").is_plain_list
    assert not script("RUN (a)").is_plain_list


def test_a_heredoc_that_is_the_whole_run_is_the_script() -> None:
    file = parse("FROM x\nRUN <<E\nset -e\na b\nE\n")
    found = read_shell(file.instructions[1])
    assert picture(found.items) == "[set -e] ;[a b]"
    assert [file.text[slice(*command.span)] for command in found.commands] == ["set -e", "a b"]


def test_a_heredoc_with_tabs() -> None:
    file = parse("FROM x\nRUN <<-E\n\ta b\n\t\tc\n\tE\n")
    found = read_shell(file.instructions[1])
    assert [file.text[slice(*command.span)] for command in found.commands] == ["a b", "c"]


def test_a_heredoc_fed_to_a_command_is_its_input() -> None:
    file = parse("FROM x\nRUN cat <<E > f && b\n$x\nE\n")
    found = read_shell(file.instructions[1])
    assert picture(found.items) == "[cat << >f] &&[b]"
    assert found.commands[0].redirections[0].body == "$x\n"
    assert file.text[slice(*found.commands[1].span)] == "b"


def test_the_first_line_of_a_heredoc_names_its_shell() -> None:
    assert script("RUN <<E\n#!/bin/bash -e\na\nE").shell == ("/bin/bash", "-e")
    assert script("RUN <<E\n#!/usr/bin/env bash\na\nE").unknown is None
    assert (
        script("RUN <<E\n#!/usr/bin/env python3\na()\nE").unknown
        == "the here-document runs with /usr/bin/env python3"
    )


def test_the_exec_form_is_one_command_without_a_shell() -> None:
    found = script('CMD ["a", "$b", "c && d"]')
    assert found.shell == ()
    assert found.commands[0].values == ("a", "$b", "c && d")


def test_the_exec_form_of_a_shell_is_its_script() -> None:
    file = parse('FROM x\nCMD ["sh", "-c", "exec \\"a\\" $B && c"]\n')
    found = read_shell(file.instructions[1])
    assert picture(found.items) == "[exec a ?] &&[c]"
    assert file.text[slice(*found.commands[1].span)] == "c"


def test_healthcheck_and_entrypoint_have_scripts() -> None:
    assert picture(script("HEALTHCHECK --retries=3 CMD a || exit 1").items) == "[a] ||[exit 1]"
    assert picture(script("ENTRYPOINT exec a").items) == "[exec a]"


UNKNOWN = {
    "RUN a && (": "cannot be read",
    "RUN if a": "cannot be read",
    "RUN a 'b": "cannot be read",
    "RUN " + "{ " * 200 + "a" + "; }" * 200: "nests deeper",
    "RUN a " + "b " * 32_000: None,
    "COPY a b": "COPY has no command line",
}  # fmt: skip


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_cannot_be_read_is_unknown(text: str) -> None:
    found = script(text)
    reason = UNKNOWN[text]
    assert (found.unknown is None) if reason is None else (reason in (found.unknown or ""))
    assert found.unknown is None or found.commands == ()


def test_a_text_too_long_to_run_is_unknown() -> None:
    text = " \\\n".join(["RUN a", *["b" * 60_000] * 3])
    assert script(text).unknown == "the shell text is longer than 131072 bytes"


@pytest.mark.parametrize(
    "shell", [("powershell", "-Command"), ("cmd", "/S", "/C"), ("python3", "-c"), ("bash",), ()]
)
def test_other_shells_are_unknown(shell: tuple[str, ...]) -> None:
    assert "not a POSIX shell" in (script("RUN a", shell).unknown or "")


@pytest.mark.parametrize(
    "shell",
    ["/bin/bash -o pipefail -c", "bash -euxo pipefail -c", "/bin/ash -eo pipefail -c", "sh -exc"],
)
def test_shells_of_the_family_are_read(shell: str) -> None:
    assert script("RUN a", tuple(shell.split())).commands[0].name == "a"


def test_a_file_with_backquote_escapes() -> None:
    file = parse("# escape=`\nFROM x\nRUN a `\n  && b\n")
    assert picture(read_shell(file.instructions[1]).items) == "[a] &&[b]"
