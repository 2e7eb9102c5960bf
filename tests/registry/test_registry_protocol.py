"""How a registry is asked: in pages, with waits, with one login; and what is never said."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from registry_server import Content, Handler, Server, layer
from scanning import log_in, scanned

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.fleet.scan.login import Login, login_of
from imgopt.fleet.scan.protocol import Refused, Registry, split_host
from imgopt.fleet.scan.sources import SourceName, read_source
from imgopt.fleet.scan.waiting import TRIES, retry_after

SECRET = "hunter2-and-more"


def asker(server: Server, login: Login | None = None) -> tuple[Registry, list[float]]:
    waits: list[float] = []
    return Registry(server.host, login, waits.append), waits


def answering(status: int, times: int, headers: dict[str, str] | None = None):
    left = [times]

    def odd(handler: Handler, path: str) -> bool:
        del path
        left[0] -= 1
        if left[0] < 0:
            return False
        handler.give(status, b"", headers)
        return True

    return odd


def test_a_catalog_of_100_000_names_comes_in_pages(content: Content, server: Server) -> None:
    content.page = 1000
    content.tags = {f"team/app-{number:06}": {} for number in range(100_000)}
    registry, _ = asker(server)
    assert sum(1 for _ in registry.catalog()) == 100_000
    assert len(content.asked) == 100


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_registry_that_is_busy_is_asked_again_after_times_that_double(
    content: Content, server: Server, status: int
) -> None:
    content.tags = {"app": {"1": "x"}}
    content.odd.append(answering(status, 3))
    registry, waits = asker(server)
    assert list(registry.tags("app")) == ["1"]
    assert waits == [1, 2, 4]


def test_a_registry_that_says_how_long_is_asked_then(content: Content, server: Server) -> None:
    content.tags = {"app": {"1": "x"}}
    content.odd.append(answering(429, 2, {"Retry-After": "17"}))
    registry, waits = asker(server)
    assert list(registry.tags("app")) == ["1"]
    assert waits == [17, 17]


def test_a_registry_that_never_answers_well_is_given_up(content: Content, server: Server) -> None:
    content.odd.append(answering(500, 1000))
    registry, waits = asker(server)
    with pytest.raises(Refused, match="status 500") as caught:
        list(registry.tags("app"))
    assert caught.value.status == 500 and len(waits) == TRIES - 1


def test_a_wait_of_a_day_is_no_wait_but_an_end(content: Content, server: Server) -> None:
    content.odd.append(answering(429, 1000, {"Retry-After": "86400"}))
    registry, waits = asker(server)
    with pytest.raises(Refused, match="longer than we wait"):
        list(registry.tags("app"))
    assert waits == []


def test_dates_to_wait_for_are_read() -> None:
    assert retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now=30) == 30
    assert retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now=90) == 0
    assert retry_after("-1") is None and retry_after("9" * 40) is None


def test_nobody_there_is_said_with_the_address() -> None:
    registry = Registry("127.0.0.1:1", None, lambda _: None)
    with pytest.raises(Refused, match=r"127\.0\.0\.1:1 does not answer"):
        list(registry.catalog())


def test_pages_of_another_host_are_not_asked_for(content: Content, server: Server) -> None:
    def elsewhere(handler: Handler, path: str) -> bool:
        link = {"Link": '<http://127.0.0.2:9/v2/_catalog?n=1>; rel="next"'}
        handler.give(200, b'{"repositories": ["a"]}', link)
        return path == "/v2/_catalog"

    content.odd.append(elsewhere)
    registry, _ = asker(server)
    with pytest.raises(InputError, match="at another host"):
        list(registry.catalog())


def test_pages_in_a_circle_end(content: Content, server: Server) -> None:
    def circle(handler: Handler, path: str) -> bool:
        link = {"Link": '</v2/_catalog?last=a>; rel="next"'}
        handler.give(200, b'{"repositories": ["a"]}', link)
        return path == "/v2/_catalog"

    content.odd.append(circle)
    registry, _ = asker(server)
    with pytest.raises(InputError, match="never end"):
        list(registry.catalog())


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"repositories": 1}', b"[" * 100_000])
def test_an_answer_that_is_no_list_is_no_traceback(
    content: Content, server: Server, body: bytes
) -> None:
    content.odd.append(lambda handler, _: handler.give(200, body) is None)
    registry, _ = asker(server)
    with pytest.raises(InputError, match="no list of names"):
        list(registry.catalog())


BASIC = f"Basic {base64.b64encode(f'user:{SECRET}'.encode()).decode()}"


def test_the_credentials_of_docker_login_are_used(
    content: Content, server: Server, docker_config: Path, tmp_path: Path
) -> None:
    content.push("app", "1", [("COPY a", layer({"/a": "x"}))])
    content.log_in = lambda given: given == BASIC
    log_in(docker_config, server.host, f"user:{SECRET}")
    done = scanned(server, tmp_path)
    assert done.read_blobs == 1 and done.fleet.problems == ()


def test_a_token_is_asked_for_where_the_registry_says(
    content: Content, server: Server, docker_config: Path, tmp_path: Path
) -> None:
    content.push("team/app", "1", [("COPY a", layer({"/a": "x"}))])
    scopes: list[str] = []

    def tokens(handler: Handler, path: str) -> bool:
        if path != "/token":
            return False
        scope = parse_qs(urlsplit(handler.path).query)["scope"][0]
        scopes.append(scope)
        good = handler.headers.get("Authorization") == BASIC
        handler.give(200 if good else 401, json.dumps({"token": f"t-{scope}"}).encode())
        return True

    content.odd.append(tokens)
    content.log_in = lambda given: given.startswith("Bearer t-re")
    content.challenge = f'Bearer realm="http://{server.host}/token",service="s"'
    log_in(docker_config, server.host, f"user:{SECRET}")
    done = scanned(server, tmp_path)
    assert done.read_blobs == 1 and done.fleet.problems == ()
    assert set(scopes) == {"registry:catalog:*", "repository:team/app:pull"}


@pytest.mark.parametrize("pair", ["", f"user:{SECRET}"])
def test_a_login_that_is_wanted_or_wrong_is_an_error_without_the_secret(
    content: Content, server: Server, docker_config: Path, tmp_path: Path, pair: str
) -> None:
    content.log_in = lambda _: False
    if pair:
        log_in(docker_config, server.host, pair)
    with pytest.raises(EnvironmentFailure, match="wants a login") as caught:
        scanned(server, tmp_path)
    assert f"docker login {server.host}" in (caught.value.hint or "")
    assert SECRET not in repr(caught.value) + str(caught.value.hint)
    assert BASIC.split()[1] not in repr(caught.value)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_a_token_is_not_fetched_in_plain_text_from_elsewhere(
    content: Content, server: Server
) -> None:
    content.log_in = lambda _: False
    content.challenge = 'Bearer realm="http://tokens.invalid/token",service="s"'
    registry, _ = asker(server, Login("user", SECRET))
    with pytest.raises(Refused, match="wants a login"):
        list(registry.catalog())


def test_credentials_do_not_follow_to_another_host(content: Content, server: Server) -> None:
    other = Content()
    seen: list[str] = []
    other.log_in = lambda given: seen.append(given) is None
    one = layer({"/a": "x"})
    other.push_blob(one.data)
    content.log_in = lambda given: given == BASIC
    with Server(other) as storage:
        port = storage.host.rpartition(":")[2]

        def redirect(handler: Handler, path: str) -> bool:
            if "/blobs/" not in path or handler.headers.get("Authorization") != BASIC:
                return False
            handler.give(307, b"", {"Location": f"http://localhost:{port}{path}?signature=s3cret"})
            return True

        content.odd.append(redirect)
        registry, _ = asker(server, Login("user", SECRET))
        with registry.blob("app", one.digest) as answer:
            assert answer.raw.read() == one.data
    assert seen == [""]


def test_a_login_prints_as_none(docker_config: Path) -> None:
    log_in(docker_config, "r.example", f"user:{SECRET}")
    login = login_of("r.example")
    assert login is not None and login.basic == BASIC
    assert SECRET not in f"{login} {login!r} {[login]}"
    assert login_of("other.example") is None


@pytest.mark.parametrize("text", ["{", '{"auths": 3}', '{"credsStore": "no-such-helper"}'])
def test_a_docker_configuration_that_is_broken_is_said(docker_config: Path, text: str) -> None:
    (docker_config / "config.json").write_text(text)
    try:
        assert login_of("r.example") is None
    except EnvironmentFailure as failure:
        assert "r.example" in str(failure)


def test_a_password_in_a_name_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError, match="refused") as caught:
        read_source(f"registry:user:{SECRET}@r.example/app")
    assert SECRET not in str(caught.value) + str(caught.value.hint)
    with pytest.raises(InputError):
        split_host(f"user:{SECRET}@r.example")


SOURCES = {
    "registry:r.example": SourceName("registry", "r.example"),
    "registry://r.example:5000/a/b": SourceName("registry", "r.example:5000", "a/b"),
    "registry:r.example/a:1": SourceName("registry", "r.example", "a", "1"),
    "registry:r.example/a@sha256:00": SourceName("registry", "r.example", "a", "sha256:00"),
    "localhost:5000/a": SourceName("registry", "localhost:5000", "a"),
    "registry:docker.io/python": SourceName("registry", "registry-1.docker.io", "library/python"),
    "engine:": SourceName("engine", ""),
    "oci:/x/y": SourceName("path", "/x/y"),
    "/x/y.tar": SourceName("path", "/x/y.tar"),
}


@pytest.mark.parametrize("word", SOURCES)
def test_sources_are_read(word: str) -> None:
    assert read_source(word) == SOURCES[word]


@pytest.mark.parametrize("word", ["python", "registry:", "registry:/a", "registry:r.example/a b"])
def test_what_is_no_source_is_refused(word: str) -> None:
    with pytest.raises(InputError):
        read_source(word)
