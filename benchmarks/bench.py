"""Measures the samples side by side with what imgopt makes of them: `python benchmarks/bench.py
[SAMPLE...]`.

Each is one `imgopt bench samples/SAMPLE` of the original and its proven variants, which are found
first (`--proven`: of the recommended one, where `make samples` has left it in build/). Writes,
after each of them, `results/bench.json` (every raw time; the rows of samples that are not named
stay) and `results/bench.md` (the table, which also goes between the `bench` marks of README.md),
and, where Chromium is installed, the pictures `docs/report-light.png` and `docs/report-dark.png` of
the page of the first sample: `--pictures` takes nothing but these.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from imgopt.report import load, write_atomic
from imgopt.report.common import ratio_text, seconds_text, table_markdown
from imgopt.report.views import html
from imgopt.results.bench import Arm, BenchResult, Measure
from imgopt.results.size_text import size_text

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
BUILD = ROOT / "build" / "bench"
PICTURE = """
<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/report-dark.png">
  <img alt="The HTML report of a sample: verdict, figures, variants, what changed the size"
       src="docs/report-light.png">
</picture>
"""
MARKS = re.compile(r"(<!-- bench:begin -->\n).*?(<!-- bench:end -->)", re.DOTALL)
SCENARIOS = ("cold", "edit-source", "run")
"""What the table shows; `imgopt bench` alone measures every change."""
BROWSER = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1500",
)


def samples() -> list[str]:
    """The naive projects below samples/; the good ones have no variant to compare with."""
    names = sorted(path.parent.name for path in (ROOT / "samples").glob("*/Dockerfile"))
    return [name for name in names if not name.startswith("good-")]


def measure(sample: str, arguments: list[str]) -> BenchResult | None:
    """One benchmark; None where it could not be made (what it said is on stderr)."""
    saved = BUILD / f"{sample}.json"
    command = [
        sys.executable,
        "-m",
        "imgopt",
        "bench",
        f"samples/{sample}",
        "--output",
        f"json:{saved}",
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode not in (0, 1) or not saved.exists():
        return None
    result = load(saved)
    return result if isinstance(result, BenchResult) else None


def rows(sample: str, result: BenchResult) -> list[dict[str, Any]]:
    """One row per other arm, with every raw value."""
    first = result.arms[0]
    return [
        _row(sample, result, first, arm) for arm in result.arms[1:] if first.exact and arm.exact
    ]


def _row(sample: str, result: BenchResult, first: Arm, arm: Arm) -> dict[str, Any]:
    assert first.exact is not None
    assert arm.exact is not None
    names = ("wire", "tar", "payload", "live")
    sizes = {
        name: [getattr(one.exact.sizes, name) for one in (first, arm) if one.exact]
        for name in names
    }
    counts = {
        name: [getattr(one.exact, name) for one in (first, arm)]
        for name in ("layers", "files", "packages")
    }
    measures = {
        measure.name: _measured(measure, first.name, arm.name) for measure in result.measures
    }
    return {
        "sample": sample,
        "arm": arm.name,
        "proof": arm.proof,
        **sizes,
        **counts,
        "measures": measures,
        "seed": result.seed,
        "partial": result.reason if result.partial else "",
    }


def _measured(measure: Measure, first: str, other: str) -> dict[str, Any]:
    samples = {one.arm: one for one in measure.samples}
    compared = next((one for one in measure.comparisons if one.after == other), None)
    return {
        "unit": measure.unit,
        "before": samples[first].values if first in samples else [],
        "after": samples[other].values if other in samples else [],
        "moved": [samples[name].wire_bytes for name in (first, other) if name in samples],
        "ratio": compared.ratio if compared else None,
        "p": compared.p if compared else None,
        "verdict": compared.verdict if compared else "not measured",
    }


def table(found: list[dict[str, Any]]) -> str:
    """Markdown: sizes exact, times as medians with their verdict."""
    lines = []
    for row in found:
        wire = row["wire"]
        cells = [row["sample"], row["arm"], " → ".join(map(size_text, wire))]
        cells.append(ratio_text(*wire) if None not in wire else "")
        cells += [_time(row["measures"].get(name)) for name in ("cold", "edit-source", "start")]
        lines.append(cells)
    headers = ["Sample", "Variant", "Wire", "", "Cold build", "After a source edit", "Start"]
    return table_markdown(headers, lines, (2,))


def _time(measured: dict[str, Any] | None) -> str:
    if not measured or not measured["before"] or not measured["after"]:
        return ""
    before, after = (median(measured[side]) for side in ("before", "after"))
    return f"{seconds_text(before)} → {seconds_text(after)} ({_said(measured)})"


def _said(measured: dict[str, Any]) -> str:
    verdict, ratio = measured["verdict"], measured["ratio"]
    if verdict not in ("faster", "slower"):
        return str(verdict)
    return f"{ratio if verdict == 'faster' else 1 / ratio:.1f}x {verdict}"


def into_readme(shown: str) -> None:
    readme = ROOT / "README.md"
    text = readme.read_text()
    marked = MARKS.sub(lambda match: f"{match[1]}{shown}{match[2]}", text)
    if marked != text:
        write_atomic(readme, marked)


def pictures(sample: str) -> bool:
    """The page of what `imgopt optimize` said of a sample, as a reader sees it first, light and
    dark; False where there is no browser to take them."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("no Chromium here: no pictures", file=sys.stderr)
        return False
    page = BUILD / "page.html"
    write_atomic(page, html([load(RESULTS / "samples" / f"{sample}.json.xz")]))
    for scheme, features in (("light", ()), ("dark", ("--blink-settings=preferredColorScheme=0",))):
        picture = ROOT / "docs" / f"report-{scheme}.png"
        picture.parent.mkdir(exist_ok=True)
        command = [browser, *BROWSER, *features, f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    return True


def arguments(sample: str, options: argparse.Namespace) -> list[str]:
    """For `imgopt bench`."""
    found = ["--quick"] if options.quick else []
    saved = ROOT / "build" / "samples" / sample / "optimize.json"
    if options.proven and saved.exists():
        found += ["--result", str(saved), "--variant", json.loads(saved.read_text())["recommended"]]
    for scenario in options.scenario or SCENARIOS:
        found += ["--scenario", scenario]
    found += ["--network", options.network] if options.network else []
    return [*found, "--max-time", str(options.max_time)]


def keep(sample: str, new: list[dict[str, Any]]) -> None:
    """Puts the rows of a sample in the place of those it had, and the table into the README."""
    saved = RESULTS / "bench.json"
    others = (
        [row for row in json.loads(saved.read_text()) if row["sample"] != sample]
        if saved.exists()
        else []
    )
    found = sorted([*others, *new], key=lambda row: (row["sample"], row["arm"]))
    write_atomic(saved, json.dumps(found, indent=2) + "\n")
    write_atomic(RESULTS / "bench.md", table(found) + "\n")
    into_readme(
        table(found) + "\n" + (PICTURE if (ROOT / "docs" / "report-light.png").exists() else "")
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sample", nargs="*", default=samples(), help="default: all")
    parser.add_argument(
        "--quick", action="store_true", help="three runs each: figures without claims"
    )
    parser.add_argument(
        "--proven", action="store_true", help="use build/samples/SAMPLE/optimize.json"
    )
    parser.add_argument(
        "--pictures",
        action="store_true",
        help="nothing but the pictures of the first sample's page",
    )
    parser.add_argument(
        "--scenario", action="append", default=[], help=f"default: {', '.join(SCENARIOS)}"
    )
    parser.add_argument("--max-time", type=float, default=540, help="seconds for each sample")
    parser.add_argument(
        "--network", help="of RUN steps: `host` where the engine's bridge drops parallel downloads"
    )
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    bases = ROOT / "build" / "bases.toml"
    if bases.is_file():  # stand-ins, where the public images cannot be pulled
        os.environ.setdefault("IMGOPT_BASES", str(bases))
    if options.pictures:
        return 0 if pictures(options.sample[0]) else 1
    failed, shown = [], False
    for name in options.sample:
        result = measure(name, arguments(name, options))
        found = rows(name, result) if result is not None else []
        if result is None or not found:
            failed.append(name)
            continue
        shown = shown or pictures(name)
        keep(name, found)
    print(
        (RESULTS / "bench.md").read_text()
        if (RESULTS / "bench.md").exists()
        else "nothing could be measured"
    )
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
