"""Names that belong to one build: a day, a digest, a counter or a drawn id is in them. No file that
lives has one."""

from __future__ import annotations

import re

_DRAWN = re.compile(
    r"(?:tmp|[-_.])(?=[a-z0-9_]*\d)[a-z0-9_]{8}(?:[/.-]|$)|[0-9a-f]{16}"
    r"|/(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{21}(?:[/.]|$)"
    r"|[/.-](?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{8}\.(?:m?js|css)(?:\.(?:map|br|gz))*$"
)
"""Names as Python's tempfile and JavaScript's nanoid draw them (Next.js' build), and digests, those
of bundlers too."""
_STAMPED = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?!\d)|(?<!\d)1\d{9}(?:\d{3})?(?!\d)"
    r"|\.(?:count|pid|lock-\d+)$|/(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8}(?:[/.]|$)"
)
"""A day, seconds or milliseconds since 1970, a counter, a short digest by itself."""


def is_drawn(path: str) -> bool:
    """Whether a program drew the name of this path, or a part of it."""
    return _DRAWN.search(path) is not None


def is_of_one_build(path: str) -> bool:
    """Whether the name may be another one in the next build: drawn, or stamped with a time."""
    return is_drawn(path) or _STAMPED.search(path) is not None
