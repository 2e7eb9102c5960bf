"""For pytest: the fixture `image_budget`, so that a test suite can hold a budget.

def test_the_image_stays_small(image_budget):
    image_budget("app:dev", max="250 MB")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from imgopt.results.ci import CiResult


class ImageBudget(Protocol):
    """Fails the test where the image breaks a rule of level error; returns the result otherwise."""

    def __call__(
        self,
        image: str,
        *,
        max: str | Sequence[str] | None = None,
        max_growth: str | Sequence[str] | None = None,
        metric: str = "tar",
        folder: Path | str | None = None,
        rules: dict[str, Any] | None = None,
    ) -> CiResult: ...


@pytest.fixture(scope="session")
def image_budget(request: pytest.FixtureRequest) -> ImageBudget:
    """Holds an image against limits and against the baseline of the project at pytest's root
    folder.

    `max` and `max_growth` are limits of the whole image ("250 MB", ["2 %", "5 MB"]) in `metric`;
    `rules` are more rules in the form of `[ci.rules]`. Without limits the configuration's rules
    decide, and a missing baseline fails the test.
    """
    root = request.config.rootpath

    def hold(
        image: str,
        *,
        max: str | Sequence[str] | None = None,
        max_growth: str | Sequence[str] | None = None,
        metric: str = "tar",
        folder: Path | str | None = None,
        rules: dict[str, Any] | None = None,
    ) -> CiResult:
        __tracebackhide__ = True
        from imgopt.ci import check
        from imgopt.errors import ImgoptError

        wanted = {**_total(max, max_growth, metric), **(rules or {})}
        try:
            result = check([image], folder=folder or root, rules=wanted)
        except ImgoptError as error:
            pytest.fail(f"{error}\n{error.hint or ''}".strip(), pytrace=False)
        needs_baseline = max_growth is not None or (max is None and not rules)
        if result.exit_code() or (needs_baseline and result.status == "no-baseline"):
            pytest.fail(_text(result), pytrace=False)
        return result

    return hold


def _total(
    max: str | Sequence[str] | None, max_growth: str | Sequence[str] | None, metric: str
) -> dict[str, Any]:
    limits = {"max": max, "max-growth": max_growth}
    given = {
        name: value if isinstance(value, str) else list(value)
        for name, value in limits.items()
        if value
    }
    return {"total": ["error", {**given, "metric": metric}]} if given else {}


def _text(result: CiResult) -> str:
    from imgopt.report import render

    return render(result, "text", width=120)
