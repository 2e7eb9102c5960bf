"""GitLab's own reports: code quality (issues on lines) and metrics (OpenMetrics text that GitLab
compares itself)."""

from __future__ import annotations

import json
from typing import Any

from imgopt.report.common import safe_terminal
from imgopt.report.surface import capped, details_of, fingerprint, message_of, place_of
from imgopt.results.ci import CiResult, Finding, Metric

ISSUES = 10_000
_TEXT = 1_000
_SEVERITIES = {"error": "major", "warn": "minor", "info": "info"}
_METRICS: tuple[Metric, ...] = ("wire", "tar", "payload", "live")


def gitlab(result: CiResult) -> str:
    """A JSON array; worst first, each fingerprint once, since GitLab drops the second of two."""
    findings, left = capped(result.findings, ISSUES)
    issues = [_issue(finding, result) for finding in findings]
    unique = list({issue["fingerprint"]: issue for issue in reversed(issues)}.values())[::-1]
    if left:
        unique.append(_rest(left, result))
    return json.dumps(unique, ensure_ascii=False, indent=1) + "\n"


def _issue(finding: Finding, result: CiResult) -> dict[str, Any]:
    place = place_of(finding, result)
    text = "; ".join([message_of(finding, _TEXT), *details_of(finding, 4)])
    return {
        "description": text[:_TEXT],
        "check_name": f"imgopt/{finding.rule}",
        "fingerprint": fingerprint(finding),
        "severity": _SEVERITIES[finding.level],
        "location": {"path": _path(place.file), "lines": {"begin": place.line or 1}},
    }


def _rest(left: int, result: CiResult) -> dict[str, Any]:
    return {
        "description": f"{left} more findings are not listed here",
        "check_name": "imgopt/more",
        "fingerprint": "0" * 64,
        "severity": "info",
        "location": {"path": _path(result.baseline), "lines": {"begin": 1}},
    }


def _path(path: str) -> str:
    return safe_terminal(path.removeprefix("./"))


def metrics(result: CiResult) -> str:
    """OpenMetrics text: one gauge, a sample per image, platform and metric that was measured."""
    lines = [
        "# TYPE imgopt_image_size_bytes gauge",
        "# UNIT imgopt_image_size_bytes bytes",
        "# HELP imgopt_image_size_bytes Size of a container image.",
    ]
    for image in result.images:
        for metric in _METRICS:
            size = image.sizes.of(metric)
            if size is not None:
                names = {"image": image.name, "platform": image.platform, "metric": metric}
                labels = ",".join(f'{name}="{_label(said)}"' for name, said in names.items())
                lines.append(f"imgopt_image_size_bytes{{{labels}}} {size}")
    return "\n".join([*lines, "# EOF"]) + "\n"


def _label(text: str) -> str:
    return safe_terminal(text).replace("\\", "\\\\").replace('"', '\\"')
