"""`make falsify`: breaks the samples where no probe looks, and asks the proof: `python
benchmarks/falsify.py [SAMPLE...] [--only TEXT]`.

Every sample is built, made larger and watched once; each change of `falsifications.py` is then
built on it and judged as `imgopt prove` judges any candidate. Writes `results/falsify.json` after
each of them, and the table between the `falsify` marks of README.md. Ends with 1 where a broken
service was proven, or a harmless change was not.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from falsifications import ENTRY, FALSE, GROWN, HARMLESS, RARE, SAMPLES, Change

from imgopt.config import Config, load_config
from imgopt.engine import BuildFailure, BuildRequest, Session, configured, connect
from imgopt.image import Image, open_image
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.dockerfile_facts import base_name, named_packages
from imgopt.proof.derive import derive
from imgopt.proof.trial import Trial, watch
from imgopt.report import write_atomic
from imgopt.report.common import table_markdown
from imgopt.run.settings import settings_of

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "falsify.json"
MARKS = re.compile(r"(<!-- falsify:begin -->\n).*?(<!-- falsify:end -->)", re.DOTALL)
Row = dict[str, Any]


@dataclass(frozen=True)
class Watched:
    """A sample, made larger and watched."""

    name: str
    reference: str
    trial: Trial
    base: Image | None
    empty: Path


def main(names: Sequence[str], only: str = "") -> int:
    """Tries every change on these samples, all of them for none."""
    bases = ROOT / "build" / "bases.toml"
    if bases.is_file():
        os.environ.setdefault("IMGOPT_BASES", str(bases))
    with TemporaryDirectory() as empty, Session(connect()) as session:
        for name in names or SAMPLES:
            watched = grown(session, name, Path(empty))
            for row in tried(session, watched, only):
                keep(row)
                print(told(row), flush=True)
    rows = known()
    wrong = [row for row in rows if row["verdict"] != row["wanted"]]
    write_readme(rows)
    print(table(rows))
    return 1 if wrong else 0


def grown(session: Session, name: str, empty: Path) -> Watched:
    """Builds a sample and what is laid over it, and runs that twice."""
    folder = ROOT / "samples" / name
    config, _ = load_config(folder)
    text = (folder / "Dockerfile").read_text()
    reference = build(session, _request(folder, config, "sample"))
    over = BuildRequest(
        empty,
        dockerfile=f"FROM sample\n{ENTRY}{GROWN[name]}",
        bases={"sample": reference},
        name="original",
    )
    reference = build(session, over)
    below = session.engine.resolve_base(base_name(text, None, {}) or "", config.bases)
    base = open_image(below) if below not in (None, "scratch") else None
    view = ImageView(open_image(reference), base)
    settings = settings_of(config.smoke, folder)
    runs = watch(session, view, settings, context=folder)
    if not runs[0].started:
        raise SystemExit(f"{name} does not start: {runs[0].reason}\n{runs[0].log}")
    trial = Trial(session, view, runs, settings, named=named_packages(text, None))
    return Watched(name, reference, trial, base, empty)


def _request(folder: Path, config: Config, name: str) -> BuildRequest:
    return replace(configured(folder, config), bases=config.bases, name=name)


def build(session: Session, request: BuildRequest) -> str:
    made = session.build(request)
    assert made.reference is not None
    return made.reference


def tried(session: Session, watched: Watched, only: str) -> Iterator[Row]:
    """A row for every change that matters in this sample."""
    for wanted, changes in (("refuted", FALSE), ("proven", HARMLESS)):
        for change in changes:
            said = f"{change.kind}: {change.name}"
            if watched.name in change.samples and only in said:
                yield judged(session, watched, change, wanted)


def judged(session: Session, watched: Watched, change: Change, wanted: str) -> Row:
    started = time.monotonic()
    row: Row = {
        "sample": watched.name,
        "kind": change.kind,
        "name": change.name,
        "wanted": wanted,
    }
    request = BuildRequest(
        watched.empty,
        dockerfile=dockerfile(watched, change),
        bases={"original": watched.reference},
        name="changed",
    )
    try:
        candidate = ImageView(open_image(build(session, request)), watched.base)
    except BuildFailure as failure:
        raise SystemExit(f"{watched.name}, {change.name}: it does not build: {failure}") from None
    original, opened = watched.trial.original, watched.trial.opened
    files = opened.files if opened is not None else None
    found = watched.trial.judge(candidate, derive(original, candidate, files))
    failed = [check for check in found.checks if check.verdict == "failed"]
    return row | {
        "verdict": found.verdict,
        "by": [check.name for check in failed],
        "because": str(failed[0].items[0])[:200] if failed and failed[0].items else "",
        "seconds": round(time.monotonic() - started, 1),
    }


def dockerfile(watched: Watched, change: Change) -> str:
    """The lines with the sample's own words in them."""
    config = watched.trial.original.config
    words = list(config.cmd or ())
    node = watched.trial.original.command(words[0])
    whole = [node.path if node is not None else words[0], *words[1:]]
    lines = change.lines
    for key, value in (
        ("{command}", _listed(words)),
        ("{whole}", _listed(whole)),
        ("{rare}", RARE[watched.name]),
    ):
        lines = lines.replace(key, value)
    if lines != "{squashed}":
        return f"FROM original\n{lines}\n"
    variables = [f"ENV {key}={json.dumps(value)}" for key, value in config.environment.items()]
    ports = [f"EXPOSE {port}" for port in config.exposed_ports]
    labels = [
        f"LABEL {key}={json.dumps(value)}"
        for key, value in config.labels.items()
        if not key.startswith("imgopt.")
    ]
    start = [f"ENTRYPOINT [{_listed(config.entrypoint or ())}]", f"CMD [{_listed(words)}]"]
    copied = ["FROM scratch", "COPY --from=original / /", f"WORKDIR {config.workdir or '/'}"]
    return "\n".join([*copied, *variables, *ports, *labels, *start]) + "\n"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(json.dumps, words))


