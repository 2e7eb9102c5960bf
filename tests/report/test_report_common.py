from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.report.common import (
    bar,
    block_markdown,
    change_text,
    code_markdown,
    fit_markdown,
    ratio_text,
    safe_html,
    safe_markdown,
    safe_terminal,
    seconds_text,
    shorten,
    table_markdown,
)
from imgopt.report.files import write_atomic
from imgopt.report.formats import parse_output
from imgopt.results.size_text import delta_text, size_text, two_sizes


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_990, "1.0 MB"),
        (412_345_678, "412.3 MB"),
        (1_234_567_890, "1.23 GB"),
        (-1500, "-1.5 kB"),
        (None, "not measured"),
    ],
)
def test_sizes_are_decimal_with_a_unit(size: int | None, text: str) -> None:
    assert size_text(size) == text


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_two_different_sizes_never_look_equal(before: int, after: int) -> None:
    texts = two_sizes(before, after)
    assert (texts[0] == texts[1]) == (before == after)


def test_sizes_that_round_to_the_same_text_are_given_in_bytes() -> None:
    assert two_sizes(20_000_000, 20_000_001) == ("20,000,000 B", "20,000,001 B")
    assert two_sizes(20_000_000, 30_000_000) == ("20.0 MB", "30.0 MB")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "0.4 ms"),
        (0.0123, "12 ms"),
        (0.9996, "1.00 s"),
        (1.234, "1.23 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.7, "1 h 00 min"),
        (3720, "1 h 02 min"),
        (-1.5, "-1.50 s"),
        (None, "not measured"),
    ],
)
def test_seconds(seconds: float | None, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (100, 25, "4.0x smaller"),
        (100, 120, "1.2x larger"),
        (1000, 992, "0.8 % smaller"),
        (100_000_000, 99_999_999, "< 0.01 % smaller"),
        (5000, 1, "5,000x smaller"),
        (7, 7, "the same"),
        (0, 5, "larger"),
    ],
)
def test_ratios(before: int, after: int, text: str) -> None:
    assert ratio_text(before, after) == text


def test_changes_are_signed() -> None:
    assert change_text(400, 100) == "-75.0 %"
    assert change_text(100, 103) == "+3.0 %"
    assert change_text(0, 5) == "new"
    assert delta_text(100, 40) == "-60 B"
    assert delta_text(0, 5_000_000) == "+5.0 MB"


def test_a_small_share_still_shows_in_a_bar() -> None:
    assert bar(0, 4) == "    "
    assert bar(0.0001, 4) == "▏   "
    assert bar(0.5, 4) == "██  "
    assert bar(1.7, 4) == "████"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("\x9b31m", "\\x9b31m"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), "caf\\xe9"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("naïve 名前 😀", "naïve 名前 😀"),
    ],
)
def test_a_terminal_shows_and_never_obeys(hostile: str, shown: str) -> None:
    assert safe_terminal(hostile) == shown


@given(st.text())
def test_no_control_character_reaches_any_output(text: str) -> None:
    for safe in (safe_terminal(text), safe_markdown(text), str(safe_html(text))):
        assert safe.isprintable()


@pytest.mark.parametrize(
    "hostile",
    [
        "a|b",
        "`x`",
        "<script>alert(1)</script>",
        "![x](http://e)",
        "# h",
        "**b**",
        "- item",
        "&amp;",
        "http://evil/",
        "[x]",
    ],
)
def test_markdown_structure_is_taken_away(hostile: str) -> None:
    safe = safe_markdown(hostile)
    assert not set("|`<>[]*#-") & set(safe.replace("&#", ""))
    assert "://" not in safe


def test_markdown_mentions_notify_nobody() -> None:
    assert safe_markdown("@octocat") == "@&#8203;octocat"
    assert code_markdown("@octocat") == "<code>@octocat</code>"


def test_a_markdown_block_cannot_be_closed_from_inside() -> None:
    block = block_markdown("a\n````\nb\x1b[31m")
    assert block.splitlines() == ["`````", "a", "````", "b\\x1b[31m", "`````"]


def test_html_is_escaped() -> None:
    assert str(safe_html('<a href="x">\x00')) == "&lt;a href=&#34;x&#34;&gt;\\x00"


def test_long_paths_lose_their_middle() -> None:
    assert shorten("/usr/lib/python3/site-packages/x.py", 15) == "/usr/li…es/x.py"
    assert shorten("short", 15) == "short"


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out.json"
    write_atomic(path, "one")
    path.chmod(0o600)
    write_atomic(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        write_atomic(tmp_path / "file" / "out.json", "x")
    assert (tmp_path / "file").read_text() == "not a folder"


@pytest.mark.parametrize("spec", ["json", "json:", "pdf:out.pdf", ""])
def test_an_output_is_format_and_path(spec: str) -> None:
    with pytest.raises(InputError, match="FORMAT:PATH"):
        parse_output(spec)


@given(st.text(alphabet=st.sampled_from(list("ab1.)-+=#>*_`~|\\[]!(){}<&;:/@ w\n\t")), max_size=30))
def test_a_markdown_reader_finds_nothing_but_the_text(hostile: str) -> None:
    tokens = (
        MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(safe_markdown(hostile))
    )
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert {child.type for child in inline} <= {"text", "text_special"}
    shown = "".join(child.content for child in inline).replace("\u200b", "")
    assert shown.rstrip() == safe_terminal(hostile).rstrip()


@given(st.text(max_size=40))
def test_a_table_cell_stays_one_cell(hostile: str) -> None:
    table = table_markdown(["a", "b"], [[safe_markdown(hostile), code_markdown(hostile)]])
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    assert [token.type for token in tokens if token.type == "td_open"] == ["td_open"] * 2


def test_what_matters_least_is_left_out_of_a_comment() -> None:
    fitted = fit_markdown(["important", "x" * 500, "y" * 500], 900)
    assert len(fitted) <= 900
    assert fitted.startswith("important\n\nxxx")
    assert "1 of 3 sections are left out" in fitted
    assert "left out" not in fit_markdown(["a", "b"], 900)
