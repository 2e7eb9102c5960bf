"""Live progress of long work on stderr: the part at hand, its build step, and the time."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.text import Text

from imgopt.engine import BuildEvent
from imgopt.report.common import safe_terminal, seconds_text


class LiveProgress:
    """A spinner on a terminal, one line per part elsewhere; always on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("Connecting to the engine")
        self._stage, self._since = "", time.monotonic()

    def __enter__(self) -> LiveProgress:
        self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._finish()
        self._status.stop()

    def stage(self, text: str) -> None:
        self._finish()
        self._stage, self._since = text, time.monotonic()
        self._status.update(Text(safe_terminal(text)))
        if not self._console.is_terminal:
            self._console.print(Text(f"{safe_terminal(text)} ...", style="dim"))

    def say(self, text: str) -> None:
        """A line that stays."""
        self._finish()
        self._console.print(Text(f"imgopt: {safe_terminal(text)}"), soft_wrap=True)

    def build(self, event: BuildEvent) -> None:
        if event.kind == "started" and event.name:
            self._status.update(Text(f"{self._stage}: {safe_terminal(event.name)[:100]}"))

    def _finish(self) -> None:
        if self._stage:
            took = seconds_text(time.monotonic() - self._since)
            self._console.print(
                Text(f"{self._stage} ({took})" if self._console.is_terminal else f"  took {took}")
            )
        self._stage = ""
