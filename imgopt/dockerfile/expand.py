"""BuildKit's word lexer: quotes, escapes, `$name` and every `${name…}` form, and splitting into
words.

Rules: moby/buildkit frontend/dockerfile/shell/lex.go. Reading takes time linear in the word (the
values apart).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from imgopt.dockerfile.patterns import BadPattern, replace, trim_prefix, trim_suffix
from imgopt.dockerfile.spans import SPACES

_DEEPEST = 60
"""How many `${…${…}}` may nest; BuildKit has no limit, but no real file comes near and the stack is
finite."""
_SPECIAL = "@*#?-$!0"
_NAME = re.compile(r"[^\W\d]\w*+|_\w*+")
_DIGITS = re.compile(r"\d++")
_PLAIN = re.compile(r"[^$'\"\\`<}/]++")
_PLAIN_QUOTED = re.compile(r"[^$\"\\`]++")


class ExpansionError(ValueError):
    """A word that BuildKit refuses to expand; the message is BuildKit's."""


class RequiredError(ExpansionError):
    """`${name?message}` without a value."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class Expansion:
    """`text` is the expanded word, `words` the same cut at blanks, and the names that were and were
    not known."""

    text: str
    words: tuple[str, ...]
    matched: frozenset[str]
    unmatched: frozenset[str]


def expand(word: str, mapping: Mapping[str, str], escape: str = "\\") -> str:
    """`word` with its quotes removed and its variables replaced from `mapping`; an unknown variable
    is empty.

    >>> expand("app-${V:-dev}", {})
    'app-dev'

    Raises ExpansionError with BuildKit's message for what BuildKit refuses (`${x`, `${x?needed}`,
    an open quote).
    """
    if "$" not in word and "'" not in word and '"' not in word and escape not in word:
        return word
    return Lexer(word, mapping, escape).run().text


def expand_words(word: str, mapping: Mapping[str, str], escape: str = "\\") -> tuple[str, ...]:
    """Like `expand`, then cut at blanks that are not quoted (blanks that come from a variable do
    cut)."""
    return Lexer(word, mapping, escape).run().words


class _Words:
    """Collects characters into words as BuildKit does: quoted text joins the word, blanks end
    it."""

    __slots__ = ("pieces", "words")

    def __init__(self) -> None:
        self.words: list[str] = []
        self.pieces: list[str] = []

    def raw(self, text: str) -> None:
        if text:
            self.pieces.append(text)

    def cut(self, text: str) -> None:
        """Adds text whose blanks end words."""
        at = 0
        for blank in _SPACE_RUN.finditer(text):
            if blank.start() > at:
                self.raw(text[at : blank.start()])
            self._end()
            at = blank.end()
        if at < len(text):
            self.raw(text[at:])

    def _end(self) -> None:
        if self.pieces:
            self.words.append("".join(self.pieces))
            self.pieces.clear()

    def finish(self) -> tuple[str, ...]:
        self._end()
        return tuple(self.words)


_SPACE_RUN = re.compile(f"[{SPACES}]+")


class Lexer:
    """One pass over one word. The `raw_*` switches keep quotes and escapes; `skip_unset` keeps
    unknown variables."""

    def __init__(
        self,
        word: str,
        mapping: Mapping[str, str],
        escape: str = "\\",
        *,
        raw_quotes: bool = False,
        raw_escapes: bool = False,
        skip_quotes: bool = False,
        skip_unset: bool = False,
    ) -> None:
        self._text = word[1:] if word.startswith("\ufeff") else word
        self._source = word
        self._mapping = mapping
        self._escape = escape
        self._raw_quotes = raw_quotes
        self._raw_escapes = raw_escapes
        self._skip_quotes = skip_quotes
        self._skip_unset = skip_unset
        self._at = 0
        self._depth = 0
        self._matched: set[str] = set()
        self._unmatched: set[str] = set()

    def run(self) -> Expansion:
        try:
            text, words = self._until("", self._raw_escapes)
        except RequiredError as error:
            raise RequiredError(self._failed(error), error.name) from None
        except ExpansionError as error:
            raise ExpansionError(self._failed(error)) from None
        return Expansion(text, words, frozenset(self._matched), frozenset(self._unmatched))

    def _failed(self, error: ExpansionError) -> str:
        return f"failed to process {_quote(self._source)}: {error}"

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        return char

    def _until(self, stop: str, raw_escapes: bool) -> tuple[str, tuple[str, ...]]:
        """Reads up to `stop` ("" is the end) and steps over it."""
        out: list[str] = []
        words = _Words()
        outer, self._raw_escapes = self._raw_escapes, raw_escapes
        try:
            while char := self._peek():
                if char == stop:
                    self._at += 1
                    return "".join(out), words.finish()
                self._step(char, out, words)
        finally:
            self._raw_escapes = outer
        if stop:
            raise ExpansionError(f"unexpected end of statement while looking for matching {stop}")
        return "".join(out), words.finish()

    def _step(self, char: str, out: list[str], words: _Words) -> None:
        if plain := _PLAIN.match(self._text, self._at):
            self._at = plain.end()
            out.append(plain.group())
            words.cut(plain.group())
        elif char == "$":
            value = self._dollar()
            out.append(value)
            words.cut(value)
        elif char in "'\"" and not self._skip_quotes:
            value = self._single() if char == "'" else self._double()
            out.append(value)
            words.raw(value)
        elif char == "<":
            value = self._possible_heredoc()
            out.append(value)
            words.raw(value)
        else:
            self._at += 1
            self._other(char, out, words)

    def _other(self, char: str, out: list[str], words: _Words) -> None:
        if char == self._escape:
            if self._raw_escapes:
                words.raw(char)
                out.append(char)
            char = self._next()
            if not char:
                return
        words.raw(char)
        out.append(char)

    def _possible_heredoc(self) -> str:
        """`<<` takes the blanks after it along, so that `<<  EOF` is one word."""
        start = self._at
        self._at += 1
        if self._peek() == "<":
            self._at += 1
            while (char := self._peek()) and char in SPACES:
                self._at += 1
        return self._text[start : self._at]

    def _single(self) -> str:
        start = self._at
        end = self._text.find("'", start + 1)
        if end < 0:
            self._at = len(self._text)
            raise ExpansionError(
                "unexpected end of statement while looking for matching single-quote"
            )
        self._at = end + 1
        return self._text[start : end + 1] if self._raw_quotes else self._text[start + 1 : end]

    def _double(self) -> str:
        mark = self._next()
        out = [mark] if self._raw_quotes else []
        while char := self._peek():
            if plain := _PLAIN_QUOTED.match(self._text, self._at):
                self._at = plain.end()
                out.append(plain.group())
            elif char == '"':
                self._at += 1
                return "".join([*out, char]) if self._raw_quotes else "".join(out)
            elif char == "$":
                out.append(self._dollar())
            else:
                self._at += 1
                out.append(self._quoted(char))
        raise ExpansionError("unexpected end of statement while looking for matching double-quote")

    def _quoted(self, char: str) -> str:
        """A character inside double quotes; the escape character escapes only `"`, `$` and
        itself."""
        if char != self._escape:
            return char
        kept = char if self._raw_escapes else ""
        following = self._peek()
        if not following:
            return kept
        if following in ('"', "$", self._escape):
            char = self._next()
        return kept + char

    def _dollar(self) -> str:
        self._at += 1
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            value = self._lookup(name)
            return f"${name}" if value is None and self._skip_unset else value or ""
        self._at += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpansionError(f"more than {_DEEPEST} nested substitutions")
        try:
            return self._braces()
        finally:
            self._depth -= 1

    def _braces(self) -> str:
        following = self._peek()
        if not following:
            raise ExpansionError("syntax error: missing '}'")
        if following in "{}:":
            raise ExpansionError("syntax error: bad substitution")
        name = self._name()
        operator = self._next()
        if operator == "}":
            value = self._lookup(name)
            return f"${{{name}}}" if value is None and self._skip_unset else value or ""
        if operator == "/":
            return self._replacement(name)
        if operator and operator in ":+-?#%":
            return self._modifier(name, operator)
        raise ExpansionError(f"unsupported modifier ({operator}) in substitution")

    def _argument(self, stop: str, raw_escapes: bool, missing: str) -> str:
        """The part of a substitution up to `stop`."""
        try:
            return self._until(stop, raw_escapes)[0]
        except ExpansionError:
            if not self._peek():
                raise ExpansionError(missing) from None
            raise

    def _modifier(self, name: str, signs: str) -> str:
        sign = signs
        if signs == ":":
            sign = self._next()
            signs += sign
        word = self._argument("}", sign in ("#", "%"), "syntax error: missing '}'")
        value = self._lookup(name)
        if value is None and self._skip_unset:
            return f"${{{name}{signs}{word}}}"
        absent = value is None or (signs[0] == ":" and not value)
        if sign == "-":
            return word if absent else value or ""
        if sign == "+":
            return "" if absent else word
        if sign == "?":
            return self._required(name, value, absent, word)
        if sign in ("#", "%"):
            return self._trimmed(value or "", sign, word)
        raise ExpansionError(f"unsupported modifier ({signs}) in substitution")

    def _required(self, name: str, value: str | None, absent: bool, message: str) -> str:
        if absent:
            state = "unset" if value is None else "empty"
            raise RequiredError(f"{name}: {message or f'is not allowed to be {state}'}", name)
        return value or ""

    def _trimmed(self, value: str, sign: str, pattern: str) -> str:
        longest = pattern.startswith(sign)
        trim = trim_suffix if sign == "%" else trim_prefix
        try:
            return trim(value, pattern[1:] if longest else pattern, longest)
        except BadPattern as error:
            raise ExpansionError(f"invalid pattern ({pattern}) in substitution: {error}") from None

    def _replacement(self, name: str) -> str:
        everywhere = self._peek() == "/"
        if everywhere:
            self._at += 1
        pattern = self._argument("/", True, "syntax error: missing '/' in ${}")
        text = self._argument("}", True, "syntax error: missing '}'")
        value = self._lookup(name)
        if value is None and self._skip_unset:
            return f"${{{name}/{pattern}/{text}}}"
        try:
            return replace(value or "", pattern, text, everywhere)
        except BadPattern as error:
            raise ExpansionError(f"invalid pattern ({pattern}) in substitution: {error}") from None

    def _name(self) -> str:
        char = self._peek()
        if char and char in _SPECIAL and not char.isdigit():
            self._at += 1
            return char
        found = _DIGITS.match(self._text, self._at) or _NAME.match(self._text, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found.group()

    def _lookup(self, name: str) -> str | None:
        value = self._mapping.get(name)
        (self._unmatched if value is None else self._matched).add(name)
        return value


def _quote(text: str) -> str:
    shown = text if len(text) <= 200 else text[:200] + "…"
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'
