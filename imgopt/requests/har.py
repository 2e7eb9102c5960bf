"""HAR 1.2 (a browser's or a proxy's record): what was sent to the service, not to others."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from imgopt.errors import InputError, Location
from imgopt.requests.request import FORM, METHODS, Request
from imgopt.requests.schema import encoded
from imgopt.requests.urls import split_url

_OF_THE_BROWSER = re.compile(
    r":.*|sec-.*|host|connection|content-length|cookie|accept-encoding|user-agent|origin|referer"
    r"|dnt|pragma|cache-control|upgrade-insecure-requests|if-(?:none-match|modified-since)|priority"
    r"|te"
)


def read_har(value: Any, path: Path) -> tuple[Request, ...]:
    """Those to the host that was asked most; the others' are not the service's. Cookies are those
    that the container gives. Raises InputError for an entry that is none."""
    try:
        entries = [entry["request"] for entry in value["log"]["entries"]]
        sent = [(entry, *split_url(entry["url"])) for entry in entries]
        hosts = Counter((host, port) for _, host, _, port in sent)
        host = hosts.most_common(1)[0][0] if hosts else ("", None)
        return tuple(
            _request(entry, target)
            for entry, name, target, port in sent
            if (name, port) == host and entry["method"].upper() in METHODS
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"no HAR: an entry lacks {error}",
            location=Location(str(path)),
            hint="save it again from the browser's network tab (Save all as HAR)",
        ) from None


def _request(entry: Any, target: str) -> Request:
    headers = [
        (header["name"], header["value"])
        for header in entry.get("headers") or ()
        if not _OF_THE_BROWSER.fullmatch(header["name"].lower())
    ]
    post = entry.get("postData") or {}
    body = (post.get("text") or "").encode()
    if not body and post.get("params"):
        fields = {one["name"]: one.get("value", "imgopt") for one in post["params"]}
        files = frozenset(one["name"] for one in post["params"] if one.get("fileName"))
        kind, body = encoded(fields, post.get("mimeType") or FORM, files)
        headers = [pair for pair in headers if pair[0].lower() != "content-type"]
        headers.append(("Content-Type", kind))
    return Request(entry["method"].upper(), target, None, tuple(headers), body)
