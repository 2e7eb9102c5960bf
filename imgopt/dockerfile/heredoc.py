"""Here-documents: `<<EOF`, `<<-EOF`, `<<'EOF'`, `3<<EOF`, several on a line.

Rules: moby/buildkit frontend/dockerfile/parser (heredocsFromLine, ParseHeredoc).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from imgopt.dockerfile.expand import ExpansionError, Lexer
from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.spans import Span

_HEREDOC = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)")
_TABS = re.compile(r"^\t+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One here-document. `content` is raw (tabs are still there when `chomp` is set), as is its
    `span` in the file.

    `expand` is False when part of the name was quoted. `terminator` is the span of the line that
    ends it, without its line end; both spans are None for a word that was only parsed and not read
    from a file.
    """

    name: str
    fd: int
    expand: bool
    chomp: bool
    content: str = ""
    span: Span | None = None
    terminator: Span | None = None

    @property
    def text(self) -> str:
        """The content as the command gets it: `<<-` drops leading tabs."""
        return _TABS.sub("", self.content) if self.chomp else self.content


def parse_heredoc(word: str) -> Heredoc | None:
    """The here-document that a word announces, None when it announces none. Raises Refused for an
    open quote."""
    found = _HEREDOC.fullmatch(word)
    if not found or not found.group(3):
        return None
    fd, dash, rest = found.groups()
    try:
        words = Lexer(rest, {}, skip_unset=True).run().words
        raw = Lexer(rest, {}, skip_unset=True, raw_quotes=True).run().words
    except ExpansionError as error:
        raise Refused(str(error), "close the quote in the name of the here-document") from None
    if len(words) != 1:
        return None
    if len(raw) != 1:
        raise Refused(f"internal lexing of heredoc produced inconsistent results: {rest}")
    return Heredoc(words[0], int(fd[-9:] or 0), _quotes(words[0]) == _quotes(raw[0]), dash == "-")


def heredocs_in(line: str) -> list[Heredoc]:
    """The here-documents that a whole logical line announces, in order. A line that cannot be lexed
    has none."""
    try:
        words = Lexer(line, {}, raw_quotes=True, raw_escapes=True, skip_unset=True).run().words
    except ExpansionError:
        return []
    found = (parse_heredoc(word) for word in words if "<<" in word)
    return [heredoc for heredoc in found if heredoc]


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')
