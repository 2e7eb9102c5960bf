"""A language that imgopt does not know: one folder of facts says all that a rewrite on text
asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems, load_ecosystems
from imgopt.rewrite.draft import new_draft, run_strategy
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.registry import find_strategy

MANAGER = """
[[manager]]
name = "mix"
commands = ["mix deps.get"]
manifests = ["mix.exs"]
optional = ["mix.lock"]
lays = ["deps"]
"""
NEUTRAL = """
[[program]]
commands = ["mix local.hex", "mix local.rebar"]
does = "settings"
"""
HEAD = 'name = "elixir"\ntitle = "Elixir"\nmanifests = ["mix.exs"]\n'
FILES = {
    "mix.exs": "defmodule A do\nend\n",
    "mix.lock": "%{}\n",
    "lib/a.ex": "defmodule B do\nend\n",
}
TEXT = """FROM elixir:1.18
WORKDIR /app
COPY . .
RUN mix local.hex --force && mix local.rebar --force
RUN mix deps.get
RUN mix compile
"""
BETTER = """FROM elixir:1.18
WORKDIR /app
RUN mix local.hex --force && mix local.rebar --force
COPY mix.exs mix.lock ./
RUN mix deps.get
COPY . .
RUN mix compile
"""


def ordered(facts: str, folder: Path, text: str = TEXT) -> str:
    (folder / "elixir").mkdir()
    (folder / "elixir" / "facts.toml").write_text(HEAD + facts)
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    context = ContextFiles(folder, {name: len(content) for name, content in FILES.items()})
    project = Project(
        context, load_ecosystems(["elixir"], folder), allow=frozenset(["layer-order"])
    )
    return run_strategy(new_draft(text), find_strategy("layer-order"), project).text


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ("", TEXT),
        (MANAGER, TEXT),
        (MANAGER + NEUTRAL, TEXT.replace("mix local.rebar --force", "mix run priv/setup.exs")),
    ],
    ids=[
        "nothing is known of mix",
        "what mix local.hex does is not said",
        "a command runs the project",
    ],
)
def test_what_no_fact_calls_neutral_keeps_its_place(facts: str, text: str, tmp_path: Path) -> None:
    assert ordered(facts, tmp_path, text) == text


def test_a_projects_own_facts_say_that_a_command_is_neutral(tmp_path: Path) -> None:
    assert "elixir" not in {each.name for each in builtin_ecosystems()}
    assert ordered(MANAGER + NEUTRAL, tmp_path) == BETTER
