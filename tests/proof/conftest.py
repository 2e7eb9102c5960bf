"""What the proof's tests against a real engine share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from imgopt.engine import Session, connect
from imgopt.errors import EnvironmentFailure


@pytest.fixture
def session() -> Iterator[Session]:
    try:
        engine = connect()
    except EnvironmentFailure as error:
        if os.environ.get("IMGOPT_REQUIRE_ENGINE"):
            raise
        pytest.skip(str(error))
    with Session(engine) as session:
        yield session
