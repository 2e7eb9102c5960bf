"""The `[ci]` table: what it means, and what is said about mistakes in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgopt.ci.api import load_project
from imgopt.ci.limits import read_limit
from imgopt.ci.partition import line_of, narrowed, partition
from imgopt.ci.settings import DEFAULTS, read_settings
from imgopt.ci.subjects import Where, default_name, find_subjects
from imgopt.errors import InputError

MISTAKES = {
    "unknown key": ("metrik = 'tar'", "unknown option `metrik`", "did you mean `metric`?", 2),
    "unknown rule": ("[ci.rules]\nown-layer = 'off'", "unknown option `own-layer`", "did you mean `own-layers`?", 3),
    "unknown level": ("[ci.rules]\ntotal = 'eror'", "'eror' is not known", "did you mean `error`?", 3),
    "unknown metric": ("metric = 'tars'", "'tars' is not known", "did you mean `tar`?", 2),
    "unknown option of a rule": (
        "[ci.rules]\ntotal = ['error', {maxgrowth = '1 %'}]", "unknown option `maxgrowth`", "`max-growth`", 3,
    ),
    "no unit": ("[ci.rules]\ntotal = ['error', {max = 250}]", "250 has no unit", None, 3),
    "no size": ("[ci.rules]\ntotal = ['error', {max = 'big'}]", "'big' is no size", None, 3),
    "unknown unit": ("[ci.rules]\ntotal = ['error', {max = '5 MX'}]", "is no size", None, 3),
    "empty limit": ("[ci.rules]\ntotal = ['error', {max = []}]", "no limit", None, 3),
    "bytes for a count": ("[ci.rules]\nlayers = ['warn', {max = '5 MB'}]", "is not a count", None, 3),
    "three words": ("[ci.rules]\ntotal = ['error', {}, 1]", "list of a level and a table", "for instance", 3),
    "a number": ("[ci.rules]\ntotal = 3", "must be a level", None, 3),
    "a budget without a limit": ("[[ci.paths]]\nmatch = '/usr/**'", "no limit", "`max`", 3),
    "a budget without a glob": ("[[ci.packages]]\nmax = '1 MB'", "`match`", None, None),
    "one bracket": ("[ci.paths]\nmatch = 'x'", "two brackets", None, 2),
    "an image with two names": ("[[ci.image]]\nname = 'a'\nmatch = 'b'", "either `name` or `match`", None, 2),
    "a rule of an image": ("[[ci.image]]\nname = 'a'\nrules = {totl = 'off'}", "`totl`", "did you mean `total`?", 4),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message", "hint", "line"), MISTAKES.values(), ids=MISTAKES.keys()
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, text: str, message: str, hint: str | None, line: int | None
) -> None:
    file = tmp_path / "imgopt.toml"
    file.write_text(f"[ci]\n{text}\n")
    with pytest.raises(InputError) as caught:
        load_project(tmp_path, file)
    error = caught.value
    assert message in error.message
    assert hint is None or hint in (error.hint or "") or hint in error.message
    assert error.location is not None and error.location.file.endswith("imgopt.toml")
    assert line is None or error.location.line == line


def test_a_level_alone_keeps_the_default_limits() -> None:
    rules = read_settings({"rules": {"own_layers": "warn"}}).rules
    assert rules["own-layers"].level == "warn"
    assert rules["own-layers"].max_growth == DEFAULTS["own-layers"].max_growth


def test_options_replace_the_default_limits() -> None:
    rule = read_settings({"rules": {"own-layers": {"max": "1 MB"}}}).rules["own-layers"]
    assert (rule.level, rule.max_growth) == ("error", None)


@pytest.mark.parametrize(
    ("text", "whole", "allowed"),
    [
        ("5 MB", 0, 5_000_000),
        ("5MiB", 0, 5 << 20),
        ("1.5 kB", 0, 1_500),
        ("2 %", 1_000, 20),
        ("0.1%", 999, 0),
        (["2 %", "5 MB"], 100_000_000, 5_000_000),
        (["2 %", "5 MB"], 1_000_000_000, 20_000_000),
        (["2 %", "5 MB"], 0, 5_000_000),
    ],
)
def test_of_several_amounts_the_larger_holds(text: object, whole: int, allowed: int) -> None:
    assert read_limit(text).of(whole) == allowed


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("app:1.2", "app"),
        ("ghcr.io/acme/app:1.2", "ghcr.io/acme/app"),
        ("localhost:5000/app", "localhost:5000/app"),
        ("localhost:5000/app@sha256:ab", "localhost:5000/app"),
        ("registry:ghcr.io/acme/app:1", "ghcr.io/acme/app"),
        ("out/app.tar", "app"),
        ("./out/app.tar.gz", "app"),
        ("oci:out/layout", "layout"),
        ("app.tar#web", "web"),
    ],
)
def test_the_name_stays_when_tags_change(reference: str, name: str) -> None:
    assert default_name(reference) == name


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two images are called app"):
        find_subjects(["app:1", "app:2"], read_settings({}), Where(tmp_path))


def test_a_word_with_a_port_and_an_equals_sign_is_a_reference(tmp_path: Path) -> None:
    subjects = find_subjects(["web=localhost:5000/app:1"], read_settings({}), Where(tmp_path))
    assert (subjects[0].name, subjects[0].reference) == ("web", "localhost:5000/app:1")


def test_platforms_of_the_configuration_are_all_checked(tmp_path: Path) -> None:
    table = {
        "image": [{"name": "app", "image": "app:1", "platforms": ["linux/amd64", "linux/arm64"]}]
    }
    subjects = find_subjects([], read_settings(table), Where(tmp_path))
    assert [subject.platform for subject in subjects] == ["linux/amd64", "linux/arm64"]


PATHS = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "c", "usr"]), min_size=1, max_size=5).map(
        lambda parts: "/" + "/".join(parts)
    ),
    st.integers(0, 10_000),
    max_size=40,
)


@given(PATHS, PATHS)
def test_lines_of_paths_sum_to_all_bytes_and_tell_every_change(
    before: dict[str, int], after: dict[str, int]
) -> None:
    lines = partition(before)
    assert sum(lines.values()) == sum(before.values())
    grouped: dict[str, int] = {}
    for path, size in after.items():
        line = line_of(path, lines)
        grouped[line] = grouped.get(line, 0) + size
    changes = [grouped.get(line, 0) - lines.get(line, 0) for line in {*grouped, *lines}]
    assert sum(changes) == sum(after.values()) - sum(before.values())


def test_a_baseline_has_at_most_61_lines_of_paths() -> None:
    files = {f"/data/{number:05}": 1 for number in range(50_000)} | {
        f"/big/{n}": 1_000 for n in range(60)
    }
    assert len(partition(files)) <= 61


def test_growth_is_named_by_the_deepest_folder_that_holds_it() -> None:
    files = {f"/usr/lib/heavy/{number}": 1_000 for number in range(100)} | {"/usr/lib/other": 5}
    assert narrowed("/usr", 100_000, files) == "/usr/lib/heavy"
    assert narrowed("/usr", 100_000, {"/usr/lib/one": 100_000}) == "/usr/lib/one"
