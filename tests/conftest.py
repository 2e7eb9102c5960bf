"""Fixtures for tests against a real engine; they skip where there is none, unless
IMGOPT_REQUIRE_ENGINE is set."""

from __future__ import annotations

import os
import signal
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from recipes import image_of, view_of

from imgopt.engine import Engine, Session, connect
from imgopt.errors import EnvironmentFailure

__all__ = ["image_of", "view_of"]

# a busy machine makes no test wrong: examples have no time limit, and slow generation is no failure
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("imgopt", calm)
settings.register_profile("ci", calm, derandomize=True)
# a build is green or red by its commit; new examples are sought at work and by `make fuzz`
settings.load_profile("ci" if os.environ.get("CI") else "imgopt")

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # started in the background: tests send it to what they start
    signal.signal(signal.SIGINT, signal.default_int_handler)

BASES = Path(__file__).parent.parent / "build" / "bases.toml"


@pytest.fixture(scope="session")
def engine() -> Engine:
    try:
        return connect()
    except EnvironmentFailure as failure:
        if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
            raise
        pytest.skip(str(failure))


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture(scope="session")
def bases() -> dict[str, str]:
    """Public image name -> the one that stands in for it on this machine; empty where the public
    ones are used."""
    return tomllib.loads(BASES.read_text()).get("bases", {}) if BASES.is_file() else {}


@pytest.fixture(scope="session")
def base(engine: Engine, bases: dict[str, str]) -> Callable[[str], str]:
    """The image to use for a public name; skips where it cannot be had."""

    def find(name: str) -> str:
        found = engine.resolve_base(name, bases)
        if found is None:
            if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
                pytest.fail(f"no base image {name}: run `make bases`")
            pytest.skip(f"no base image {name}")
        return found

    return find
