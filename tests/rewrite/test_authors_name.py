"""Who builds a stage by its name gets what ships; who builds on it, or copies out of it, what he
had. What must not change comes first."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import parse
from imgopt.rewrite.final.authors_name import keep_name

SHIPS = "\nFROM debian:12\nCOPY --from=app /srv /srv\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("FROM debian:12 AS app\n" + SHIPS, "other"),
        ("FROM debian:12 AS app\nFROM debian:11 AS app\n" + SHIPS, "app"),
        ("FROM debian:12\nRUN make\nFROM debian:12 AS app\n", "app"),
    ],
    ids=["no stage has it", "two have it", "it ships already"],
)
def test_a_name_that_says_nothing_stays(text: str, name: str) -> None:
    assert keep_name(text, name, len(parse(text).stages) - 1) == text


def test_what_ships_takes_the_name_and_its_readers_follow() -> None:
    text = (
        "FROM golang:1.26 AS app\nRUN make\n\n"
        "FROM app AS dev\nRUN --mount=type=bind,from=app,target=/x --mount=type=cache,target=/app ls\n"
        "COPY --from=APP --chown=1:1 /a /from=app\n" + SHIPS
    )
    assert keep_name(text, "app", 2) == (
        "FROM golang:1.26 AS build\nRUN make\n\n"
        "FROM build AS dev\nRUN --mount=type=bind,from=build,target=/x --mount=type=cache,target=/app ls\n"
        "COPY --from=build --chown=1:1 /a /from=app\n\n"
        "FROM debian:12 AS app\nCOPY --from=build /srv /srv\n"
    )


def test_a_name_that_the_file_has_is_not_taken_twice() -> None:
    text = "FROM debian:12 AS build\nFROM build AS app\n" + SHIPS
    kept = keep_name(text, "app", 2)
    assert [stage.name for stage in parse(kept).stages] == ["build", "builder", "app"]
    assert "COPY --from=builder /srv" in kept


def test_stages_behind_it_follow_and_stay_what_is_built_by_default() -> None:
    text = "FROM golang:1.26 AS app\nRUN make\n" + SHIPS + "\nFROM scratch\nCOPY --from=app /a /a\n"
    assert keep_name(text, "app", 1) == (
        "FROM golang:1.26 AS build\nRUN make\n\nFROM debian:12 AS app\n"
        "COPY --from=build /srv /srv\n\nFROM scratch\nCOPY --from=build /a /a\n"
    )
