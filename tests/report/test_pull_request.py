"""The text of a pull request says what changes, why, how it was proven and what to know."""

from __future__ import annotations

import msgspec
import pytest
from report_examples import optimize_result

from imgopt.report import render
from imgopt.report.optimize import change
from imgopt.results.lives import LaterEdit, Lives
from imgopt.results.rewrite import Skip

HEADS = ("### What changes, and why", "### Proof", "### Before you ship it")


def test_it_has_each_part_once_and_the_patch() -> None:
    result = optimize_result()
    shown = render(result, "pr")
    assert [shown.count(head) for head in HEADS] == [1, 1, 1]
    assert shown.startswith("The image shrinks: ")
    assert f"--- a/{result.dockerfile}" in shown


def test_the_proof_takes_five_lines_at_most() -> None:
    shown = render(optimize_result(), "pr")
    proof = shown.split("### Proof")[1].split("###")[0]
    assert 1 <= len([line for line in proof.splitlines() if line.startswith("- ")]) <= 5


def test_later_edits_are_said_in_the_proof_and_on_the_terminal() -> None:
    result = optimize_result()
    edits = [LaterEdit(name="new-module", verdict="holds"), LaterEdit(name="x", verdict="breaks")]
    variants = [
        msgspec.structs.replace(v, lives=Lives(name=v.name, edits=edits)) for v in result.variants
    ]
    lived = msgspec.structs.replace(result, variants=variants)
    said = "1 of 2 later edits hold (broken: x)"
    assert f"Later edits, on copies: {said}." in render(lived, "pr").split("### Proof")[1]
    assert f"later edits: {said}" in render(lived, "text")
    assert "later edits" not in render(result, "text")


def test_what_was_left_out_is_known_before_it_is_shipped() -> None:
    result = optimize_result()
    skip = Skip(strategy="distroless-base", line=1, reason="left out: <b>the shell</b> is executed")
    variants = [
        msgspec.structs.replace(v, skips=[skip]) if v.name == result.recommended else v
        for v in result.variants
    ]
    shown = render(msgspec.structs.replace(result, variants=variants), "pr")
    assert "the shell" in shown.split("### Before you ship it")[1]
    assert "<b>" not in shown


@pytest.mark.parametrize("message", ["this file is good", ""])
def test_without_a_variant_to_recommend_nothing_is_proposed(message: str) -> None:
    result = msgspec.structs.replace(
        optimize_result(), recommended=None, verdict="good", message=message
    )
    assert render(result, "pr") == f"Nothing to propose: {message or 'good'}\n"
    assert change(result) is None


def test_the_patch_is_there_for_a_terminal() -> None:
    assert change(optimize_result()) is not None
