"""What is decided, what is honestly left to the build, and the words that say why."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.cache import BaseConfig, predict, read_state
from imgopt.cache.glob import compile_glob, has_wildcards
from imgopt.context.files import BytesContent, Entry, Tree

from .kit import Project, write


def verdicts(
    folder: Path, dockerfile: str, changed: str, files: dict[str, str] | None = None
) -> str:
    """One letter per step after `changed` got other bytes."""
    write(Project(dockerfile, files or {"a": "1", "b": "1"}), folder)
    before = read_state(folder)
    tree = Tree(
        {**before.tree.entries, changed: Entry("file", 0o644, BytesContent(b"other bytes"))}
    )
    return "".join(step.verdict[0] for step in predict(before, before.on(tree)).steps)


def between(folder: Path, one: str, other: str, **bases: BaseConfig) -> list[tuple[str, str]]:
    """Verdict and reason of each step after the Dockerfile changed from `one` to `other`."""
    write(Project(one, {"a": "1"}), folder)
    before = read_state(folder, bases=bases)
    return [
        (step.verdict, step.reason) for step in predict(before, before.with_dockerfile(other)).steps
    ]


@pytest.mark.parametrize(
    ("builder", "copied", "said"),
    [
        ("RUN make\nCOPY a /app/", "/venv", "h"),
        ("RUN make\nCOPY a /app/", "/app/a", "m"),
        ("RUN make\nCOPY a /app/", "/app", "m"),
        ("RUN make\nCOPY a /app/", "/app/other", "h"),
        ("RUN make\nCOPY a /app", "/app", "m"),
        ("RUN make\nCOPY a /app", "/app/a", "u"),  # there only if make made the directory /app
        ("RUN make\nCOPY a app/", "/venv", "u"),  # below the base's own working directory
        ("RUN ln -s /venv /app\nCOPY a /app/", "/venv", "u"),
        ("COPY a /lib/x/", "/usr/lib", "m"),  # one place in merged-usr images
        ("COPY a /app/\nRUN make", "/venv", "u"),
        ("RUN make\nCOPY a /app/\nCOPY b /app/", "/app/", "u"),  # a later copy may hide the change
    ],
)
def test_a_path_of_a_stage(tmp_path: Path, builder: str, copied: str, said: str) -> None:
    dockerfile = f"FROM x AS b\n{builder}\nFROM x\nCOPY --from=b {copied} /out/\n"
    assert verdicts(tmp_path, dockerfile, "a")[-1] == said


def test_after_an_undecided_step_a_changed_command_still_misses(tmp_path: Path) -> None:
    one = "FROM x AS b\nCOPY a /a\nRUN make\nFROM x\nCOPY --from=b /o /o\nRUN check 1\n"
    assert verdicts(tmp_path, one, "a") == "mmuu"
    steps = between(tmp_path, one, one.replace("make", "make all").replace("check 1", "check 2"))
    assert [verdict for verdict, _ in steps] == ["hit", "miss", "unknown", "miss"]
    assert steps[2][1] == (
        "COPY --from=b /o /o: only a build can tell whether line 3 (RUN make all) gives the same files"
    )


def test_another_base_name_may_be_the_same_image(tmp_path: Path) -> None:
    one, other = "FROM python:3.11\nCOPY a /\n", "FROM python:3.11.9\nCOPY a /\n"
    ((verdict, reason),) = between(tmp_path, one, other)
    assert verdict == "unknown"
    assert reason == (
        "COPY a /: the base image changed from python:3.11 to python:3.11.9: "
        "only the images can tell whether they have the same layers"
    )
    known = {"python:3.11": BaseConfig(identity="1"), "python:3.11.9": BaseConfig(identity="1")}
    assert [verdict for verdict, _ in between(tmp_path, one, other, **known)] == ["hit"]
    known["python:3.11.9"] = BaseConfig(identity="2")
    assert [verdict for verdict, _ in between(tmp_path, one, other, **known)] == ["miss"]


def test_the_environment_of_a_known_base_counts(tmp_path: Path) -> None:
    known = {
        "x": BaseConfig(env=(("A", "1"),), identity="1"),
        "y": BaseConfig(env=(("A", "2"),), identity="1"),
    }
    steps = between(
        tmp_path, "FROM x\nCOPY a /\nRUN make\n", "FROM y\nCOPY a /\nRUN make\n", **known
    )
    assert steps == [
        ("hit", "nothing in its key changed"),
        ("miss", "RUN make: variable A changed from 1 to 2"),
    ]


def test_a_remote_source_is_an_assumption_unless_it_is_pinned(tmp_path: Path) -> None:
    text = "FROM x\nADD https://example.com/a.tgz /\nADD --checksum=sha256:{0} https://example.com/b /b\nLABEL v={1}\n"
    steps = between(tmp_path, text.format("0" * 64, 1), text.format("0" * 64, 2))
    assert steps == [
        ("hit", "assuming that https://example.com/a.tgz still serves the same bytes"),
        ("hit", "nothing in its key changed"),
    ]


def test_a_hit_behind_a_rebuilt_stage_says_so(tmp_path: Path) -> None:
    dockerfile = "FROM x AS b\nRUN make\nCOPY a /a\nFROM x\nCOPY --from=b /o /o\n"
    write(Project(dockerfile, {"a": "1"}), tmp_path)
    before = read_state(tmp_path)
    after = before.on(Tree({**before.tree.entries, "a": Entry("file", 0o644, BytesContent(b"22"))}))
    assert predict(before, after).steps[-1].reason == (
        "what it copies is the same, though line 3 (COPY a /a) runs again"
    )


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*.py", "a.py", "d/a.py"),
        ("a?c", "abc", "a/c"),
        ("[a-c]x", "bx", "dx"),
        ("[^a-c]x", "dx", "/x"),
        ("\\*x", "*x", "ax"),
        ("**", "a", "a/b"),
        ("[c-a]", "", "b"),
        ("a.b", "a.b", "aXb"),
    ],
)
def test_wildcards_are_those_of_go(pattern: str, matching: str, other: str) -> None:
    compiled = compile_glob(pattern)
    assert compiled is not None
    assert not matching or compiled.fullmatch(matching)
    assert not compiled.fullmatch(other)


@pytest.mark.parametrize("pattern", ["[a", "[", "a\\", "[]", "[a-", "[-a]"])
def test_malformed_wildcards_match_nothing(pattern: str) -> None:
    assert compile_glob(pattern) is None


def test_an_escaped_wildcard_is_none() -> None:
    assert (has_wildcards("a\\*"), has_wildcards("a*"), has_wildcards("a[b]")) == (
        False,
        True,
        True,
    )
