from __future__ import annotations

from imgopt.report import formats_of, render
from imgopt.results import from_json, to_json
from imgopt.results.proof import Compared, Failure, ProofCheck, ProofResult

REFUTED = ProofResult(
    original=Compared(
        image="sha256:aaaa", dockerfile="Dockerfile", base="python:3.11", layers=9, tar_bytes=901_100_000
    ),
    candidate=Compared(image="sha256:bbbb", dockerfile="Dockerfile.slim", user="1000", layers=4, tar_bytes=147_000_000),
    verdict="refuted",
    reason="library closure: missing library: libpq.so.5",
    checks=[
        ProofCheck(name="configuration", verdict="passed", detail="10 variables", allowed=["PATH: gains a folder"]),
        ProofCheck(
            name="library closure",
            verdict="failed",
            detail="12 needed libraries of 3 ELF files",
            failures=[
                Failure(kind="missing-library", subject="libpq.so.5", message=f"missing library: libpq.so.5 ({n})")
                for n in range(9)
            ],
        ),
        ProofCheck(name="smoke", verdict="not measured", detail="the original does not start"),
    ],
    log=["Traceback", "\x1b[31mred\x1b[0m | table"],
    hints=["it wants the environment variable TOKEN"],
)


def test_each_check_is_one_line_with_its_evidence_below() -> None:
    lines = render(REFUTED, "text", width=100).splitlines()
    assert lines[0].startswith("REFUTED")
    assert "901.1 MB of layers" in lines[1]
    (failed,) = [line for line in lines if line.startswith("✗")]
    assert "12 needed libraries of 3 ELF files" in failed
    assert any("and 3 more" in line for line in lines)
    assert any(line.startswith("–") and "not measured: the original does not start" in line for line in lines)
    assert lines[-1].startswith("next: ")


def test_what_an_image_says_cannot_steer_the_terminal_or_the_page() -> None:
    assert "\x1b" not in render(REFUTED, "text")
    markdown = render(REFUTED, "markdown")
    assert "\x1b" not in markdown
    assert "## REFUTED" in markdown
    assert markdown.count("| library closure |") == 1


def test_a_proof_is_saved_and_read_again() -> None:
    assert from_json(to_json(REFUTED), ProofResult) == REFUTED
    assert {"text", "json", "markdown"} <= set(formats_of("proof"))
