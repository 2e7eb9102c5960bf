from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.program_calls import called_by_packages, called_by_sources


@pytest.mark.parametrize(
    ("name", "text", "programs"),
    [
        ("a.py", 'subprocess.run(["git", "log"])', ["git"]),
        (
            "a.py",
            "subprocess.check_output(\n    'convert a b | gs -q', shell=True)",
            ["convert", "gs"],
        ),
        ("a.py", 'os.system("cd /tmp && tar xf a.tar")', ["tar"]),
        ("a.py", 'shutil.which("ffmpeg")', ["ffmpeg"]),
        ("a.py", 'subprocess.run([tool, "git"])', []),
        ("a.py", 'session.run(["git"]); print("subprocess")', []),
        ("a.py", 'exec("git")', []),
        (
            "a.js",
            "const {execFile} = require('child_process'); execFile('pdftotext', [x])",
            ["pdftotext"],
        ),
        ("a.mjs", "import {execa} from 'execa'; await execa('git', ['status'])", ["git"]),
        ("a.js", "const m = /x/.exec('git')", []),
        ("a.php", "<?php echo shell_exec('wkhtmltopdf a b'); ?>", ["wkhtmltopdf"]),
        ("a.rb", "system('convert a b')", ["convert"]),
        ("a.txt", 'subprocess.run(["git"])', []),
    ],
)
def test_literal_calls_in_sources(
    name: str, text: str, programs: list[str], view_of: Callable[..., ImageView]
) -> None:
    view = view_of(Recipe((("COPY . /app", {f"app/{name}": text}),), {"WorkingDir": "/app"}))
    assert [program for program, _ in called_by_sources(view)] == programs


def test_packages_that_drive_a_program(view_of: Callable[..., ImageView]) -> None:
    site = "usr/lib/python3/site-packages"
    files = {
        f"{site}/GitPython-3.1.dist-info/METADATA": "Name: GitPython\nVersion: 3.1\n",
        f"{site}/GitPython-3.1.dist-info/RECORD": "",
        f"{site}/flask-3.1.dist-info/METADATA": "Name: flask\nVersion: 3.1\n",
        "app/node_modules/gm/package.json": '{"name": "gm", "version": "1.0.0"}',
    }
    view = view_of(Recipe((("COPY . /app", files),), {}))
    assert sorted(called_by_packages(view)) == [
        ("convert", "node package gm"),
        ("git", "python package GitPython"),
    ]
