from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from differential.laboratory import Laboratory
from imgopt.engine import Engine


@pytest.fixture(scope="module")
def laboratory(
    engine: Engine, base: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    folder: Path = tmp_path_factory.mktemp("laboratory")
    made = Laboratory(
        engine, base("debian:bookworm-slim"), f"differential{time.time_ns():x}", folder
    )
    yield made
    made.close()
