from __future__ import annotations

import pytest

from imgopt.inspect.packages.dockerfile_facts import base_name, named_packages


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "FROM a\nRUN apt-get update && apt-get install -y --no-install-recommends libpq5 curl=7.88*\n",
            ("libpq5", "curl=7.88*"),
        ),
        (
            "FROM a\nRUN apt-get -y -qq install \\\n  git \\\n  # a comment\n  make\n",
            ("git", "make"),
        ),
        ("FROM a\nRUN apt install -y -t bookworm-backports git\n", ("git",)),
        (
            "FROM a\nRUN apk add --no-cache --virtual .build gcc && apk add tzdata\n",
            ("gcc", "tzdata"),
        ),
        ("FROM a\nRUN apk add --virtual build-deps gcc && apk del build-deps\n", ("gcc",)),
        ("FROM a\nRUN microdnf install -y tar && dnf -y install gzip\n", ("tar", "gzip")),
        ("FROM a\nRUN apt-get install -y gcc\nRUN apt-get purge -y gcc\n", ()),
        ("FROM a\nRUN apt-get install -y $PACKAGES vim\n", ("vim",)),
        ("FROM a\nRUN <<EOF\napt-get update\napt-get install -y vim\nEOF\n", ("vim",)),
        (
            "FROM a AS b\nRUN apt-get install -y gcc\nFROM a\nRUN apt-get install -y vim\nCOPY --from=b /x /x\n",
            ("vim",),
        ),
        (
            "FROM a AS b\nRUN apt-get install -y gcc\nFROM b\nRUN apt-get install -y vim\n",
            ("gcc", "vim"),
        ),
        ("FROM a\nRUN pip install apt-get install\nRUN echo apt-get install x\n", ()),
        ("", ()),
    ],
)
def test_packages_that_the_author_named(text: str, names: tuple[str, ...]) -> None:
    assert named_packages(text) == names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("FROM python:3.11\n", "python:3.11"),
        ("ARG V=3.11\nFROM python:${V}-slim AS a\nFROM a AS b\nFROM b\n", "python:3.9-slim"),
        ("FROM scratch\n", "scratch"),
        ("", None),
    ],
)
def test_the_base_at_the_bottom_of_the_target(text: str, name: str | None) -> None:
    assert base_name(text, build_args={"V": "3.9"}) == name
