"""An interpreter taken from its own image, on a base without a shell: what it needs is there, and nobody is root."""

from __future__ import annotations

from pathlib import Path

import pytest

from .kit import PAGE_SERVICE, imgopt, project, result_of

DOCKERFILE = """\
FROM python:3.11
WORKDIR /srv
COPY . .
RUN python -m venv --without-pip /root/env
EXPOSE 8000
CMD /root/env/bin/python server.py
"""


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_service_in_an_environment_below_root_runs_without_root_and_without_a_shell(tmp_path: Path) -> None:
    folder = project(tmp_path, {**PAGE_SERVICE, "Dockerfile": DOCKERFILE})
    result = result_of(imgopt("optimize", str(folder), "--variant", "distroless", "--no-timings", "--format", "json"))
    variant = result["variants"][0]
    assert (variant["verdict"], result["builds"]) == ("proven", 2), variant["checks"]
    assert variant["user"] == "65532:65532"
    assert result["original"]["sizes"]["live"] > 5 * variant["sizes"]["live"]
    text = variant["dockerfile"]
    assert text.count("RUN python -m venv") == 1
    assert 'CMD ["/root/env/bin/python", "server.py"]' in text
