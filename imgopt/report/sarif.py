"""SARIF 2.1.0 as GitHub code scanning takes it: results on the lines of the Dockerfile.

Limits of "SARIF support for code scanning": 25,000 results a run of which the top 5,000 are kept,
so 5,000 are written, worst first, and the rest is counted; texts 1,024 characters; no empty
strings; gzip below 10 MB.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from imgopt.report.surface import RULES, capped, details_of, fingerprint, message_of, place_of
from imgopt.results.ci import CiResult, Finding, Fix, Place

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RESULTS = 5_000
_TEXT = 1_000
_LEVELS = {"error": "error", "warn": "warning", "info": "note"}


def sarif(result: CiResult) -> str:
    """One run for all images, in category "imgopt-ci"."""
    findings, left = capped(result.findings, RESULTS)
    names = list(dict.fromkeys(finding.rule for finding in findings))
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "imgopt",
                "semanticVersion": result.tool,
                "rules": [_rule(name) for name in names],
            }
        },
        "automationDetails": {"id": "imgopt-ci/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, names.index(finding.rule), result) for finding in findings],
        "properties": {"status": result.status, "against": result.against, "resultsLeftOut": left},
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _rule(name: str) -> dict[str, Any]:
    title, sentence = RULES[name]
    return {
        "id": name,
        "name": title,
        "shortDescription": {"text": title},
        "fullDescription": {"text": sentence},
        "help": {"text": f"{sentence} The limits are in [ci.rules] of imgopt.toml."},
        "properties": {"tags": ["container-image", "size"]},
    }


def _result(finding: Finding, index: int, result: CiResult) -> dict[str, Any]:
    place = place_of(finding, result)
    text = "\n".join([message_of(finding, _TEXT), *details_of(finding)])
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.level],
        "message": {"text": text[:_TEXT]},
        "locations": [{"physicalLocation": _location(place)}],
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint(finding)[:16]}:1"},
    }
    if finding.fix is not None:
        made["fixes"] = [_fix(finding.fix)]
    return made


def _location(place: Place) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": _uri(place.file), "uriBaseId": "%SRCROOT%"},
        "region": _region(place),
    }


def _region(place: Place) -> dict[str, Any]:
    first = place.line or 1
    return {"startLine": first, "endLine": max(first, place.end_line or first)}


def _uri(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")


def _fix(fix: Fix) -> dict[str, Any]:
    """Whole lines: from the first column of the first to the first column after the last."""
    first = fix.place.line or 1
    region = {
        "startLine": first,
        "startColumn": 1,
        "endLine": (fix.place.end_line or first) + 1,
        "endColumn": 1,
    }
    replacement = {"deletedRegion": region, "insertedContent": {"text": fix.replacement}}
    change = {
        "artifactLocation": {"uri": _uri(fix.place.file), "uriBaseId": "%SRCROOT%"},
        "replacements": [replacement],
    }
    return {"description": {"text": fix.because[:_TEXT]}, "artifactChanges": [change]}
