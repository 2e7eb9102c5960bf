"""Root's own files are found by the new user: by way of HOME, and in the folder of its account."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from imgopt.config import Config
from imgopt.engine import RunRequest, Session
from imgopt.loop.attempt import prove_plan
from imgopt.loop.original import measure_original
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.strategies.variants import choose_variants

from .kit import project

DOCKERFILE = """\
FROM python:3.11
WORKDIR /srv/fetch
RUN printf 'machine example.org login a password b\\n' > /root/.netrc && chmod 600 /root/.netrc \\
 && mkdir -p /root/.config/fetch && echo 3 > /root/.config/fetch/depth
COPY fetch.py .
EXPOSE 8000
CMD ["python", "fetch.py"]
"""
SERVICE = """\
import os, pathlib, pwd, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

signal.signal(signal.SIGTERM, lambda *_: sys.exit())

class Handler(BaseHTTPRequestHandler):
    def answer(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        self.answer("ok")

    def do_POST(self):
        import netrc
        here = pathlib.Path("~/.config/fetch/depth").expanduser().read_text().strip()
        (pathlib.Path.home() / ".cache" / "fetch").mkdir(parents=True, exist_ok=True)
        login = netrc.netrc().authenticators("example.org")[0]
        self.answer(f"{login} {here} {pwd.getpwuid(os.getuid()).pw_dir}")

HTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""


@pytest.mark.engine
def test_settings_of_root_are_found_by_the_new_user_though_no_probe_asked(
    session: Session, bases: dict[str, str], tmp_path: Path
) -> None:
    folder = project(tmp_path, {"Dockerfile": DOCKERFILE, "fetch.py": SERVICE})
    request = OptimizeRequest(folder, folder / "Dockerfile", Config(bases=bases))
    original = measure_original(session, request, request.source(), Silent())
    proven = prove_plan(session, request, original, choose_variants(["slim"])[0], Silent())
    assert proven.verdict == "proven", [proven.failure, *map(str, proven.items)]
    assert proven.image is not None
    assert proven.image.config.user == "10001:10001"
    with session.create(RunRequest(proven.image.reference, ports=("8000/tcp",))) as container:
        container.start()
        port = container.ports()["8000/tcp"]
        assert container.wait(2) is None
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/", b"", method="POST")
        with urllib.request.urlopen(asked, timeout=20) as answer:
            assert answer.read() == b"a 3 /root"
