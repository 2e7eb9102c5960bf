from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imgopt.engine import BuildEvent, BuildFailure, BuildRequest, Engine, Session
from imgopt.engine.build import prepared
from imgopt.engine.client import familiar
from imgopt.errors import InputError

Base = Callable[[str], str]


def prepare(
    request: BuildRequest, known: bool = False
) -> tuple[Path, str, str | None, tuple[str, ...]]:
    with prepared(request, lambda _: known, "imgopt-test-") as (path, notes):
        ignore = path.with_name(path.name + ".dockerignore")
        return (
            path,
            path.read_bytes().decode(),
            ignore.read_text() if ignore.is_file() else None,
            notes,
        )


def test_a_dockerfile_that_needs_nothing_is_used_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    path, _, ignore, notes = prepare(BuildRequest(tmp_path))
    assert (path, ignore, notes) == (tmp_path / "Dockerfile", None, ())


def test_the_context_is_never_written(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    prepare(BuildRequest(tmp_path, "FROM scratch\nCOPY . .\n", ignore="*\n"))
    assert [path.name for path in tmp_path.iterdir()] == ["Dockerfile"]


def test_an_empty_ignore_file_still_hides_the_one_of_the_context(tmp_path: Path) -> None:
    assert prepare(BuildRequest(tmp_path, "FROM scratch\n", ignore=""))[2] == "# nothing\n"


def test_the_ignore_file_beside_a_dockerfile_goes_with_its_copy(tmp_path: Path) -> None:
    (tmp_path / "web.Dockerfile").write_text("# syntax=docker/dockerfile:1\nFROM scratch\n")
    (tmp_path / "web.Dockerfile.dockerignore").write_text("secret\n")
    path, _, ignore, _ = prepare(BuildRequest(tmp_path, tmp_path / "web.Dockerfile"))
    assert path.parent != tmp_path
    assert ignore == "secret\n"


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=docker/dockerfile:1\nFROM scratch\n",
        "#syntax = docker/dockerfile:1.7-labs\r\nFROM scratch\r\n",
        "# escape=`\n# SYNTAX=docker/dockerfile:1\nFROM scratch\n",
        "// syntax=docker/dockerfile:1\nFROM scratch\n",
    ],
)
def test_an_unreachable_frontend_image_is_set_aside_in_its_place_and_said(
    tmp_path: Path, text: str
) -> None:
    _, changed, _, notes = prepare(BuildRequest(tmp_path, text))
    assert "not-used" in changed
    assert changed.count("\n") == text.count("\n")
    assert len(notes) == 1
    assert prepare(BuildRequest(tmp_path, text), known=True)[1:] == (text, None, ())


def test_a_comment_after_the_first_instruction_is_no_directive(tmp_path: Path) -> None:
    text = "FROM scratch\n# syntax=docker/dockerfile:1\n"
    assert prepare(BuildRequest(tmp_path, text))[1:] == (text, None, ())


def test_a_missing_dockerfile_is_an_input_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepare(BuildRequest(tmp_path, tmp_path / "nope", file="nope"))
    assert str(caught.value.location) == "nope"


def test_image_names_are_compared_as_docker_reads_them() -> None:
    assert familiar("docker.io/library/python") == familiar("python:latest") == "python:latest"
    assert familiar("localhost:5000/a") == "localhost:5000/a:latest"
    assert familiar("a@sha256:00") == "a@sha256:00"


