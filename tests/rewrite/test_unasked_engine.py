"""What no probe asks for works as before: services whose answers to POST need tables, accounts,
folders and programs that a GET never shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.config import Config
from imgopt.engine import RunRequest, Session
from imgopt.loop.attempt import prove_plan
from imgopt.loop.original import measure_original
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.strategies.variants import choose_variants

from .kit import project
from .test_writable import post

HEAD = """\
import http.server, json, os, signal

signal.signal(signal.SIGTERM, lambda *words: os._exit(0))

class Late(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.say("late")

    def do_POST(self):
        try:
            self.say(json.dumps(getattr(self, self.path[1:])()))
        except Exception as error:
            self.say(repr(error), 500)

    def log_message(self, *words):
        pass

    def say(self, text, status=200):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
"""
TAIL = '\nhttp.server.ThreadingHTTPServer(("", 8000), Late).serve_forever()\n'
TABLES = """
    def kinds(self):
        import mimetypes
        return [mimetypes.guess_type("a." + end)[0] for end in ("ods", "flac", "woff2")]

    def names(self):
        import grp, pwd
        return [pwd.getpwnam("games").pw_uid, grp.getgrnam("audio").gr_gid]

    def words(self):
        import locale
        return locale.setlocale(locale.LC_ALL, "C.UTF-8")

    def screen(self):
        import curses
        curses.setupterm("xterm", 1)
        return curses.tigetnum("cols")

    def queue(self):
        with open(json.load(open("places.json"))["queue"] + "/one", "w") as file:
            file.write("x")
        return oct(os.stat("/var/spool/late").st_mode)

    def team(self):
        open("/srv/team/one", "w").close()
        return os.stat("/srv/team/one").st_gid
"""
ANSWERS: Mapping[str, object] = {
    "kinds": ["application/vnd.oasis.opendocument.spreadsheet", "audio/flac", "font/woff2"],
    "names": [5, 29],
    "words": "C.UTF-8",
    "screen": 80,
    "queue": "0o40755",
    "team": 1700,
}
DOCKERFILE = """\
FROM python:3.11
WORKDIR /srv/late
RUN pip install idna==3.10
RUN mkdir -p /var/spool/late && groupadd -g 1700 team \\
 && mkdir /srv/team && chgrp team /srv/team && chmod 2775 /srv/team
COPY . .
EXPOSE 8000
CMD ["python", "late.py"]
"""
COMPILER = """
    def compiled(self):
        import subprocess, tempfile
        folder = tempfile.mkdtemp()
        with open(folder + "/a.c", "w") as file:
            file.write('#include <stdio.h>\\nint main(void) { puts("7"); return 0; }')
        subprocess.run(["gcc", "-o", folder + "/a", folder + "/a.c"], check=True)
        return subprocess.run([folder + "/a"], capture_output=True, text=True).stdout

    def fetched(self):
        import subprocess
        tools = json.load(open("tools.json"))
        return subprocess.run(tools["fetch"], capture_output=True, check=True).returncode
"""


def answers(
    session: Session, bases: dict[str, str], folder: Path, *paths: str, kind: str
) -> object:
    """What the variant says to POST, as it was first planned: nothing is repaired."""
    request = OptimizeRequest(folder, folder / "Dockerfile", Config(bases=bases))
    original = measure_original(session, request, request.source(), Silent())
    proven = prove_plan(session, request, original, choose_variants([kind])[0], Silent())
    assert proven.verdict == "proven", [kind, proven.failure, *map(str, proven.items)]
    assert proven.build is not None
    assert proven.build.image_id is not None
    with session.create(RunRequest(proven.build.image_id, ports=("8000/tcp",))) as container:
        container.start()
        port = container.ports()["8000/tcp"]
        return {path: json.loads(post(port, f"/{path}")[1]) for path in paths}


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["slim", "distroless"])
def test_tables_accounts_and_folders_are_there_when_they_are_asked_for(
    session: Session, bases: dict[str, str], tmp_path: Path, kind: str
) -> None:
    files = {
        "Dockerfile": DOCKERFILE,
        "late.py": HEAD + TABLES + TAIL,
        "places.json": '{"queue": "/var/spool/late"}',
    }
    folder = project(tmp_path, files)
    assert answers(session, bases, folder, *ANSWERS, kind=kind) == ANSWERS


@pytest.mark.engine
def test_a_compiler_and_a_program_of_the_settings_are_there(
    session: Session, bases: dict[str, str], tmp_path: Path
) -> None:
    files = {
        "Dockerfile": DOCKERFILE,
        "late.py": HEAD + COMPILER + TAIL,
        "tools.json": '{"fetch": ["curl", "--version"]}',
    }
    folder = project(tmp_path, files)
    found = answers(session, bases, folder, "compiled", "fetched", kind="slim")
    assert found == {"compiled": "7\n", "fetched": 0}
