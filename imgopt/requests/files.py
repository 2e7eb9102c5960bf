"""Requests from a file of another tool: `.http`, a Postman collection, HAR, OpenAPI, Bruno.

What is sent is sent to the container alone, whatever host the file names. What is not understood is
refused with its line: half a script, read wrongly, would be another request.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from imgopt.errors import InputError, Location
from imgopt.requests.bruno import read_bruno, read_bruno_folder
from imgopt.requests.har import read_har
from imgopt.requests.http_file import read_http_file
from imgopt.requests.openapi import described, is_description
from imgopt.requests.postman import read_postman
from imgopt.requests.request import METHODS, Request
from imgopt.requests.text_formats import loaded

MOST_REQUESTS = 200
_LARGEST = 64 << 20
KNOWN = ".http, .rest, .har, .bru or a folder of them, a Postman collection, OpenAPI"


def read_requests(path: Path) -> tuple[Request, ...]:
    """In the order of the file. Raises InputError with file and line for what is not there or not
    understood, and for a file that names no request."""
    found = _read(path)
    if not found:
        raise InputError("no request is in it", location=Location(str(path)))
    if len(found) > MOST_REQUESTS:
        raise InputError(
            f"{len(found)} requests are more than the {MOST_REQUESTS} that are asked",
            location=Location(str(path)),
            hint="keep those that show another part of the service",
        )
    return found


def _read(path: Path) -> tuple[Request, ...]:
    if path.is_dir():
        return read_bruno_folder(path)
    text = _text(path)
    ending = path.suffix.lower()
    if ending in (".http", ".rest"):
        return read_http_file(text, path)
    if ending == ".bru":
        return read_bruno(text, path)
    value = _value(text, path)
    if isinstance(value, dict) and isinstance(value.get("log"), dict):
        return read_har(value, path)
    if isinstance(value, dict) and isinstance(value.get("item"), list):
        return read_postman(value, text, path)
    if is_description(value):
        return described(value, METHODS)
    raise InputError(
        "no format of requests that is known here", location=Location(str(path)), hint=KNOWN
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError("it is larger than 64 MB", location=Location(str(path)))
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", location=Location(str(path))) from None
    except UnicodeDecodeError:
        raise InputError("it is no UTF-8 text", location=Location(str(path)), hint=KNOWN) from None


def _value(text: str, path: Path) -> Any:
    if path.suffix.lower() in (".yaml", ".yml"):
        return loaded(text.encode())
    try:
        return json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        said = f"not valid JSON: {error}"
        raise InputError(said, location=Location(str(path), line), hint=KNOWN) from None
