"""What linters say of a Dockerfile: rule and number of times."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

HADOLINT = Path(sys.executable).parent / "hadolint"


def hadolint(text: str) -> Counter[str]:
    """Rules of hadolint that a file breaks; what it cannot parse is a rule of its own (DL1000)."""
    words = [str(HADOLINT), "--no-fail", "--format", "json", "-"]
    done = subprocess.run(
        words, input=text.encode(errors="surrogateescape"), capture_output=True, check=True
    )
    return Counter(finding["code"] for finding in json.loads(done.stdout))


def build_checks(text: str, context: Path, bases: dict[str, str]) -> Counter[str]:
    """Rules of BuildKit's own checks, `docker buildx build --call=check`."""
    named = [f"--build-context={name}=docker-image://{image}" for name, image in bases.items()]
    words = [
        "docker",
        "buildx",
        "build",
        "--call=check,format=json",
        *named,
        "-f",
        "-",
        str(context),
    ]
    done = subprocess.run(
        words, input=text.encode(errors="surrogateescape"), capture_output=True, check=False
    )
    found = json.loads(done.stdout)
    assert "buildError" not in found, found
    return Counter(warning["ruleName"] for warning in found.get("warnings") or ())


def new(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """Rules that the second file breaks more often than the first one."""
    return dict(after - before)
