"""Small projects for the loop's tests, written where a test wants them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def project(folder: Path, files: Mapping[str, str]) -> Path:
    """Writes a project and returns its folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def environment() -> dict[str, str]:
    bases = ROOT / "build" / "bases.toml"
    return {
        **os.environ,
        **({"IMGOPT_BASES": str(bases)} if bases.is_file() else {}),
        "NO_COLOR": "1",
    }


def imgopt(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a user does; later edits are for tests/lives."""
    rest = ["--no-lives"] if words[:1] == ("optimize",) else []
    command = [sys.executable, "-m", "imgopt", *words, *rest]
    return subprocess.run(
        command,
        env={**environment(), **(env or {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON on standard output; shows what was said where there is none."""
    assert done.stdout.strip(), done.stderr
    return dict(json.loads(done.stdout))


def snapshot(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Bytes, mode and time of every file: what "unchanged" means."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes(),
            path.stat().st_mode,
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


SERVER = """\
import http.server, os, signal, sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit())

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("page.txt", "rb").read()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("", 8000), Page).serve_forever()
"""
"""A service without dependencies that reads a file from its working directory."""

PAGE_SERVICE = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /srv\nCOPY . .\nRUN echo 1 > stamp\nEXPOSE 8000\nCMD python3 server.py\n",
    "server.py": SERVER,
    "page.txt": "hello\n",
}
