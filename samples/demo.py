"""`make demo`: the main job on the Flask sample; the results go to build/demo/."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from imgopt.cli.app import main

ROOT = Path(__file__).parent.parent
OUT = ROOT / "build" / "demo"


def run() -> int:
    """The command that it shows is all that it does."""
    os.chdir(ROOT)
    bases = ROOT / "build" / "bases.toml"
    if bases.exists():
        os.environ.setdefault("IMGOPT_BASES", str(bases))
    words = ["optimize", "samples/flask-notes", "--time-all", "--out", str(OUT.relative_to(ROOT))]
    words += ["--output", "markdown:build/demo/report.md", "--output", "html:build/demo/report.html"]
    print(f"$ imgopt {' '.join(words)}\n", file=sys.stderr)
    OUT.mkdir(parents=True, exist_ok=True)
    return main(words)


if __name__ == "__main__":
    sys.exit(run())
