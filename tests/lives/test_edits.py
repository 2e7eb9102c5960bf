"""What a later edit changes, in each language; and what it must leave alone."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.lives.later import NAMES, LaterEdit, raised
from imgopt.lives.started import Started, find_started

from .kit import Given

PYTHON = {"app.py": "import os\n", "requirements.txt": "flask==3.0.0\n"}


def python_after(folder: Path, source: str) -> str:
    """The started module after a module more is imported."""
    text = Given({"app.py": source}, "gunicorn app:app").after(folder, "new-module")["app.py"]
    ast.parse(text)
    return text


TRAPS = {
    "a docstring stays the first statement": '"""One\nof two lines."""\nimport os\n',
    "a docstring with quotes in it": '"""It is \\"""quoted\\"""."""\nimport os\n',
    "a docstring in single quotes": "'''What it does.'''\n\nimport os\n",
    "a comment and a coding line": "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nimport os\n",
    "a future statement": "from __future__ import annotations\nimport os\n",
    "docstring, then future statements": (
        '"""Doc."""\n\nfrom __future__ import annotations\n'
        "from __future__ import (\n    division,\n)\nimport os\n"
    ),
    "windows line ends": '"""Doc."""\r\nfrom __future__ import annotations\r\nimport os\r\n',
    "a string that is no docstring": 'NAME = """\nfrom __future__ import x\n"""\n',
}


@pytest.mark.parametrize("source", TRAPS.values(), ids=TRAPS)
def test_what_has_to_come_first_in_a_module_still_does(source: str, tmp_path: Path) -> None:
    after = python_after(tmp_path, source)
    before = ast.parse(source)
    tree = ast.parse(after)
    assert ast.get_docstring(tree) == ast.get_docstring(before)
    compile(after, "app.py", "exec")  # a future statement behind another one is an error
    assert "\nimport later_note\n" in "\n" + after.replace("\r", "")


def test_the_line_is_above_what_never_returns(tmp_path: Path) -> None:
    source = "import os\n\nif __name__ == '__main__':\n    serve_for_ever()\n"
    assert python_after(tmp_path, source).startswith("import later_note\nimport os\n")


def test_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    source = b"# caf\xe9\nimport os\n".decode("utf-8", "surrogateescape")
    text = Given({"app.py": source}, "python app.py").after(tmp_path, "new-module")["app.py"]
    assert text.encode("utf-8", "surrogateescape").startswith(b"# caf\xe9\n")


def started(given: Given, folder: Path) -> str:
    project = given.project(folder)
    found = find_started(project.context, project.start, builtin_ecosystems())
    return found.path if isinstance(found, Started) else f"no: {found}"


STARTS = {
    "wsgi module": (["notes.py", "tests/notes.py"], "gunicorn notes:app", "notes.py"),
    "module in a package": (["shop/wsgi.py"], "gunicorn shop.wsgi:application", "shop/wsgi.py"),
    "package": (["shop/__init__.py"], "gunicorn shop:app", "shop/__init__.py"),
    "factory": (["shop/web.py"], "gunicorn shop.web:make()", "shop/web.py"),
    "script by its path in the image": (["srv/main.py"], "python /app/srv/main.py", "srv/main.py"),
    "in a folder of the context": (["backend/main.py"], "uvicorn main:app", "backend/main.py"),
    "module of the interpreter": (["a/__main__.py"], "python -m a", "a/__main__.py"),
    "compiled from another language": (["src/s.ts"], "node dist/src/s.js", "src/s.ts"),
    "compiled into another folder": (["src/s.ts"], "node dist/s.js", "src/s.ts"),
    "no ending": (["server.js"], "node server", "server.js"),
    "an entry script": (["run.sh"], "/app/run.sh nginx", "run.sh"),
}


@pytest.mark.parametrize(("files", "words", "path"), STARTS.values(), ids=STARTS)
def test_the_started_source_is_found(
    files: list[str], words: str, path: str, tmp_path: Path
) -> None:
    texts = dict.fromkeys(files, "#!/bin/sh\nexit\n" if words.startswith("/") else "import os\n")
    assert started(Given(texts, words), tmp_path) == path


def test_two_sources_of_one_name_are_told_apart_or_left(tmp_path: Path) -> None:
    files = {"a/main.py": "", "b/main.py": ""}
    assert started(Given(files, "uvicorn main:app"), tmp_path).startswith("no: ")


def test_of_two_programs_the_one_that_is_started_counts(tmp_path: Path) -> None:
    text = "package main\n\nfunc main() {\n}\n"
    files = {"go.mod": "module x.org/a\n", "cmd/web/main.go": text, "cmd/job/main.go": text}
    assert started(Given(files, "/bin/web"), tmp_path) == "cmd/web/main.go"
    assert started(Given(files, "/bin/server"), tmp_path).startswith("no: ")


def test_a_console_script_is_followed_into_the_manifest(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project.scripts]\nserve = "shop.web:main"\n',
        "src/shop/web.py": "",
        "src/shop/__init__.py": "",
    }
    assert started(Given(files, "serve"), tmp_path) == "src/shop/web.py"


def test_a_package_gets_its_module_inside(tmp_path: Path) -> None:
    files = {"shop/__init__.py": "", "shop/web.py": "import os\n"}
    after = Given(files, "uvicorn shop.web:app").after(tmp_path, "new-module")
    assert set(after) == {
        "shop/later_note/__init__.py",
        "shop/later_note/words.py",
        "shop/web.py",
    }
    assert after["shop/web.py"].startswith("import shop.later_note\n")


def test_a_requirement_goes_into_the_manifest_and_the_source(tmp_path: Path) -> None:
    after = Given(PYTHON, "gunicorn app:app").after(tmp_path, "pure-dependency")
    assert after["requirements.txt"].splitlines() == ["inflection==0.5.1", "flask==3.0.0"]
    assert after["app.py"].startswith("import inflection\n")


def test_hashed_requirements_are_left_alone(tmp_path: Path) -> None:
    text = "flask==3.0.0 \\\n    --hash=sha256:aa\n"
    given = Given({**PYTHON, "requirements.txt": text}, "gunicorn app:app")
    assert given.why_not(tmp_path, "pure-dependency").endswith("every line of it has a hash")


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname = "a"\ndependencies = ["flask"]\n\n[tool.x]\ndependencies = ["no"]\n',
        '[tool.x]\ndependencies = ["no"]\n[project]\ndependencies = [\n  "flask",\n]\n',
        '[tool.poetry.group.dev.dependencies]\nx = "1"\n[tool.poetry.dependencies]\nflask = "3"\n',
    ],
)
def test_a_dependency_goes_into_the_right_table(text: str, tmp_path: Path) -> None:
    given = Given({"app.py": "", "pyproject.toml": text}, "gunicorn app:app")
    after = tomllib.loads(given.after(tmp_path, "pure-dependency")["pyproject.toml"])
    if "project" in after:
        assert after["project"]["dependencies"] == ["inflection==0.5.1", "flask"]
        assert after["tool"]["x"]["dependencies"] == ["no"] if "tool" in after else True
    else:
        assert after["tool"]["poetry"]["dependencies"] == {"inflection": "0.5.1", "flask": "3"}
        assert after["tool"]["poetry"]["group"]["dev"]["dependencies"] == {"x": "1"}


def test_a_lock_file_follows_by_its_own_tool_only_where_it_is_there(tmp_path: Path) -> None:
    text = '{"name": "a", "devDependencies": {"x": "1"}, "dependencies": {"express": "4"}}'
    given = Given({"server.js": "", "package.json": text}, "node server.js")
    edit = given.edit(tmp_path / "a", "pure-dependency")
    assert isinstance(edit, LaterEdit)
    assert edit.locking == ()
    manifest = json.loads(given.after(tmp_path / "b", "pure-dependency")["package.json"])
    assert manifest["dependencies"] == {"slugify": "1.6.6", "express": "4"}
    assert manifest["devDependencies"] == {"x": "1"}
    locked = Given({**given.files, "package-lock.json": "{}"}, "node server.js")
    edit = locked.edit(tmp_path / "c", "pure-dependency")
    assert isinstance(edit, LaterEdit)
    (locking,) = edit.locking
    assert locking.files == ("package.json", "package-lock.json")


def test_a_manifest_without_dependencies_is_left_alone(tmp_path: Path) -> None:
    given = Given({"s.js": "", "package.json": '{"dependencies": {}}'}, "node s.js")
    assert given.why_not(tmp_path, "pure-dependency").endswith("it has no dependency yet")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('#!/usr/bin/env node\n"use strict";\nconst x = 1;\n', 'require("slugify");'),
        ('// It serves.\nimport express from "express";\n', 'import "slugify";'),
        ('/* import nothing\n*/\nconst x = require("x");\n', 'require("slugify");'),
        ('const load = () => import("x");\n', 'require("slugify");'),
    ],
)
def test_a_script_is_told_from_a_module(source: str, line: str, tmp_path: Path) -> None:
    files = {"server.js": source, "package.json": '{"dependencies": {"express": "4"}}'}
    text = Given(files, "node server.js").after(tmp_path, "pure-dependency")["server.js"]
    assert line in text.splitlines()
    head = [one for one in source.splitlines() if one.startswith(("#!", '"use'))]
    assert text.splitlines()[: len(head)] == head


def test_a_source_for_browsers_reads_no_files(tmp_path: Path) -> None:
    files = {"index.html": '<script type="module" src="/src/main.jsx"></script>'}
    given = Given({**files, "src/main.jsx": "import React from 'react';\n"}, "serve -s dist")
    assert "does not run in the image" in given.why_not(tmp_path / "a", "data-folder")
    after = given.after(tmp_path / "b", "new-module")
    assert after["src/main.jsx"].startswith('import "./later_note/words";\n')


def test_a_compiled_program_gets_a_file_of_its_package(tmp_path: Path) -> None:
    files = {"go.mod": "module x.org/a\n", "main.go": "package main\n\nfunc main() {\n}\n"}
    given = Given(files, "./a")
    after = given.after(tmp_path / "a", "data-folder")
    assert set(after) == {"later-data/words.txt", "later_data_folder.go"}
    assert after["later_data_folder.go"].startswith('package main\n\nimport "os"\n')
    module = given.after(tmp_path / "b", "new-module")
    assert 'import _ "x.org/a/later_note"' in module["later_new_module.go"]


def test_main_functions_get_a_line_inside(tmp_path: Path) -> None:
    rust = "//! Doc.\n#[tokio::main]\nasync fn main() -> Result<(), E> {\n    run()\n}\n"
    given = Given({"Cargo.toml": "", "src/main.rs": rust}, "./a")
    text = given.after(tmp_path / "a", "new-module")["src/main.rs"]
    assert "{\n    assert_eq!(later_note::words().len(), 2);\n    run()" in text
    assert text.endswith("}\n\nmod later_note;\n")
    java = "package o.e;\n\nclass A {\n  public static void main(String[] a) throws E {\n  }\n}\n"
    given = Given({"pom.xml": "<project/>", "src/main/java/o/e/A.java": java}, "java -jar a.jar")
    after = given.after(tmp_path / "b", "new-module")
    assert after["src/main/java/o/e/LaterNote.java"].startswith("package o.e;\n")
    assert "throws E {\n        if (LaterNote" in after["src/main/java/o/e/A.java"]


POM = """<project>
  <parent><artifactId>p</artifactId><version>9.9.9</version></parent>
  <artifactId>a</artifactId>
  <version>1.2.0-SNAPSHOT</version>
  <dependencyManagement><dependencies><dependency/></dependencies></dependencyManagement>
  <dependencies>
    <dependency><version>5.5.5</version></dependency>
  </dependencies>
