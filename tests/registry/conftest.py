"""A registry that a test fills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_server import Content, Server


@pytest.fixture
def content() -> Content:
    return Content()


@pytest.fixture
def server(content: Content) -> Iterator[Server]:
    with Server(content) as server:
        yield server


@pytest.fixture(autouse=True)
def docker_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any) -> Path:
    """The machine's own credentials are none of a test's."""
    folder = tmp_path_factory.mktemp("docker")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return folder
