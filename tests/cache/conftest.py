"""The engine for the cache tests: a small base image and a bench that builds many cases at once."""

from __future__ import annotations

import os

import pytest

from imgopt.engine import Engine, connect
from imgopt.errors import EnvironmentFailure

from .kit import Bench

_BASES = ("imgopt.local/debian:bookworm-slim", "debian:bookworm-slim")


@pytest.fixture(scope="session")
def engine() -> Engine:
    try:
        return connect()
    except EnvironmentFailure as error:
        if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def base_image(engine: Engine) -> str:
    found = next((name for name in _BASES if engine.image_available(name)), None)
    if found is None and not os.environ.get("IMGOPT_REQUIRE_ENGINE"):
        pytest.skip("no base image: run `make bases`")
    assert found is not None, "no base image: run `make bases`"
    return found


@pytest.fixture(scope="session")
def bench(base_image: str, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"), base_image)
