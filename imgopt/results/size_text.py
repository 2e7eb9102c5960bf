"""Sizes as people read them."""

from __future__ import annotations

import humanize

NOT_MEASURED = "not measured"


def size_text(size: int | None) -> str:
    """Bytes with a decimal unit: "412.3 MB", "999 Bytes" as "999 B"; `None` is "not measured"."""
    if size is None:
        return NOT_MEASURED
    if abs(size) < 1000:
        return f"{size} B"
    return str(humanize.naturalsize(size, format="%.2f" if abs(size) >= 1e9 else "%.1f"))


def exact_size(size: int) -> str:
    """Bytes to the byte: "1,234,567 B"."""
    return f"{size:,} B"


def two_sizes(before: int | None, after: int | None) -> tuple[str, str]:
    """Both sizes as text; in bytes where rounding would make two different sizes look equal."""
    texts = size_text(before), size_text(after)
    if before is not None and after is not None and before != after and texts[0] == texts[1]:
        return exact_size(before), exact_size(after)
    return texts


def delta_text(before: int, after: int) -> str:
    """The signed difference in size: "-38.1 MB", "+12 B", "0 B"."""
    delta = after - before
    return f"+{size_text(delta)}" if delta > 0 else size_text(delta)
