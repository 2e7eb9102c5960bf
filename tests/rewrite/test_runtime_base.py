"""A site that `serve` hands out is handed out by nginx: the same answers, the port from the
environment, no root."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.config import Config
from imgopt.engine import RunRequest, Session
from imgopt.loop.attempt import Proven, prove_plan
from imgopt.loop.original import measure_original
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.strategies.variants import choose_variants

from .kit import project

pytestmark = pytest.mark.engine

SITE = {
    "site/index.html": "<!doctype html><script src=/app.js></script><a href=/about>about</a>",
    "site/app.js": "run()",
    "site/static/data.json": '{"a": 1}',
    "site/docs/index.html": "<h1>docs</h1>",
    "site/_redirects": "/* /index.html 200",
}


def dockerfile(start: str) -> str:
    return f"""\
FROM node:20-slim
RUN npm install -g serve@14.2.4
WORKDIR /srv
COPY site site
CMD {start}
"""


def proven(
    folder: Path,
    start: str,
    variant: str,
    session: Session,
    bases: dict[str, str],
    spoil: Callable[[str], str] | None,
) -> Proven:
    context = project(folder, {**SITE, "Dockerfile": dockerfile(start)})
    request = OptimizeRequest(context, context / "Dockerfile", Config(bases=bases), timings=False)
    original = measure_original(session, request, request.source(), Silent())
    return prove_plan(session, request, original, choose_variants([variant])[0], Silent(), spoil)


def get(session: Session, image: str, port: int, path: str, env: dict[str, str]) -> int:
    with session.create(RunRequest(image, env=env, ports=(f"{port}/tcp",))) as container:
        container.start()
        for _ in range(100):
            connection = http.client.HTTPConnection(
                "127.0.0.1", container.ports()[f"{port}/tcp"], timeout=5
            )
            try:
                connection.request("GET", path)
                return connection.getresponse().status
            except OSError:
                time.sleep(0.1)
        raise AssertionError(container.logs().text)


def test_the_port_of_the_environment_is_kept(
    session: Session, bases: dict[str, str], base: Callable[[str], str], tmp_path: Path
) -> None:
    base("nginx:stable-bookworm")
    found = proven(tmp_path, '["serve", "-s", "site"]', "slim", session, bases, None)
    assert found.verdict == "proven", [check for check in found.checks if check.verdict != "passed"]
    assert found.image is not None
    assert found.image.config.user == "101:101"
    assert found.build is not None
    assert get(session, str(found.build.image_id), 8123, "/any/where", {"PORT": "8123"}) == 200


def test_a_base_without_a_shell_gets_the_web_server_and_its_libraries(
    session: Session, bases: dict[str, str], base: Callable[[str], str], tmp_path: Path
) -> None:
    base("nginx:stable-bookworm")
    found = proven(
        tmp_path, '["serve", "-s", "site", "-l", "3000"]', "distroless", session, bases, None
    )
    assert found.verdict == "proven", [check for check in found.checks if check.verdict != "passed"]
    assert found.image is not None
    assert found.image.tree().resolve("/bin/sh") is None


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("try_files /index.html =404;", "try_files $uri =404;"),
        ('"application/json; charset=utf-8"', "text/plain"),
    ],
    ids=["no page for what is not there", "another media type of a file that no page links to"],
)
def test_settings_that_answer_otherwise_are_refuted(
    said: str,
    instead: str,
    session: Session,
    bases: dict[str, str],
    base: Callable[[str], str],
    tmp_path: Path,
) -> None:
    base("nginx:stable-bookworm")

    def spoil(text: str) -> str:
        assert said in text
        return text.replace(said, instead)

    found = proven(tmp_path, '["serve", "-s", "site", "-l", "3000"]', "slim", session, bases, spoil)
    assert found.verdict == "refuted"
