"""Predicted against measured cache hits, on the samples and on what imgopt makes of them.

    python benchmarks/cache_samples.py [SAMPLE ...] [--arm NAME ...] [--scenario NAME ...]

Builds every arm (the original, the static `safe` rewrite where it differs, and the slim and
distroless variants that `make samples` proved) once and then once per scenario, each on a copy of
its context, with a mark that keeps every other build's cache out. What a RUN writes only a build
can tell; so scenarios in which a step was left undecided are predicted and built a second time,
with new bytes, now that imgopt has measured them before. Needs an engine and the base images.
Prints the agreement of each, and writes benchmarks/results/cache-samples.json, where other rows
stay: hours of building can be spread over several runs. Exits 1 when a decided prediction was wrong
or, after a measurement, more than 5 % of the steps were left undecided, in all rows together.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from imgopt.cache.examine import agreement
from imgopt.cache.memory import Memory
from imgopt.cache.project import Project
from imgopt.config import Config, load_config
from imgopt.engine import BuildRequest, Session, connect
from imgopt.errors import FindingsError
from imgopt.loop.static import rewrite_static
from imgopt.results.cache import CacheScenario

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "cache-samples.json"
PROVEN = ROOT / "benchmarks" / "results" / "samples"
ARMS = ("original", "safe", "slim", "distroless")
COUNTS = ("decided", "right", "wrong", "unknown", "unknown_once_measured")
MOST_UNKNOWN = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "samples",
        nargs="*",
        default=sorted(path.parent.name for path in ROOT.glob("samples/*/Dockerfile")),
    )
    parser.add_argument("--arm", action="append", choices=ARMS, default=[], help="default: all")
    parser.add_argument("--scenario", action="append", default=[])
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    bases = ROOT / "build" / "bases.toml"
    if bases.is_file():  # stand-ins, where the public images cannot be pulled
        os.environ.setdefault("IMGOPT_BASES", str(bases))
    failed = False
    with (
        Session(connect()) as session,
        tempfile.TemporaryDirectory(prefix="imgopt-cache-samples-") as work,
    ):
        for name in options.samples:
            for arm, project in _arms(ROOT / "samples" / name, Path(work), options.arm or ARMS):
                try:
                    row = _row(name, arm, project, session, options.scenario)
                except FindingsError as error:
                    print(f"{name} {arm}: {error}", file=sys.stderr, flush=True)
                    failed = True
                    continue
                print(_shown(row), flush=True)
                _keep(options.output, row)
    total = _total(_recorded(options.output))
    print(_shown({"sample": "all", "arm": "", "failed": [], **total}))
    steps = total["decided"] + total["unknown"]
    return (
        1
        if failed or total["wrong"] or total["unknown_once_measured"] > MOST_UNKNOWN * steps
        else 0
    )


def _total(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {key: sum(row[key] for row in rows) for key in COUNTS}


def _keep(file: Path, row: dict[str, Any]) -> None:
    """After each arm: what is measured is not lost with the rest."""
    others = [
        one for one in _recorded(file) if (one["sample"], one["arm"]) != (row["sample"], row["arm"])
    ]
    rows = sorted([*others, row], key=lambda one: (one["sample"], ARMS.index(one["arm"])))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"rows": rows, "total": _total(rows)}, indent=2) + "\n")


def _recorded(file: Path) -> list[dict[str, Any]]:
    return list(json.loads(file.read_text())["rows"]) if file.is_file() else []


def _arms(sample: Path, work: Path, wanted: Iterable[str]) -> Iterator[tuple[str, Project]]:
    """The original, the static rewrite where it changes something and the proven carved variants,
    each in a context of its own."""
    settings, _ = load_config(sample)
    (safe,) = rewrite_static(sample, sample / "Dockerfile", settings, ("safe",)).variants
    made = {"safe": (safe.dockerfile, safe.dockerignore)} if safe.changes else {}
    for variant in _proven(sample.name):
        made.setdefault(variant["name"], (variant["dockerfile"], variant["dockerignore"]))
    for arm in wanted:
        if arm != "original" and arm not in made:
            continue
        context = work / arm / sample.name
        shutil.copytree(sample, context, symlinks=True)
        if arm in made:
            dockerfile, dockerignore = made[arm]
            (context / "Dockerfile").write_text(dockerfile)
            if dockerignore is not None:
                (context / ".dockerignore").write_text(dockerignore)
        yield arm, _project(context, settings, work / "memory")


def _proven(sample: str) -> list[dict[str, Any]]:
    """The variants of the kept result of `make samples` that were built, run and found to do the
    same."""
    packed = PROVEN / f"{sample}.json.xz"
    if not packed.is_file():
        return []
    result = json.loads(lzma.decompress(packed.read_bytes()))
    return [variant for variant in result["variants"] if variant["verdict"] == "proven"]


def _project(context: Path, settings: Config, memory: Path) -> Project:
    section = settings.build
    request = BuildRequest(
        context, target=section.target, build_args=section.args, bases=settings.bases
    )
    return Project(request, memory=Memory(context, memory))


def _row(
    name: str, arm: str, project: Project, session: Session, wanted: list[str]
) -> dict[str, Any]:
    """`unknown` are the steps that nobody could tell before the first build;
    `unknown_once_measured` those of them that imgopt could not tell afterwards, either."""
    first = project.measure(session, wanted)
    undecided = [one.name for one in first.scenarios if _is_undecided(one)]
    again = project.measure(session, undecided).scenarios if undecided else []
    both, later = agreement([*first.scenarios, *again]), agreement(again)
    unknown = agreement(first.scenarios).unknown
    failed = [one.name for one in first.scenarios if one.failure] + first.notes
    failed += [f"{one.name} (again)" for one in again if one.failure]
    return {
        "sample": name,
        "arm": arm,
        "decided": both.decided,
        "right": both.right,
        "wrong": both.wrong,
        "unknown": unknown,
        "unknown_once_measured": later.unknown,
        "failed": failed,
    }


def _is_undecided(scenario: CacheScenario) -> bool:
    return any(step.predicted == "unknown" and step.measured is not None for step in scenario.steps)


def _shown(row: dict[str, Any]) -> str:
    figures = (
        f"{row['right']} of {row['decided']} right, {row['wrong']} wrong, {row['unknown']} unknown,"
        f" {row['unknown_once_measured']} once measured"
    )
    failed = f", does not build: {row['failed']}" if row["failed"] else ""
    return f"{row['sample']:<16} {row['arm']:<10} {figures}{failed}"


if __name__ == "__main__":
    sys.exit(main())
