"""Sizes for services that draw them over time: Bencher (its metric format) and
github-action-benchmark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from imgopt.report.common import safe_terminal, shorten
from imgopt.results.ci import CiResult, ImageCheck, Metric

_METRICS: tuple[Metric, ...] = ("wire", "tar", "payload", "live")
_NAME = 1_024
"""Characters that Bencher allows in a name."""


def bencher(result: CiResult) -> str:
    """{"image (platform)": {"tar-bytes": {"value": n}}}; an estimate carries its bounds."""
    document = {_name(image): dict(_measures(image)) for image in result.images}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _measures(image: ImageCheck) -> Iterator[tuple[str, dict[str, int]]]:
    for metric in _METRICS:
        size = image.sizes.of(metric)
        if size is not None:
            value = {"value": size}
            if metric == "wire" and image.sizes.wire_error:
                error = image.sizes.wire_error
                value |= {"lower_value": max(0, size - error), "upper_value": size + error}
            yield f"{metric}-bytes", value


def benchmark_action(result: CiResult) -> str:
    """`customSmallerIsBetter`: a list of name, unit and value."""
    rows: list[dict[str, Any]] = []
    for image in result.images:
        for metric in _METRICS:
            size = image.sizes.of(metric)
            if size is not None:
                row: dict[str, Any] = {
                    "name": f"{_name(image)} {metric}",
                    "unit": "bytes",
                    "value": size,
                }
                if metric == "wire" and image.sizes.wire_error:
                    row["range"] = f"± {image.sizes.wire_error}"
                rows.append(row)
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _name(image: ImageCheck) -> str:
    return shorten(safe_terminal(f"{image.name} ({image.platform})"), _NAME - 10)
