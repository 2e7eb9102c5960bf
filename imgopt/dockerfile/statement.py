"""One logical line cut into keyword, flags and arguments, before anything is known of what they
mean."""

from __future__ import annotations

from dataclasses import dataclass

from imgopt.dockerfile.spans import SPACES, Logical
from imgopt.dockerfile.words import RawFlag, first_blank, read_json, split_flags

_JSON_KEYWORDS = frozenset({"ADD", "COPY", "CMD", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
_HEREDOC_KEYWORDS = frozenset({"ADD", "COPY", "RUN"})


@dataclass(frozen=True, eq=False, slots=True)
class Statement:
    """Offsets count in `logical.text`: the keyword begins at `begin`, the arguments, `value`, are
    `text[start:end]`."""

    logical: Logical
    keyword: str
    begin: int
    flags: tuple[RawFlag, ...]
    start: int
    end: int
    value: str

    @staticmethod
    def read(logical: Logical, at: int = 0) -> Statement:
        text = logical.text.rstrip(SPACES)
        begin = _skip(text, at)
        end = len(text)
        blank = first_blank(text, begin)
        if blank is None:
            return Statement(logical, text[begin:end].upper(), begin, (), end, end, "")
        flags, start = split_flags(text, blank[1])
        start = _skip(text, start)
        return Statement(
            logical,
            text[begin : blank[0]].upper(),
            begin,
            tuple(flags),
            start,
            end,
            text[start:end],
        )

    @property
    def json(self) -> tuple[str, ...] | None:
        """The strings of the exec form; None for the shell form. Raises Refused for other JSON
        arrays."""
        if self.keyword not in _JSON_KEYWORDS:
            return None
        return read_json(self.value)

    @property
    def onbuild(self) -> Statement | None:
        """The statement that ONBUILD holds back."""
        if self.keyword != "ONBUILD" or self.start == self.end:
            return None
        return Statement.read(self.logical, self.start)

    @property
    def may_have_heredocs(self) -> bool:
        inner = self.onbuild or self
        return inner.keyword in _HEREDOC_KEYWORDS and inner.json is None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in SPACES:
        at += 1
    return at
