"""Stages, what they use, and the variables in force."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import Dockerfile, parse
from imgopt.errors import InputError


def names(file: Dockerfile, target: str | None = None) -> list[str]:
    return [str(stage) for stage in file.reachable(target)]


FILE = parse(
    "ARG V=3.12\n"
    "FROM python:${V}-slim AS Base\nENV A=1\n"
    "FROM base AS deps\nRUN x\n"
    "FROM golang AS tools\n"
    "FROM node AS unused\nCOPY --from=nginx /a /b\n"
    "FROM base\nCOPY --from=DEPS a b\nRUN --mount=type=bind,from=tools,target=/t x\nCOPY --from=ctx a b\n"
)


def test_names_bases_and_parents() -> None:
    assert [stage.name for stage in FILE.stages] == ["base", "deps", "tools", "unused", None]
    assert str(FILE.stages[0].base) == "python:3.12-slim"
    assert FILE.stages[1].parent is FILE.stages[0]
    assert FILE.stages[4].root is FILE.stages[0]
    assert [str(stage) for stage in FILE.stages[4].chain] == ["base", "4"]
    assert [item.stage for item in FILE.instructions][:4] == [-1, 0, 0, 1]


def test_what_a_target_builds() -> None:
    assert names(FILE) == ["base", "deps", "tools", "4"]
    assert names(FILE, "deps") == ["base", "deps"]
    assert names(FILE, "unused") == ["unused"]


def test_lookups() -> None:
    assert FILE.stage("BASE") is FILE.stages[0]
    assert FILE.stage(2) is FILE.stages[2]
    assert FILE.target() is FILE.stages[4]
    assert FILE.source_stage("nginx") is None
    with pytest.raises(InputError, match="no stage 'x'"):
        FILE.stage("x")


def test_from_finds_only_earlier_stages_and_the_nearest_of_a_name() -> None:
    file = parse("FROM later\nFROM a AS x\nFROM b AS x\nFROM x\nFROM c AS later\n")
    assert file.stages[0].parent is None
    assert file.stages[3].parent is file.stages[2]


def test_from_finds_a_stage_only_in_lower_case_but_copy_in_any() -> None:
    file = parse("FROM a AS Build\nFROM build\nFROM Build\nFROM b\nCOPY --from=BUILD a b\n")
    assert file.stages[1].parent is file.stages[0]
    assert file.stages[2].parent is None
    assert file.needs(file.stages[3]) == (file.stages[0],)


def test_a_number_in_a_mount_is_an_image() -> None:
    file = parse("FROM a\nFROM b\nRUN --mount=from=0,target=/x y\nFROM c\nCOPY --from=0 a b\n")
    assert file.needs(file.stages[1]) == ()
    assert file.needs(file.stages[2]) == (file.stages[0],)


def test_copy_from_finds_the_last_of_a_name_and_numbers() -> None:
    file = parse("FROM a AS x\nFROM b AS x\nFROM c\nCOPY --from=x a b\nCOPY --from=0 a b\n")
    assert [stage.index for stage in file.needs(file.stages[2])] == [0, 1]


def test_onbuild_uses_count() -> None:
    file = parse("FROM a AS x\nFROM b AS y\nONBUILD COPY --from=x a b\nFROM y\n")
    assert names(file) == ["x", "y", "2"]


def test_build_args_choose_the_base() -> None:
    file = parse("ARG B=dev\nFROM a AS dev\nFROM b AS prod\nFROM $B\n")
    assert file.stages[2].parent is file.stages[0]
    stages = file.bind({"B": "prod"})
    assert stages[2].parent is stages[1]


def test_predefined_platform_arguments_choose_a_stage() -> None:
    file = parse("FROM a AS b-amd64\nFROM c AS b-arm64\nFROM b-${TARGETARCH}\n")
    assert file.stages[2].parent is file.stages[0]
    assert file.bind({"TARGETARCH": "arm64"})[2].parent is not None
    assert file.bind({"TARGETARCH": "arm64"})[2].parent.name == "b-arm64"  # type: ignore[union-attr]


def test_a_base_that_no_reference_can_be_is_text() -> None:
    assert parse("FROM $undefined-x:Y/z\n").stages[0].base == "-x:Y/z"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("FROM ${X}\n", 1, "base name (${X}) should not be blank"),
        ("FROM ${X?no}\n", 1, "X: no"),
        ("FROM ''\n", 1, "base name ('') should not be blank"),
        ("FROM a\nCOPY --from=3 a b\n", 2, "invalid stage index 3"),
        ("FROM a AS x\nCOPY --from=x a b\n", 2, "circular dependency detected on stage: x"),
        (
            "FROM a AS x\nCOPY --from=y a b\nFROM b AS y\nCOPY --from=x a b\n",
            4,
            "circular dependency",
        ),
        (
            "FROM Bad:tag\nFROM good\n",
            1,
            'failed to parse stage name "Bad:tag": invalid reference format',
        ),
        ("ARG A=1\n", 1, "dockerfile contains no stages to build"),
        ("FROM Bad:tag\n", 1, 'failed to parse stage name "Bad:tag": invalid reference format'),
    ],
)
def test_graphs_that_buildkit_refuses(text: str, line: int, message: str) -> None:
    problems = parse(text, "f").errors
    assert [(problem.location.line, message in problem.message) for problem in problems] == [
        (line, True)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "ARG X\nFROM ${X}\n",
        "FROM a AS x\nCOPY --from=y a b\nFROM b AS y\n",
        "FROM a\nCOPY --from=image/name a b\n",
        "FROM $TARGETARCH/x\n",
    ],
)
def test_graphs_that_buildkit_accepts(text: str) -> None:
    assert parse(text).errors == ()


def scope(
    text: str, build_args: dict[str, str] | None = None, base_env: dict[str, str] | None = None
) -> dict[str, str]:
    file = parse(text)
    return dict(file.scope_at(file.instructions[-1], build_args, base_env).values)


SCOPES = {
    "env": ("FROM a\nENV A=1 B=$A\nENV C=${A}x\nRUN x\n", {}, {"A": "1", "B": "", "C": "1x"}),
    "later-env-wins": ("FROM a\nENV A=1\nENV A=2\nRUN x\n", {}, {"A": "2"}),
    "old-form": ("FROM a\nENV A b  c\nRUN x\n", {}, {"A": "b  c"}),
    "quotes-go": (
        'FROM a\nENV A=\'b c\' B="d\\"e" C=f\\ g\nRUN x\n',
        {},
        {"A": "b c", "B": 'd"e', "C": "f g"},
    ),
    "global-arg-must-be-declared": ("ARG A=1\nFROM a\nRUN x\n", {}, {}),
    "declared-global-arg": ("ARG A=1\nFROM a\nARG A\nRUN x\n", {}, {"A": "1"}),
    "own-default-beats-the-global-one": ("ARG A=1\nFROM a\nARG A=2\nRUN x\n", {}, {"A": "2"}),
    "build-arg-beats-all": ("ARG A=1\nFROM a\nARG A=2\nRUN x\n", {"A": "3"}, {"A": "3"}),
    "undeclared-build-arg": ("FROM a\nRUN x\n", {"A": "3"}, {}),
    "arg-without-value": ("FROM a\nARG A\nRUN x\n", {}, {}),
    "arg-after-env-wins": ("FROM a\nENV A=1\nARG A=7\nRUN x\n", {}, {"A": "7"}),
    "env-after-arg-wins": ("FROM a\nARG A=7\nENV A=1\nRUN x\n", {}, {"A": "1"}),
    "arg-default-expands": ("FROM a\nARG A=1\nARG B=${A}x\nRUN x\n", {}, {"A": "1", "B": "1x"}),
    "global-default-expands": ("ARG A=1\nARG B=v$A\nFROM a\nARG B\nRUN x\n", {}, {"B": "v1"}),
    "stage-keeps-its-parents": (
        "FROM a AS p\nENV A=1\nARG B=2\nFROM p\nRUN x\n",
        {},
        {"A": "1", "B": "2"},
    ),
    "stages-do-not-share": ("FROM a AS p\nENV A=1\nFROM b\nRUN x\n", {}, {}),
    "only-what-stands-before": ("FROM a\nENV A=1\nENV B=2\n", {}, {"A": "1"}),
    "platform-must-be-declared": ("FROM a\nARG TARGETARCH\nRUN x\n", {}, {"TARGETARCH": "amd64"}),
    "platform-can-be-given": (
        "FROM a\nARG TARGETARCH\nRUN x\n",
        {"TARGETARCH": "arm64"},
        {"TARGETARCH": "arm64"},
    ),
}


@pytest.mark.parametrize("name", SCOPES)
def test_variables_in_force(name: str) -> None:
    text, build_args, expected = SCOPES[name]
    assert scope(text, build_args=build_args) == expected


def test_the_base_images_environment_is_below() -> None:
    assert scope("FROM a\nENV P=/x:$P\nRUN x\n", base_env={"P": "/bin"}) == {"P": "/x:/bin"}


def test_directory_user_and_shell_in_force() -> None:
    file = parse(
        'FROM a\nENV D=d\nWORKDIR /a\nWORKDIR $D/../e\nUSER u\nSHELL ["bash","-c"]\nRUN x\n'
    )
    found = file.scope_at(file.instructions[-1])
    assert (found.workdir, found.user, found.shell) == ("/a/e", "u", ("bash", "-c"))


def test_a_word_with_an_unknown_variable_is_unknown() -> None:
    file = parse("FROM a\nENV A=1\nRUN x\n")
    found = file.scope_at(file.instructions[-1])
    assert found.expand_known("$A") == "1"
    assert found.expand_known("$PATH") is None
    assert found.expand_known("${") is None


def test_a_base_without_a_value_is_said_as_it_is_written() -> None:
    said = [
        stage.said_base for stage in parse("ARG BASE\nFROM ${BASE} AS a\nFROM alpine:3\n").stages
    ]
    assert said == ["${BASE}", "alpine:3"]
