from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest

from imgopt.errors import InputError
from imgopt.run.listening import Listener, parse_table
from imgopt.run.probes import MOST_BODY, Answer, Probe, connect_to, get, speaks
from imgopt.run.settings import HttpRequest, SmokeSettings, read_http
from imgopt.run.start_hints import hints, unset_in_start
from imgopt.run.what_to_ask import command_words, found_probes, health_words

Handler = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], int]]:
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Handler) -> int:
        class Service(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Service))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def page(status: int, body: bytes, kind: str = "text/html", **headers: str) -> Handler:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_an_answer_has_status_body_and_the_headers_that_matter(
    serve: Callable[[Handler], int],
) -> None:
    port = serve(page(302, b"moved", Location="/x", Etag="1"))
    answer = get(Probe("http", "user", 8000, "/"), port)
    assert (answer.status, answer.body, answer.error) == (302, b"moved", "")
    assert answer.headers == (("content-type", "text/html"), ("location", "/x"))


def test_a_service_is_asked_by_the_name_that_it_has_inside(serve: Callable[[Handler], int]) -> None:
    port = serve(lambda handler: page(200, handler.headers["Host"].encode())(handler))
    assert get(Probe("http", "user", 8000, "/"), port).body == b"localhost:8000"


def test_a_large_answer_is_cut(serve: Callable[[Handler], int]) -> None:
    answer = get(Probe("http", "user", 8000, "/"), serve(page(200, b"x" * (MOST_BODY + 5))))
    assert (len(answer.body), answer.cut) == (MOST_BODY, True)


def test_an_endless_answer_ends_for_us(
    serve: Callable[[Handler], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgopt.run.probes._BODY_SECONDS", 1.0)

    def forever(handler: BaseHTTPRequestHandler) -> None:
        page(200, b"data: 1\n\n", "text/plain")(handler)
        time.sleep(5)

    started = time.monotonic()
    answer = get(Probe("http", "user", 8000, "/"), serve(forever))
    assert (answer.status, answer.body, answer.cut) == (200, b"data: 1\n\n", True)
    assert time.monotonic() - started < 4


def test_a_port_that_nobody_listens_on_is_an_answer_too() -> None:
    answer = get(Probe("http", "user", 8000, "/"), 1)
    assert answer.status is None
    assert "refused" in answer.error


class Silent(BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(1000)
        time.sleep(3)


class Greeting(BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"220 hello\r\n")
        self.request.recv(1000)


@pytest.mark.parametrize("handler", [Silent, Greeting])
def test_a_port_that_speaks_something_else_is_only_connected_to(
    handler: type[BaseRequestHandler],
) -> None:
    with ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer = speaks(25, "/", server.server_address[1], 1.0)
        server.shutdown()
    assert (answer.probe.kind, answer.status, answer.probe.name) == ("tcp", 0, "connect :25")


def test_a_service_that_is_slow_to_answer_is_not_asked_in_another_protocol() -> None:
    """Its log would tell of a handshake that it does not understand, and only where the machine is
    slow."""
    said: list[bytes] = []

    class Slow(BaseRequestHandler):
        def handle(self) -> None:
            said.append(self.request.recv(1000)[:3])
            time.sleep(1)

    with ThreadingTCPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer = speaks(8080, "/", server.server_address[1], 0.2)
        server.shutdown()
    assert answer.probe.kind == "tcp"
    assert b"\x16\x03\x01" not in said
    assert b"GET" in said


def test_a_closed_port_takes_no_connection() -> None:
    assert connect_to(Probe("tcp", "found", 25), 1).status is None


def paths(body: str, kind: str = "text/html", **headers: str) -> list[str]:
    given = (("content-type", kind), *headers.items())
    probes = found_probes(Answer(Probe("http", "found", 8000, "/"), 200, given, body.encode()))
    return [probe.path for probe in probes]


def test_links_of_the_same_origin_are_asked_and_no_others() -> None:
    found = paths(
        "<a href='/a?b=1#c'>x</a><img src=img/p.png><a href='http://example.com/no'><a href='//other/no'>"
        "<a href='http://localhost:8000/own'><a href='mailto:a@b'><a href='javascript:x'><a href='/ünï'><a href='/a b'>"
    )
    assert found[:4] == ["/", "/a?b=1", "/img/p.png", "/own"]
    assert not any(path.strip("/") == "no" or not path.isascii() or " " in path for path in found)


def test_links_that_could_end_something_are_not_followed() -> None:
    assert not {"/logout", "/items/1/delete", "/Sign-Out"} & set(
        paths("<a href=/logout><a href=/items/1/delete><a href=/Sign-Out>")
    )


def test_a_redirect_is_a_link() -> None:
    assert "/en/" in paths("", "text/plain", location="/en/")


def test_a_page_of_a_thousand_links_is_bounded() -> None:
    assert len(paths("".join(f"<a href=/{n}>" for n in range(1000)))) < 40


@pytest.mark.parametrize(
    "body", ["<![if foo]><a href=/x>", "<a href='http://[::1'>", "<" * 5000, "<a href=/x\x00>"]
)
def test_damaged_pages_are_survived(body: str) -> None:
    assert "/" in paths(body)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python -m app --check", ("python", "-m", "app", "--check")),
        ("echo 'a b'", ("echo", "a b")),
        ("cd /x && ls", ("/bin/sh", "-c", "cd /x && ls")),
        ("echo $HOME", ("/bin/sh", "-c", "echo $HOME")),
        ("A=1 id", ("/bin/sh", "-c", "A=1 id")),
        ("echo 'open", ("/bin/sh", "-c", "echo 'open")),
    ],
)
def test_a_shell_is_asked_for_only_where_the_command_needs_one(
    command: str, words: tuple[str, ...]
) -> None:
    assert command_words(command) == words


def test_health_checks_in_all_their_forms() -> None:
    assert health_words(["CMD", "curl", "-f", "x"]) == ("curl", "-f", "x")
    assert health_words(["CMD-SHELL", "curl x || exit 1"]) == ("/bin/sh", "-c", "curl x || exit 1")
    assert health_words(["NONE"]) is health_words(None) is health_words([]) is None


@pytest.mark.parametrize(
    ("setting", "request_"),
    [
        ("/", HttpRequest("/", None, None)),
        ("/health=ok", HttpRequest("/health", "ok", None)),
        ("/a=b=c", HttpRequest("/a", "b=c", None)),
        ("/a?b=c", HttpRequest("/a?b=c", None, None)),
        ("/a?b=c==found it", HttpRequest("/a?b=c", "found it", None)),
        (":9090/metrics=go_", HttpRequest("/metrics", "go_", 9090)),
    ],
)
def test_http_settings(setting: str, request_: HttpRequest) -> None:
    assert read_http(setting) == request_


@pytest.mark.parametrize("setting", ["health", "", ":x/a", ":99999/a", ":80"])
def test_http_settings_that_mean_nothing_are_refused(setting: str) -> None:
    with pytest.raises(InputError):
        read_http(setting)


def test_an_environment_file_lies_under_the_variables_given_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "env").write_text('# c\n\nA=1\nB="q x"\nC=a=b\n')
    settings = SmokeSettings(env={"A": "2"}, env_file=tmp_path / "env")
    assert settings.environment() == {"A": "2", "B": '"q x"', "C": "a=b"}


