"""The documents say what is so: every command in them can be called, every key of the configuration
is explained."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import msgspec
import pytest
import typer

from imgopt.ci.settings import _BUDGET, _IMAGE, _RULE, _TOP, DEFAULTS
from imgopt.cli import app as cli
from imgopt.config import AnswerSection, Config, RequestSection, ScenarioSection, Section

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
_IN_PROSE = re.compile(r"`(?:docker )?imgopt (?P<rest>[^`]*)`")
_IN_A_BLOCK = re.compile(r"(?:^|&& |run: |\$ |\$\()\s*(?:docker )?imgopt (?P<rest>[^)]*)")


def _commands() -> Iterator[tuple[str, str]]:
    for path in DOCUMENTS:
        fixed = False
        for line in path.read_text().replace("\\\n", " ").splitlines():
            fixed ^= line.lstrip().startswith("```")
            pattern = _IN_A_BLOCK if fixed or line.startswith("    ") else _IN_PROSE
            for match in pattern.finditer(line):
                words = re.split(r"\s{2,}#|\s#\s|\s*;|\s*\||\s*&&|\s*2?>", match["rest"])[0].strip()
                if words and not words.startswith(("=", "|", "is ", "does ")):
                    yield f"{path.relative_to(ROOT)}: imgopt {words}", words


COMMANDS = dict(_commands())


@pytest.fixture(scope="module")
def command() -> object:
    """The whole command line as click has it."""
    fresh = typer.Typer()
    fresh.callback()(cli._options)
    for name in cli.COMMANDS:
        import_module(f"imgopt.cli.{name.replace('-', '_')}").register(fresh)
    return typer.main.get_command(fresh)


def test_commands_are_found_in_the_documents() -> None:
    used = {words.split()[0] for words in COMMANDS.values()}
    assert {
        "optimize",
        "rewrite",
        "prove",
        "analyze",
        "diff",
        "cache",
        "ci",
        "report",
        "strategies",
        "doctor",
    } <= used


@pytest.mark.parametrize("where", COMMANDS)
def test_every_command_in_the_documents_can_be_called(where: str, command: object) -> None:
    words = shlex.split(re.sub(r"\[([A-Z=:|]+)\]", r"\1", COMMANDS[where]).replace("...", ""))
    _check(command, words)


def _check(command: object, words: list[str]) -> None:
    """Sub-commands and options exist, and options that take a value have one."""
    known = {
        name: option for option in command.params for name in (*option.opts, *option.secondary_opts)
    }  # type: ignore[attr-defined]
    left = list(words)
    while left:
        word = left.pop(0)
        name, equals, _ = word.partition("=")
        if word.startswith("-") and word != "-":
            if name in ("--help", "-h", "--version"):
                continue
            assert name in known, f"{name} is no option of {command.name}"  # type: ignore[attr-defined]
            if not known[name].is_flag and not equals:
                assert left, f"{name} takes a value"
                left.pop(0)
        elif word in getattr(command, "commands", {}):
            return _check(command.commands[word], left)  # type: ignore[attr-defined]
        else:
            assert not hasattr(command, "commands"), f"{word} is no command"
    return None


def _keys(section: type[Section], table: str) -> Iterator[tuple[str, str]]:
    for field in msgspec.structs.fields(section):
        yield table, field.name.replace("_", "-")
        if isinstance(field.type, type) and issubclass(field.type, Section):
            yield from _keys(field.type, f"[{field.name}]")


KEYS = [
    *((table, key) for table, key in _keys(Config, "The top level") if table != "[cache]"),
    *(("[[cache.scenario]]", field.name) for field in msgspec.structs.fields(ScenarioSection)),
    *(("[[smoke.requests]]", field.name) for field in msgspec.structs.fields(RequestSection)),
    *(("[[smoke.answers]]", field.name) for field in msgspec.structs.fields(AnswerSection)),
    *(("[ci]", key) for key in dict.fromkeys((*_TOP, *_RULE, *_BUDGET, *_IMAGE))),
]


@pytest.mark.parametrize(("table", "key"), KEYS)
def test_every_key_of_the_configuration_is_explained(table: str, key: str) -> None:
    heading = f"\n## `{table}`\n" if table.startswith("[") else f"\n## {table}\n"
    assert heading in CONFIGURATION
    assert f"`{key}`" in CONFIGURATION.partition(heading)[2].partition("\n## ")[0]


def test_every_rule_is_explained() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    assert all(f"| `{name}` |" in text for name in DEFAULTS)


def test_the_readme_leads_to_every_document() -> None:
    readme = (ROOT / "README.md").read_text()
    for path in sorted((ROOT / "docs").glob("*.md")):
        assert f"(docs/{path.name})" in readme, path.name


def test_the_example_of_the_readme_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main(["rewrite", "samples/flask-notes"]) == 0
    shown = (ROOT / "README.md").read_text().partition("<!-- rewrite:begin -->\n```diff\n")[2]
    assert shown.partition("\n```\n<!-- rewrite:end -->")[0] == capsys.readouterr().out.rstrip()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_first_two_commands_of_the_readme_are_the_demo_and_the_tests() -> None:
    commands = [
        line.split()[:2]
        for line in (ROOT / "README.md").read_text().splitlines()
        if line.startswith("    ")
    ]
    assert commands[:2] == [["make", "demo"], ["make", "test"]]
