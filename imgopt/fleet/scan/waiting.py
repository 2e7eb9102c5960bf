"""When a registry is asked again: after what it says, else after a time that doubles."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
MOST_SECONDS = 900.0
"""A registry that wants a longer wait is taken for one that refuses."""
TRIES = 6
"""For one question; with the waits between them more than half a minute."""
AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers of a registry that may be better later."""


class Patience:
    """The waits for one question. `sleep` takes seconds."""

    def __init__(self, sleep: Callable[[float], object] = time.sleep) -> None:
        self._sleep, self._tried = sleep, 0

    def wait(self, headers: Mapping[str, str] | None = None) -> bool:
        """Waits; False where it is not worth another try."""
        self._tried += 1
        if self._tried >= TRIES:
            return False
        asked = retry_after(headers.get("Retry-After", "")) if headers is not None else None
        if asked is not None and asked > MOST_SECONDS:
            return False
        doubled = min(_FIRST_SECONDS * 2 ** (self._tried - 1), _LONGEST_SECONDS)
        self._sleep(doubled if asked is None else asked)
        return True


def retry_after(value: str, now: float | None = None) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); None where
    it says nothing that can be read.

    >>> retry_after("7"), retry_after("soon")
    (7.0, None)
    """
    if value.strip().isdigit() and len(value.strip()) < 10:
        return float(value)
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, moment - (time.time() if now is None else now))
