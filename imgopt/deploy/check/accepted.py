"""Findings that a project takes knowingly: a comment on the line, or on the one above, with a
reason.

    replicas: 1  # imgopt: ignore D22 because the queue must have one reader

Above the first line of an object, of a service or of the file's documents, it holds for all of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgopt.results.deploy import Accepted, DeployFinding

_SAID = re.compile(r"#\s*imgopt:\s*ignore\b(.*)$")
_WHOLE = re.compile(r"\s*([A-Z]\d+(?:[\s,]+[A-Z]\d+)*)\s+because\s+(\S.*)")
_ID = re.compile(r"[A-Z]\d+")
NO_REASON = "D0"


@dataclass(frozen=True, slots=True)
class Word:
    """One such comment. `alone`: nothing else stands on its line."""

    file: str
    line: int
    ids: tuple[str, ...]
    because: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The lines of an object, for a comment above it."""

    file: str
    first: int
    last: int


def words_of(texts: Mapping[str, str]) -> list[Word]:
    found = []
    for file, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            match = _SAID.search(line)
            if match is not None:
                whole = _WHOLE.match(match[1])
                ids = tuple(_ID.findall(whole[1])) if whole else ()
                because = whole[2].strip() if whole else ""
                alone = line[: match.start()].strip() == ""
                found.append(Word(file, number, ids, because, alone))
    return found


def sorted_out(
    findings: Sequence[DeployFinding], words: Sequence[Word], spans: Sequence[Span]
) -> tuple[list[DeployFinding], list[Accepted]]:
    """Those that stay, and those that are accepted. A comment without a reason accepts nothing, and
    is found itself; so is one that nothing is found for any more."""
    left: list[DeployFinding] = []
    taken: list[Accepted] = []
    used: set[Word] = set()
    by_line = _Words(words, spans)
    for one in findings:
        word = by_line.for_(one)
        if word is None:
            left.append(one)
        else:
            used.add(word)
            taken.append(Accepted(finding=one, because=word.because, line=word.line))
    left += [_about(word) for word in words if word not in used]
    return left, taken


class _Words:
    """Comments by where they stand, and by the object that they stand above."""

    def __init__(self, words: Sequence[Word], spans: Sequence[Span]) -> None:
        self._at = {(word.file, word.line): word for word in words}
        self._spans: dict[str, list[Span]] = {}
        for span in sorted(spans, key=lambda span: span.first):
            self._spans.setdefault(span.file, []).append(span)

    def for_(self, one: DeployFinding) -> Word | None:
        if one.line is None:
            return None
        for line, above in ((one.line, False), (one.line - 1, True), (self._top(one), True)):
            word = self._at.get((one.file, line))
            if word is not None and one.id in word.ids and (word.alone or not above):
                return word
        return None

    def _top(self, one: DeployFinding) -> int:
        """The line above the object that it is about; 0 for none."""
        line, spans = one.line or 0, self._spans.get(one.file, [])
        at = bisect_right(spans, line, key=lambda span: span.first) - 1
        return spans[at].first - 1 if at >= 0 and line <= spans[at].last else 0


def _about(word: Word) -> DeployFinding:
    if not word.because:
        message = "a comment that accepts a finding has to name it and say why"
        fix = "# imgopt: ignore D22 because REASON"
    else:
        message = f"nothing is found here that {', '.join(word.ids)} would accept"
        fix = "strike the comment"
    return DeployFinding(
        id=NO_REASON,
        level="note" if word.because else "warning",
        message=message,
        file=word.file,
        line=word.line,
        evidence="the comment",
        fix=fix,
    )
