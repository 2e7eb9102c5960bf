"""From checks to one word: proven, refuted or unproven."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from imgopt.proof.check import Outcome

Answer = Literal["proven", "refuted", "unproven"]
NEEDED = ("smoke",)
"""Checks without which nothing is proven: a comparison of files alone has not seen the image do its
job."""


def verdict(checks: Iterable[Outcome]) -> Answer:
    """Any failed check refutes; a needed one that was not measured, or is not there, leaves it
    unproven."""
    by_name = {check.name: check.verdict for check in checks}
    if "failed" in by_name.values():
        return "refuted"
    return "proven" if all(by_name.get(name) == "passed" for name in NEEDED) else "unproven"
