"""An instruction as it is written: where it is and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from imgopt.dockerfile.heredoc import Heredoc
from imgopt.dockerfile.problems import Problem, Refused
from imgopt.dockerfile.spans import Span
from imgopt.dockerfile.statement import Statement
from imgopt.dockerfile.typed import Located
from imgopt.dockerfile.words import Word, split_blanks, split_words
from imgopt.errors import Location

_JSON_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


class Flag(NamedTuple):
    """`--name=value` before the arguments; `value` is None without `=`."""

    name: str
    value: str | None
    span: Span


@dataclass(frozen=True, eq=False, slots=True)
class Written:
    """One instruction, without what it means.

    `keyword` is upper case; `line` and `end_line` count from 1; `span` runs from the first
    character of the keyword to the last character (here-documents included, the final line end
    not); `extent` is all of its lines, from the start of the first line to the end of the last,
    line end included. `comments` are the spans of the comment lines above it since the instruction
    before. `stage` is the index of its stage, -1 before the first FROM.
    """

    keyword: str
    line: int
    end_line: int
    span: Span
    extent: Span
    comments: tuple[Span, ...]
    statement: Statement = field(repr=False)
    heredocs: tuple[Heredoc, ...]
    name: str = field(repr=False)
    text: str = field(repr=False)
    escape: str = "\\"
    has_empty_continuation: bool = False
    stage: int = -1

    @property
    def value(self) -> str:
        """The arguments as BuildKit joins them: without flags, continuations and comments."""
        return self.statement.value

    @property
    def original(self) -> str:
        """The whole logical line, keyword and flags included."""
        return self.statement.logical.text[self.statement.begin :]

    @property
    def source(self) -> str:
        """The text of `span`."""
        return self.text[self.span.start : self.span.end]

    @property
    def keyword_span(self) -> Span:
        """The keyword as written; replace it with another word of the user's case."""
        begin = self.statement.begin
        return self.statement.logical.span(begin, begin + len(self.keyword))

    @property
    def value_span(self) -> Span:
        """From the first to the last character of the arguments, continuations between them
        included."""
        return self.statement.logical.span(self.statement.start, self.statement.end)

    def span_of(self, start: int, end: int) -> Span:
        """The file span of `value[start:end]`."""
        return self.statement.logical.span(self.statement.start + start, self.statement.start + end)

    def place_of(self, offset: int) -> int:
        """The file offset of `value[offset]`."""
        return self.statement.logical.place(self.statement.start + offset)

    @property
    def flags(self) -> tuple[Flag, ...]:
        logical = self.statement.logical
        return tuple(
            Flag(raw.name, raw.value, logical.span(raw.start, raw.end))
            for raw in self.statement.flags
        )

    def flag(self, name: str) -> Flag | None:
        return next((flag for flag in self.flags if flag.name == name), None)

    def locate(self, word: Word) -> Located:
        return Located(word.text, self.span_of(word.start, word.end))

    def words(self) -> list[Located]:
        """The arguments cut at blanks, or the strings of the JSON form. Raises Refused."""
        strings = self.statement.json
        if strings is None:
            return [self.locate(word) for word in split_blanks(self.value)] if self.value else []
        places = [found.span() for found in _JSON_STRING.finditer(self.value)]
        return [
            Located(text, self.span_of(*place))
            for text, place in zip(strings, places, strict=False)
        ]

    def quoted_words(self) -> list[Located]:
        """The arguments cut at blanks that are neither quoted nor escaped."""
        return [self.locate(word) for word in split_words(self.value, self.escape)]

    @property
    def trigger(self) -> Self | None:
        """What ONBUILD holds back, as an instruction with spans in the same file."""
        inner = self.statement.onbuild
        if inner is None:
            return None
        span = Span(self.statement.logical.place(inner.begin), self.span.end)
        return replace(self, keyword=inner.keyword, span=span, statement=inner)

    def locate_problem(self, refused: Refused) -> Problem:
        """Where in the file a refusal of this instruction is."""
        offset = self.span.start if refused.place is None else refused.place
        line = self.line + self.text.count("\n", self.extent.start, offset)
        column = offset - self.text.rfind("\n", 0, offset)
        return Problem(
            refused.message, Location(self.name, line, column), refused.hint, refused.phase
        )
