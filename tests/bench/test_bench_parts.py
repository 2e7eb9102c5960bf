from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgopt.bench.arms import from_file, original, unique, variants
from imgopt.bench.book import AGAIN, Book
from imgopt.bench.cold import with_new_cache_mounts
from imgopt.bench.scenarios import REPEATABLE, choose, undo
from imgopt.bench.statistics import Limits
from imgopt.cache.scenarios import Scenario
from imgopt.config import Config
from imgopt.errors import InputError
from imgopt.results.optimize import OptimizeResult, Original, Variant


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("RUN --mount=type=cache,target=/c x", "RUN --mount=type=cache,target=/c,id=T--c x"),
        ("RUN --mount=type=cache,id=go,target=/c x", "RUN --mount=type=cache,target=/c,id=T-go x"),
        (
            "RUN --mount=target=/c,type=cache,sharing=locked x",
            "RUN --mount=target=/c,type=cache,sharing=locked,id=T--c x",
        ),
        ("RUN --mount=type=bind,target=/c x", "RUN --mount=type=bind,target=/c x"),
        ("RUN --mount=type=secret,id=token x", "RUN --mount=type=secret,id=token x"),
        ("RUN echo --mount=type=cache,target=/c", "RUN echo --mount=type=cache,target=/c"),
        ("# RUN --mount=type=cache,target=/c x", "# RUN --mount=type=cache,target=/c x"),
    ],
)
def test_only_cache_mounts_get_a_name_that_nobody_used(before: str, after: str) -> None:
    assert with_new_cache_mounts(f"FROM a\n{before}\n", "T") == f"FROM a\n{after}\n"


def test_several_mounts_over_several_lines_keep_everything_else() -> None:
    text = "FROM a\nRUN --mount=type=cache,target=/a \\\n  --mount=type=cache,target=/b \\\n  # why\n  make\n"
    expected = text.replace("target=/a", "target=/a,id=T--a").replace(
        "target=/b", "target=/b,id=T--b"
    )
    assert with_new_cache_mounts(text, "T") == expected


@given(st.text(max_size=60))
def test_any_text_comes_through_the_cold_build(text: str) -> None:
    assert with_new_cache_mounts(text, "T") == text or "type=cache" in text.lower()


