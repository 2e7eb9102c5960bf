"""Places in a Dockerfile's text, and the logical line that a continued instruction is read as."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's `unicode.IsSpace` accepts; `str.isspace` also takes U+001C to U+001F, which BuildKit
keeps."""


class Span(NamedTuple):
    """Offsets in the source text, in characters: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Logical:
    """One instruction as BuildKit joins it: continuations, comments and empty lines inside are
    gone.

    `starts[i]` is the offset in `text` where a piece begins that lies at `places[i]` in the file.
    """

    text: str
    starts: tuple[int, ...]
    places: tuple[int, ...]

    def place(self, offset: int) -> int:
        """The file offset of the character at `offset`; the end of the text maps to just after its
        last character."""
        if len(self.starts) == 1:
            return self.places[0] + offset
        index = bisect_right(self.starts, offset) - 1
        return self.places[index] + offset - self.starts[index]

    def span(self, start: int, end: int) -> Span:
        """The file span of `text[start:end]`; it includes continuation characters that lie
        between."""
        if len(self.starts) == 1:  # most instructions are one line
            shift = self.places[0]
            return Span(start + shift, max(start, end) + shift)
        if end <= start:
            here = self.place(start)
            return Span(here, here)
        starts = self.starts
        index = bisect_right(starts, start) - 1
        shift = self.places[index] - starts[index]
        if index + 1 == len(starts) or end <= starts[index + 1]:
            return Span(start + shift, end + shift)
        return Span(start + shift, self.place(end - 1) + 1)
