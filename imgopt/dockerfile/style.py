"""How the author writes, so that what we add looks like theirs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imgopt.dockerfile.model import Dockerfile
from imgopt.dockerfile.syntax import Blank

_INDENT = re.compile(r"\n([ \t]+)(?=[^\s#])")
_FIRST = re.compile(r"\n[ \t]*(?:&&|\|\|)")
_LAST = re.compile(r"(?:&&|\|\|)[ \t]*[\\`][ \t]*\r?\n")


@dataclass(frozen=True, slots=True)
class Style:
    """`upper`: keywords in capitals. `indent`: of continued lines. `operator_first`: `&&` begins a
    line, not ends it. `spaced`: empty lines stand between instructions."""

    eol: str = "\n"
    escape: str = "\\"
    upper: bool = True
    indent: str = "    "
    operator_first: bool = True
    spaced: bool = False

    @classmethod
    def of(cls, dockerfile: Dockerfile) -> Style:
        """What most of the file does; the defaults where it does not show."""
        continued = [
            item
            for item in dockerfile.instructions
            if item.end_line > item.line and not item.heredocs
        ]
        text = "".join("\n" + item.source.replace("\r\n", "\n") for item in continued)
        indents = Counter(_INDENT.findall(text))
        lower = sum(
            dockerfile.text[slice(*item.keyword_span)].islower() for item in dockerfile.instructions
        )
        blanks = sum(isinstance(node, Blank) for node in dockerfile.nodes)
        return cls(
            dockerfile.eol,
            dockerfile.escape,
            lower * 2 <= len(dockerfile.instructions),
            indents.most_common(1)[0][0] if indents else "    ",
            len(_FIRST.findall(text)) >= len(_LAST.findall(text)),
            blanks * 2 > len(dockerfile.instructions),
        )

    def keyword(self, word: str) -> str:
        return word.upper() if self.upper else word.lower()

    def instruction(self, keyword: str, arguments: str, flags: Iterable[str] = ()) -> str:
        """One instruction on one line, without a line end. `flags` are whole: `--from=build`."""
        return " ".join([self.keyword(keyword), *flags, arguments])

    def chain(self, commands: Sequence[str], operator: str = "&&") -> str:
        """Shell commands joined over several lines: `a \\` / `    && b`."""
        join = f" {self.escape}{self.eol}{self.indent}{operator} "
        if not self.operator_first or operator == ";":
            gap = "" if operator == ";" else " "
            join = f"{gap}{operator} {self.escape}{self.eol}{self.indent}"
        return join.join(commands)

    def wrapped(self, words: Sequence[str]) -> str:
        """Words of one command, each on its own continued line."""
        return f" {self.escape}{self.eol}{self.indent}".join(words)

    def lines(self, text: str) -> str:
        """`text` with the file's line ends, the last line ended too."""
        bare = text.replace("\r\n", "\n").rstrip("\n")
        return bare.replace("\n", self.eol) + self.eol
