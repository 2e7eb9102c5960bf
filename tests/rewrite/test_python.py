"""An interpreter taken from its own image, on a base without a shell: what it needs is there, and
nobody is root."""

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
def test_a_service_in_an_environment_below_root_runs_without_root_and_without_a_shell(
    tmp_path: Path,
) -> None:
    folder = project(tmp_path, {**PAGE_SERVICE, "Dockerfile": DOCKERFILE})
    result = result_of(
        imgopt(
            "optimize", str(folder), "--variant", "distroless", "--no-timings", "--format", "json"
        )
    )
    variant = result["variants"][0]
    assert (variant["verdict"], result["builds"]) == ("proven", 2), variant["checks"]
    assert variant["user"] == "65532:65532"
    assert result["original"]["sizes"]["live"] > 5 * variant["sizes"]["live"]
    text = variant["dockerfile"]
    assert text.count("RUN python -m venv") == 1
    assert 'CMD ["/root/env/bin/python", "server.py"]' in text


UWSGI = {
    "Dockerfile": """\
FROM python:3.11-bookworm
WORKDIR /app
COPY app /app
COPY requirements.txt /app
RUN pip install -r /app/requirements.txt
CMD ["uwsgi", "--ini", "/app/wsgi.ini"]
""",
    "requirements.txt": "uwsgi==2.0.28\n",
    "app/wsgi.ini": "[uwsgi]\nmodule = wsgi:answer\nmaster = true\nhttp = 0.0.0.0:5000\ndie-on-term = true\n",
    "app/wsgi.py": "def answer(environ, start):\n    start('200 OK', [])\n    return [b'hello']\n",
}


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_a_program_that_holds_the_interpreter_takes_it_along_and_not_the_tools(
    tmp_path: Path,
) -> None:
    """The base opened files of setuptools at each start, which the builder removes; the manifest
    comes last."""
    folder = project(tmp_path, UWSGI)
    result = result_of(
        imgopt(
            "optimize", str(folder), "--variant", "distroless", "--no-timings", "--format", "json"
        )
    )
    variant = result["variants"][0]
    assert variant["verdict"] == "proven", (variant["reason"], variant["checks"])
    text = variant["dockerfile"]
    assert (
        text.index("COPY requirements.txt /app")
        < text.index("pip install -r")
        < text.index(" app /app")
    )
    assert "_distutils_hack" not in text
