"""Requests from what a service answers: forms of its pages, and its GraphQL schema."""

from __future__ import annotations

import json

from imgopt.requests.forms import forms_of
from imgopt.requests.graphql import INTROSPECTION, introspection, operations
from imgopt.requests.request import FORM

PAGE = """
<form method="post" action="/notes">
  <input type=hidden name=csrf_token value=drawn-1><input name=title><input type=email name=mail>
  <select name=mood><option value=good><option value=bad selected></select>
  <textarea name=text></textarea><input type=checkbox name=public><input type=number name=stars min=2>
  <input type=submit name=go value=Go>
</form>
<form method=post enctype="multipart/form-data"><input type=file name=photo></form>
<form action="/search"><input name=q></form>
<form method=post action="https://pay.example.com/x"><input name=card></form>
"""


def test_a_form_is_sent_as_its_page_has_it_with_a_hidden_field_of_the_day() -> None:
    page, note, photo = forms_of(PAGE, "/new")
    assert (page.method, page.path) == ("GET", "/new")
    ((name, rule),) = page.saves
    assert rule == "input:csrf_token"
    assert (note.method, note.path, note.headers) == ("POST", "/notes", (("Content-Type", FORM),))
    fields = dict(pair.split("=", 1) for pair in note.body.decode().split("&"))
    assert fields == {
        "title": "imgopt",
        "mail": "someone%40example.org",
        "mood": "bad",
        "text": "imgopt",
        "public": "on",
        "stars": "2",
        "csrf_token": f"{{{{{name}}}}}",
    }
    assert photo.path == "/new"
    assert b'filename="imgopt.png"' in photo.body


def test_a_form_that_only_asks_or_leads_elsewhere_is_none() -> None:
    assert forms_of('<form action="/s"><input name=q></form>', "/") == ()
    assert forms_of('<form method=post action="//x.org/y"><input name=q></form>', "/") == ()


def kind(name: str, of: dict[str, object] | None = None) -> dict[str, object]:
    return {"kind": name if of else "SCALAR", "name": None if of else name, "ofType": of}


def test_graphql_is_asked_what_plain_values_are_enough_for() -> None:
    note = {"kind": "OBJECT", "name": "Note", "ofType": None}
    new = {"kind": "INPUT_OBJECT", "name": "New", "ofType": None}
    schema = {
        "queryType": {"name": "Query"},
        "mutationType": {"name": "Mutation"},
        "types": [
            {"kind": "SCALAR", "name": "String"},
            {"kind": "SCALAR", "name": "ID"},
            {
                "kind": "OBJECT",
                "name": "Query",
                "fields": [{"name": "notes", "args": [], "type": kind("LIST", note)}],
            },
            {
                "kind": "OBJECT",
                "name": "Mutation",
                "fields": [
                    {
                        "name": "add",
                        "args": [
                            {"name": "note", "type": kind("NON_NULL", new)},
                            {"name": "x", "type": kind("String")},
                        ],
                        "type": note,
                    }
                ],
            },
            {
                "kind": "OBJECT",
                "name": "Note",
                "fields": [{"name": "id", "args": [], "type": kind("ID")}],
            },
            {
                "kind": "INPUT_OBJECT",
                "name": "New",
                "inputFields": [{"name": "text", "type": kind("NON_NULL", kind("String"))}],
            },
        ],
    }
    asked = operations("/graphql", json.dumps({"data": {"__schema": schema}}).encode())
    assert [json.loads(one.body)["query"] for one in asked] == [
        "query{notes{__typename id}}",
        'mutation{add(note:{text:"imgopt"}){__typename id}}',
    ]
    assert json.loads(introspection("/graphql").body) == {"query": INTROSPECTION}
    assert INTROSPECTION.count("{") == INTROSPECTION.count("}")
    for damaged in (b"", b"{}", b'{"data": null}', b'{"data": {"__schema": {"types": [{}]}}}'):
        assert operations("/graphql", damaged) == ()
