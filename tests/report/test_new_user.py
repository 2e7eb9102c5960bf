"""A service that is root no longer: whoever mounts something into it has to know."""

from __future__ import annotations

import msgspec
import pytest
from report_examples import optimize_result

from imgopt.report import render
from imgopt.results.optimize import OptimizeResult


def of_users(before: str, after: str) -> OptimizeResult:
    result = optimize_result()
    variants = [msgspec.structs.replace(variant, user=after) for variant in result.variants]
    original = msgspec.structs.replace(result.original, user=before)
    return msgspec.structs.replace(result, original=original, variants=variants)


@pytest.mark.parametrize("format", ["text", "markdown", "pr", "html"])
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "10001:10001", True),
        ("0:0", "10001", True),
        ("", "", False),
        ("node", "10001", False),
        ("root", "0", False),
    ],
)
def test_the_new_user_is_named_in_every_rendering(
    format: str, before: str, after: str, said: bool
) -> None:
    shown = " ".join(render(of_users(before, after), format).split())
    assert ("no longer root but user 10001" in shown) == said
