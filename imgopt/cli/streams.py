"""Standard output and error that hold in every terminal: any encoding, a full disk, a reader that
had enough.

A character that the terminal's encoding lacks is written as something that it has. A write that
fails does not end the work at hand: what `--out` and `--write` promise is still done, and the
failure is said at the end, with exit code 3. A closed pipe (`| head`) is no failure.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import shutil
import sys
import textwrap
from contextlib import suppress
from typing import BinaryIO, TextIO, cast

HANDLER = "imgopt.shown"
_PLAIN = {
    "→": "->",
    "←": "<-",
    "…": "...",
    "·": "-",
    "–": "-",
    "—": "-",
    "≈": "~",
    "±": "+/-",
    "×": "x",
    "✓": "+",
    "✗": "x",
    "◀": "<",
    "█": "#",
    "▏": "|",
    "▎": "|",
    "▍": "|",
    "▌": "|",
    "▋": "#",
    "▊": "#",
    "▉": "#",
    "Δ": "delta",
    "▁": "_",
    "▂": "_",
    "▃": "_",
    "▄": "=",
    "▅": "=",
    "▆": "#",
    "▇": "#",
    "─": "-",
    "━": "-",
    "│": "|",
    "┃": "|",
    "╭": "+",
    "╮": "+",
    "╰": "+",
    "╯": "+",
    "├": "+",
    "┤": "+",
    "╸": "-",
    "╺": "-",
    "╶": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "•": "*",
    "\u00a0": " ",
    "−": "-",
}
_SPINNER = range(0x2800, 0x2900)


def _shown(error: UnicodeError) -> tuple[str, int]:
    """For codecs: what cannot be encoded in characters that every encoding has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as Python carries it
        return f"\\x{code - 0xDC00:02x}"
    if code in _SPINNER:
        return "*"
    return _PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode()


codecs.register_error(HANDLER, _shown)


class _Patient(io.RawIOBase):
    """Writes to a descriptor; the first failure is kept, and everything behind it is dropped."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        if self._descriptor is None:
            raise io.UnsupportedOperation("fileno")
        return self._descriptor

    def isatty(self) -> bool:
        return self._descriptor is not None and os.isatty(self._descriptor)

    def write(self, data: object, /) -> int:
        view = memoryview(cast("bytes", data))
        if self.failure is None:
            try:
                return self._write(view)
            except OSError as error:
                self.failure = error
        return len(view)

    def _write(self, view: memoryview) -> int:
        if self._descriptor is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return os.write(self._descriptor, view)


class Streams:
    """The process's own standard output and error, taken over until the end."""

    def __init__(self) -> None:
        self._out = _Patient(_descriptor(sys.stdout))
        sys.stdout = _text(self._out, sys.stdout)
        sys.stderr = _text(_Patient(_descriptor(sys.stderr)), sys.stderr)

    def finish(self, code: int) -> int:
        """Flushes; the exit code, which is 3 where what was asked for could not be written."""
        sys.stdout.flush()
        failure = self._out.failure
        if failure is not None and failure.errno not in (errno.EPIPE, errno.ECONNRESET):
            hint = "free some space, or write to another place: --output FORMAT:PATH"
            tell(f"standard output cannot be written: {failure.strerror}", hint)
            code = 3 if code in (0, 1) else code
        with suppress(OSError):
            sys.stderr.flush()
        return code


def _descriptor(stream: TextIO | None) -> int | None:
    """None for a stream that was closed before the start (`>&-`)."""
    return None if stream is None else stream.fileno()


def _text(raw: _Patient, old: TextIO | None) -> TextIO:
    size = io.DEFAULT_BUFFER_SIZE
    encoding = "utf-8" if old is None else old.encoding
    return io.TextIOWrapper(
        io.BufferedWriter(raw, size), encoding, HANDLER, line_buffering=raw.isatty()
    )


def tell(message: str, *more: str) -> None:
    """A message on standard error, and what belongs to it below: on a terminal its lines break
    between words."""
    from imgopt.report.common import safe_terminal

    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else 0
    for first, text in (("imgopt: ", message), *((" " * 8, line) for line in more)):
        for number, line in enumerate(text.splitlines() or [""]):
            start = " " * 8 if number else first
            shown = f"{start}{safe_terminal(line)}"
            print("\n".join(_folded(shown, width)) if width else shown, file=sys.stderr)


def _folded(line: str, width: int) -> list[str]:
    """Words stay whole; one that is longer than the line is left to the terminal, so that it can be
    copied."""
    indent = " " * min(8, width // 3)
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [line]


def write_document(text: str) -> None:
    """JSON, HTML, Markdown and the like to standard output: UTF-8 for files and pipes, whatever the
    terminal's is."""
    buffer = cast("BinaryIO | None", getattr(sys.stdout, "buffer", None))
    if buffer is None or sys.stdout.isatty():
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    buffer.write(text.encode("utf-8", HANDLER))
    buffer.flush()