</project>
"""


def test_the_version_of_the_project_is_raised_and_no_other(tmp_path: Path) -> None:
    java = "class A { public static void main(String[] a) { } }"
    docker = "FROM maven:3-eclipse-temurin-17\nCMD java -jar target/a-1.2.0-SNAPSHOT.jar\n"
    given = Given({"pom.xml": POM, "A.java": java}, "java", dockerfile=docker)
    edit = given.edit(tmp_path / "a", "raise-version")
    text = given.after(tmp_path / "b", "raise-version")["pom.xml"]
    assert text == POM.replace("1.2.0-SNAPSHOT", "1.3.0-SNAPSHOT")
    assert isinstance(edit, LaterEdit)
    assert edit.dockerfile(docker) == docker.replace("1.2.0-SNAP", "1.3.0-SNAP")
    added = given.after(tmp_path / "c", "pure-dependency")["pom.xml"]
    assert added.index("commons-csv") > added.index("</dependencyManagement>")


def test_a_lock_file_says_the_new_version_for_this_project_alone(tmp_path: Path) -> None:
    lock = (
        '[[package]]\nname = "b"\nversion = "0.4.0"\n\n[[package]]\nname = "a"\nversion = "0.4.0"\n'
    )
    manifest = '[package]\nname = "a"\nversion = "0.4.0"\n\n[dependencies]\nb = "0.4.0"\n'
    given = Given({"Cargo.toml": manifest, "Cargo.lock": lock, "src/main.rs": "fn main() {}\n"})
    after = given.after(tmp_path, "raise-version")
    assert after["Cargo.toml"].count("0.4.0") == 1
    assert tomllib.loads(after["Cargo.lock"])["package"] == [
        {"name": "b", "version": "0.4.0"},
        {"name": "a", "version": "0.5.0"},
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [("1.2.0", "1.3.0"), ("2", "3"), ("0.9", "0.10"), ("1.2.3-rc1", "1.3.0-rc1")],
)
def test_the_minor_part_of_a_version_is_raised(old: str, new: str) -> None:
    assert raised(old) == new


def bumped(dockerfile: str, variant: str, folder: Path, *bases: str) -> str:
    edit = Given(PYTHON, "gunicorn app:app", None, dockerfile, bases).edit(folder, "next-minor")
    assert isinstance(edit, LaterEdit), edit
    return edit.dockerfile(variant)


def test_a_base_gets_its_next_version_in_all_references_of_a_file(tmp_path: Path) -> None:
    variant = (
        "ARG VERSION=3.11\nFROM python:3.11 AS b\nFROM python:${VERSION}-slim-bookworm\n"
        "COPY --from=b /usr/local/lib/python3.11 /usr/local/lib/python3.11\n"
        "COPY --from=python:3.11 /a /a\n"
    )
    after = bumped("FROM python:3.11\nCOPY . .\n", variant, tmp_path, "python:3.13")
    assert after == (
        "ARG VERSION=3.13\nFROM python:3.13 AS b\nFROM python:${VERSION}-slim-bookworm\n"
        "COPY --from=b /usr/local/lib/python3.11 /usr/local/lib/python3.11\n"
        "COPY --from=python:3.13 /a /a\n"
    )


def test_other_images_and_arguments_keep_their_versions(tmp_path: Path) -> None:
    variant = "ARG APP=3.11\nFROM python:3.11.1\nFROM alpine:3.11 AS a\nFROM python:3.11\n"
    after = bumped("FROM python:3.11\n", variant, tmp_path, "python:3.12")
    assert after == variant.replace("python:3.11\n", "python:3.12\n")


def test_a_base_that_cannot_be_had_is_no_edit(tmp_path: Path) -> None:
    given = Given(PYTHON, "gunicorn app:app", None, "FROM python:3.11\n", ("python:3.10",))
    assert given.why_not(tmp_path / "a", "next-minor") == "no base behind 3.11 can be had here"
    patch = Given(PYTHON, "x", None, "FROM python:3.11.9-slim\n", ("python:3.11.11-slim",))
    edit = patch.edit(tmp_path / "b", "next-patch")
    assert isinstance(edit, LaterEdit)
    assert edit.dockerfile("FROM python:3.11.9-slim\n") == "FROM python:3.11.11-slim\n"


def test_a_file_for_browsers_is_asked_for_where_it_may_be_handed_out(tmp_path: Path) -> None:
    given = Given({**PYTHON, "web/static/a.css": "", "static/notes.md": ""}, "gunicorn app:app")
    edit = given.edit(tmp_path, "browser-file")
    assert isinstance(edit, LaterEdit)
    assert next(one.path for one in edit.operations) == "web/static/later-note.css"
    assert "/static/later-note.css" in edit.asks


def test_data_lies_where_the_original_copies_it(tmp_path: Path) -> None:
    docker = "FROM python:3.11\nWORKDIR /srv\nCOPY app /srv/app\nCOPY requirements.txt .\n"
    given = Given({"app/main.py": "", "requirements.txt": ""}, "uvicorn app.main:app", None, docker)
    after = given.after(tmp_path, "data-folder")
    assert "app/later-data/words.txt" in after
    assert 'open("app/later-data/words.txt")' in after["app/main.py"]


def test_every_edit_says_what_it_does_or_why_it_does_not_apply(tmp_path: Path) -> None:
    found = Given({"README.md": ""}, "/a").project(tmp_path).edits()
    assert tuple(one.name for one in found) == NAMES
    assert all(one.reason for one in found if not isinstance(one, LaterEdit))
