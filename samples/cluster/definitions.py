"""Definitions of Gateway API and KEDA: the files that their own Go modules hold, by their sums."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from building import go_environment, go_program
from layout import VERSION, give_up


@dataclass(frozen=True)
class Module:
    path: str
    version: str
    sum: str
    files: str = ""


DEFINITIONS = (
    Module(
        "sigs.k8s.io/gateway-api",
        "v1.6.3",
        "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
        "config/crd/standard/*.yaml",
    ),
    Module(
        "github.com/kedacore/keda/v2",
        "v2.21.0",
        "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
        "config/crd/bases/*.yaml",
    ),
)
KUBERNETES = Module("k8s.io/kubernetes", f"v{VERSION}", "", "api/openapi-spec/v3/*_openapi.json")
"""Its sum stands in parts/go.sum."""


def files_of(data: Path, modules: tuple[Module, ...] = DEFINITIONS) -> list[Path]:
    """Downloaded on first use."""
    command = [go_program(), "mod", "download", "-json"]
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [*command, *(f"{one.path}@{one.version}" for one in modules)],
            cwd=empty,
            env=go_environment(data),
            capture_output=True,
            text=True,
        )
    if done.returncode:
        give_up(
            "the definitions of Gateway API and KEDA could not be downloaded", done.stderr[-400:]
        )
    found: list[Path] = []
    decoder, text = json.JSONDecoder(), done.stdout.strip()
    for one in modules:
        told, end = decoder.raw_decode(text)
        text = text[end:].strip()
        if one.sum and told["Sum"] != one.sum:
            give_up(f"{one.path} {one.version} is not what it was: {told['Sum']}, not {one.sum}")
        found += sorted(Path(told["Dir"]).glob(one.files))
    return found
