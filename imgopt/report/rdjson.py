"""reviewdog's diagnostic format: findings on lines, with the rewriter's lines as suggestions to
accept by a click."""

from __future__ import annotations

import json
from typing import Any

from imgopt.report.common import safe_terminal
from imgopt.report.surface import capped, details_of, message_of, place_of
from imgopt.results.ci import CiResult, Finding, Fix, Place

DIAGNOSTICS = 5_000
_SEVERITIES = {"error": "ERROR", "warn": "WARNING", "info": "INFO"}


def rdjson(result: CiResult) -> str:
    """A DiagnosticResult; worst first, the rest counted in a last one."""
    findings, left = capped(result.findings, DIAGNOSTICS)
    diagnostics = [_diagnostic(finding, result) for finding in findings]
    if left:
        place = Place(file=result.baseline, line=1, end_line=1)
        message = f"{left} more findings are not listed here"
        diagnostics.append({"message": message, "location": _location(place), "severity": "INFO"})
    document = {"source": {"name": "imgopt"}, "diagnostics": diagnostics}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _diagnostic(finding: Finding, result: CiResult) -> dict[str, Any]:
    made: dict[str, Any] = {
        "message": "\n".join([message_of(finding, 1_000), *details_of(finding)]),
        "location": _location(place_of(finding, result)),
        "severity": _SEVERITIES[finding.level],
        "code": {"value": finding.rule},
    }
    if finding.fix is not None:
        made["suggestions"] = [_suggestion(finding.fix)]
    return made


def _location(place: Place) -> dict[str, Any]:
    return {"path": safe_terminal(place.file), "range": _range(place)}


def _range(place: Place) -> dict[str, Any]:
    first = place.line or 1
    return {"start": {"line": first}, "end": {"line": max(first, place.end_line or first)}}


def _suggestion(fix: Fix) -> dict[str, Any]:
    """Without columns whole lines are meant; their last line break is not part of the text."""
    return {
        "range": _range(fix.place),
        "text": fix.replacement.removesuffix("\n").removesuffix("\r"),
    }
