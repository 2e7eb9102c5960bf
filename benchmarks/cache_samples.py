"""Predicted against measured cache hits, on the samples and on what `imgopt rewrite` makes of them.

    python benchmarks/cache_samples.py [SAMPLE ...] [--scenario NAME ...]

Builds every sample (the original, and the `safe` rewrite where it differs) once and then once per scenario, each on a
copy of its context, with a mark that keeps every other build's cache out. Needs an engine and the base images. Prints
the agreement of each, and writes benchmarks/results/cache-samples.json, where the rows of other samples stay: hours of
building can be spread over several runs. Exits 1 when a decided prediction was wrong or more than 5 % of the steps were
left undecided, in all rows together.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imgopt.cache.project import Project
from imgopt.config import Config, load_config
from imgopt.engine import BuildRequest, Session, connect
from imgopt.results.cache import CacheResult
from imgopt.rewrite.static import rewrite_static

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "cache-samples.json"
MOST_UNKNOWN = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "samples", nargs="*", default=sorted(path.parent.name for path in ROOT.glob("samples/*/Dockerfile"))
    )
    parser.add_argument("--scenario", action="append", default=[])
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    bases = ROOT / "build" / "bases.toml"
    if bases.is_file():  # stand-ins, where the public images cannot be pulled
        os.environ.setdefault("IMGOPT_BASES", str(bases))
    rows = _recorded(options.output)
    with Session(connect()) as session, tempfile.TemporaryDirectory(prefix="imgopt-cache-samples-") as work:
        for name in options.samples:
            found = []
            for arm, project in _arms(ROOT / "samples" / name, Path(work)):
                found.append(_row(name, arm, project.measure(session, options.scenario)))
                print(_shown(found[-1]), flush=True)
            rows = sorted(
                [*(row for row in rows if row["sample"] != name), *found], key=lambda row: (row["sample"], row["arm"])
            )
            _write(options.output, rows)
    total = _total(rows)
    print(_shown({"sample": "all", "arm": "", "failed": [], **total}))
    steps = total["decided"] + total["unknown"]
    return 1 if total["wrong"] or total["unknown"] > MOST_UNKNOWN * steps else 0


def _total(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {key: sum(row[key] for row in rows) for key in ("decided", "right", "wrong", "unknown")}


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    """After each sample: what is measured is not lost with the rest."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"rows": rows, "total": _total(rows)}, indent=2) + "\n")


def _recorded(file: Path) -> list[dict[str, Any]]:
    return list(json.loads(file.read_text())["rows"]) if file.is_file() else []


def _arms(sample: Path, work: Path) -> Iterator[tuple[str, Project]]:
    """The original and the static rewrite, each in a context of its own."""
    settings, _ = load_config(sample)
    yield "original", _project(sample, settings)
    (variant,) = rewrite_static(sample, sample / "Dockerfile", settings, ("safe",)).variants
    if variant.changes:
        context = work / sample.name
        shutil.copytree(sample, context, symlinks=True)
        (context / "Dockerfile").write_text(variant.dockerfile)
        if variant.dockerignore is not None:
            (context / ".dockerignore").write_text(variant.dockerignore)
        yield "safe", _project(context, settings)


def _project(context: Path, settings: Config) -> Project:
    section = settings.build
    return Project(BuildRequest(context, target=section.target, build_args=section.args, bases=settings.bases))


def _row(name: str, arm: str, result: CacheResult) -> dict[str, Any]:
    found = result.agreement
    assert found is not None
    return {
        "sample": name,
        "arm": arm,
        "decided": found.decided,
        "right": found.right,
        "wrong": found.wrong,
        "unknown": found.unknown,
        "failed": [one.name for one in result.scenarios if one.failure] + result.notes,
    }


def _shown(row: dict[str, Any]) -> str:
    figures = f"{row['right']} of {row['decided']} right, {row['wrong']} wrong, {row['unknown']} unknown"
    failed = f", does not build: {row['failed']}" if row["failed"] else ""
    return f"{row['sample']:<16} {row['arm']:<9} {figures}{failed}"


if __name__ == "__main__":
    sys.exit(main())
