"""What had to be killed ends by itself, and what does not keep that promise is left out: on the
engine."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from imgopt.config import load_config
from imgopt.engine import Session
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.loop.run import optimize
from imgopt.results.optimize import Variant

from .kit import project

pytestmark = pytest.mark.engine

SERVER = """\
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *words):
        pass


http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""


def variant_of(
    folder: Path, start: str, words: str, session: Session, bases: dict[str, str]
) -> Variant:
    files = {
        "Dockerfile": f"FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nEXPOSE 8000\n{start}\n",
        "start.sh": f"#!/bin/sh\nset -e\npython3 -c 'print(1)'\npython3 server.py {words}\n",
        "server.py": SERVER,
        "imgopt.toml": '[smoke]\nstop_timeout = 2\n[rewrite]\nallow = ["graceful-stop", "health-check"]\n',
    }
    project(folder, files)
    config, _ = load_config(folder)
    config = msgspec.structs.replace(config, bases={**bases, **config.bases})
    request = OptimizeRequest(folder, folder / "Dockerfile", config, ("safe",), timings=False)
    return optimize(session, request, Silent()).variants[0]


def test_a_script_gives_its_place_and_the_service_ends(
    tmp_path: Path, session: Session, bases: dict[str, str]
) -> None:
    found = variant_of(tmp_path, 'CMD ["sh", "start.sh"]', "", session, bases)
    assert found.verdict == "proven", found.reason
    assert "RUN sed -i '$ s|^python3 |exec &|' /app/start.sh\n" in found.dockerfile
    assert "STOPSIGNAL SIGINT\n" in found.dockerfile
    stop = next(check for check in found.checks if check.name == "stop")
    assert "the original in 2" in stop.detail
    assert "with 137" in stop.detail
