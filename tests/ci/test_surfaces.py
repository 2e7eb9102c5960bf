"""Every output against its published format, its limits, and hostile names."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
import xmlschema

from imgopt.report import formats_of, load, render
from imgopt.report.github import outputs
from imgopt.results import to_json
from imgopt.results.ci import CiResult

from .kit import (
    FIX,
    SCHEMAS,
    finding,
    image,
    many,
    outcome,
    published_schema,
    result,
    typical,
    valid_json,
    valid_published,
)


@pytest.fixture(scope="module")
def crowd() -> CiResult:
    return many()


def test_every_format_of_the_gate_is_registered() -> None:
    assert set(formats_of("ci")) >= {
        "text", "json", "markdown", "sarif", "junit", "gitlab", "github", "rdjson", "metrics", "bencher",
        "benchmark-action",
    }  # fmt: skip


def test_the_json_result_reads_back_as_it_was(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "result.json"
    file.write_text(to_json(typical()))
    assert load(file) == typical()


def test_sarif_is_valid_by_the_published_schema() -> None:
    document = json.loads(render(typical(), "sarif"))
    valid_published(document, "sarif-2.1.0")
    first = document["runs"][0]["results"][0]
    assert first["level"] == "error"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "app/Dockerfile"
    assert place["region"] == {"startLine": 4, "endLine": 6}
    assert (
        first["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"]
        == FIX.replacement
    )


def test_the_published_sarif_schema_can_refuse() -> None:
    document = json.loads(render(typical(), "sarif"))
    document["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(Exception, match="fatal"):
        valid_published(document, "sarif-2.1.0")
    assert published_schema("sarif-2.1.0")["title"]


def test_sarif_fingerprints_do_not_move_with_lines_or_figures() -> None:
    def prints(**fields: object) -> list[str]:
        document = json.loads(render(result(image([finding(**fields)])), "sarif"))
        return [
            r["partialFingerprints"]["primaryLocationLineHash"]
            for r in document["runs"][0]["results"]
        ]

    assert prints() == prints(measured=99, place=None, message="other")
    assert prints() != prints(id="another")


def test_sarif_keeps_the_worst_and_counts_the_rest(crowd: CiResult) -> None:
    text = render(crowd, "sarif")
    document = json.loads(text)
    valid_published(document, "sarif-2.1.0")
    run = document["runs"][0]
    assert len(run["results"]) == 5_000
    assert run["properties"]["resultsLeftOut"] == 95_000
    assert {r["level"] for r in run["results"]} == {"error"}
    assert len(gzip.compress(text.encode())) < 10_000_000
    assert all(len(r["message"]["text"]) <= 1_024 for r in run["results"])


def test_junit_is_valid_and_counts_what_it_holds() -> None:
    text = render(typical(), "junit")
    xmlschema.XMLSchema(SCHEMAS / "junit.xsd").validate(text)
    root = ElementTree.fromstring(text)
    cases = root.findall("./testsuite/testcase")
    assert int(root.get("tests", "")) == len(cases) == 7
    assert int(root.get("failures", "")) == len(root.findall(".//failure")) == 1
    assert int(root.get("skipped", "")) == len(root.findall(".//skipped")) == 3
    assert "python:heavy" in (root.find(".//failure").text or "")  # type: ignore[union-attr]


def test_junit_holds_gitlabs_limits(crowd: CiResult) -> None:
    text = render(crowd, "junit")
    root = ElementTree.fromstring(text)
    assert len(text.encode()) < 30_000_000
    assert sum(1 for _ in root.iter()) < 250_000
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names)) == 40_000
    assert "60000 more" in (root.findtext("./testsuite/system-out") or "")


def test_gitlab_code_quality_is_valid() -> None:
    issues = valid_json(render(typical(), "gitlab"), "gitlab-code-quality")
    assert [issue["severity"] for issue in issues] == ["major", "minor", "info"]
    assert issues[2]["location"]["path"] == "imgopt-baseline.json"


def test_gitlab_fingerprints_are_unique_and_the_rest_is_counted(crowd: CiResult) -> None:
    twins = result(image([finding(), finding()]))
    assert len(json.loads(render(twins, "gitlab"))) == 1
    issues = valid_json(render(crowd, "gitlab"), "gitlab-code-quality")
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 10_001
    assert issues[-1]["description"].startswith("90000 more")


def test_gitlab_metrics_are_openmetrics_text() -> None:
    lines = render(typical(), "metrics").splitlines()
    assert lines[-1] == "# EOF"
    samples = [line for line in lines if not line.startswith("#")]
    pattern = re.compile(
        r'imgopt_image_size_bytes\{image="[^"\\]+",platform="[^"]+",metric="[a-z]+"\} \d+'
    )
    assert samples and all(pattern.fullmatch(line) for line in samples)
    assert len({line.rpartition(" ")[0] for line in samples}) == len(samples)


def test_rdjson_is_valid_and_offers_the_fix() -> None:
    document = valid_json(render(typical(), "rdjson"), "rdjson")
    first = document["diagnostics"][0]
    assert first["suggestions"] == [
        {
            "range": {"start": {"line": 4}, "end": {"line": 6}},
            "text": "RUN pip install --no-cache-dir -r requirements.txt",
        }
    ]


def test_rdjson_counts_what_it_leaves_out(crowd: CiResult) -> None:
    diagnostics = valid_json(render(crowd, "rdjson"), "rdjson")["diagnostics"]
    assert len(diagnostics) == 5_001
    assert diagnostics[-1]["message"].startswith("95000 more")


def test_chart_formats_are_valid() -> None:
    measures = valid_json(render(typical(), "bencher"), "bencher")
    assert measures["app (linux/amd64)"]["tar-bytes"] == {"value": 43_000_000}
    rows = valid_json(render(typical(), "benchmark-action"), "benchmark-action")
    assert {"name": "app (linux/amd64) tar", "unit": "bytes", "value": 43_000_000} in rows


def test_annotations_are_at_most_ten_of_each_level_and_the_rest_is_counted(crowd: CiResult) -> None:
    lines = render(crowd, "github").splitlines()
    levels = Counter(line.split(" ")[0] for line in lines)
    assert levels == {"::error": 10, "::warning": 10, "::notice": 10}
    assert any("and 33325 more errors" in line for line in lines)


def test_a_missing_baseline_is_announced() -> None:
    lines = render(typical(), "github").splitlines()
    assert any("no baseline for worker" in line for line in lines)
    assert "No baseline: nothing was compared" in render(typical(), "markdown")
    assert "no baseline" in render(
        result(image([], state="no-baseline"), status="no-baseline"), "text"
    )


def test_the_comment_stays_below_githubs_limit_and_keeps_its_marker(crowd: CiResult) -> None:
    text = render(crowd, "markdown")
    assert len(text.encode()) < 65_536
    assert text.startswith(re.match(r"<!-- imgopt:ci:[0-9a-f]{8} -->\n", text)[0])  # type: ignore[index]
    assert "99980 more findings" in text
    assert render(typical(), "markdown").splitlines()[0] != text.splitlines()[0]


def test_the_comment_of_very_many_images_is_still_a_comment() -> None:
    images = [image([finding()], name=f"service-{number}-{'n' * 80}") for number in range(3_000)]
    assert len(render(result(*images), "markdown").encode()) < 65_536


def test_the_text_names_line_package_and_path() -> None:
    text = render(typical(), "text")
    for word in (
        "app/Dockerfile:4",
        "python:heavy",
        "/usr/lib/heavy/data.bin",
        "--no-cache-dir",
        "+31.0 MB",
    ):
        assert word in text


def test_sizes_that_round_alike_are_printed_in_bytes() -> None:
    grown = image([], sizes=image([]).sizes.__class__(tar=43_000_001), before=image([]).before)
    grown = grown.__class__(**{f: getattr(grown, f) for f in grown.__struct_fields__} | {
        "before": grown.sizes.__class__(tar=43_000_000), "attribution": None,
    })  # fmt: skip
    assert "43,000,000 B -> 43,000,001 B" in render(result(grown), "text", width=200)


ATTACKS = {
    "workflow command": "::error file=x::injected",
    "workflow command after a line break": "a\n::set-output name=x::y",
    "carriage return": "a\r::warning::y",
    "old workflow command": "##[error]injected",
    "property": "a,title=injected:b",
    "percent": "%0A::error::x",
    "terminal colour": "\x1b[31mred\x1b[0m",
    "terminal title": "\x1b]0;owned\x07",
    "direction": "abc‮gpj.exe",
    "markdown link": "[click](https://evil.example)",
    "markdown image": "![x](https://evil.example/p.png)",
    "markdown table": "a | b | c",
    "mention": "@everyone",
    "issue reference": "see #1",
    "html": "<script>alert(1)</script>",
    "html comment end": "--><img src=x onerror=alert(1)>",
    "details": "</details><h1>x</h1>",
    "code fence": "```\n# heading",
    "backtick": "`code`",
    "xml": "]]><failure/>",
    "quotes": "\"'><",
    "nul": "a\0b",
    "delimiter": "EOF\nstatus=passed",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_hostile_name_stays_text_on_every_surface(attack: str) -> None:
    place = FIX.place.__class__(file=f"dir/{attack}", line=1, end_line=1)
    found = finding(
        attack, id=attack, image=attack, message=attack, causes=[attack], hint=attack, place=place,
        fix=FIX.__class__(strategy="s", because=attack, place=place, replacement=attack, saves=1),
    )  # fmt: skip
    whole = result(
        image(
            [found],
            [outcome(found)],
            name=attack,
            platform=attack,
            reference=attack,
            notes=[attack],
        ),
        against=attack,
        baseline=attack,
    )
    _only_our_commands(render(whole, "github"))
    _no_control_characters(render(whole, "text"))
    _same_elements(render(whole, "html"), render(_harmless(whole, attack), "html"))
    _inert_markdown(render(whole, "markdown"))
    valid_published(json.loads(render(whole, "sarif")), "sarif-2.1.0")
    valid_json(render(whole, "rdjson"), "rdjson")
    issues = json.loads(render(whole, "gitlab"))
    assert len(issues) == 1
    root = ElementTree.fromstring(render(whole, "junit"))
    assert len(root.findall(".//failure")) == 1
    assert all(
        re.fullmatch(r"\w+=.*|\w+<<imgopt-\w+|imgopt-\w+|.*", line)
        for line in outputs(whole).splitlines()
    )
    _honest_outputs(outputs(whole))
    metrics = [line for line in render(whole, "metrics").splitlines() if not line.startswith("#")]
    assert all(
        re.fullmatch(r'imgopt_image_size_bytes\{.*metric="[a-z]+"\} \d+', line) for line in metrics
    )


def _harmless(whole: CiResult, attack: str) -> CiResult:
    """The same result with a plain word in place of the attack."""
    import msgspec

    text = msgspec.json.encode(whole).decode()
    inside = msgspec.json.encode(attack).decode()[1:-1]
    return msgspec.json.decode(text.replace(inside, "plain"), type=CiResult)


def _same_elements(page: str, plain: str) -> None:
    """A parser finds the same elements and attributes in both pages: the name became neither."""

    class Elements(HTMLParser):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.found: list[tuple[str, tuple[str, ...]]] = []
            self.feed(text)

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            self.found.append((tag, tuple(name for name, _ in attributes)))

    assert Elements(page).found == Elements(plain).found


def _only_our_commands(text: str) -> None:
    """As the runner reads a log: one line, one command, its level and properties ours."""
    lines = text.split("\n")
    assert lines.pop() == ""
    assert len(lines) == 1
    head, _, _ = lines[0].removeprefix("::error ").partition("::")
    assert lines[0].startswith("::error ")
    names = [part.partition("=")[0] for part in head.split(",")]
    assert names == ["file", "line", "title"]
    assert "\r" not in text


def _no_control_characters(text: str) -> None:
    assert all(char.isprintable() or char == "\n" for char in text)


_ALLOWED_TAGS = {
    "<!-- imgopt",
    "<code>",
    "</code>",
    "<details>",
    "</details>",
    "<summary>",
    "</summary>",
    "<sub>",
    "</sub>",
}


def _inert_markdown(text: str) -> None:
    """No tag but ours, nothing that GitHub makes a link, a mention, an image or a heading of."""
    fence = re.search(r"^(`{3,})dockerfile\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
    if fence:
        text = text.replace(fence[0], "")
    tags = set(re.findall(r"<!-- imgopt|</?[a-zA-Z][^>]*>", text))
    assert tags <= _ALLOWED_TAGS
    assert "](" not in text and "![" not in text
    spoken = re.sub(r"<code>.*?</code>", "", text)  # mentions inside <code> are none
    assert not re.search(r"@\w", spoken)
    assert not re.search(r"(?<![&\w])#\d", text)
    assert len(re.findall(r"^#", text, re.MULTILINE)) == 1
    assert text.count("-->") == 1


def _honest_outputs(text: str) -> None:
    """As the runner reads the file: NAME=VALUE lines and one block."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        if delimiter.startswith("imgopt-"):
            block = []
            for inner in lines:
                if inner == delimiter:
                    break
                block.append(inner)
            found[name] = "\n".join(block)
        else:
            found.setdefault(line.partition("=")[0], line.partition("=")[2])
    assert found["status"] == "failed"
    assert set(found) == {"status", "size", "delta", "errors", "warnings", "headline"}
