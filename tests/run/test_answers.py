"""Canned answers: what is said for a host that is not reached."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from pathlib import Path

import pytest

from imgopt.config import AnswerSection
from imgopt.errors import EnvironmentFailure, InputError
from imgopt.run.answers import answers_of, served
from imgopt.run.authority import make_authority


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def asked(port: int, method: str, path: str, host: str = "api.test") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, body=b"{}", headers={"Host": f"{host}:{port}"})
    return connection.getresponse()


def test_each_answer_is_for_its_method_and_path(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    at = f"http://api.test:{port}"
    sections = [
        AnswerSection(url=f"{at}/v1/chat", method="post", json={"text": "hi"}, status=201),
        AnswerSection(url=f"{at}/files/*", file="logo.png", headers={"Content-Type": "image/png"}),
        AnswerSection(url=f"{at}/plain", body="as it stands"),
    ]
    with served(answers_of(sections, tmp_path), "127.0.0.1", None) as desk:
        made = asked(port, "POST", "/v1/chat?x=1")
        assert (made.status, json.loads(made.read())) == (201, {"text": "hi"})
        picture = asked(port, "GET", "/files/a/b")
        assert (picture.getheader("content-type"), picture.read()) == ("image/png", b"\x89PNG")
        assert asked(port, "GET", "/plain").read() == b"as it stands"
        assert asked(port, "GET", "/v1/chat").status == 404
        assert asked(port, "GET", "/plain", host="other.test").status == 404
    assert desk.hosts == {"api.test", "other.test"}
    assert desk.unknown == ["GET http://api.test/v1/chat", "GET http://other.test/plain"]


def test_a_stream_comes_piece_by_piece(tmp_path: Path) -> None:
    port = free_port()
    section = AnswerSection(url=f"http://api.test:{port}/s", stream=["data: a\n\n", "data: b\n\n"])
    with served(answers_of([section], tmp_path), "127.0.0.1", None):
        answer = asked(port, "GET", "/s")
        assert answer.getheader("content-type") == "text/event-stream"
        assert answer.read1(100) == b"data: a\n\n" and answer.read() == b"data: b\n\n"


def test_https_is_trusted_by_who_trusts_the_throw_away_authority(tmp_path: Path) -> None:
    port = free_port()
    make_authority(tmp_path, ["api.test"])
    section = AnswerSection(url=f"https://api.test:{port}/", json=1)
    with served(answers_of([section], tmp_path), "127.0.0.1", tmp_path):
        context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname="api.test") as one,
        ):
            one.sendall(b"GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n")
            assert one.recv(1000).startswith(b"HTTP/1.1 200")
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as raw,
            pytest.raises(ssl.SSLError),
        ):
            ssl.create_default_context().wrap_socket(raw, server_hostname="api.test")


def test_what_is_no_address_and_a_port_that_is_taken_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no address"):
        answers_of([AnswerSection(url="api.test/v1")], tmp_path)
    with pytest.raises(InputError, match=r"gone\.json cannot be read"):
        answers_of([AnswerSection(url="http://api.test/", file="gone.json")], tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = f"http://api.test:{taken.getsockname()[1]}/"
        answers = answers_of([AnswerSection(url=at)], tmp_path)
        with (
            pytest.raises(EnvironmentFailure, match="cannot be given at port"),
            served(answers, "127.0.0.1", None),
        ):
            pass