def test_a_damaged_environment_file_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=1\nno name=1\n")
    with pytest.raises(InputError) as caught:
        SmokeSettings(env_file=tmp_path / "env").environment()
    assert caught.value.location is not None
    assert caught.value.location.line == 2


TABLE = """\
   0: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0B00007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3 1
   3: 020011AC:1F40 010011AC:C001 01 00000000:00000000 00:00000000 00000000     0        0 4 1
   4: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0
   5: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0
"""


def test_listening_ports_are_read_and_the_engines_name_server_is_not_one() -> None:
    assert sorted(parse_table(TABLE.splitlines())) == [
        Listener(80, False),
        Listener(5432, True),
        Listener(8000, False),
        Listener(8080, True),
    ]


@pytest.mark.parametrize(
    ("log", "word"),
    [
        ("KeyError: 'DATABASE_URL'", "DATABASE_URL"),
        ("KeyError: 'TOKEN'", "TOKEN"),
        ("Error: Missing required environment variable: API_KEY", "API_KEY"),
        ("SECRET_KEY must not be empty", "SECRET_KEY"),
        ("panic: JWT_SECRET is not set", "JWT_SECRET"),
        ("You must set REDIS_URL before starting", "REDIS_URL"),
        ("environment variable PORT not found", "PORT"),
        ('could not translate host name "db" to address', "db"),
        ("Error: getaddrinfo ENOTFOUND redis", "redis"),
        ("connect ECONNREFUSED 127.0.0.1:5432", "127.0.0.1:5432"),
        ("dial tcp: lookup postgres on 127.0.0.11:53: no such host", "postgres"),
        ("dial tcp 172.17.0.1:6379: connect: connection refused", "172.17.0.1:6379"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/run/secrets/key'",
            "/run/secrets/key",
        ),
    ],
)
def test_a_failed_start_names_the_setting_that_would_help(log: str, word: str) -> None:
    [first, *_] = hints(f"starting\n{log}\n", code=1, listens=False)
    assert word in first
    assert "--env" in first or "mounts" in first


@pytest.mark.parametrize(
    ("words", "environment", "unset"),
    [
        (["/bin/sh", "-c", "gunicorn --bind :$PORT main:app"], [], ("PORT",)),
        (["sh", "-c", "exec serve ${PORT} ${HOST}"], ["HOST"], ("PORT",)),
        (["/bin/sh", "-c", "serve ${PORT:-80} $HOME $1"], [], ()),
        (["/bin/sh", "-c", "PORT=80 serve $PORT"], [], ()),
        (["/bin/sh", "-c", "serve \\$PORT"], [], ()),
        (["gunicorn", "--bind", ":$PORT"], [], ()),  # no shell: the program gets the text
        ([], [], ()),
    ],
)
def test_variables_of_the_start_that_nobody_sets(
    words: list[str], environment: list[str], unset: tuple[str, ...]
) -> None:
    assert unset_in_start(words, environment) == unset


def test_a_variable_of_the_start_is_told_first_and_once() -> None:
    said = hints("Error: '' is no port\nPORT is not set\n", code=1, listens=False, unset=("PORT",))
    assert said[0].startswith("the start uses $PORT")
    assert sum("PORT" in one for one in said) == 1


def test_an_ordinary_log_gives_no_hint() -> None:
    assert hints("INFO Listening on HTTP_PORT 8000\nINFO GET / 200\n", code=1, listens=True) == ()


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("unable to find user web: no matching entries in passwd file", "USER names web"),
        (
            'unable to start container process: exec: "/x": permission denied: unknown',
            "which the image may not execute",
        ),
        (
            'exec: "run": executable file not found in $PATH: unknown',
            "the start names run, which the image has not",
        ),
        (
            'exec: "/a": stat /a: no such file or directory: unknown',
            "the start names /a, which the image has not",
        ),
    ],
)
def test_what_the_engine_cannot_start_is_said_in_plain_words(log: str, said: str) -> None:
    [first, *_] = hints(f"{log}\n", code=None, listens=True)
    assert said in first
