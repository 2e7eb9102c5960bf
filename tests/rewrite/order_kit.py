"""Projects for the tests of layer-order, and the strategy alone over a Dockerfile of theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.draft import Draft, new_draft, run_strategy
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.registry import find_strategy

from .kit import project

PACKAGE = json.dumps({"name": "shop", "dependencies": {"ms": "2"}})
NODE = {"package.json": PACKAGE, "package-lock.json": "{}", "app.js": "", "conf/site.json": "{}"}
PYTHON = {"requirements.txt": "flask\n", "app.py": ""}
GO = {"go.mod": "module a\nrequire b v1\n", "go.sum": "x\n", "main.go": "package main\n"}
CARGO = {
    "Cargo.toml": '[package]\nname = "shop"\n',
    "Cargo.lock": "",
    "src/main.rs": "fn main() {}\n",
}


def draft_of(folder: Path, text: str, files: Mapping[str, str]) -> Draft:
    project(folder, files)
    context = ContextFiles(folder, {name: len(content) for name, content in files.items()})
    return run_strategy(
        new_draft(text), find_strategy("layer-order"), Project(context, builtin_ecosystems())
    )


def order(folder: Path, text: str, files: Mapping[str, str]) -> str:
    return draft_of(folder, text, files).text


def run(command: str, copy: str = "COPY . .", head: str = "") -> str:
    return f"FROM base\nWORKDIR /app\n{head}{copy}\nRUN {command}\nRUN npm ci\nRUN make\n"
