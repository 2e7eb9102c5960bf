"""Samples and four more services on the newest run times: carved without a name of one build, not
root, proven.

CI takes one run time for each kind of service; IMGOPT_ALL_SAMPLES=1 takes every pair (their bases:
samples/bases/bases.py --all).
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from imgopt.config import load_config
from imgopt.dockerfile import parse
from imgopt.dockerfile.typed import Copy
from imgopt.engine import Session
from imgopt.inspect.files.drawn_names import is_of_one_build
from imgopt.loop.attempt import MOST_BUILDS
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.loop.run import optimize

from .kit import ROOT

pytestmark = pytest.mark.engine
SERVICES = Path(__file__).parent / "services"
Row = tuple[str, str, str, dict[str, str]]
PAIRS: list[Row] = [
    ("nest-tickets", "node:26", "distroless", {}),
    ("go-almanac", "golang:1.26", "distroless", {}),
    ("express-links", "node:24", "slim", {}),
    ("vite-herbs", "node:26", "slim", {}),
]
PLUG_N_PLAY = {"nodeLinker: node-modules": "nodeLinker: pnp"}
NEWEST_BOOT = {"<version>3.3.5<": "<version>4.1.2<", "<java.version>17<": "<java.version>25<"}
OTHERS: list[Row] = [
    ("nest-tickets", "node:24", "slim", {}),
    ("express-links", "node:26", "distroless", {}),
    (
        "express-links",
        "node:24",
        "slim",
        {"RUN npm install\n": "RUN npm install -g pnpm && pnpm install\n"},
    ),
    (
        "express-links",
        "node:26",
        "slim",
        {"RUN npm install\n": "RUN npm install -g pnpm && pnpm install\n"},
    ),
    ("vite-herbs", "node:24", "distroless", {}),
    ("react-board", "node:24", "slim", {}),
    ("react-board", "node:26", "slim", {}),
    ("yarn-ferries", "node:24", "slim", {}),
    (
        "yarn-ferries",
        "node:26",
        "slim",
        {"RUN corepack": "RUN npm install -g corepack && corepack"},
    ),
    ("yarn-ferries", "node:24", "slim", PLUG_N_PLAY),
    ("flask-notes", "python:3.13", "slim", {"psycopg2==2.9.9": "psycopg2==2.9.13"}),
    ("poetry-colours", "python:3.13", "slim", {"poetry==1.8.4": "poetry"}),
    ("uv-tides", "python:3.13", "slim", {}),
    ("spring-rates", "maven:3.9-eclipse-temurin-25", "slim", {}),
    ("spring-rates", "maven:4.0.0-rc-6-eclipse-temurin-25", "slim", NEWEST_BOOT),
]
SHARE = {"nest-tickets": 3, "go-almanac": 40, "express-links": 3, "vite-herbs": 8}
"""How many times smaller the result has to be on the wire, at least."""
TAKEN = [*PAIRS, *OTHERS] if os.environ.get("IMGOPT_ALL_SAMPLES") else PAIRS


def on(sample: str, base: str, edits: dict[str, str], folder: Path) -> Path:
    """A copy of the sample whose first line names another release of its run time; `edits` of the
    files at its top."""
    context = folder / sample
    own = SERVICES / sample
    shutil.copytree(own if own.is_dir() else ROOT / "samples" / sample, context)
    dockerfile = context / "Dockerfile"
    text = re.sub(
        rf"^FROM {base.partition(':')[0]}:\S+",
        f"FROM {base}",
        dockerfile.read_text(),
        flags=re.MULTILINE,
    )
    assert f"FROM {base}" in text
    dockerfile.write_text(text)
    for old, new in edits.items():
        (file,) = [
            path for path in sorted(context.iterdir()) if path.is_file() and old in path.read_text()
        ]
        file.write_text(file.read_text().replace(old, new))
    return context


@pytest.mark.parametrize(
    ("sample", "base", "variant", "edits"), TAKEN, ids=[f"{each[0]}-{each[1]}" for each in TAKEN]
)
def test_a_service_on_a_new_run_time_is_carved_for_good(
    sample: str,
    base: str,
    variant: str,
    edits: dict[str, str],
    tmp_path: Path,
    bases: dict[str, str],
    session: Session,
) -> None:
    context = on(sample, base, edits, tmp_path)
    config, _ = load_config(context)
    config = msgspec.structs.replace(config, bases={**bases, **config.bases})
    request = OptimizeRequest(
        context, context / "Dockerfile", config, variants=(variant,), timings=False
    )
    result = optimize(session, request, Silent())
    (found,) = result.variants
    assert found.verdict == "proven", (
        found.reason,
        [check for check in found.checks if check.verdict != "passed"],
    )
    assert found.user not in ("", "root", "0")
    assert result.builds_by[variant] <= MOST_BUILDS
    assert found.repairs == [], "nothing that the variant lacked at first"
    assert not [skip for skip in found.skips if skip.reason.startswith("left out")]
    copies = [
        item.typed for item in parse(found.dockerfile).instructions if isinstance(item.typed, Copy)
    ]
    sources = [str(source) for copy in copies for source in copy.sources]
    assert [
        source for source in sources if is_of_one_build(source) or source.startswith("/tmp/")
    ] == []
    assert result.original.sizes is not None and found.sizes is not None
    assert (found.sizes.wire or 0) * SHARE.get(sample, 2) < (result.original.sizes.wire or 0)
