"""Requests from files of other tools: what each becomes, and what is refused, with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgopt.errors import InputError
from imgopt.requests.files import read_requests
from imgopt.requests.request import FORM, JSON, Request

HTTP = """\
@host = http://localhost:8000
@user = ada

### Login
# @name login
POST {{host}}/login HTTP/1.1
Content-Type: application/json

{"user": "{{user}}"}

###
# a note
POST {{host}}/notes
    ?list=1
    &more=2
Authorization: Bearer {{login.response.body.$.token}}
Content-Type: application/x-www-form-urlencoded

text=hello
&mood=good

### a value kept by a script, and one that is drawn anew each time
PUT localhost:8000/notes/1
Content-Type: application/json

< ./note.json

> {%
  client.global.set("note", response.body.id);
  client.test("ok", function () { client.assert(response.status === 200) });
%}

###
DELETE {{baseUrl}}/notes/{{note}}?at={{$timestamp}}
"""


def test_an_http_file(tmp_path: Path) -> None:
    (tmp_path / "note.json").write_text('{"text": "x"}')
    file = tmp_path / "a.http"
    file.write_text(HTTP)
    login, note, change, gone = read_requests(file)
    assert login == Request(
        "POST",
        "/login",
        8000,
        (("Content-Type", JSON),),
        b'{"user": "ada"}',
        saves=(("login.response.body.$.token", "json:$.token"),),
    )
    assert (note.method, note.path) == ("POST", "/notes?list=1&more=2")
    assert note.headers[0] == ("Authorization", "Bearer {{login.response.body.$.token}}")
    assert note.body == b"text=hello&mood=good"
    assert (change.body, change.saves) == (b'{"text": "x"}', (("note", "json:id"),))
    assert (gone.method, gone.path, gone.port) == ("DELETE", "/notes/{{note}}?at=1704164645", None)


POSTMAN = {
    "info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
    "variable": [{"key": "user", "value": "ada"}],
    "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]},
    "item": [
        {
            "name": "login",
            "event": [
                {
                    "listen": "test",
                    "script": {
                        "exec": [
                            "// the token",
                            'pm.environment.set("token", pm.response.json().access.token);',
                            "pm.response.to.have.status(201);",
                        ]
                    },
                }
            ],
            "request": {
                "method": "POST",
                "auth": {"type": "noauth"},
                "url": {"raw": "{{baseUrl}}/login?x=1"},
                "body": {"mode": "raw", "raw": '{"user": "{{user}}"}'},
            },
        },
        {
            "name": "a folder",
            "item": [
                {
                    "request": {
                        "method": "POST",
                        "header": [{"key": "X-A", "value": "b"}, {"key": "X-B", "disabled": True}],
                        "url": "http://localhost:3000/notes/:id",
                        "body": {
                            "mode": "urlencoded",
                            "urlencoded": [{"key": "text", "value": "hello you"}],
                        },
                    }
                }
            ],
        },
    ],
}


def test_a_postman_collection(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(json.dumps(POSTMAN, indent=1))
    login, note = read_requests(file)
    assert login == Request(
        "POST",
        "/login?x=1",
        None,
        (("Content-Type", JSON),),
        b'{"user": "ada"}',
        201,
        saves=(("token", "json:access.token"),),
    )
    assert note.headers == (
        ("Content-Type", FORM),
        ("X-A", "b"),
        ("Authorization", "Bearer {{token}}"),
    )
    assert (note.path, note.port, note.body) == ("/notes/1", 3000, b"text=hello+you")


def test_a_har_is_what_was_sent_to_the_service_without_what_the_browser_adds(
    tmp_path: Path,
) -> None:
    def entry(method: str, url: str, **more: object) -> dict[str, object]:
        headers = [{"name": "Cookie", "value": "a=b"}, {"name": "X-A", "value": "1"}]
        return {"request": {"method": method, "url": url, "headers": headers, **more}}

    sent = {"mimeType": FORM, "params": [{"name": "text", "value": "a b"}]}
    entries = [
        entry("GET", "http://localhost:8000/"),
        entry("GET", "https://stats.example.com/x"),
        entry("POST", "http://localhost:8000/notes?a=1", postData=sent),
    ]
    file = tmp_path / "a.har"
    file.write_text(json.dumps({"log": {"entries": entries}}))
    assert read_requests(file) == (
        Request("GET", "/", None, (("X-A", "1"),)),
        Request("POST", "/notes?a=1", None, (("X-A", "1"), ("Content-Type", FORM)), b"text=a+b"),
    )


OPENAPI = """\
openapi: 3.0.3
servers: [{url: https://api.example.com/v1}]
paths:
  /notes:
    get: {}
    post:
      requestBody:
        content:
          application/json:
            schema: {type: object, properties: {text: {type: string}, day: {type: string, format: date}}}
  /notes/{id}:
    delete: {parameters: [{name: id, in: path, schema: {type: integer}}]}
"""


def test_an_openapi_description_in_yaml(tmp_path: Path) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(OPENAPI)
    got, posted, gone = read_requests(file)
    assert (got.method, got.path) == ("GET", "/v1/notes")
    assert posted.body == b'{"text": "imgopt", "day": "2024-01-02"}'
    assert (gone.method, gone.path) == ("DELETE", "/v1/notes/{{made v1-notes id=1}}")


def test_a_folder_of_bruno_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "local.bru").write_text("vars {\n  user: ada\n}\n")
    (tmp_path / "z.bru").write_text(
        "meta {\n  name: login\n  seq: 1\n}\n\npost {\n  url: {{host}}/login\n  body: json\n  auth: none\n}\n\n"
        'body:json {\n  {\n    "user": "{{user}}"\n  }\n}\n\nvars:post-response {\n  token: res.body.token\n}\n'
        "assert {\n  res.status: eq 200\n}\n"
    )
    (tmp_path / "a.bru").write_text(
        "meta {\n  name: note\n  seq: 2\n}\nput {\n  url: http://localhost:8000/notes\n  body: formUrlEncoded\n"
        "  auth: bearer\n}\nauth:bearer {\n  token: {{token}}\n}\nbody:form-urlencoded {\n  text: hi\n  ~off: 1\n}\n"
    )
    login, note = read_requests(tmp_path)
    assert json.loads(login.body) == {"user": "ada"}
    assert (login.path, login.status, login.saves) == ("/login", 200, (("token", "json:token"),))
    assert (note.method, note.path, note.body) == ("PUT", "/notes", b"text=hi")
    assert note.headers == (("Content-Type", FORM), ("Authorization", "Bearer {{token}}"))


def postman(script: str) -> str:
    event = {"listen": "prerequest", "script": {"exec": ["", script]}}
    return json.dumps({"item": [{"event": [event], "request": {"url": "/"}}]}, indent=1)


REFUSED = {
    "a method that is not asked": ("a.http", "\nGRPC localhost/x\n", 2, "GRPC"),
    "a header that is none": ("a.http", "POST /x\nno header\n", 2, "no header"),
    "a value that nobody gives": ("a.http", "### \nPOST /x\n\n{{who}}\n", 2, "{{who}}"),
    "a script that is more than a value": (
        "a.http",
        'GET /\n\n> {% client.global.set("a", hash(response.body)) %}\n',
        3,
        "client.global.set",
    ),
    "a file that is not there": ("a.http", "POST /x\n\n< none.json\n", 3, "none.json"),
    "a script in front of a request": (
        "a.json",
        postman("sign(pm.request)"),
        10,
        "sign(pm.request)",
    ),
    "a script of Bruno's": (
        "a.bru",
        "post {\n  url: /x\n}\nscript:pre-request {\n  sign()\n}\n",
        5,
        "sign()",
    ),
    "no JSON": ("a.json", '{\n"item": [}', 2, "JSON"),
    "another format": ("a.json", '{"a": 1}', None, "no format"),
    "an empty file": ("a.http", "# nothing\n", None, "no request"),
    "a Bruno file without a request": ("a.bru", "meta {\n}\n", None, "no request"),
    "no HAR": ("a.har", '{"log": {"entries": [{}]}}', None, "request"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_understood_is_refused_with_its_line(case: str, tmp_path: Path) -> None:
    name, text, line, says = REFUSED[case]
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        read_requests(tmp_path / name)
    assert caught.value.location is not None
    assert (caught.value.location.file, caught.value.location.line) == (str(tmp_path / name), line)
    assert says in caught.value.message
    assert caught.value.hint or line is None


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_requests(tmp_path / "none.http")
