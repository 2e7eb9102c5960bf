"""Lines to nodes: every character of a Dockerfile belongs to exactly one node.

Rules: moby/buildkit frontend/dockerfile/parser/parser.go. An instruction is its first line, its
continued lines (with the comments and empty lines among them) and the bodies of its here-documents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from imgopt.dockerfile.directives import Directive, DirectiveReader, check_escape, check_options
from imgopt.dockerfile.heredoc import Heredoc, heredocs_in
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.problems import Problem, Refused
from imgopt.dockerfile.spans import SPACES, Logical, Span
from imgopt.dockerfile.statement import Statement
from imgopt.errors import Location

_LONGEST_LINE = 65535
"""Bytes in a line without its line end; BuildKit's reader (Go's bufio.Scanner) takes no more."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment line between instructions, with its line end. `text` is what stands after the `#`,
    trimmed."""

    text: str
    span: Span
    line: int


@dataclass(frozen=True, slots=True)
class Blank:
    """An empty line between instructions, or the byte-order mark."""

    span: Span
    line: int


Node = Directive | Comment | Blank | Instruction


@dataclass(frozen=True, slots=True)
class Syntax:
    """What `read` found. The spans of `nodes` follow each other without gaps (for an instruction,
    its `extent`)."""

    nodes: tuple[Node, ...]
    escape: str
    problems: tuple[Problem, ...]


def read(text: str, name: str) -> Syntax:
    """Cuts `text` into nodes. Never raises: what BuildKit's line reader refuses is in
    `problems`."""
    return _Reader(text, name).run()


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._at = 0
        self._number = 0
        self._nodes: list[Node] = []
        self._comments: list[Comment] = []
        self._problems: list[Problem] = []
        self._escape = "\\"
        self._stage = -1
        self._directives = DirectiveReader()

    def run(self) -> Syntax:
        if self._text.startswith("\ufeff"):
            self._nodes.append(Blank(Span(0, 1), 1))
            self._at = 1
        size = len(self._text)
        first = True
        while self._at < size:
            start = self._at
            line = self._line()
            self._one(start, line, first)
            first = False
        if not any(isinstance(node, Instruction) for node in self._nodes):
            what = "file with no instructions" if size else "the Dockerfile cannot be empty"
            self._problem(what, max(self._number, 1), "start with FROM")
        return Syntax(tuple(self._nodes), self._escape, tuple(self._problems))

    def _line(self) -> str:
        """The next line without its line end."""
        end = self._text.find("\n", self._at)
        if end < 0:
            end = len(self._text)
        line = self._text[self._at : end]
        self._at = min(end + 1, len(self._text))
        self._number += 1
        if (
            len(line) > _LONGEST_LINE // 4
            and len(line.encode("utf-8", "surrogatepass")) > _LONGEST_LINE
        ):
            message = f"dockerfile line greater than max allowed size of {_LONGEST_LINE}"
            self._problem(message, self._number, "split the line with continuations")
        return line.rstrip("\r")

    def _problem(self, message: str, line: int, hint: str | None, column: int = 1) -> None:
        self._problems.append(Problem(message, Location(self._name, line, column), hint, phase=0))

    def _one(self, start: int, line: str, first: bool) -> None:
        """One node that begins with `line` at offset `start`."""
        bare = line.lstrip(SPACES)
        if not bare:
            self._directives.open = False
            self._nodes.append(Blank(Span(start, self._at), self._number))
        elif bare[0] == "#":
            self._hash(start, line, bare, first)
        else:
            self._directives.open = False
            self._instruction(start, start + len(line) - len(bare), bare)

    def _hash(self, start: int, line: str, bare: str, first: bool) -> None:
        span = Span(start, self._at)
        directive = self._directive(start + len(line) - len(bare), bare, span, first)
        if directive:
            self._nodes.append(directive)
            return
        comment = Comment(bare[1:].strip(SPACES), span, self._number)
        self._nodes.append(comment)
        self._comments.append(comment)

    def _directive(self, at: int, bare: str, span: Span, first: bool) -> Directive | None:
        if not self._directives.open or (first and bare.startswith("#!")):
            return None
        try:
            directive = self._directives.read(bare, at, span, self._number)
            if directive and directive.name == "escape" and not self._after_shebang():
                self._escape = check_escape(directive.value)
            elif directive and directive.name == "check" and directive.value.strip():
                check_options(directive.value)
            return directive
        except Refused as refused:
            self._problem(refused.message, self._number, refused.hint)
            return None

    def _after_shebang(self) -> bool:
        """BuildKit finds `syntax` and `check` below a `#!` line, but there `escape` has no
        effect."""
        return any(isinstance(node, Comment) for node in self._nodes)

    def _continued(self, line: str) -> str | None:
        """`line` without its continuation character; None when the instruction ends here."""
        bare = line.rstrip("\t ")
        if not bare.endswith(self._escape) or (len(bare) > 1 and bare[-2] == self._escape):
            return None
        return bare[:-1]

    def _instruction(self, start: int, keyword_at: int, bare: str) -> None:
        number = self._number
        logical, last, empty = self._join(keyword_at, bare)
        line_ends = [last]
        statement = Statement.read(logical)
        heredocs = self._heredocs(statement, number, line_ends)
        comments, self._comments = tuple(self._comments), []
        self._stage += statement.keyword == "FROM"
        end = line_ends[-1]
        self._nodes.append(
            Instruction(
                keyword=statement.keyword,
                line=number,
                end_line=self._number,
                span=Span(max(keyword_at, logical.place(statement.begin)), end),
                extent=Span(start, self._at),
                comments=tuple(comment.span for comment in comments),
                statement=statement,
                heredocs=heredocs,
                name=self._name,
                text=self._text,
                escape=self._escape,
                has_empty_continuation=empty,
                stage=self._stage,
            )
        )

    def _join(self, at: int, bare: str) -> tuple[Logical, int, bool]:
        """The logical line that begins with `bare` at offset `at`, the end of its last line, and
        whether a continued line was empty."""
        piece = self._continued(bare)
        end = at + len(bare.rstrip(SPACES))
        if piece is None:
            return Logical(bare, (0,), (at,)), end, False
        pieces, starts, places = [piece], [0], [at]
        size, empty = len(piece), False
        while piece is not None and self._at < len(self._text):
            at = self._at
            line = self._line()
            bare = line.lstrip(SPACES)
            if not bare:
                empty = True
                continue
            if bare[0] == "#":
                continue
            end = at + len(line.rstrip(SPACES))
            piece = self._continued(line)
            pieces.append(line if piece is None else piece)
            starts.append(size)
            places.append(at)
            size += len(pieces[-1])
        return Logical("".join(pieces), tuple(starts), tuple(places)), end, empty

    def _heredocs(
        self, statement: Statement, number: int, line_ends: list[int]
    ) -> tuple[Heredoc, ...]:
        if "<<" not in statement.logical.text:
            return ()
        try:
            if not statement.may_have_heredocs:
                return ()
            announced = heredocs_in(statement.logical.text)
        except Refused as refused:
            if "JSON" not in refused.message:  # that one is reported by the instruction itself
                self._problem(refused.message, number, refused.hint)
            return ()
        found = []
        for heredoc in announced:
            body = self._body(heredoc, line_ends)
            if body is None:
                self._problem(
                    "unterminated heredoc", number, f"a line with only {heredoc.name} must end it"
                )
                break
            found.append(body)
        return tuple(found)

    def _body(self, heredoc: Heredoc, line_ends: list[int]) -> Heredoc | None:
        begin = self._at
        while self._at < len(self._text):
            at = self._at
            line = self._line()
            line_ends.append(at + len(line))
            if (line.lstrip("\t") if heredoc.chomp else line) == heredoc.name:
                span, end = Span(begin, at), Span(at, at + len(line))
                return replace(heredoc, content=self._text[begin:at], span=span, terminator=end)
        return None
