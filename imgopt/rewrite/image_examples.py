"""Two small applications as images, for the examples of strategies: one of Python, one of Node."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from imgopt.image.recipe import FAT_DEBIAN, File, Files
from imgopt.rewrite.evidence import Page
from imgopt.rewrite.strategy import EvidenceExample, Repairs

PATH = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]}
WORKDIR = ("WORKDIR /app", {"/app": File(folder=True)})
LARGE = "x = 1\n" * 150_000

PYTHON_TEXT = 'FROM python:3.11\nWORKDIR /app\nCOPY . .\nCMD ["python", "app.py"]\n'
PYTHON_BUILD = PYTHON_TEXT.replace("CMD", "RUN make\nCMD")
SOURCE = ("COPY . .", {"/app/app.py": "print(1)\n"})
MODULES = (
    "RUN make",
    {
        f"/usr/local/lib/python3.11/site-packages/a/m{number}.py": "x = 1\n" * 5000
        for number in range(80)
    },
)
python_example = partial(
    EvidenceExample,
    base=("ADD rootfs", FAT_DEBIAN),
    base_config=PATH,
    config={"Cmd": ["python", "app.py"], "WorkingDir": "/app"},
    opened=frozenset(["/app/app.py", "/usr/local/bin/python"]),
    executed=frozenset(["/usr/local/bin/python"]),
    files={"app.py": "print(1)\n"},
)
"""A service of one file, on a Debian with a compiler."""

NODE_TEXT = 'FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "app.js"]\n'
_MANIFEST = json.dumps({"name": "s", "dependencies": {"a": "1"}, "devDependencies": {"t": "1"}})
_LOCK = json.dumps(
    {
        "lockfileVersion": 3,
        "packages": {
            "": {"dependencies": {"a": "1"}, "devDependencies": {"t": "1"}},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/t": {"version": "1.0.0", "dev": True},
        },
    }
)
_NPM = "/usr/local/lib/node_modules/npm"
_NODE_BASE: Files = {
    **FAT_DEBIAN,
    f"{_NPM}/package.json": '{"name": "npm", "version": "10.8.2"}',
    f"{_NPM}/bin/npm-cli.js": File("#!/usr/bin/env node\n", 0o755),
    "/usr/local/bin/npm": File(link=f"{_NPM}/bin/npm-cli.js"),
}
NODE_SOURCE = (
    "COPY . .",
    {
        "/app/app.js": "require('a')\n",
        "/app/package.json": _MANIFEST,
        "/app/package-lock.json": _LOCK,
    },
)
NODE_MODULES = (
    "RUN npm ci",
    {
        "/app/node_modules/.package-lock.json": _LOCK,
        "/app/node_modules/a/package.json": '{"name": "a", "version": "1.0.0"}',
        "/app/node_modules/a/index.js": "1;\n",
        "/app/node_modules/t/package.json": '{"name": "t", "version": "1.0.0"}',
        "/app/node_modules/t/index.js": LARGE,
    },
)
node_example = partial(
    EvidenceExample,
    base=("ADD rootfs", _NODE_BASE),
    base_config=PATH,
    config={"Cmd": ["node", "app.js"], "WorkingDir": "/app"},
    opened=frozenset(["/app/app.js", "/app/node_modules/a/index.js", "/usr/local/bin/node"]),
    executed=frozenset(["/usr/local/bin/node"]),
    files={
        "app.js": "require('a')\n",
        "package.json": _MANIFEST,
        "package-lock.json": _LOCK,
    },
)
"""A service with one package, and one for its development alone."""


def started_by_npm(
    name: str,
    scripts: dict[str, str],
    *,
    source: str = "1\n",
    start: str = 'CMD ["npm", "start"]',
    after: str | None = None,
    above: str = "",
    refused: str = "",
    repairs: Repairs | None = None,
) -> EvidenceExample:
    """A service of one file that `npm start` starts; `start` is what the file says by now, `after`
    what stands in its place, and `above` what comes behind FROM."""
    text = NODE_TEXT.partition("RUN npm ci\n")
    before = f"{text[0]}{start}\n"
    first = before.partition("\n")[0] + "\n"
    files = {"app.js": source, "package.json": json.dumps({"name": "s", "scripts": scripts})}
    return node_example(
        name,
        before=before,
        layers=(WORKDIR, ("COPY . .", {f"/app/{path}": text for path, text in files.items()})),
        config={"Cmd": ["npm", "start"], "WorkingDir": "/app"},
        opened=frozenset(["/app/app.js", "/usr/local/bin/node"]),
        files=files,
        after=before.replace(first, first + above).replace(start, after) if after else None,
        refused=refused,
        repairs=repairs or Repairs(),
        alone=True,
    )


def started_by_script(name: str, script: str, *, start: str, after: str | None) -> EvidenceExample:
    """A service of one file that a script of its own starts (`start`: the instructions); `after` is
    what stands in their place."""
    before = f"FROM python:3.11\nWORKDIR /app\nCOPY . .\n{start}\n"
    words = {line.split()[0]: json.loads(line.split(None, 1)[1]) for line in start.splitlines()}
    files = {"app.py": "print(1)\n", "start.sh": f"#!/bin/sh\nset -e\n{script}\n"}
    copied = {f"/app/{path}": File(text, 0o755) for path, text in files.items()}
    return python_example(
        name,
        before=before,
        layers=(WORKDIR, ("COPY . .", copied)),
        config={"WorkingDir": "/app", "Cmd": words["CMD"], "Entrypoint": words.get("ENTRYPOINT")},
        files=files,
        after=before.replace(start, after) if after is not None else None,
        alone=True,
    )


def answering(
    name: str,
    pages: Mapping[str, int],
    *,
    ports: tuple[int, ...] = (8000,),
    start: str = 'CMD ["python", "app.py"]',
    companions: tuple[str, ...] = (),
    reaches: Mapping[str, tuple[str, ...]] | None = None,
    environment: tuple[str, ...] = (),
    more: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    sources: Mapping[str, str] | None = None,
    after: str | None = None,
    above: str = "",
    refused: str = "",
) -> EvidenceExample:
    """A service that answered these pages with these statuses; `more` are programs that the image
    has, `without` such that it has not, `after` what comes in front of its start, `above` in front
    of its FROM."""
    before = f"FROM python:3.11\nWORKDIR /app\nCOPY . .\n{start}\n"
    python: Files = {"/usr/local/bin/python3": File(link="python")}
    programs: Files = {path: File("\x7fELF", 0o755) for path in (*more, "/app/serve")}
    base = {path: file for path, file in {**FAT_DEBIAN, **python}.items() if path not in without}
    return python_example(
        name,
        before=before,
        base=("ADD rootfs", base),
        base_config={"Env": [*PATH["Env"], *environment]},
        layers=(WORKDIR, ("COPY . .", {"/app/app.py": "print(1)\n", **programs})),
        config={"WorkingDir": "/app", "Cmd": json.loads(start.partition(" ")[2])},
        files={"app.py": "print(1)\n", **(sources or {})},
        seen={
            "pages": {path: Page(status) for path, status in pages.items()},
            "ports": ports,
            "companions": companions,
            "reaches": reaches,
            "stop_code": 0,
        },
        after=f"{above}{before.replace(start, f'{after}{chr(10)}{start}')}" if after else None,
        refused=refused,
        alone=True,
    )
