"""Examples of `ignore-file`, the ones that must not change first."""

from __future__ import annotations

from imgopt.rewrite.strategy import Example

EXAMPLES = (
    Example(
        "git data that a build step names",
        before="FROM golang:1.22\nCOPY . .\nRUN cat .git/HEAD > version && go build .\n",
        after=None,
        files={".git/HEAD": "ref", "main.go": ""},
    ),
    Example(
        "a step that calls git",
        before="FROM golang:1.22\nCOPY . .\nRUN git describe --tags > version\n",
        after=None,
        refused="asks for version control data",
        files={".git/HEAD": "ref", "main.go": ""},
    ),
    Example(
        "a script asks git",
        before="FROM debian:12\nCOPY . .\nRUN make\n",
        after=None,
        refused="Makefile asks for version control data",
        files={".git/HEAD": "ref", "Makefile": "V := $(shell git describe --always)\n"},
    ),
    Example(
        "a negation wants it back",
        before="FROM a\nCOPY . .\n",
        after=None,
        files={".git/HEAD": "r", "a": ""},
        ignore="*\n!.git\n!a\n",
        ignore_after="*\n!.git\n!a\n",
    ),
    Example(
        "packages that no step of this build makes",
        before="FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm install -g pm2\n",
        after=None,
        files={"node_modules/a/a.js": "", "package.json": "{}"},
    ),
    Example(
        "a file that is copied first is no folder of the context",
        before=("FROM python:3.12\nCOPY requirements.txt ./\nRUN python -m venv .venv\nCOPY . .\n"),
        after=("FROM python:3.12\nCOPY requirements.txt ./\nRUN python -m venv .venv\nCOPY . .\n"),
        files={"requirements.txt": "flask", "app.py": ""},
        ignore_after="**/__pycache__\n.venv\n",
    ),
    Example(
        "a source folder called venv",
        before="FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install flask\n",
        after=None,
        files={"venv/__init__.go": ""},
    ),
    Example(
        "settings whose name begins like a Compose file's",
        before="FROM a\nCOPY . .\n",
        after=None,
        files={
            "composer.yaml": "services: x\n",
            "compose-rules.yaml": "rules: []\n",
            "Dockerfile.j2": "FROM x\n",
        },
    ),
    Example(
        "another Dockerfile of the context takes it",
        before="FROM a\nCOPY . .\n",
        after=None,
        files={
            "compose.yaml": "services: {}\n",
            "e2e/Dockerfile": "FROM docker\nCOPY compose.yaml /\n",
        },
    ),
    Example(
        "a source reads it",
        before="FROM python:3.12\nCOPY . .\n",
        after="FROM python:3.12\nCOPY . .\n",
        files={
            "app.py": "open('compose.yaml')",
            "compose.yaml": "services: {}\n",
            "compose.yml": "services: {}\n",
        },
        ignore_after="compose.yml\n**/__pycache__\n",
        refused="app.py names it",
    ),
    Example(
        "a narrow copy needs none",
        before="FROM a\nCOPY app.py /\n",
        after=None,
        files={".git/HEAD": "r", "app.py": ""},
    ),
    Example(
        "version control and bytecode",
        before="FROM python:3.12\nCOPY . .\nCMD python app.py\n",
        after="FROM python:3.12\nCOPY . .\nCMD python app.py\n",
        files={".git/HEAD": "ref", "app.py": "", "__pycache__/app.cpython-312.pyc": "x"},
        ignore_after=".git\n**/__pycache__\n",
    ),
    Example(
        "what the build makes is not there yet",
        before="FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        after="FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        files={"package.json": "{}", "Dockerfile": "FROM node:22\n"},
        ignore_after="Dockerfile\nnode_modules\n",
    ),
)
