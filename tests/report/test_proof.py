from __future__ import annotations

from msgspec import structs

from imgopt.report import formats_of, render
from imgopt.results import from_json, to_json
from imgopt.results.proof import Compared, Failure, ProofCheck, ProofResult

REFUTED = ProofResult(
    original=Compared(
        image="sha256:aaaa",
        dockerfile="Dockerfile",
        base="python:3.11",
        layers=9,
        tar_bytes=901_100_000,
    ),
    candidate=Compared(
        image="sha256:bbbb",
        dockerfile="Dockerfile.slim",
        user="1000",
        layers=4,
        tar_bytes=147_000_000,
    ),
    verdict="refuted",
    reason="library closure: missing library: libpq.so.5",
    checks=[
        ProofCheck(
            name="configuration",
            verdict="passed",
            detail="10 variables",
            allowed=["PATH: gains a folder"],
        ),
        ProofCheck(
            name="library closure",
            verdict="failed",
            detail="12 needed libraries of 3 ELF files",
            failures=[
                Failure(
                    kind="missing-library",
                    subject="libpq.so.5",
                    message=f"missing library: libpq.so.5 ({n})",
                )
                for n in range(9)
            ],
        ),
        ProofCheck(name="smoke", verdict="not measured", detail="the original does not start"),
    ],
    log=["Traceback", "\x1b[31mred\x1b[0m | table"],
    hints=["it wants the environment variable TOKEN"],
)


def test_each_check_is_one_line_with_its_evidence_below() -> None:
    lines = render(REFUTED, "text", width=140).splitlines()
    assert lines[0].startswith(
        "refuted: Dockerfile.slim does not do the same job. 1 of 3 checks passed, 1 failed (library"
    )
    assert lines[1] == "library closure: missing library: libpq.so.5"
    assert "901.1 MB of uncompressed layers" in lines[3]
    (failed,) = [line for line in lines if line.startswith("✗")]
    assert "12 needed libraries of 3 ELF files" in failed
    assert any("and 3 more" in line for line in lines)
    assert any(
        line.startswith("–") and "not measured: the original does not start" in line
        for line in lines
    )
    assert lines[-1].startswith("Next: ")
    assert [line[0] for line in lines if line[:1] in "✗–✓" and line] == ["✗", "–", "✓"]


PROVEN = structs.replace(
    REFUTED,
    verdict="proven",
    reason="",
    log=[],
    hints=[],
    arguments=["shop"],
    checks=[
        ProofCheck(
            name=f"check {n}",
            verdict="passed",
            detail="what was compared " * 20,
            allowed=["a: b"] * (n % 3),
        )
        for n in range(18)
    ],
)


def test_a_proof_is_one_screen_with_figures_units_and_the_next_command() -> None:
    lines = render(PROVEN, "text", width=100).splitlines()
    assert lines[0].startswith(
        "proven: Dockerfile.slim does the same job. 901.1 MB → 147.0 MB of uncompressed layers, 6.1x"
    )
    assert max(map(len, lines)) <= 100
    assert len([line for line in lines if line.startswith("✓")]) == 18
    assert len(lines) <= 40
    assert lines[-1].startswith("Next: imgopt bench shop")


def test_the_page_says_the_same_as_the_terminal() -> None:
    for result in (REFUTED, PROVEN):
        words = " ".join(render(result, "text", width=400).splitlines()[0].split()).partition(": ")[
            2
        ]
        assert words in " ".join(render(result, "html").split())


def test_an_older_verdict_and_no_checks_are_said() -> None:
    bare = structs.replace(REFUTED, verdict="unproven", checks=[], log=[], hints=[])
    assert render(bare, "text").startswith(
        "unproven: Dockerfile.slim was not seen doing the same job. Nothing was checked"
    )


def test_what_an_image_says_cannot_steer_the_terminal_or_the_page() -> None:
    assert "\x1b" not in render(REFUTED, "text")
    markdown = render(REFUTED, "markdown")
    assert "\x1b" not in markdown
    assert "## refuted: Dockerfile.slim does not do the same job" in markdown
    assert markdown.count("| library closure |") == 1


def test_a_proof_is_saved_and_read_again() -> None:
    assert from_json(to_json(REFUTED), ProofResult) == REFUTED
    assert {"text", "json", "markdown"} <= set(formats_of("proof"))


MEANT = structs.replace(
    REFUTED,
    arguments=["my shop"],
    run_arguments=["--http", "/health"],
    log=[],
    hints=[],
    checks=[
        ProofCheck(
            name="configuration",
            verdict="failed",
            detail="10 variables",
            failures=[
                Failure(
                    kind="configuration",
                    subject=key,
                    message=f"{key} differs",
                    notice="what reads the variable does something else",
                    instead="ENV MODE=web",
                    allow=key,
                )
                for key in ("env:MODE", "file:/app/my notes.txt")
            ],
        )
    ],
)


def test_a_refutation_says_what_is_noticed_what_to_write_and_a_line_to_paste() -> None:
    text = " ".join(render(MEANT, "text", width=200).split())
    assert "noticed: what reads the variable does something else instead: ENV MODE=web" in text
    assert "meant so: --allow env:MODE --allow 'file:/app/my notes.txt'" in text
    command = "imgopt prove 'my shop' --http /health --with Dockerfile.slim --allow env:MODE"
    assert f"if all of this is meant: {command} --allow 'file:/app/my notes.txt'" in text
    assert "meant so: <code>&#45;-allow env:MODE" in render(MEANT, "markdown")
    assert "ENV MODE=web" in render(MEANT, "html")


def test_nothing_is_offered_to_paste_where_an_answer_is_another_one() -> None:
    answer = Failure(kind="answer", subject="GET /", message="status is 500")
    check = structs.replace(MEANT.checks[0], failures=[*MEANT.checks[0].failures, answer])
    text = " ".join(render(structs.replace(MEANT, checks=[check]), "text", width=200).split())
    assert "if all of this is meant" not in text
    assert "what is meant so is said with --allow, as above" in text


def test_of_an_image_alone_it_is_said_where_its_base_ends() -> None:
    image = structs.replace(MEANT.original, dockerfile="", base=None)
    known = structs.replace(MEANT, original=structs.replace(image, base_layers=7))
    assert "on a base of 7 layers, as its history tells" in render(known, "text", width=200)
    unknown = structs.replace(MEANT, original=image)
    assert "its base is not known" in render(unknown, "text", width=200)