def _project(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def _paths(context: Path, ignore: str | None = None) -> dict[str, str]:
    first = replace(original(context, Config()), ignore=ignore)
    return {
        one.name: one.edit.partition(":")[0] for one in choose(first) if isinstance(one, Scenario)
    }


def test_scenarios_edit_a_source_and_the_manifest_and_not_a_test(tmp_path: Path) -> None:
    files = {
        "app.py": "",
        "tests__test_app.py": "",
        "requirements.txt": "",
        "requirements-dev.txt": "",
        "a__deep.py": "",
    }
    found = _paths(_project(tmp_path, Dockerfile="FROM a", **files))
    assert found == {
        "no-change": "nothing",
        "edit-source": "app.py",
        "edit-manifest": "requirements.txt",
    }


def test_the_most_often_changed_source_is_edited(tmp_path: Path) -> None:
    context = _project(
        tmp_path, **{"Dockerfile": "FROM a", "app.py": "1", "often.py": "1", "requirements.txt": ""}
    )
    _commit(context)
    for number in range(3):
        (context / "often.py").write_text(str(number))
        _commit(context)
    assert _paths(context)["edit-source"] == "often.py"


def test_a_file_that_is_sent_is_edited_rather_than_an_ignored_one(tmp_path: Path) -> None:
    context = _project(tmp_path, **{"Dockerfile": "FROM a", "a.py": "", "b.py": "", "setup.py": ""})
    assert _paths(context, "a.py\n")["edit-source"] == "b.py"


@pytest.mark.parametrize(
    "name", [name for name in REPEATABLE if name not in ("no-change", "touch-only", "build-arg")]
)
def test_an_edit_is_new_every_time_and_can_be_undone(tmp_path: Path, name: str) -> None:
    files = {
        "app.py": "1",
        "tests__test_a.py": "1",
        "docs__a.md": "1",
        "requirements.txt": "",
        "poetry.lock": "x",
    }
    context = _project(tmp_path / "a", Dockerfile="FROM a", **files)
    copy = tmp_path / "b"
    shutil.copytree(context, copy)
    (scenario,) = choose(replace(original(context, Config()), ignore="docs\n"), (name,))
    assert isinstance(scenario, Scenario)
    seen = [_contents(copy)]
    for token in ("t1", "t2"):
        edit = scenario.make(token)
        edit.write(copy)
        seen.append(_contents(copy))
        undo(edit, copy, context)
        assert _contents(copy) == seen[0]
    assert len({str(contents) for contents in seen}) == 3


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _commit(context: Path) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    if not (context / ".git").exists():
        subprocess.run(["git", "init", "-q"], cwd=context, check=True)
    subprocess.run(["git", "add", "-A"], cwd=context, check=True)
    subprocess.run(["git", *who, "commit", "-q", "-m", "x"], cwd=context, check=True)


def test_an_arm_knows_its_file_and_its_ignore_file(tmp_path: Path) -> None:
    context = _project(
        tmp_path,
        **{
            "Dockerfile": "FROM a",
            ".dockerignore": "x",
            "Slim": "FROM b",
            "Slim.dockerignore": "y",
        },
    )
    first = original(context, Config())
    other = from_file("Slim", "file", context, context / "Slim", Config())
    assert (first.text, first.ignore, first.dockerfile) == ("FROM a", "x", "Dockerfile")
    assert (other.text, other.ignore, other.dockerfile) == ("FROM b", "y", "Slim")


def test_a_dockerfile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Dockerfile: cannot read"):
        original(tmp_path, Config())


def test_only_proven_variants_become_arms(tmp_path: Path) -> None:
    first = original(_project(tmp_path, Dockerfile="FROM a"), Config())
    result = OptimizeResult(
        context=".",
        dockerfile="Dockerfile",
        verdict="proven",
        original=Original(image="x"),
        variants=[
            Variant(name="slim", verdict="proven", dockerfile="FROM b", dockerignore="*"),
            Variant(name="distroless", verdict="refuted", dockerfile="FROM c"),
        ],
    )
    (arm,) = variants(first, result)
    assert (arm.name, arm.text, arm.ignore, arm.proof) == ("slim", "FROM b", "*", "proven")


def test_arms_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first = original(_project(tmp_path, Dockerfile="FROM a"), Config())
    assert [arm.name for arm in unique([first, first, first])] == [
        "original",
        "original (2)",
        "original (3)",
    ]


def _filled(values: dict[str, list[float]], unit: str = "seconds") -> Book:
    book = Book(list(values), Limits())
    page = book.page("cold", "build", unit)
    for arm, series in values.items():
        page.of(arm).values = series
    return book


def test_the_noise_floor_of_an_a_a_run_holds_a_claim_back() -> None:
    before, after = [10.0, 10.1, 9.9, 10.0, 10.2, 9.8], [9.0, 9.1, 8.9, 9.0, 9.2, 8.8]
    (quiet,) = _filled({"a": before, "b": after}).measures()
    assert quiet.comparisons[0].verdict == "faster"
    (noisy,) = _filled(
        {"a": before, "b": after, f"a{AGAIN}": [value * 1.3 for value in before]}
    ).measures()
    assert noisy.noise_floor == pytest.approx(0.3)
    assert [(one.after, one.verdict) for one in noisy.comparisons] == [("b", "no change")]


def test_less_memory_is_not_called_faster() -> None:
    (measure,) = _filled({"a": [10e6] * 6, "b": [5e6] * 6}, unit="bytes").measures()
    assert measure.comparisons[0].verdict == "less"


def test_an_unfinished_round_is_kept_and_not_compared() -> None:
    (measure,) = _filled({"a": [10.0] * 6, "b": [5.0] * 5}).measures()
    assert [len(one.values) for one in measure.samples] == [6, 5]
    assert measure.comparisons[0].verdict == "inconclusive"


def test_what_was_measured_can_be_taken_up_again() -> None:
    measures = _filled({"a": [10.0] * 6, "b": [5.0] * 5}).measures()
    again = Book(["a", "b"], Limits())
    again.load(measures)
    assert again.measures() == measures
