"""What takes longer than a second says on stderr what it is about; quick work says nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from imgopt.cli.streams import tell

PATIENCE = 1.0
"""Seconds that pass in silence."""


@contextmanager
def told_when_slow(what: str, patience: float = PATIENCE) -> Iterator[None]:
    """For work of one piece, which cannot say how far it is. `patience` is in seconds."""
    timer = threading.Timer(patience, tell, [f"{what} ..."])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
