"""Which tests of a project are offered, and by which command."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.inspect.sources.own_tests import own_tests

URL = "import os\nURL = os.environ['BASE_URL']\n"
FOUND = {
    "pytest": ({"tests/http/test_a.py": f"import pytest\n{URL}"}, "python -m pytest tests/http"),
    "two folders": (
        {"tests/http/test_a.py": f"def test_a(): ...\n{URL}", "tests/ws/b_test.py": URL},
        "python -m pytest tests/http",
    ),
    "unittest": ({"t/test_a.py": f"import unittest\n{URL}"}, "python -m unittest discover -s t"),
    "beside the sources": ({"test_a.py": f"import pytest\n{URL}"}, "python -m pytest ."),
    "a folder with a blank": (
        {"my tests/test_a.py": f"import pytest\n{URL}"},
        "python -m pytest 'my tests'",
    ),
    "node's own": (
        {"test/a.test.js": "require('node:test')\nfetch('http://localhost:3000/')"},
        "node --test test/",
    ),
    "vitest": (
        {"test/a.spec.ts": "import {it} from 'vitest'\nconst u = process.env.API_URL"},
        "npx vitest run test",
    ),
    "another runner": ({"test/a.test.ts": "fetch('http://localhost:3000/')"}, "npm test"),
    "go": ({"e2e/a_test.go": 'http.Get("http://127.0.0.1:80/")'}, "go test ./e2e/..."),
    "an ignored folder": (
        {".dockerignore": "tests\n", "tests/test_a.py": f"import pytest\n{URL}"},
        "python -m pytest tests",
    ),
}
NONE = {
    "tests that ask no service": {"tests/test_a.py": "import pytest\ndef test_a(): ...\n"},
    "tests of packages": {"node_modules/x/a.test.js": "fetch('http://localhost:1/')"},
    "tests of an environment": {".venv/lib/x/test_a.py": f"import pytest\n{URL}"},
    "a source": {"app.py": URL},
    "nothing": {},
}


def made(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.mark.parametrize("files", NONE.values(), ids=NONE)
def test_nothing_is_offered(files: dict[str, str], tmp_path: Path) -> None:
    assert own_tests(made(tmp_path, files)) == ("", "")


@pytest.mark.parametrize(("files", "command"), FOUND.values(), ids=FOUND)
def test_a_command_is_offered(files: dict[str, str], command: str, tmp_path: Path) -> None:
    assert own_tests(made(tmp_path, files))[0] == command
