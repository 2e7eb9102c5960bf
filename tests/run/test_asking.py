"""Requests that change something, asked of a small service of our own on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest
from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.write_routes import Writes
from imgopt.proof.example import CONFIG, LAYERS, SEEN
from imgopt.requests.request import JSON, Request
from imgopt.run.asking import MOST_WRITES, Later
from imgopt.run.comparison import compare
from imgopt.run.fanotify import untraced
from imgopt.run.memory import Memory
from imgopt.run.observation import Observation, RunPlan
from imgopt.run.own_data import why_not
from imgopt.run.probes import Answer, Probe, get
from imgopt.run.request_report import asked_of
from imgopt.run.settings import SmokeSettings

DESCRIPTION = {
    "openapi": "3.1.0",
    "paths": {
        "/notes": {
            "post": {
                "requestBody": {
                    "content": {
                        JSON: {
                            "schema": {"type": "object", "properties": {"text": {"type": "string"}}}
                        }
                    }
                }
            }
        },
        "/notes/{id}": {"delete": {}},
    },
}


class Shop:
    """Keeps notes under drawn numbers; `lost` makes it forget what it was given, `broken` answer
    with an error where it is sent one."""

    def __init__(self, start: int, *, lost: bool = False, broken: bool = False) -> None:
        self.ids, self.notes, self.log = count(start), dict[str, str](), list[str]()
        self.lost, self.broken = lost, broken

    def answer(self, request: BaseHTTPRequestHandler) -> tuple[int, str, str]:
        sent = request.rfile.read(int(request.headers["Content-Length"] or 0)).decode()
        self.log.append(f"{request.command} {request.path} {sent}".strip())
        if request.command == "GET":
            return self.page(request)
        if request.path == "/notes":
            if self.broken:
                return 500, JSON, '{"error": "No module named \'wave\'"}'
            number = str(next(self.ids))
            if not self.lost:
                self.notes[number] = sent
            return 201, JSON, json.dumps({"id": number, "count": len(self.notes) + self.lost})
        if request.path.startswith("/notes/"):
            gone = self.notes.pop(request.path[7:], None) is not None or self.lost
            return (204 if gone else 404), JSON, ""
        if request.path == "/form":
            good = f"key=k{request.headers['Cookie']}" in sent
            return (303 if good else 403), "text/html", "sent" if good else "forged"
        if request.path == "/plain":
            return (200 if sent == "text=imgopt" else 400), JSON, "{}"
        if request.path == "/strict":
            return 422, JSON, '{"error": "text is missing"}'
        return 404, "text/html", "none"

    def page(self, request: BaseHTTPRequestHandler) -> tuple[int, str, str]:
        if request.path == "/openapi.json":
            return 200, JSON, json.dumps(DESCRIPTION)
        if request.path == "/form":
            cookie = request.headers["Cookie"] or "s=7"
            return (
                200,
                "text/html",
                f"<form method=post><input type=hidden name=key value=k{cookie}></form>",
            )
        return 200, "text/plain", f"{len(self.notes)} notes"


@pytest.fixture
def serve() -> Iterator[Callable[[Shop], int]]:
    servers: list[ThreadingHTTPServer] = []

    def start(shop: Shop) -> int:
        class Service(BaseHTTPRequestHandler):
            def do(self) -> None:
                status, kind, body = shop.answer(self)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if self.path == "/form" and "Cookie" not in self.headers:
                    self.send_header("Set-Cookie", "s=7; Path=/; HttpOnly")
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

            def log_message(self, *_: object) -> None:
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Service))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1].server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def front(path: str = "/") -> Probe:
    return Probe("http", "found", 8000, path)


def run(
    port: int, writes: Writes | None = None, own: tuple[Request, ...] = (), *pages: str
) -> Observation:
    memory = Memory()
    before = [get(front(page), port) for page in ("/", *pages)]
    later = Later(lambda probe: get(probe, port, memory=memory), before[:1])
    if own:
        later.own(own)
    elif writes is not None:
        later.found(writes, before)
    later.again(before)
    return seen([*before, *later.answers], len(before))


def again(port: int, first: Observation) -> Observation:
    memory = Memory()
    at = first.plan.first or 0
    probes = first.plan.probes
    answers = [get(probe, port) for probe in probes[:at]]
    return seen([*answers, *(get(probe, port, memory=memory) for probe in probes[at:])], at)


def seen(answers: list[Answer], first: int) -> Observation:
    probes = tuple(answer.probe for answer in answers)
    plan = RunPlan((8000,), (8000,), probes, False, 1.0, first=first)
    return Observation("image", True, "it answers", plan, tuple(answers))


def route(method: str, path: str) -> Request:
    return Request(method, path, headers=(("Content-Type", JSON),), body=b"{}")


def test_a_description_is_asked_in_an_order_and_everything_is_read_again(
    serve: Callable[[Shop], int], view_of: Callable[..., ImageView]
) -> None:
    shop = Shop(40)
    first = run(serve(shop), Writes(), (), "/openapi.json")
    assert [answer.probe.name for answer in first.answers] == [
        "GET :8000/",
        "GET :8000/openapi.json",
        "POST :8000/notes",
        "DELETE :8000/notes/{id}",
        "GET :8000/ (again)",
        "GET :8000/openapi.json (again)",
    ]
    assert shop.log[2:4] == ['POST /notes {"text": "imgopt"}', "DELETE /notes/40"]
    line = asked_of([first], view_of(Recipe(LAYERS, CONFIG), 1)).line
    assert line == "asked: 4 GET, 1 POST, 1 DELETE"


def test_the_sources_that_a_run_did_not_read_are_named(view_of: Callable[..., ImageView]) -> None:
    view = view_of(Recipe(LAYERS, CONFIG), 1)
    asked = asked_of([SEEN], view)
    assert asked.reached == "reached: 1 of 2 source files"
    assert asked.unread == ["/app/export.py"]
    unknown = asked_of([replace(SEEN, trace=untraced("not here"))], view)
    assert (unknown.reached, unknown.unread) == ("", [])


def test_ids_that_are_drawn_anew_are_no_difference(serve: Callable[[Shop], int]) -> None:
    first = run(serve(Shop(40)), Writes(), (), "/openapi.json")
    second = again(serve(Shop(71)), first)
    third = Shop(86)
    assert compare([first, second], again(serve(third), first)) == ()
    assert third.log[-3] == "DELETE /notes/86"


def test_a_write_that_fails_is_told_as_who_sends_it_notices_it(
    serve: Callable[[Shop], int],
) -> None:
    first = run(serve(Shop(40)), Writes(), (), "/openapi.json")
    second = again(serve(Shop(71)), first)
    broken = compare([first, second], again(serve(Shop(1, broken=True)), first))
    assert "POST :8000/notes: status is 500" in str(broken[0])
    assert "who sends this gets an error" in str(broken[0])


def test_a_write_that_is_lost_is_seen_when_everything_is_read_again(
    serve: Callable[[Shop], int],
) -> None:
    own = (Request("POST", "/notes", headers=(("Content-Type", JSON),), body=b"{}"),)
    first = run(serve(Shop(40)), None, own)
    second = again(serve(Shop(71)), first)
    lost = compare([first, second], again(serve(Shop(1, lost=True)), first))
    assert [difference.probe for difference in lost] == ["GET :8000/ (again)"]
    assert "answers otherwise" in str(lost[0])


def test_a_hidden_field_and_a_cookie_are_taken_from_the_page(serve: Callable[[Shop], int]) -> None:
    first = run(serve(Shop(1)), Writes(), (), "/form")
    posted = next(answer for answer in first.answers if answer.probe.method == "POST")
    assert (posted.status, posted.body) == (303, b"sent")


def test_a_guess_that_misses_is_forgotten_and_an_error_of_a_handler_is_kept(
    serve: Callable[[Shop], int],
) -> None:
    guesses = Writes(
        routes=(route("POST", "/none"), route("POST", "/strict"), route("POST", "/stop"))
    )
    first = run(serve(Shop(1)), guesses)
    asked = [(a.probe.name, a.status) for a in first.answers if a.probe.changes]
    assert asked == [("POST :8000/strict", 422), ("POST :8000/strict (form)", 422)]


def test_a_route_that_takes_no_json_is_sent_a_form_of_the_same_fields(
    serve: Callable[[Shop], int],
) -> None:
    plain = replace(route("POST", "/plain"), body=b'{"text": "imgopt"}')
    first = run(serve(Shop(1)), Writes(routes=(plain,)))
    asked = [(a.probe.name, a.status) for a in first.answers if a.probe.changes]
    assert asked == [("POST :8000/plain", 400), ("POST :8000/plain (form)", 200)]


def test_what_takes_away_is_asked_last(serve: Callable[[Shop], int]) -> None:
    shop = Shop(1)
    run(serve(shop), Writes(routes=(Request("DELETE", "/notes/1"), route("POST", "/notes"))))
    assert [line for line in shop.log if "/notes" in line] == ["POST /notes {}", "DELETE /notes/1"]


def test_a_route_of_a_form_is_not_guessed_as_well(serve: Callable[[Shop], int]) -> None:
    first = run(serve(Shop(1)), Writes(routes=(route("POST", "/form"),)), (), "/form")
    assert [a.probe.name for a in first.answers if a.probe.changes] == ["POST :8000/form"]


def test_no_more_is_asked_than_some_seconds_take(serve: Callable[[Shop], int]) -> None:
    guesses = Writes(routes=tuple(route("POST", "/strict") for _ in range(3)))
    first = run(serve(Shop(1)), guesses)
    assert sum(answer.probe.changes for answer in first.answers) == 2  # each once
    many = Writes(described=tuple(Request("PUT", f"/notes/x{n}") for n in range(2 * MOST_WRITES)))
    first = run(serve(Shop(1)), many)
    assert sum(answer.probe.changes for answer in first.answers) == MOST_WRITES


def test_without_writes_nothing_is_read_again(serve: Callable[[Shop], int]) -> None:
    assert [a.probe.name for a in run(serve(Shop(1)), Writes()).answers] == ["GET :8000/"]


def test_the_users_own_requests_are_sent_in_order_with_values_of_earlier_answers(
    serve: Callable[[Shop], int],
) -> None:
    shop = Shop(7)
    own = (
        Request("POST", "/notes", body=b"one", saves=(("note", "json:id"),)),
        Request("POST", "/notes", body=b"{{note}}"),
        Request("DELETE", "/notes/{{note}}"),
        Request("GET", "/"),
    )
    first = run(serve(shop), None, own)
    assert shop.log[1:5] == ["POST /notes one", "POST /notes 7", "DELETE /notes/7", "GET /"]
    assert [a.probe.name for a in first.answers][1:5] == [
        "POST :8000/notes",
        "POST :8000/notes (2)",
        "DELETE :8000/notes/{note}",
        "GET :8000/ (later)",
    ]


OFF = {
    "it is turned off": (SmokeSettings(writes=False), "--no-writes"),
    "a network of the user's": (SmokeSettings(network="shop_default"), "shop_default"),
    "the host's own network": (SmokeSettings(network="host"), "host"),
    "a volume": (SmokeSettings(mounts=("data:/data",)), "data:/data"),
    "a socket": (SmokeSettings(mounts=("/var/run/docker.sock:/s",)), "docker.sock"),
    "a database elsewhere": (
        SmokeSettings(env={"DATABASE_URL": "postgres://u:p@10.0.0.5/shop"}),
        "DATABASE_URL",
    ),
    "a database by its name": (SmokeSettings(env={"URL": "mysql+pymysql://u@db:3306/x"}), "URL"),
    "a host alone": (SmokeSettings(env={"REDIS_HOST": "cache.internal"}), "REDIS_HOST"),
}
ON = {
    "nothing of the user's": SmokeSettings(),
    "a database in a file": SmokeSettings(env={"DATABASE_URL": "sqlite:////tmp/x.db"}),
    "a database of its own": SmokeSettings(env={"DATABASE_URL": "postgres://u@localhost/x"}),
    "where it listens": SmokeSettings(env={"HOST": "0.0.0.0", "PORT": "8000"}),
    "a volume that is only read": SmokeSettings(mounts=("data:/data:ro",)),
    "no network at all": SmokeSettings(network="none"),
}


@pytest.mark.parametrize("case", OFF)
def test_nothing_is_asked_that_could_change_something_of_the_users(case: str) -> None:
    settings, says = OFF[case]
    assert says in why_not(settings, settings.mounts)


@pytest.mark.parametrize("case", ON)
def test_what_goes_with_the_container_may_be_changed(case: str) -> None:
    assert why_not(ON[case], ON[case].mounts) == ""


def test_a_mount_that_was_copied_may_be_changed(tmp_path: Path) -> None:
    settings = SmokeSettings(mounts=(f"{tmp_path}:/data",))
    assert why_not(settings, ("/tmp/copy:/data",)) == ""


def test_cookies_are_kept_and_go() -> None:
    memory = Memory()
    for line in ("a=1; Path=/", "b=2", "a=; Max-Age=0"):
        message = Message()
        message["Set-Cookie"] = line
        memory.learn(80, (), message, b"")
    assert memory.cookie_header(80) == "b=2"
    assert memory.cookie_header(81) == ""


SOCKET_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def test_a_websocket_is_opened_and_its_first_message_read() -> None:
    from imgopt.run.probes import ask

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/live":
                return self.send_error(404)
            key = self.headers["Sec-WebSocket-Key"].encode() + SOCKET_KEY
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header(
                "Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key).digest()).decode()
            )
            self.end_headers()
            self.wfile.write(b"\x89\x00\x81\x05hello")
            self.close_connection = True
            return None

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = {"8000/tcp": server.server_address[1]}
    try:
        live = Probe("websocket", "found", 8000, "/live")
        answer = ask(live, None, ports)  # type: ignore[arg-type]
        assert (answer.status, answer.body, live.name) == (101, b"hello", "WebSocket :8000/live")
        none = ask(Probe("websocket", "found", 8000, "/x"), None, ports)  # type: ignore[arg-type]
        assert none.status == 404
    finally:
        server.shutdown()
        server.server_close()
