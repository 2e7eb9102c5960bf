"""Whom the original asks for the pages by which a health check might ask it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from imgopt.engine import Session
from imgopt.engine.container import StartFailure
from imgopt.rewrite.evidence import Seen
from imgopt.rewrite.start.health import PATHS
from imgopt.run.companions import CompanionFailure
from imgopt.run.facts.reaches import Reaches
from imgopt.run.facts.runner import Runner
from imgopt.run.observation import Observation
from imgopt.run.probes import Probe, get
from imgopt.run.settings import SmokeSettings

ASKED_FOR = frozenset(["health-check", "health-prober"])
"""Suggestions that need to know it."""


def who_is_asked(
    session: Session, image: str, settings: SmokeSettings, first: Observation, seen: Seen
) -> Mapping[str, tuple[str, ...]] | None:
    """By path, in one more run of the original with its companions; None where it cannot be
    seen. Raises EnvironmentFailure."""
    pages = [path for path in PATHS if path in seen.pages and seen.pages[path].status == 200]
    if not pages or len(seen.ports) != 1:
        return None
    runner = Runner(session, image, settings, first=first)
    try:
        with runner.running() as running:
            reaches = Reaches(running.near)
            host_port = running.container.ports().get(f"{seen.ports[0]}/tcp")
            if reaches.why_not or host_port is None or not running.started:
                return None
            probes = {path: Probe("http", "found", seen.ports[0], path) for path in pages}
            return {
                path: tuple(reaches.during(partial(get, probe, host_port)))
                for path, probe in probes.items()
            }
    except (StartFailure, CompanionFailure):
        return None
