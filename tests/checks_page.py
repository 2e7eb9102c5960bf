"""The page on the checks of the proof, from the checks themselves; `python tests/checks_page.py`
writes it anew."""

from __future__ import annotations

from pathlib import Path

from imgopt.proof.example import HARMLESS
from imgopt.proof.judge import CHECKS

PAGE = Path(__file__).parent.parent / "docs" / "checks.md"
HEAD = """\
# The checks of the proof

A variant, or the candidate of `imgopt prove`, is `refuted` when one check fails, `unproven` when its answers could not
be compared, else `proven`. A check that could not look says `not measured` and never counts as passed. Each change in
the last column is made to a small example service by `make check`, and must be refuted by that check alone.

| check | compares | refutes, for example |
|---|---|---|
"""
TAIL = """
Refuted by none: {harmless}.

An intended difference is said with `--allow` (`imgopt prove --help`), and stands in the result with its reason.
"""


def page() -> str:
    rows = (
        f"| {check.name} | {check.compares} | {'; '.join(change.name for change in check.mutations)} |"
        for check in CHECKS
    )
    return (
        HEAD
        + "\n".join(rows)
        + "\n"
        + TAIL.format(harmless="; ".join(change.name for change in HARMLESS))
    )


if __name__ == "__main__":
    PAGE.write_text(page())
