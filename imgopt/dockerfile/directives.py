"""Parser directives: `# syntax=`, `# escape=` and `# check=` in the first lines of a Dockerfile.

Rules: moby/buildkit frontend/dockerfile/parser/directives.go. They stand at the very top; the first
line that is anything else (an empty line too) ends them. Names count without regard to case; a
second one of a name is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.spans import SPACES, Span

_DIRECTIVE = re.compile(
    rf"#[{SPACES}]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+)", re.DOTALL
)
_NAMES = ("syntax", "escape", "check")
_OPTIONS = ("skip", "error", "experimental")
_BOOLEANS = ("1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False")


@dataclass(frozen=True, slots=True)
class Directive:
    """`# name=value`; `span` is the line with its line end, `value_span` the value alone."""

    name: str
    value: str
    span: Span
    value_span: Span
    line: int


class DirectiveReader:
    """Reads the first lines of a file until one is not a directive (`open` is then False)."""

    def __init__(self) -> None:
        self.open = True
        self._seen: set[str] = set()

    def read(self, line: str, start: int, span: Span, number: int) -> Directive | None:
        """The directive in `line` (left trimmed, no line end), which lies at offset `start` in the
        file.

        Raises Refused for a repeated directive.
        """
        found = _DIRECTIVE.fullmatch(line)
        name = found.group(1).lower() if found else ""
        if found is None or name not in _NAMES:
            self.open = False
            return None
        value = found.group(2).rstrip("\t\n\f\r ") or found.group(
            2
        )  # the value of `# escape= ` is its last blank
        if name in self._seen:
            raise Refused(
                f"only one {name} parser directive can be used", f"keep one '# {name}=' line"
            )
        self._seen.add(name)
        at = start + found.start(2)
        return Directive(name, value, span, Span(at, at + len(value)), number)


def check_options(value: str) -> None:
    """Raises Refused for a `# check=` that is no list of `skip=…`, `error=…`, `experimental=…`
    (linter.go). BuildKit reads it up to the first blank."""
    before = "failed to parse check options: "
    for part in value.partition(" ")[0].split(";"):
        name, equals, text = part.partition("=")
        if not equals or name not in _OPTIONS:
            raise Refused(
                f'{before}invalid check option "{name}"',
                "write skip=RULE,RULE;error=true without blanks",
            )
        if name == "error" and text not in _BOOLEANS:
            what = f'strconv.ParseBool: parsing "{text}": invalid syntax'
            raise Refused(
                f'{before}failed to parse check option "{part}": {what}',
                "write error=true or error=false",
            )


def check_escape(value: str) -> str:
    """The escape character of `# escape=`; raises Refused for anything but a backslash or a
    backquote."""
    if value not in ("\\", "`"):
        raise Refused(
            f"invalid escape token '{value}' does not match ` or \\",
            "use a backslash or a backquote",
        )
    return value
