"""/etc/mime.types: programs read it where it is there, and know common types without it.

It is missed where a file that a web server may serve has a type that this list alone knows. What
was served during the smoke run is compared there, header by header.
"""

from __future__ import annotations

import mimetypes
import posixpath
import re

from imgopt.inspect.files.application_files import application_files
from imgopt.inspect.image_view import ImageView

MEDIA_TYPES = "/etc/mime.types"
_SERVED = re.compile(
    r"/(?:static|staticfiles|public|assets|media|www|html|htdocs|uploads|downloads|files|images|img)/"
)
_JAVASCRIPT = ("text/javascript", "application/javascript")
"""One type under two names (RFC 9239, section 6)."""


def unknown_media_types(original: ImageView) -> set[str]:
    """Suffixes of files below folders with names as `static`, whose media type would be another
    without the list."""
    listed = _listed((original.read(MEDIA_TYPES) or b"").decode("utf-8", "replace"))
    built_in = mimetypes.MimeTypes(filenames=()).types_map[True]
    served = (node.path for node in application_files(original) if _SERVED.search(node.path))
    suffixes = {posixpath.splitext(path)[1].lower() for path in served} & listed.keys()
    return {
        s
        for s in suffixes
        if built_in.get(s) != listed[s] and not {built_in.get(s), listed[s]} <= {*_JAVASCRIPT}
    }


def _listed(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        kind, *suffixes = line.partition("#")[0].split() or [""]
        found.update({f".{suffix}": kind for suffix in suffixes})
    return found
