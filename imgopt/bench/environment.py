"""Where a benchmark ran: what a reader needs to know before comparing it with another."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from imgopt import __version__
from imgopt.context.history import Repository
from imgopt.engine import Engine
from imgopt.errors import InputError
from imgopt.results.bench import Environment


def environment(engine: Engine, context: Path, bases: Mapping[str, str]) -> Environment:
    """`bases` are image IDs by the names in the Dockerfiles. What cannot be found out is empty."""
    facts = engine.facts
    revision, dirty = _git(context)
    return Environment(
        imgopt=__version__,
        engine=facts.version,
        buildkit=_buildkit(engine),
        buildx=facts.buildx_version,
        storage="containerd" if facts.containerd_store else facts.store,
        platform=facts.platform,
        cpu=_cpu(),
        cpus=os.cpu_count(),
        memory_bytes=_memory(),
        load=[round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else [],
        bases=dict(sorted(bases.items())),
        git_revision=revision,
        git_dirty=dirty,
    )


def _output(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            capture_output=True,
            timeout=20,
            check=False,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _buildkit(engine: Engine) -> str:
    said = _output(*engine.buildx("inspect"), env=engine.environment)
    found = re.search(r"(?mi)^BuildKit(?: version)?:\s*(\S+)", said)
    return found[1] if found and "unknown" not in found[1] else ""


def _git(context: Path) -> tuple[str, bool | None]:
    repository = Repository.of(context)
    if isinstance(repository, str):
        return "", None
    try:
        commit = repository.commit("HEAD")
    except InputError:
        return "", None
    state = _output(
        "git", "-c", "core.fsmonitor=false", "status", "--porcelain", "--", ".", cwd=context
    )
    return commit, bool(state.strip())


def _cpu() -> str:
    try:
        found = re.search(r"(?m)^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