@pytest.mark.engine
class TestWithAnEngine:
    def test_a_build_gives_image_steps_and_hits(
        self, session: Session, base: Base, tmp_path: Path
    ) -> None:
        (tmp_path / "x").write_text(str(time.time_ns()))
        text = "FROM debian:bookworm-slim AS a\nCOPY x /x\nRUN cat /x >/y; echo said\nFROM a\nLABEL k=v\n"
        request = BuildRequest(
            tmp_path, text, bases={"debian:bookworm-slim": base("debian:bookworm-slim")}
        )
        heard: list[BuildEvent] = []
        first, second = session.build(request, heard.append), session.build(request)
        own = [step for step in first.steps if step.keyword != "FROM"]
        assert [(step.stage, step.keyword, step.cached) for step in own] == [
            ("a", "COPY", False),
            ("a", "RUN", False),
        ]
        assert all(step.cached for step in second.steps if step.keyword != "FROM")
        assert first.image_id == second.image_id
        assert any(event.text == "said" for event in heard)
        assert session.engine.image(first.reference or "")["Config"]["Labels"]["k"] == "v"

    def test_cacheonly_makes_no_image(self, session: Session, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("x")
        build = session.build(
            BuildRequest(tmp_path, "FROM scratch\nCOPY x /\n", output="cacheonly")
        )
        assert build.image_id is None
        assert [step.keyword for step in build.steps] == ["COPY"]

    @pytest.mark.parametrize(
        ("text", "kind", "line", "code"),
        [
            ("FROM debian:bookworm-slim\n\nRUN echo last words; \\\n  exit 3\n", "step", 3, 1),
            ("FROM debian:bookworm-slim\nCOPY nothing-like-it /\n", "context", 2, 1),
            ("FROM scratch AS a\nFROM scratch\nCOPY --from=a /nothing-like-it /\n", "stage", 3, 1),
            ("FROM scratch\nFROMAGE x\n", "syntax", 2, 1),
            ("FROM registry.invalid/none:1\nCOPY . .\n", "base", 1, 3),
        ],
    )
    def test_a_failure_names_its_kind_and_line(
        self,
        session: Session,
        base: Base,
        tmp_path: Path,
        text: str,
        kind: str,
        line: int,
        code: int,
    ) -> None:
        request = BuildRequest(
            tmp_path, text, bases={"debian:bookworm-slim": base("debian:bookworm-slim")}
        )
        with pytest.raises(BuildFailure) as caught:
            session.build(request)
        failure = caught.value
        assert (failure.kind, failure.location and failure.location.line, failure.exit_code) == (
            kind,
            line,
            code,
        )
        assert failure.log == (("last words",) if kind == "step" else ())

    def test_an_unreachable_syntax_image_does_not_stop_the_build(
        self, session: Session, base: Base, tmp_path: Path
    ) -> None:
        text = f"# syntax=registry.invalid/dockerfile:1\nFROM {base('debian:bookworm-slim')}\nRUN <<E\nid\nE\n"
        build = session.build(BuildRequest(tmp_path, text))
        assert "registry.invalid/dockerfile:1 cannot be pulled" in build.notes[0]

    def test_an_ignore_text_is_what_the_build_sees(
        self, session: Session, base: Base, tmp_path: Path
    ) -> None:
        for name in ("kept", "hidden", ".dockerignore"):
            (tmp_path / name).write_text("kept\n")
        image = base("debian:bookworm-slim")
        text = f"FROM {image}\nCOPY . /c\nRUN test -e /c/kept && test ! -e /c/hidden\n"
        session.build(BuildRequest(tmp_path, text, ignore="hidden\n"))
        with pytest.raises(BuildFailure):
            session.build(BuildRequest(tmp_path, text))

    def test_secrets_arguments_and_target_are_passed_on(
        self, session: Session, base: Base, tmp_path: Path
    ) -> None:
        (tmp_path / "token").write_text("s3cret")
        text = (
            f"FROM {base('debian:bookworm-slim')} AS one\nARG A\n"
            'RUN --mount=type=secret,id=t test "$(cat /run/secrets/t)$A" = s3cretx\nFROM one\nRUN exit 1\n'
        )
        request = BuildRequest(tmp_path, text, target="one", build_args={"A": "x"}, ignore="*")
        session.build(replace(request, secrets=(f"id=t,src={tmp_path / 'token'}",)))
        with pytest.raises(BuildFailure):
            session.build(replace(request, build_args={"A": "y"}))

    def test_bases_resolve_to_what_can_be_had(self, engine: Engine, base: Base) -> None:
        image = base("debian:bookworm-slim")
        assert (
            engine.resolve_base(
                "debian:bookworm-slim", {"docker.io/library/debian:bookworm-slim": image}
            )
            == image
        )
        assert engine.resolve_base("scratch", {}) == "scratch"
        assert engine.resolve_base("registry.invalid/none:1", {}) is None
