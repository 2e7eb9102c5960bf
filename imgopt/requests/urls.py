"""What of a URL of a file is asked: path and query. The host is the container, whatever it says."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

_BASE = re.compile(r"^\{\{[^}]*\}\}(?=/|\?|$)")
_SAFE = "/%:@!$&'()*+,;=~{}[]? |"


def split_url(url: str) -> tuple[str, str, int | None]:
    """(host, path with query, port): `http://localhost:8000/x?y`, `{{baseUrl}}/x`, `localhost/x`,
    `/x`. The host is "" where it is not said."""
    rest = _BASE.sub("", url.strip(), count=1)
    if rest != url.strip():
        return "", _path(rest), None
    if "://" not in rest:
        rest = rest if rest.startswith("/") else f"http://{rest}"
    whole = urlsplit(rest)
    host = re.sub(r"\{\{[^}]*\}\}", "", whole.netloc.rpartition("@")[2])
    try:
        port = whole.port
    except ValueError:  # `localhost:{{port}}`
        port = None
    tail = whole.path + (f"?{whole.query}" if whole.query else "")
    return host.partition(":")[0].lower(), _path(tail), port


def _path(tail: str) -> str:
    if not tail.startswith("/"):
        tail = f"/{tail}"
    return quote(tail, safe=_SAFE).replace(" ", "%20")
