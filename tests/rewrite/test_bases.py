"""Which slim base may stand in the place of a base, by its name and what its image says."""

from __future__ import annotations

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.bases import slim_candidates

DEBIAN = {"ID": "debian", "VERSION_CODENAME": "bookworm", "VERSION_ID": "12"}


@pytest.mark.parametrize(
    ("base", "names"),
    [
        ("node:20", ("node:20-bookworm-slim", "node:20-slim")),
        ("node", ("node:bookworm-slim", "node:slim")),
        ("node:latest", ("node:bookworm-slim", "node:slim")),
        ("node:bookworm", ("node:bookworm-slim", "node:slim")),
        ("node:lts", ("node:lts-bookworm-slim", "node:lts-slim")),
        (
            "mirror.example.com/python:latest",
            ("mirror.example.com/python:slim-bookworm", "mirror.example.com/python:slim"),
        ),
        ("unknown:1", ()),
    ],
)
def test_a_base_that_floats_gets_one_that_floats_with_it(base: str, names: tuple[str, ...]) -> None:
    assert slim_candidates(base, builtin_ecosystems(), DEBIAN) == names


@pytest.mark.parametrize(
    ("base", "names"),
    [
        ("node:20-bookworm", ("node:20-bookworm-slim", "node:20-slim")),
        ("node:18.17.0-bullseye", ("node:18.17.0-bullseye-slim", "node:18.17.0-slim")),
        ("python:3.11-buster", ("python:3.11-slim-buster", "python:3.11-slim")),
        ("python:3.13.0b2-bookworm", ("python:3.13.0b2-slim-bookworm", "python:3.13.0b2-slim")),
        ("python:3.14-rc-bookworm", ("python:3.14-rc-slim-bookworm", "python:3.14-rc-slim")),
    ],
)
def test_a_release_is_not_taken_for_a_beta(base: str, names: tuple[str, ...]) -> None:
    assert slim_candidates(base, builtin_ecosystems(), DEBIAN) == names


@pytest.mark.parametrize(
    ("base", "says", "name"),
    [
        ("maven:3.9", "jdk-21.0.4+7", "eclipse-temurin:21-jre"),
        ("maven:3.9-eclipse-temurin-17", "", "eclipse-temurin:17-jre"),
        ("gradle", "8u392", "eclipse-temurin:8-jre"),
        ("openjdk:8", "1.8.0", "eclipse-temurin:8-jre"),
    ],
)
def test_the_java_of_a_build_tool_is_what_its_image_says(base: str, says: str, name: str) -> None:
    environment = {"JAVA_VERSION": says} if says else {}
    assert slim_candidates(base, builtin_ecosystems(), DEBIAN, environment)[-1] == name


@pytest.mark.parametrize(
    ("base", "environment", "installed", "names"),
    [
        # images of build tools that say their own version, and no Java's
        ("maven:latest", {}, "21.0.5", ("eclipse-temurin:21-jre-bookworm", "eclipse-temurin:21-jre")),
        ("maven:3", {}, "17.0.12", ("eclipse-temurin:17-jre-bookworm", "eclipse-temurin:17-jre")),
        ("gradle:8.10", {}, "1.8.0_432", ("eclipse-temurin:8-jre-bookworm", "eclipse-temurin:8-jre")),
        # what the image says by its variables counts first
        ("maven:3", {"JAVA_VERSION": "jdk-21.0.5+11"}, "17.0.12", ("eclipse-temurin:21-jre-bookworm", "eclipse-temurin:21-jre")),
        ("maven:latest", {}, "", ()),
    ],
)  # fmt: skip
def test_the_run_time_that_is_installed_names_the_base(
    base: str, environment: dict[str, str], installed: str, names: tuple[str, ...]
) -> None:
    found = slim_candidates(
        base,
        builtin_ecosystems(),
        DEBIAN,
        environment,
        lambda name: installed if name == "java" else "",
    )
    assert found == names
