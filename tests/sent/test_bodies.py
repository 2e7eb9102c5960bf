"""Bodies made from schemas: always the same one, and one that the schema allows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from imgopt.requests.openapi import described
from imgopt.requests.request import FORM, filled, shown, taken
from imgopt.requests.schema import encoded, example

FITTING = {
    "an object": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
    },
    "a format": {"type": "string", "format": "date-time"},
    "an allowed value": {"enum": ["small", "large"]},
    "a constant": {"const": 7},
    "a list": {"type": "array", "items": {"type": "number"}, "minItems": 2},
    "bounds": {"type": "integer", "minimum": 18, "maximum": 99},
    "open bounds": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "steps": {"type": "integer", "minimum": 7, "multipleOf": 5},
    "a long text": {"type": "string", "minLength": 40},
    "a short text": {"type": "string", "maxLength": 2},
    "a pattern": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "one of several": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    "all of several": {
        "allOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
            {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
        ]
    },
    "a null or a text": {"type": ["null", "string"]},
    "a map": {"type": "object", "additionalProperties": {"type": "integer"}},
}


@pytest.mark.parametrize("case", FITTING)
def test_a_body_fits_its_schema(case: str) -> None:
    made = example(FITTING[case])
    Draft202012Validator(FITTING[case]).validate(made)
    assert made == example(FITTING[case])
    assert made is not None


def test_a_schema_that_leads_back_to_itself_has_an_end() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/n"}, "id": {"type": "integer"}}}
    assert example({"$ref": "#/n"}, {"n": node})["next"]["next"]["id"] == 1
    assert example({"$ref": "#/a"}, {"a": {"$ref": "#/a"}}) is not None


def test_what_is_only_read_is_not_sent() -> None:
    schema = {
        "type": "object",
        "properties": {"id": {"readOnly": True, "type": "integer"}, "a": {}},
    }
    assert example(schema) == {"a": "imgopt"}


WORDS = ["type", "items", "properties", "oneOf", "allOf", "$ref", "enum", "required", "pattern"]
WORDS += [
    "parameters",
    "requestBody",
    "content",
    "schema",
    "in",
    "name",
    "post",
    "paths",
    "minimum",
]
PLAIN = st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "array", "integer"])
ANY = st.recursive(
    PLAIN | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*WORDS, "/a"]), inner),
    max_leaves=20,
)


@given(ANY)
def test_no_schema_of_a_stranger_ends_us(schema: object) -> None:
    json.dumps(example(schema, schema))


@given(ANY, ANY)
def test_no_description_of_a_stranger_ends_us(path: object, operation: object) -> None:
    described({"openapi": "3.0.0", "paths": {"/x": path, "/y": {"post": operation}}})


def test_a_file_is_sent_as_one_that_a_handler_can_read() -> None:
    given = {"name": "a", "photo": "x", "data": "x"}
    kind, body = encoded(given, "multipart/form-data", frozenset({"photo", "data"}))
    assert kind.startswith("multipart/form-data; boundary=")
    assert b'name="photo"; filename="imgopt.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in body
    assert b'name="data"; filename="imgopt.txt"\r\nContent-Type: text/plain\r\n\r\nimgopt' in body
    assert b'name="name"\r\n\r\na\r\n' in body
    assert encoded({"a": ["1", "2"], "b": True}, FORM) == (FORM, b"a=1&a=2&b=true")


def test_swagger_2_with_form_fields_and_a_header_that_is_needed() -> None:
    document = {
        "swagger": "2.0",
        "basePath": "/v2",
        "paths": {
            "/pets": {
                "post": {
                    "parameters": [
                        {"name": "name", "in": "formData", "type": "string"},
                        {"name": "photo", "in": "formData", "type": "file"},
                        {"name": "X-Key", "in": "header", "required": True, "type": "string"},
                        {"name": "dry", "in": "query", "required": True, "type": "boolean"},
                    ]
                }
            }
        },
    }
    (request,) = described(document)
    assert (request.method, request.path) == ("POST", "/v2/pets?dry=true")
    assert request.headers[1] == ("X-Key", "imgopt")
    assert b'name="photo"; filename=' in request.body


def test_what_a_post_made_is_named_by_its_id_afterwards() -> None:
    paths = {
        "/notes/{note_id}": {"put": {}, "delete": {}},
        "/notes": {"post": {}},
        "/other/{id}": {"delete": {}},
    }
    made, changed, gone, other = described({"openapi": "3.1.0", "paths": paths})
    assert (made.method, changed.method, gone.method) == ("POST", "PUT", "DELETE")
    name = "made notes note_id"
    assert changed.path == gone.path == f"/notes/{{{{{name}=1}}}}"
    assert (name, "json:note_id") in made.saves
    assert other.path == "/other/1"
    assert filled(gone.path, {}) == "/notes/1"
    assert filled(gone.path, {name: "x-7"}) == "/notes/x-7"
    assert shown(gone.path) == "/notes/{note_id}"


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"openapi": "3"},
        {"openapi": "3", "paths": []},
        {
            "openapi": "3",
            "paths": {
                "/x": None,
                "/y": {"post": None},
                "/z": {"post": {"requestBody": {"content": {"application/json": None}}}},
            },
        },
    ],
)
def test_what_is_no_description_gives_no_wrong_request(document: object) -> None:
    assert all(request.path == "/z" for request in described(document))


TAKEN = {
    "json:a.b[0]": "x",
    "json:$.a.n": "3",
    "json:a.none": "",
    "header:X-Token": "t",
    "cookie:s": "c",
    "text:id=(\\d+)": "42",
}


@pytest.mark.parametrize("rule", TAKEN)
def test_a_value_is_taken_from_an_answer(rule: str) -> None:
    body = '{"a": {"b": ["x"], "n": 3}, "said": "id=42"}'
    assert taken(rule, {"x-token": "t"}, {"s": "c"}, body) == TAKEN[rule]


def test_a_value_is_taken_from_a_form() -> None:
    assert taken("input:csrf", {}, {}, '<form><input name=csrf value="a&amp;b"></form>') == "a&b"
