"""Progress of a scan on standard error: what is listed, what is read, and an honest rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from imgopt.report.common import safe_terminal, seconds_text
from imgopt.results.size_text import size_text

if TYPE_CHECKING:
    from imgopt.fleet.scan.scan import Progress

_EVERY = 30.0
"""Seconds between two lines where nobody watches a terminal."""


class ScanProgress:
    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("listing")
        self._said = time.monotonic()

    def __enter__(self) -> ScanProgress:
        self._status.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._status.stop()

    def tell(self, text: str) -> None:
        self._show(text)

    def watch(self, progress: Progress) -> None:
        rest = progress.rest_seconds(time.monotonic())
        left = f"about {seconds_text(rest)} left" if rest is not None else "rest not known yet"
        self._show(
            f"{progress.done_blobs} of {progress.blobs} blobs,"
            f" {size_text(progress.done_bytes)} of {size_text(progress.bytes)}; {left}"
        )

    def _show(self, text: str) -> None:
        self._status.update(Text(safe_terminal(text)))
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said >= _EVERY:
            self._said = now
            self._console.print(Text(safe_terminal(text), style="dim"))
