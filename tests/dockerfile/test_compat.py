"""dockerfile-parse's API on our grammar: the known answers on simple files, right answers where it
was wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path

import dockerfile_parse
import pytest

from imgopt.dockerfile import DockerfileParser


def parser(text: str, **options: object) -> DockerfileParser:
    return DockerfileParser(fileobj=io.BytesIO(text.encode()), **options)  # type: ignore[arg-type]


SIMPLE = (
    "# comment\nARG V=1\nFROM a:$V AS b\nLABEL l=1 m='two words'\nENV x=y\nRUN a && \\\n    b\n"
    'FROM c\nENV p=q r=$p\nLABEL n=$p\nARG z=3\nCMD ["run", "it"]\n'
)


@pytest.mark.parametrize(
    "name",
    [
        "structure",
        "json",
        "parent_images",
        "is_multistage",
        "baseimage",
        "cmd",
        "labels",
        "args",
        "lines",
        "content",
    ],
)
def test_simple_files_answer_as_ever(name: str) -> None:
    reference = dockerfile_parse.DockerfileParser(fileobj=io.BytesIO(SIMPLE.encode()))
    assert getattr(parser(SIMPLE), name) == getattr(reference, name)


def instructions(text: str) -> list[tuple[str, int, int, str]]:
    keys = ("instruction", "startline", "endline", "value")
    return [tuple(each[key] for key in keys) for each in parser(text).structure]  # type: ignore[misc]


STRUCTURES = {
    "empty-line-in-a-continuation": ("FROM a\nRUN b \\\n\n && c\n", [("FROM", 0, 0, "a"), ("RUN", 1, 3, "b  && c")]),
    "backslash-at-the-end-of-the-file": ("FROM a\nRUN b \\", [("FROM", 0, 0, "a"), ("RUN", 1, 1, "b")]),
    "escaped-backslash-at-a-line-end": ("FROM a\nENV b=c\\\\\nENV d=e\n",
                                        [("FROM", 0, 0, "a"), ("ENV", 1, 1, "b=c\\\\"), ("ENV", 2, 2, "d=e")]),
    "heredoc-with-an-instruction-in-it": ("FROM a\nRUN <<E\nFROM b\nE\n", [("FROM", 0, 0, "a"), ("RUN", 1, 3, "<<E")]),
    "directives-and-comments-keep-their-blanks": ("# escape = `\n#  a  b \nFROM a\n",
                                                  [("COMMENT", 0, 0, "escape = `"), ("COMMENT", 1, 1, "a  b "),
                                                   ("FROM", 2, 2, "a")]),
    "check-before-escape": ("# check=skip=all\n# escape=`\nFROM a\nRUN b `\n c\n",
                            [("COMMENT", 0, 0, "check=skip=all"), ("COMMENT", 1, 1, "escape=`"), ("FROM", 2, 2, "a"),
                             ("RUN", 3, 4, "b  c")]),
    "comment-inside-an-instruction": ("FROM a\nRUN b \\\n# why\n c\n", [("FROM", 0, 0, "a"), ("RUN", 1, 3, "b  c")]),
    "instruction-without-arguments": ("FROM a\nCMD\n", [("FROM", 0, 0, "a"), ("CMD", 1, 1, "")]),
    "flags-are-in-the-value": ("FROM --platform=x a\n", [("FROM", 0, 0, "--platform=x a")]),
    "crlf": ("FROM a\r\nRUN b\r\n", [("FROM", 0, 0, "a"), ("RUN", 1, 1, "b")]),
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURES)
def test_structure_is_right_where_it_was_wrong(name: str) -> None:
    text, expected = STRUCTURES[name]
    assert instructions(text) == expected
    found = parser(text).structure
    assert "".join(each["content"] for each in found) == text
    assert json.loads(parser(text).json) == [{name: value} for name, _, _, value in expected]


def test_stages_inside_heredocs_are_no_stages() -> None:
    assert not parser("FROM a\nCOPY <<E /x\nFROM b\nE\n").is_multistage
    assert parser("FROM a\nFROM b\n").is_multistage


def test_parent_images_with_variables_and_platforms() -> None:
    found = parser(
        "ARG V=1\nARG W\nFROM --platform=$P a:${V:-2}\nFROM b:${W:-3}\n", build_args={"V": "9"}
    )
    assert found.parent_images == ["a:9", "b:3"]
    assert found.baseimage == "b:3"


def test_setting_images_touches_only_them() -> None:
    text = "FROM --platform=x  a  AS b # no\n"
    found = parser("FROM --platform=x  a:1  as B\nRUN x\nFROM c\n")
    found.parent_images = ["n:2", "c"]
    assert found.content == "FROM --platform=x  n:2  as B\nRUN x\nFROM c\n"
    found.baseimage = "d"
    assert found.content == "FROM --platform=x  n:2  as B\nRUN x\nFROM d\n"
    with pytest.raises(RuntimeError):
        found.parent_images = ["one"]
    with pytest.raises(RuntimeError):
        parser("# no stage\n").baseimage = "x"
    assert parser(text).parent_images == []


def test_environment_with_every_substitution() -> None:
    found = parser("FROM a\nENV A=1\nENV B=${A:-x} C=${D:-y} E='$A'\nENV F g $A\n")
    assert found.envs == {"A": "1", "B": "1", "C": "y", "E": "$A", "F": "g 1"}
    assert parser('FROM a\nENV A=1 B="$A x"\n', env_replace=False).envs == {"A": "1", "B": "$A x"}
    assert parser("FROM a\nENV P=$P:/x\n", parent_env={"P": "/b"}).envs == {"P": "/b:/x"}


def test_arguments_follow_buildkits_order() -> None:
    found = parser(
        "ARG A=1\nARG B=2\nFROM a\nARG A\nARG B=3\nARG C=4\nARG D\n", build_args={"C": "9"}
    )
    assert found.args == {"A": "1", "B": "3", "C": "9", "D": ""}


def test_only_the_last_stage_counts() -> None:
    assert parser("FROM a\nLABEL x=1\nCMD a\nFROM b\nLABEL y=2\n").labels == {"y": "2"}
    assert parser("FROM a\nCMD a\nFROM b\n").cmd is None


def test_setting_one_value_leaves_the_rest_of_the_line() -> None:
    found = parser('FROM a\nLABEL x=1 \\\n      # about y\n      y="2"\nENV k v\n')
    found.labels["y"] = "it's new"
    assert (
        found.content
        == "FROM a\nLABEL x=1 \\\n      # about y\n      y='it'\"'\"'s new'\nENV k v\n"
    )
    assert found.labels == {"x": "1", "y": "it's new"}
    found.envs["k"] = "a b"
    assert found.envs == {"k": "a b"}
    found.envs["new"] = "n"
    assert found.content.endswith("ENV k a b\nENV new=n\n")


REMOVALS = [
    ("LABEL a=1 b=2 c=3", "a", "LABEL b=2 c=3"),
    ("LABEL a=1 b=2 c=3", "b", "LABEL a=1 c=3"),
    ("LABEL a=1 b=2 c=3", "c", "LABEL a=1 b=2"),
    ("LABEL a=1 \\\n  b=2", "b", "LABEL a=1"),
    ("LABEL a=1 b=2 b=3", "b", "LABEL a=1"),
    ("LABEL b=1 a=2 b=3", "b", "LABEL a=2"),
    ("LABEL b=1\nLABEL a=2\nLABEL b 3", "b", "LABEL a=2"),
]


@pytest.mark.parametrize(("before", "key", "after"), REMOVALS)
def test_removing_a_value(before: str, key: str, after: str) -> None:
    found = parser(f"FROM x\n{before}\nRUN y\n")
    del found.labels[key]
    assert found.content == f"FROM x\n{after}\nRUN y\n"


def test_setting_all_values() -> None:
    found = parser("FROM a\nENV x=1 y=2\nARG q\n")
    found.envs = {"y": "3", "z": "4"}
    found.args = {"q": "5"}
    found.labels = {"l": "6"}
    assert (found.envs, found.args, found.labels) == ({"y": "3", "z": "4"}, {"q": "5"}, {"l": "6"})
    assert found.content == "FROM a\nENV y=3\nARG q=5\nENV z=4\nLABEL l=6\n"


def test_command() -> None:
    found = parser("FROM a\nCMD x \\\n  y\nUSER u\n")
    assert found.cmd == "x   y"
    found.cmd = '["z"]'
    assert found.content == 'FROM a\nCMD ["z"]\nUSER u\n'


def test_lines_added_to_stages_pass_over_heredocs() -> None:
    found = parser("FROM a\nRUN <<E\nFROM fake\nE\nFROM b\n")
    found.add_lines("USER u", all_stages=True)
    assert found.content == "FROM a\nRUN <<E\nFROM fake\nE\nUSER u\nFROM b\nUSER u\n"
    found.add_lines("ENV s=1", at_start=True)
    assert found.content.endswith("FROM b\nENV s=1\nUSER u\n")
    found.add_lines_at(found.structure[1], "RUN z", after=True)
    assert "E\nRUN z\nUSER u\n" in found.content


def test_context_structure_goes_with_structure() -> None:
    found = parser("ARG A=1\nFROM a\n# c\nARG A\nENV E=$A\nLABEL l=${E:-x}\n")
    contexts = found.context_structure
    assert len(contexts) == len(found.structure)
    assert (contexts[-1].args, contexts[-1].envs, contexts[-1].labels) == (
        {"A": "1"},
        {"E": "1"},
        {"l": "1"},
    )
    assert contexts[-1].line_labels == {"l": "1"}


def test_files_of_any_name_and_directories(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    (tmp_path / "app.containerfile").write_text("FROM b\n")
    assert DockerfileParser(str(tmp_path)).baseimage == "a"
    assert DockerfileParser(str(tmp_path / "app.containerfile")).baseimage == "b"
    cached = DockerfileParser(str(tmp_path), cache_content=True)
    cached.baseimage = "c"
    assert (tmp_path / "Dockerfile").read_text() == "FROM c\n" == cached.content


def test_bytes_that_are_not_utf8_survive() -> None:
    file = io.BytesIO(b"FROM a\nENV x=\xff\n")
    DockerfileParser(fileobj=file).baseimage = "b"
    assert file.getvalue() == b"FROM b\nENV x=\xff\n"