def told(row: Row) -> str:
    sign = "" if row["verdict"] == row["wanted"] else "WRONG "
    by = f" ({', '.join(row['by'])}: {row['because']})" if row["by"] else ""
    said = f"{row['sample']}: {row['kind']}: {row['name']}: {row['verdict']}{by}"
    return f"{sign}{said}, {row['seconds']:.0f} s"


def known() -> list[Row]:
    """The rows of what is still in the lists."""
    rows: list[Row] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else []
    listed = {
        (wanted, change.kind, change.name, sample)
        for wanted, changes in (("refuted", FALSE), ("proven", HARMLESS))
        for change in changes
        for sample in change.samples
    }
    return [
        row for row in rows if (row["wanted"], row["kind"], row["name"], row["sample"]) in listed
    ]


def keep(row: Row) -> None:
    """Puts a row in the place of the one that it had."""
    key = ("sample", "kind", "name", "wanted")
    others = [one for one in known() if any(one[name] != row[name] for name in key)]
    rows = sorted([*others, row], key=lambda one: tuple(one[name] for name in key))
    write_atomic(RESULTS, (json.dumps(rows, indent=1) + "\n").encode())


def table(rows: Sequence[Row]) -> str:
    """By kind: how many were broken, and how many of them were proven all the same."""
    false = [row for row in rows if row["wanted"] == "refuted"]
    lines = []
    for kind in sorted({row["kind"] for row in false}):
        mine = [row for row in false if row["kind"] == kind]
        lines.append((kind, str(len(mine)), str(_wrong(mine))))
    lines.append(("**together**", str(len(false)), f"**{_wrong(false)}**"))
    harmless = [row for row in rows if row["wanted"] == "proven"]
    lines.append(("harmless changes, not proven", str(len(harmless)), str(_missed(harmless))))
    return table_markdown(("what is broken", "services", "wrongly proven"), lines)


def _wrong(rows: Sequence[Row]) -> int:
    return sum(row["verdict"] == "proven" for row in rows)


def _missed(rows: Sequence[Row]) -> int:
    return sum(row["verdict"] != "proven" for row in rows)


def write_readme(rows: Sequence[Row]) -> None:
    readme = ROOT / "README.md"
    text = readme.read_text()
    new = MARKS.sub(lambda match: f"{match[1]}{table(rows)}\n{match[2]}", text)
    if new != text:
        readme.write_text(new)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("samples", nargs="*", choices=[*SAMPLES, []], metavar="SAMPLE")
    parser.add_argument("--only", default="", help="changes that have this text in their name")
    given = parser.parse_args()
    sys.exit(main(given.samples, given.only))
