"""Where results are kept while the timing runs: what is proven is on disk before anything can be
interrupted.

With --out it is that folder. Without, nothing may be written into the context: whatever lies there
is sent to the next build and may be copied into the image. So it is a folder of the user's own
state (XDG_STATE_HOME, else ~/.local/state), one for each project, and it goes when the command has
come to its end and shown the result.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgopt.results.optimize import OptimizeResult


def state_folder(dockerfile: Path) -> Path:
    """The folder of one project, named by its own folder and a digest of the Dockerfile's path."""
    whole = dockerfile.resolve()
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = re.sub(r"[^\w.-]", "_", whole.parent.name) or "project"
    return home / "imgopt" / f"{name}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:8]}"


def write_result(folder: Path, result: OptimizeResult) -> None:
    """Each proven variant and the result. Raises OSError."""
    from imgopt.report.files import write_atomic
    from imgopt.results import to_json

    folder.mkdir(parents=True, exist_ok=True)
    for variant in result.variants:
        if variant.verdict == "proven":
            write_atomic(folder / f"Dockerfile.{variant.name}", variant.dockerfile)
            if variant.dockerignore is not None:
                write_atomic(
                    folder / f"Dockerfile.{variant.name}.dockerignore", variant.dockerignore
                )
    write_atomic(folder / "optimize.json", to_json(result))


def forget(folder: Path) -> None:
    """Removes a project's state folder, where there is one."""
    shutil.rmtree(folder, ignore_errors=True)
