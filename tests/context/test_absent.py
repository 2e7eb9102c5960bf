"""Sources that a build would not find: misspelt, missing, kept out; and those that it finds in ways
that do not look so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from imgopt.ci.lint import lint
from imgopt.cli.app import main
from imgopt.context.absent import absent_sources
from imgopt.dockerfile import IgnoreFile, parse

FILES = {
    "requirements.txt": "flask",
    "main.py": "",
    "web/index.html": "",
    "web/package.json": "{}",
    "deploy/settings.toml": "",
    "data/keep/x": "",
    "data/secret/y": "",
}


def said(
    tmp_path: Path, lines: str, ignore: str | None = None, target: str | None = None
) -> list[str]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "empty").mkdir(exist_ok=True)
    (tmp_path / "current").symlink_to("web", target_is_directory=True)
    dockerfile = parse(f"FROM a AS base\n{lines}\n").check()
    rules = IgnoreFile.parse(ignore) if ignore is not None else None
    return [one.text for one in absent_sources(dockerfile, tmp_path, rules, target)]


THERE: dict[str, tuple[str, str | None]] = {
    "everything": ("COPY . /a", None),
    "a file, a folder, an empty folder": ("COPY main.py web empty/ /a/", None),
    "through a link": ("COPY current/index.html /a/", None),
    "written otherwise": ("COPY ./web//index.html /main.py ../main.py /a/", None),
    "a pattern may match nothing": ("COPY yarn.lock* none?.txt [x]y /a/", None),
    "another stage's": ("FROM b\nCOPY --from=base /none /a/", None),
    "an image's": ("COPY --from=nginx:1 /none /a/", None),
    "from the network": ("ADD https://example.org/x git@example.org:a/b.git /a/", None),
    "a here-document": ("COPY <<none /a/\ntext\nnone", None),
    "a variable of the base": ("COPY $WHERE /a/", None),
    "a variable of the file": ("ARG NAME=main\nCOPY ${NAME}.py /a/", None),
    "with --parents, which reads patterns": ("COPY --parents none/./x /a/", None),
    "a mount of the cache": ("RUN --mount=type=cache,target=/none true", None),
    "a mount of all": ("RUN --mount=type=bind,target=/src true", None),
    "a folder of which something is left": ("COPY data /a/", "data\n!data/keep\n"),
    "kept out and let in again": ("COPY main.py /a/", "*\n!main.py\n"),
    "a stage that is not built": ("COPY none /a/\nFROM c AS last\nCOPY main.py /a/", None),
}  # fmt: skip


@pytest.mark.parametrize("name", THERE)
def test_what_a_build_finds_is_not_reported(name: str, tmp_path: Path) -> None:
    assert said(tmp_path, *THERE[name]) == []


ABSENT: dict[str, tuple[str, str | None, list[str]]] = {
    "misspelt": (
        "COPY requirments.txt /a/", None,
        ["COPY requirments.txt: not in the context (requirements.txt?)"],
    ),
    "in another case": (
        "COPY Main.py /a/", None, ["COPY Main.py: not in the context (main.py?)"],
    ),
    "misspelt in a folder": (
        "COPY web/packag.json /a/", None,
        ["COPY web/packag.json: not in the context (web/package.json?)"],
    ),
    "in another folder": (
        "COPY settings.toml /a/", None,
        ["COPY settings.toml: not in the context (deploy/settings.toml?)"],
    ),
    "missing behind a link": (
        "COPY current/indx.html /a/", None,
        ["COPY current/indx.html: not in the context (current/index.html?)"],
    ),
    "a folder that is not there": ("COPY app/ /a/", None, ["COPY app/: not in the context"]),
    "one of several, in JSON": (
        'COPY ["main.py", "zzz.cfg", "/a/"]', None, ["COPY zzz.cfg: not in the context"],
    ),
    "ADD": ("ADD arc.tar.gz /a/", None, ["ADD arc.tar.gz: not in the context"]),
    "a variable": (
        "ARG NAME=mian\nCOPY ${NAME}.py /a/", None, ["COPY mian.py: not in the context (main.py?)"],
    ),
    "a bind mount": (
        "RUN --mount=type=bind,source=requirments.txt,target=/r true", None,
        ["RUN --mount requirments.txt: not in the context (requirements.txt?)"],
    ),
    "kept out by name": (
        "COPY requirements.txt /a/", "*.txt\n",
        ["COPY requirements.txt: not in the context (.dockerignore keeps it out)"],
    ),
    "a folder kept out": (
        "COPY web /a/", "web\n", ["COPY web: not in the context (.dockerignore keeps it out)"],
    ),
    "a file below a folder that is kept out": (
        "COPY web/index.html /a/", "web/\n",
        ["COPY web/index.html: not in the context (.dockerignore keeps it out)"],
    ),
    "in an earlier stage that is built": (
        "COPY none.cfg /a/\nFROM base", None, ["COPY none.cfg: not in the context"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSENT)
def test_what_a_build_does_not_find_is_said(name: str, tmp_path: Path) -> None:
    lines, ignore, expected = ABSENT[name]
    assert said(tmp_path, lines, ignore) == expected


def _project(tmp_path: Path, lines: str) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("flask\n")
    (folder / "Dockerfile").write_text(f"FROM python:3.11\n{lines}\n")
    return folder


def test_cache_rewrite_and_lint_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _project(tmp_path, "WORKDIR /srv\nCOPY requirments.txt .")
    said = "COPY requirments.txt: not in the context (requirements.txt?)"
    for command, code in (("cache", 0), ("rewrite", 0)):
        assert main([command, str(folder)]) == code
        assert said in " ".join(capsys.readouterr().out.split()), command
    assert main(["ci", "lint", str(folder / "Dockerfile")]) == 1
    assert f"Dockerfile:3: error: {said}" in " ".join(capsys.readouterr().out.split())


def test_what_git_ignores_is_made_before_a_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _project(tmp_path, "COPY dist/ /srv/")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".gitignore").write_text("dist/\n")
    assert main(["rewrite", str(folder)]) == 0
    assert "git ignores it: is it made first?" in " ".join(capsys.readouterr().out.split())
    assert [one.rule for one in lint([folder / "Dockerfile"])[0].remarks] == []


def test_a_file_whose_context_is_a_folder_above_is_not_accused(tmp_path: Path) -> None:
    folder = _project(tmp_path, "")
    (folder / "docker").mkdir()
    nested = folder / "docker" / "web.Dockerfile"
    nested.write_text("FROM python:3.11\nCOPY requirements.txt /srv/\nCOPY none.cfg /srv/\n")
    assert [(one.line, one.rule) for one in lint([nested])[0].remarks] == [(3, "absent-source")]
