"""What a project's own tests said of a service, and whether they say the same of another one.

Tests tell it in many words and in any order, with times in between: what counts is the exit code,
which tests fail, and how many passed, failed and were left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from imgopt.context.ecosystems import builtin_ecosystems

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TIME = re.compile(r"\s*[(\[]?\b\d+(?:\.\d+)?\s?(?:ms|s|sec|seconds)\b[)\]]?")
_WORDS = r"pass(?:ed|ing)?|fail(?:ed|ing|ures?)?|errors?|skipped|pending|ignored|tests?|examples?"
_COUNT = re.compile(rf"\b(?P<number>\d+) (?P<word>{_WORDS})\b", re.IGNORECASE)
_NAMED_COUNT = re.compile(
    rf"\b(?P<word>{_WORDS}|tests run)(?:: ?|=| )(?P<number>\d+)\b(?! (?:{_WORDS})\b)", re.IGNORECASE
)
_ALL = ("test", "tests", "tests run", "example", "examples")
_MOST_SAID = 200
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class OwnRun:
    """`code` None: they did not end in time, or had no service to ask (`output` says why then).
    `output` is what they wrote, `seconds` how long they took."""

    command: str
    code: int | None
    output: str = ""
    seconds: float = 0.0
    service: str = ""
    """What the service logged meanwhile."""

    @property
    def failed(self) -> Mapping[str, str]:
        """The tests that failed, by their names, each with its line."""
        return dict(_failed(self.output))

    @property
    def counts(self) -> Mapping[str, int]:
        """How many passed, failed, ..., in the words of the tests."""
        found: Counter[str] = Counter()
        for line in _lines(self.output):
            for match in (*_COUNT.finditer(line), *_NAMED_COUNT.finditer(line)):
                found[match["word"].lower()] += int(match["number"])
        return found

    @property
    def passes(self) -> bool:
        """Whether one of them is known to pass: all that fails says nothing of the service."""
        counts = self.counts
        some = sum(count for word, count in counts.items() if word.startswith("pass"))
        every = sum(counts.get(word, 0) for word in _ALL)
        if some or every > len(self.failed):
            return True
        return self.code == 0 and not counts

    @property
    def last(self) -> str:
        """The last line that they wrote."""
        lines = [line.strip() for line in _lines(self.output) if line.strip()]
        return lines[-1][:_MOST_SAID] if lines else "they wrote nothing"

    def __str__(self) -> str:
        """`pytest tests: exit code 1, 3 passed, 1 failed`."""
        said = [f"{count} {word}" for word, count in self.counts.items()]
        code = "did not end" if self.code is None else f"exit code {self.code}"
        return f"`{self.command}`: {', '.join([code, *said])}"


@dataclass(frozen=True, slots=True)
class Difference:
    """`test` is its name; "" for all of them together."""

    test: str
    says: str


def differences(originals: Sequence[OwnRun], candidate: OwnRun) -> tuple[Difference, ...]:
    """What the tests say of the candidate alone. A test that fails in one run of the original and
    not in the next tells nothing, nor does one that fails in all."""
    if candidate.code is None:
        return (Difference("", candidate.last),)
    before = [run.failed for run in originals]
    known = {name for failed in before for name in failed}
    now = candidate.failed
    found = [Difference(name, line) for name, line in now.items() if name not in known]
    always = [name for name in before[0] if all(name in failed for failed in before)]
    found += [
        Difference(name, f"{name} fails in the original, and not here")
        for name in always
        if name not in now
    ]
    return tuple(found) or tuple(_together(originals, candidate))


def told(first: OwnRun) -> str:
    """What the original came to; those that fail there are no difference."""
    failed = list(first.failed)
    more = f", and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    said = f"; fails in the original too: {', '.join(failed[:_MOST_NAMED])}{more}" if failed else ""
    return f"{first}{said}"


def _together(originals: Sequence[OwnRun], candidate: OwnRun) -> Iterator[Difference]:
    first = originals[0]
    if candidate.code not in [run.code for run in originals]:
        said = f"exit code {candidate.code} instead of {first.code}: {candidate.last}"
        yield Difference("", said)
    elif all(run.counts == first.counts for run in originals) and candidate.counts != first.counts:
        yield Difference("", f"{_counted(candidate)} instead of {_counted(first)}")


def _counted(run: OwnRun) -> str:
    said = ", ".join(f"{count} {word}" for word, count in run.counts.items())
    return said or "no counts"


def _lines(output: str) -> list[str]:
    return _COLOURS.sub("", output).replace("\r", "\n").splitlines()


def _failed(output: str) -> Iterator[tuple[str, str]]:
    for line in _lines(output):
        for pattern in _patterns():
            match = pattern.match(line)
            if match is not None:
                yield _TIME.sub("", match["test"]).strip(), line.strip()[:_MOST_SAID]
                break


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    told = (text for one in builtin_ecosystems() for text in one.failed_test)
    return tuple(re.compile(text) for text in told)
