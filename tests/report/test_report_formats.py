"""Rendering saved results: every format of every kind, and what cannot be read."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from markdown_it import MarkdownIt
from report_examples import HOSTILE, bench_result, optimize_result
from test_widths import RESULTS

from imgopt.cli.app import main
from imgopt.errors import EnvironmentFailure, InputError
from imgopt.report import check_outputs, formats_of, load, render, write_outputs
from imgopt.report.bench import markdown
from imgopt.results import to_json
from imgopt.results.bench import Arm, Failure


@pytest.mark.parametrize("result", [bench_result(), optimize_result()], ids=["bench", "optimize"])
def test_a_saved_result_renders_to_every_format_it_has(
    result: msgspec.Struct, tmp_path: Path
) -> None:
    saved = tmp_path / "result.json"
    saved.write_text(to_json(result))  # type: ignore[arg-type]
    again = load(saved)
    assert again == result
    for format in formats_of(again.schema.split("/")[1]):
        assert render(again, format).strip()


def test_a_terminal_of_eighty_columns_holds_the_text() -> None:
    shown = render(bench_result(), "text", width=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "171.0 MB → 40.0 MB on the wire, 4.3x smaller" in shown
    assert shown.replace("\n", "").isprintable()


@pytest.mark.parametrize("format", ["text", "markdown", "csv"])
def test_hostile_names_cannot_do_anything_in_any_format(format: str) -> None:
    for hostile in HOSTILE:
        result = bench_result(5)
        arms = [
            result.arms[0],
            msgspec.structs.replace(result.arms[1], name=hostile, dockerfile=hostile, text=hostile),
        ]
        failed = msgspec.structs.replace(
            arms[1], failure=Failure(message=hostile, output=[hostile])
        )
        shown = render(msgspec.structs.replace(result, arms=[arms[0], failed]), format)
        assert shown.replace("\n", "").isprintable()


def test_markdown_is_one_document_without_live_html() -> None:
    result = bench_result(5)
    arms = [result.arms[0], msgspec.structs.replace(result.arms[1], name=HOSTILE[0])]
    text = markdown(msgspec.structs.replace(result, arms=arms))
    assert "<script" not in text
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert sum(token.type == "table_open" for token in tokens) >= 3


@pytest.mark.parametrize("limit", [1500, 4000, 65_536])
def test_a_comment_keeps_to_its_limit_and_to_what_matters_most(limit: int) -> None:
    text = markdown(bench_result(), limit)
    assert len(text) <= limit
    assert text.startswith("### slim: 171.0 MB")


def test_csv_has_every_raw_value_and_no_formula() -> None:
    result = bench_result()
    first = msgspec.structs.replace(result.arms[0], name="=1+1")
    rows = list(
        csv.DictReader(
            StringIO(render(msgspec.structs.replace(result, arms=[first, result.arms[1]]), "csv"))
        )
    )
    assert {row["arm"] for row in rows if row["kind"] == "exact"} == {"'=1+1", "slim"}
    cold = [
        float(row["value"]) for row in rows if row["measure"] == "cold" and row["arm"] == "slim"
    ]
    assert cold[1:] == pytest.approx(result.measures[0].samples[1].values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not valid JSON"),
        ('{"schema": "imgopt/bench/1", "con', "not valid JSON"),
        ("[]", "not a result of imgopt"),
        ('{"schema": 7}', "not a result of imgopt"),
        ('{"schema": "sarif"}', "not a result of imgopt"),
        ('{"schema": "imgopt/bench/2"}', "update imgopt"),
        ('{"schema": "imgopt/unheard/1"}', "not known"),
        ('{"schema": "imgopt/../1"}', "not known"),
        ('{"schema": "imgopt/bench/1"}', "missing required field `context`"),
        (to_json(bench_result(3)).replace('"seed": 7', '"seed": "seven"'), "damaged result"),
        (to_json(bench_result(3)).replace("-180000000", "-180000001"), "miss it by 1 bytes"),
        (b"\xff\xfe\x00", "not valid JSON"),
    ],
)
def test_what_is_no_result_is_said_with_its_file(
    content: str | bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "result.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["report", str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert str(file) in said.err
    assert message in said.err


def test_a_dockerfile_that_is_no_utf8_can_be_saved_and_shown() -> None:
    result = bench_result(3)
    odd = msgspec.structs.replace(
        result.arms[0], text=b"FROM a\nRUN echo \xff\n".decode("utf-8", "surrogateescape")
    )
    changed = msgspec.structs.replace(result, arms=[odd, result.arms[1]])
    for format in ("json", "html", "markdown", "text", "csv"):
        render(changed, format).encode()
    assert "echo \\\\xff" in render(changed, "json")


def test_a_result_without_arms_is_damaged(tmp_path: Path) -> None:
    data = json.loads(to_json(bench_result(3)))
    file = tmp_path / "result.json"
    file.write_text(json.dumps({**data, "arms": []}))
    with pytest.raises(InputError, match="at least one arm"):
        load(file)


def test_several_results_are_one_page_with_an_index(tmp_path: Path) -> None:
    files = []
    for name, result in (("a", bench_result(3)), ("b", optimize_result())):
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(to_json(result))
    page = tmp_path / "page.html"
    assert (
        main(["report", *map(str, files), "--output", f"html:{page}", "--title", "Our services"])
        == 0
    )
    assert "<title>Our services</title>" in page.read_text()
    assert 'href="#r2"' in page.read_text()
    assert main(["report", *map(str, files), "--format", "json"]) == 2


def test_a_format_that_a_kind_does_not_have_is_refused_before_work() -> None:
    with pytest.raises(InputError, match="no format 'sarif'"):
        check_outputs(["sarif:x"], "bench")


def test_all_outputs_are_tried_and_the_first_failure_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        write_outputs(bench_result(3), [f"json:{tmp_path}/file/x.json", f"csv:{tmp_path}/good.csv"])
    assert (tmp_path / "good.csv").exists()


def test_an_arm_that_failed_is_in_every_format() -> None:
    failed = Arm(
        name="broken",
        role="file",
        dockerfile="Broken",
        failure=Failure(message="exit 7", line=3, output=["so it goes"]),
    )
    result = bench_result(3)
    broken = msgspec.structs.replace(result, arms=[result.arms[0], failed], comparisons=[])
    for format in ("text", "markdown", "html"):
        assert "so it goes" in render(broken, format)


@pytest.mark.parametrize("kind", RESULTS)
def test_every_saved_kind_is_shown_or_says_with_its_file_what_it_has(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, page = tmp_path / f"{kind}.json", tmp_path / "page.html"
    saved.write_text(to_json(RESULTS[kind]))
    assert main(["report", str(saved)]) == 0
    assert capsys.readouterr().out.strip()
    if "html" in formats_of(kind):
        assert main(["report", str(saved), "--output", f"html:{page}"]) == 0
        assert page.read_text().startswith("<!DOCTYPE html>")
        return
    assert main(["report", str(saved), "--output", f"html:{page}"]) == 2
    said = capsys.readouterr().err
    assert f"{kind}.json: {kind} results have no format 'html'" in said
    assert f"choose one of: {', '.join(formats_of(kind))}" in said
    assert not page.exists()
