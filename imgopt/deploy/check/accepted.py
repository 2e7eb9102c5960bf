"""Findings that a project takes knowingly: a comment on the line, or on the one above, with a
reason.

    replicas: 1  # imgopt: ignore D22 because the queue must have one reader

Above the first line of an object, of a service or of the file's documents, it holds for all of it.
"""

from __future__ import annotations

import re
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
    for one in findings:
        word = next((word for word in words if _accepts(word, one, spans)), None)
        if word is None:
            left.append(one)
        else:
            used.add(word)
            taken.append(Accepted(finding=one, because=word.because, line=word.line))
    left += [_about(word) for word in words if word not in used]
    return left, taken


def _accepts(word: Word, one: DeployFinding, spans: Sequence[Span]) -> bool:
    if one.id not in word.ids or one.file != word.file or one.line is None:
        return False
    if one.line == word.line or (word.alone and one.line == word.line + 1):
        return True
    return word.alone and any(
        span.file == word.file and span.first == word.line + 1 and one.line <= span.last
        and one.line >= span.first
        for span in spans
    )  # fmt: skip


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
