"""What CONTRIBUTING shows works as it stands there: a strategy is one module and one line, an
ecosystem is one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems, load_ecosystems
from imgopt.errors import InputError
from imgopt.rewrite.draft import new_draft, run_strategy
from imgopt.rewrite.strategy import ContextFiles, Example, Project, Strategy
from imgopt.strategies.kit import check_strategy
from imgopt.strategies.registry import find_strategy

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


def block(after: str, language: str) -> str:
    """The first block of code of a language behind a heading or a sentence."""
    text = GUIDE[GUIDE.index(after) :]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None, after
    return found[1]


MODULE = block("### A worked example: a strategy", "python")
FACTS = block("### A worked example: an ecosystem", "toml")


def strategy_of(folder: Path, text: str = MODULE) -> Strategy:
    path = folder / "says_size.py"
    path.write_text(text)
    spec = spec_from_file_location("says_size", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    strategy = module.STRATEGY
    assert isinstance(strategy, Strategy)
    return strategy


def test_the_strategy_of_the_guide_passes_the_kit(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    check_strategy(strategy_of(tmp_path), tmp_path / "kit")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("MB over its base{eol}", "MB{eol}", "says-size: a large file"),
        ("if stage.start.comments:", "if False:", "says-size: a comment of the author's"),
        ("size < LEAST_BYTES", "size < 0", "refused because of '9 bytes"),
        ("what a stage adds.", "what a stage adds", "ends with a full stop"),
        (" yield Change(", " return (", "changes something"),
    ],
)
def test_a_mistake_in_it_is_seen_by_the_kit(
    right: str, wrong: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "kit").mkdir()
    assert right in MODULE
    broken = strategy_of(tmp_path, MODULE.replace(right, wrong))
    with pytest.raises(AssertionError, match=re.escape(said)):
        check_strategy(broken, tmp_path / "kit")


def test_the_kit_wants_an_example_of_what_must_not_change(tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    found = find_strategy("exec-form")
    only = Strategy(
        found.name, found.does, found.why, found.safety, found.references, found.rewrite,
        examples=(Example("x", "FROM a\nCMD b\n", 'FROM a\nCMD ["b"]\n'),),
    )  # fmt: skip
    with pytest.raises(AssertionError, match="what must not change"):
        check_strategy(only, tmp_path / "kit")


def _imgopt(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "imgopt", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "COLUMNS": "100"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_package_registers_it_by_its_entry_point(tmp_path: Path) -> None:
    (tmp_path / "says_size.py").write_text(MODULE)
    entry = block("A package of\nits own registers", "toml")
    name, value = re.findall(r'(?m)^([\w-]+) = "(.*)"$', entry)[0]
    info = tmp_path / "says_size-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: says-size\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[imgopt.strategies]\n{name} = {value}\n")
    listed = _imgopt(tmp_path, "strategies")
    assert "says-size" in listed and "Says in a comment what a stage adds." in listed
    page = _imgopt(tmp_path, "strategies", "says-size")
    assert "# 0.9 MB over its base" in page and "9 bytes are not worth a word" in page


FILES = {"mix.exs": "defmodule A do\nend\n", "mix.lock": "%{}\n", "lib/a.ex": "defmodule B do\n"}
TEXT = """FROM elixir:1.18
WORKDIR /app
COPY . .
RUN mix local.hex --force
RUN mix deps.get
RUN mix compile
"""
BETTER = """FROM elixir:1.18
WORKDIR /app
RUN mix local.hex --force
COPY mix.exs mix.lock ./
RUN mix deps.get
COPY . .
RUN mix compile
"""


def test_the_ecosystem_of_the_guide_is_one_folder(tmp_path: Path) -> None:
    (tmp_path / "elixir").mkdir()
    (tmp_path / "elixir" / "facts.toml").write_text(FACTS)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    known = load_ecosystems(["elixir"], tmp_path)
    assert [item.support for item in known if item.name == "elixir"] == ["static"]
    context = ContextFiles(tmp_path, {name: len(text) for name, text in FILES.items()})
    found = {}
    for ecosystems in (builtin_ecosystems(), known):
        project = Project(context, ecosystems)
        draft = run_strategy(new_draft(TEXT), find_strategy("layer-order"), project)
        found[len(ecosystems)] = draft.text
    assert [found[count] for count in sorted(found)] == [TEXT, BETTER]


def test_a_level_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text(FACTS.replace('"static"', '"tested"'))
    with pytest.raises(InputError, match="support"):
        load_ecosystems(["e.toml"], tmp_path)


def test_every_ecosystem_that_is_proven_names_samples_and_no_other_does() -> None:
    samples = {path.parent.name for path in (ROOT / "samples").glob("*/Dockerfile")}
    for item in builtin_ecosystems():
        assert bool(item.samples) == (item.support == "proven"), item.name
        assert set(item.samples) <= samples, item.name


def test_the_samples_of_an_ecosystem_use_it() -> None:
    """By a manifest in the context, or a command in the Dockerfile."""
    for item in builtin_ecosystems():
        for sample in item.samples if item.manager else ():
            folder = ROOT / "samples" / sample
            manifests = [name for name in item.manifests if any(folder.rglob(name))]
            text = (folder / "Dockerfile").read_text()
            commands = [c for manager in item.manager for c in manager.commands]
            assert manifests or any(command in text for command in commands), (item.name, sample)


def test_the_list_of_ecosystems_says_how_far_each_was_tried() -> None:
    listed = _imgopt(ROOT, "strategies", "--ecosystems")
    proven, static = listed.index("Proven:"), listed.index("Static:")
    assert proven < listed.index("  python ") < static < listed.index("  php ")
    assert "by spring-rates; static: gradle" in " ".join(listed.split())
