"""What every report shares: figures as text, bars, and untrusted text made safe for where it is
shown.

Names from images, Dockerfiles and logs are untrusted: whoever prints one passes it through
`safe_terminal`, `safe_markdown` or (in templates, by autoescape) `safe_html` first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from imgopt.results.size_text import NOT_MEASURED

_EIGHTHS = " ▏▎▍▌▋▊▉"
_MARKDOWN_STRUCTURE = re.compile(
    r"[\\`*_{}\[\]<>#|~&$^]|!(?=\[)|:(?=//|\w+:)|^(?: +|[-+=:]|\d+(?=[.)]))"
)
_MENTION = re.compile(r"@(?=\w)")
_BARE_HOST = re.compile(r"www\.", re.IGNORECASE)


def seconds_text(seconds: float | None) -> str:
    """ "0.4 ms", "12 ms", "1.23 s", "12.3 s", "2 min 05 s", "1 h 02 min"; `None` is "not
    measured"."""
    if seconds is None:
        return NOT_MEASURED
    sign, value = ("-", -seconds) if seconds < 0 else ("", seconds)
    return sign + _duration(value)


def _duration(value: float) -> str:
    if value == 0:
        return "0 s"
    if value < 0.9995:
        return f"{value * 1000:.1f} ms" if value < 0.00995 else f"{value * 1000:.0f} ms"
    if value < 59.95:
        return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(value / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count_text(count: int, noun: str) -> str:
    """ "1 finding", "12 findings"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def percent_text(fraction: float) -> str:
    """A share of 1: "76.7 %"; small shares keep a digit that is not zero: "0.03 %", "< 0.01 %"."""
    percent = fraction * 100
    if percent and abs(percent) < 0.01:
        return "< 0.01 %" if percent > 0 else "> -0.01 %"
    return f"{percent:.2f} %" if percent and abs(percent) < 0.1 else f"{percent:.1f} %"


def change_text(before: float, after: float) -> str:
    """The relative change, signed: "-76.7 %", "+3.1 %", "< 0.01 %", "0 %"; "new" where there was
    nothing before."""
    if before == after:
        return "0 %"
    if before == 0:
        return "new"
    text = percent_text((after - before) / before)
    return text if after < before or text.startswith("<") else f"+{text}"


def ratio_text(before: float, after: float, better: str = "smaller", worse: str = "larger") -> str:
    """ "4.3x smaller", "1.2x larger"; near 1 in percent ("0.8 % smaller"); "the same" only where
    they are equal."""
    if before == after:
        return "the same"
    word = better if after < before else worse
    low, high = sorted((before, after))
    if low <= 0:
        return word
    ratio = high / low
    if ratio >= 9.95:
        return f"{ratio:,.0f}x {word}"
    if ratio >= 1.095:
        return f"{ratio:.1f}x {word}"
    return f"{percent_text(abs(after - before) / before)} {word}"


def bar(fraction: float, width: int) -> str:
    """A horizontal bar of `width` cells in eighths of a cell; what is there but too small shows one
    eighth."""
    fraction = min(max(fraction, 0.0), 1.0)
    eighths = round(fraction * width * 8)
    if fraction > 0:
        eighths = max(eighths, 1)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


def safe_terminal(text: str) -> str:
    """One line that a terminal shows and never obeys: controls, escapes and direction marks become
    visible."""
    if text.isprintable():
        return text
    # not printable: controls, format (bidi, zero width), surrogates, and every space but the plain
    # one
    return "".join(char if char.isprintable() else _shown(char) for char in text)


def _shown(char: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if named:
        return named
    code = ord(char)
    if (
        0xDC80 <= code <= 0xDCFF
    ):  # a byte that was not UTF-8, as Python's surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def safe_markdown(text: str) -> str:
    """Text that GitHub and GitLab show as it is: no tables, links, HTML, mentions, references,
    emoji or emphasis."""
    entities = _MARKDOWN_STRUCTURE.sub(lambda match: _entities(match[0]), safe_terminal(text))
    without_links = _BARE_HOST.sub(lambda match: f"{match[0][:3]}&#46;", entities)
    return _MENTION.sub("@&#8203;", without_links)


def _entities(text: str) -> str:
    return "".join(f"&#{ord(char)};" for char in text)


def code_markdown(text: str) -> str:
    """The same, in fixed width; also inside table cells, where a backtick span would need another
    escape."""
    return f"<code>{safe_markdown(text).replace('@&#8203;', '@')}</code>" if text else ""


def block_markdown(text: str, language: str = "") -> str:
    """A fenced block that no line of the text can end; line breaks and tabs are kept, other
    controls shown."""
    lines = [safe_terminal(line.replace("\t", "    ")) for line in text.splitlines()]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *lines, fence])


def table_markdown(
    headers: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()
) -> str:
    """A table whose cells are Markdown already; the columns in `right` are aligned to the right."""
    rule = ["--:" if column in right else "---" for column in range(len(headers))]
    lines = [headers, rule, *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


COMMENT_LIMIT = 65_536
"""Characters of a comment on GitHub."""
SUMMARY_LIMIT = 1_048_576
"""Bytes of a job summary on GitHub."""


def fit_markdown(parts: Sequence[str], limit: int) -> str:
    """The parts, most important first, as many as `limit` characters hold; what was left out is
    said at the end."""
    kept: list[str] = []
    room = limit - 200
    for part in parts:
        room -= len(part) + 2
        if room < 0:
            break
        kept.append(part)
    left = len(parts) - len(kept)
    if left:
        kept.append(
            f"_{left} of {len(parts)} sections are left out here; the HTML report has them all._"
        )
    return "\n\n".join(kept) + "\n"


def details_markdown(summary: str, body: str) -> str:
    """A section that a reader opens."""
    return f"<details><summary>{safe_markdown(summary)}</summary>\n\n{body}\n\n</details>"


def safe_html(text: str) -> Markup:
    """Text for HTML, element content or a quoted attribute; controls and direction marks become
    visible."""
    return escape(safe_terminal(text))


def shorten(text: str, width: int) -> str:
    """At most `width` characters, the middle left out: paths differ at both ends."""
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    first, last = text[:head], text[len(text) - (width - 1 - head) :]
    if text[head] != " " and head // 2 < first.rfind(
        " "
    ):  # a word that is cut is left out, where words are short
        first = first[: first.rfind(" ") + 1]
    if text[-len(last) - 1] != " " and -1 < last.find(" ") < len(last) // 2:
        last = last[last.find(" ") :]
    return f"{first}…{last}"


def without_instruction(reason: str, instruction: str) -> str:
    """A reason without the instruction (often shortened) that it begins with."""
    before, colon, rest = reason.partition(": ")
    words = " ".join(instruction.split())
    while colon and not (
        words == before or (before.endswith("...") and words.startswith(before[:-3]))
    ):
        more, colon, rest = rest.partition(": ")
        before = f"{before}: {more}"
    return rest if colon else reason


def new_user_text(before: str, after: str) -> str:
    """What to see to where a service that was root is another user; "" where it is not so.

    >>> new_user_text("", "65532:65532").partition(": ")[0]
    'The service is no longer root but user 65532'
    """
    from imgopt.image.config import is_root

    if not is_root(before) or is_root(after):
        return ""
    now = after.partition(":")[0]
    return (
        f"The service is no longer root but user {now}: what is mounted into it has to belong to"
        f" that user (chown -R {now})"
    )
