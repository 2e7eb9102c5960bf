"""The page read as text: sums, sizes, safety. What a browser makes of it is in test_browser.py."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape

import msgspec
import pytest
from page_sums import Tables, check_sums
from report_examples import HOSTILE, bench_result, contents, optimize_result

from imgopt.report import render
from imgopt.report.html import page
from imgopt.report.sidebyside import rows
from imgopt.report.view import Section, SideBySide, Text, View
from imgopt.report.views import html, views_of
from imgopt.results import to_json
from imgopt.results.figures import PathFigure
from imgopt.results.optimize import Check, MissingBase, Timing


def test_the_waterfall_sums_to_the_byte() -> None:
    rows = Tables(html([bench_result()])).named("payload").tbody
    values = [row[-1][1] or 0 for row in rows]
    assert [rows[0][0][0].strip(), rows[-1][0][0].strip()] == ["before", "after"]
    assert sum(values[:-1]) == values[-1] == 107_018_000


def test_the_optimize_waterfall_names_what_is_unexplained() -> None:
    rows = Tables(html([optimize_result()])).named("wire").tbody
    values = [row[-1][1] or 0 for row in rows]
    assert sum(values[:-1]) == values[-1] == 96_100_000


def test_layer_bars_and_contents_sum_to_their_totals() -> None:
    result = bench_result(3000)
    tables = Tables(html([result]))
    bars = tables.named("original (before)")
    for column, total in ((1, 510_020_000), (2, 90_020_000)):
        assert sum(row[column][1] or 0 for row in bars.tbody) == bars.tfoot[0][column][1] == total
    inside = tables.named("Live bytes")
    for column, total in ((1, "before"), (2, "after")):
        expected = sum(getattr(figure, total) for figure in result.comparisons[0].contents)
        assert (
            sum(row[column][1] or 0 for row in inside.tbody)
            == inside.tfoot[0][column][1]
            == expected
        )


def test_parts_sum_to_their_total() -> None:
    table = Tables(html([optimize_result()])).named("By path")
    assert sum(row[2][1] or 0 for row in table.tbody) == table.tfoot[0][2][1] == 180_045_000


def test_every_sum_of_every_kind_of_page_holds() -> None:
    assert check_sums(html([bench_result(3000), optimize_result()])) >= 8


def test_a_sum_that_does_not_hold_is_found() -> None:
    broken = html([bench_result()]).replace('data-n="497018000"', 'data-n="497018001"')
    with pytest.raises(AssertionError, match="payload"):
        check_sums(broken)


def test_fifty_thousand_files_fit_in_half_a_megabyte() -> None:
    assert len(html([bench_result(50_000)]).encode()) < 500_000


def test_long_paths_fit_too_and_still_sum() -> None:
    long = [
        PathFigure(path=f"/{'folder/' * 30}{number:05}-{'x' * 200}", before=number, after=0)
        for number in range(5000)
    ]
    result = bench_result()
    changed = msgspec.structs.replace(result.comparisons[0], contents=long)
    text = html([msgspec.structs.replace(result, comparisons=[changed])])
    assert len(text.encode()) < 500_000
    inside = Tables(text).named("Live bytes")
    assert sum(row[1][1] or 0 for row in inside.tbody) == sum(range(5000))


def test_the_same_result_gives_the_same_bytes() -> None:
    assert html([bench_result()]) == html([bench_result()])


@pytest.mark.parametrize("name", HOSTILE[:3] + HOSTILE[5:9])
def test_a_hostile_name_is_text_everywhere(name: str) -> None:
    hostile = View(
        name,
        name,
        "good",
        name,
        name,
        name,
        (),
        (Section("a", name, (Text(name), Text(name, fixed=True)), name),),
        "",
    )
    parsed = Tables(page([hostile]))
    plain = Tables(
        page(
            [
                View(
                    "t",
                    "k",
                    "good",
                    "w",
                    "h",
                    "r",
                    (),
                    (Section("a", "t", (Text("x"), Text("y", fixed=True)), "i"),),
                    "",
                )
            ]
        )
    )
    assert [tag for tag, _ in parsed.tags] == [tag for tag, _ in plain.tags]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", page([hostile]))


def test_nothing_is_loaded_and_only_our_style_and_script_may_run() -> None:
    text = html([bench_result(), optimize_result()])
    tags = Tables(text).tags
    policy = next(
        values["content"]
        for tag, values in tags
        if values.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "unsafe" not in policy
    for element in ("style", "script"):
        body = re.search(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        assert body is not None
        digest = base64.b64encode(hashlib.sha256(body[1].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy
    for tag, values in tags:
        assert not any(name.startswith("on") or name == "style" for name in values), tag
        for address in (values.get("src"), values.get("href")):
            assert address is None or address.startswith(("#", "data:"))
    assert "url(" not in text
    assert "@import" not in text


def test_ids_are_unique_and_every_link_has_its_target() -> None:
    tags = Tables(html([bench_result(), optimize_result(), bench_result()])).tags
    ids = [values["id"] for _, values in tags if "id" in values]
    links = [
        str(values["href"])[1:]
        for tag, values in tags
        if tag == "a" and str(values["href"]).startswith("#")
    ]
    assert len(ids) == len(set(ids))
    assert set(links) <= set(ids)


def test_a_small_result_can_be_taken_out_of_its_page() -> None:
    result = optimize_result()
    link = next(
        values for tag, values in Tables(html([result])).tags if tag == "a" and "download" in values
    )
    assert base64.b64decode(str(link["href"]).partition(",")[2]).decode() == to_json(result)


def test_a_large_result_is_not_in_its_page() -> None:
    assert 'download="' not in html([bench_result(5000)])


def test_every_changed_line_shows_its_reason() -> None:
    text = html([optimize_result()])
    for change in optimize_result().variants[0].changes:
        assert change.because.replace("'", "&#39;") in text


def test_the_lines_of_a_check_are_lines_and_no_escapes() -> None:
    result = bench_result()
    check = Check(
        name="opened files", verdict="passed", detail="9 files\nintended: 1 files: <bytecode>"
    )
    arms = [result.arms[0], msgspec.structs.replace(result.arms[1], checks=[check])]
    row = next(
        row
        for row in Tables(html([msgspec.structs.replace(result, arms=arms)]))
        .named("Does slim")
        .tbody
    )
    assert row[2][0] == "9 filesintended: 1 files: <bytecode>"


def test_the_best_arm_comes_first_and_each_section_says_whose_it_is() -> None:
    result = bench_result()
    other = msgspec.structs.replace(result.arms[1], name="safe", exact=result.arms[0].exact)
    result = msgspec.structs.replace(
        result,
        arms=[result.arms[0], other, result.arms[1]],
        comparisons=[
            msgspec.structs.replace(result.comparisons[0], after="safe"),
            *result.comparisons,
        ],
    )
    titles = [section.title for section in views_of(result)[0].sections]
    wanted = ["What is inside: original and ", "The Dockerfile, side by side: ", "Proof: "]
    for title in wanted:
        assert [name for name in titles if name.startswith(title)] == [
            f"{title}slim",
            f"{title}safe",
        ]
    assert len(titles) == len(set(titles))


def test_only_a_build_that_ran_is_drawn_and_only_a_cold_one_is_called_cold() -> None:
    result = bench_result()
    cached = [msgspec.structs.replace(step, cached=True) for step in result.arms[0].steps]
    for steps, caption in (
        (cached[:2] + result.arms[0].steps[2:], "original, partly from the cache"),
        (cached, ""),
    ):
        arms = [msgspec.structs.replace(result.arms[0], steps=steps), *result.arms[1:]]
        captions = [
            table.caption
            for table in Tables(html([msgspec.structs.replace(result, arms=arms)])).tables
        ]
        assert [name for name in captions if name.startswith("original, ") and "→" not in name] == [
            caption
        ] * bool(caption)


def test_in_a_changed_part_lines_of_the_same_instruction_stand_side_by_side() -> None:
    block = SideBySide("", "a", "b", "FROM x\n\nCMD run\n", 'FROM x\nUSER 1\nRUN y\nCMD ["run"]\n')
    pairs = [(row.before and row.before[1], row.after and row.after[1]) for row in rows(block)]
    assert ("CMD run", 'CMD ["run"]') in pairs
    assert [pair[0] for pair in pairs if pair[0] is not None] == ["FROM x", "", "CMD run"]
    assert [pair[1] for pair in pairs if pair[1]] == ["FROM x", "USER 1", "RUN y", 'CMD ["run"]']


def test_a_partial_result_still_says_what_was_proven() -> None:
    result = msgspec.structs.replace(bench_result(), partial=True, reason="interrupted")
    assert (views_of(result)[0].word, views_of(result)[0].level) == (
        "proven, partly measured",
        "good",
    )


def test_a_section_that_has_nothing_to_say_is_not_there() -> None:
    assert "What is inside" in html([bench_result()])
    assert "What is inside" not in html([optimize_result()])


def test_hostile_paths_are_among_the_examples() -> None:
    assert any("<script>" in figure.path for figure in contents(10))


def test_what_belongs_below_the_headline_is_on_every_surface() -> None:
    missing = MissingBase(
        variant="distroless", strategy="distroless-base", names=["gcr.io/distroless/base"]
    )
    result = msgspec.structs.replace(optimize_result(), missing_bases=[missing])
    said = "gcr.io/distroless/base cannot be pulled here"
    page, text, markdown = (render(result, name) for name in ("html", "text", "markdown"))
    assert page.index('class="headline"') < page.index(said) < page.index('class="tiles"')
    assert said in " ".join(text.split())
    assert said in markdown


def test_every_surface_says_the_same_of_a_timing() -> None:
    result = optimize_result()
    said = "33.0 s → 900 ms, inconclusive (3 runs each)"
    for format in ("text", "markdown", "html"):
        shown = unescape(" ".join(render(result, format).split()))
        assert said in shown, format
        assert "faster" not in shown
    faster = Timing(before=[33.0] * 6, after=[1.0] * 6, ratio=33.0, p=0.03, verdict="faster")
    sure = msgspec.structs.replace(result.variants[0], timings={"edit-source": faster})
    result = msgspec.structs.replace(result, variants=[sure])
    for format in ("text", "markdown", "html"):
        assert "33.0 s → 1.00 s, 33x faster" in unescape(" ".join(render(result, format).split()))


def test_titles_have_the_name_of_the_project() -> None:
    result = msgspec.structs.replace(optimize_result(), context=".", project="shop")
    assert "<title>shop: Dockerfile</title>" in render(result, "html")
    assert "<title>flask: Dockerfile</title>" in render(optimize_result(), "html")


def test_an_estimated_wire_size_says_so_on_every_surface() -> None:
    result = optimize_result()
    assert result.original.sizes is not None
    guessed = msgspec.structs.replace(result.original.sizes, wire_is_estimate=True)
    result = msgspec.structs.replace(
        result, original=msgspec.structs.replace(result.original, sizes=guessed)
    )
    for format in ("text", "markdown", "html"):
        shown = unescape(" ".join(render(result, format).split()))
        assert "≈ 412.3 MB → 96.1 MB on the wire" in shown, format
        assert "≈ 96.1 MB" not in shown
