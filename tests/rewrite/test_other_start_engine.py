"""What only led to the program is left out, and the program stops as it did: on the engine."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from imgopt.config import load_config
from imgopt.engine import Session
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.loop.run import optimize
from imgopt.results.optimize import Variant

from .kit import SERVER, project

pytestmark = pytest.mark.engine

SCRIPT = "#!/bin/bash\nset -e\nexport LEVEL=high\nexec python3 server.py\n"
NPM = '{"name": "clock", "version": "1.0.0", "scripts": {"start": "node server.js"}}\n'
JS = "require('http').createServer((_, answer) => answer.end('clock')).listen(3000)\n"


def variant_of(
    folder: Path, files: dict[str, str], kind: str, session: Session, bases: dict[str, str]
) -> Variant:
    project(folder, files)
    config, _ = load_config(folder)
    config = msgspec.structs.replace(config, bases={**bases, **config.bases})
    request = OptimizeRequest(folder, folder / "Dockerfile", config, (kind,), timings=False)
    return optimize(session, request, Silent()).variants[0]


def test_a_script_that_a_shell_reads_keeps_no_shell(
    tmp_path: Path, session: Session, bases: dict[str, str]
) -> None:
    files = {
        "Dockerfile": "FROM python:3.11\nWORKDIR /srv/app\nCOPY . .\nEXPOSE 8000\n"
        'CMD ["bash", "-c", ". ./start.sh"]\n',
        "start.sh": SCRIPT,
        "server.py": SERVER,
        "page.txt": "hello\n",
    }
    found = variant_of(tmp_path, files, "distroless", session, bases)
    assert (found.verdict, found.repairs) == ("proven", []), found.reason
    assert "ENV LEVEL=high\n" in found.dockerfile
    assert found.dockerfile.endswith('CMD ["python3", "server.py"]\n')


def test_what_stops_only_by_its_launcher_gets_an_init(
    tmp_path: Path, session: Session, bases: dict[str, str]
) -> None:
    files = {
        "Dockerfile": "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm install\nEXPOSE 3000\n"
        'CMD ["npm", "start"]\n',
        "package.json": NPM,
        "server.js": JS,
    }
    found = variant_of(tmp_path, files, "slim", session, bases)
    assert found.verdict == "proven", found.reason
    assert 'ENTRYPOINT ["tini", "--"' in found.dockerfile
    assert found.dockerfile.endswith('CMD ["node", "server.js"]\n')
    assert found.repairs
