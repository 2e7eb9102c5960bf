"""What the documents say to type: nothing installs a stranger's package, and every command is one
that works."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from imgopt.cli.app import main
from imgopt.engine import Engine

ROOT = Path(__file__).parents[2]
PLACE = "tools/imgopt"
"""Where a project has its checkout of imgopt."""
SCRIPTS = [
    *sorted((ROOT / "ci-templates").rglob("*.*")),
    ROOT / "ci-templates/Jenkinsfile",
    ROOT / "action.yml",
]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTS = [path for path in dict.fromkeys([*PAGES, *SCRIPTS]) if path.is_file()]
STRANGERS = {
    "the stranger's distribution": r"pip3? install\b[^\n]*[\s\"'=]imgopt(?=[\s\"'\[=<>~;`]|$)",
    "an action that nobody has published": r"uses:\s*imgopt/",
    "a repository that nobody has published": r"(?:repo:|git\+)\s*https?://[^\s$]*/imgopt",
    "the stranger's distribution in a variable": r"IMGOPT_PACKAGE: *[\"']?imgopt\b",
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_no_document_takes_what_is_not_ours(path: Path) -> None:
    text = path.read_text(errors="replace")
    assert [
        what for what, pattern in STRANGERS.items() if re.search(pattern, text, re.MULTILINE)
    ] == []


@pytest.mark.parametrize(
    "line",
    [
        "pip install imgopt",
        "bin/pip install --quiet imgopt\n",
        '"pip" install x; pip install "imgopt[all]"',
        "uses: imgopt/imgopt@v0",
        "- repo: https://github.com/imgopt/imgopt",
        'pip install "git+https://github.com/x/imgopt"',
        "    IMGOPT_PACKAGE: imgopt\n",
    ],
)
def test_the_patterns_find_what_they_are_for(line: str) -> None:
    assert any(re.search(pattern, line, re.MULTILINE) for pattern in STRANGERS.values())


def test_the_distribution_has_a_name_of_its_own_and_the_command_keeps_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == "docker-imgopt"
    assert project["scripts"] == {"imgopt": "imgopt.cli.app:run"}
    for path in (ROOT / "README.md", ROOT / "docs/ci.md"):
        assert "docker-imgopt" in path.read_text(), path


def blocks(path: Path) -> list[str]:
    """Lines of shell in a Markdown page: fenced blocks, and indented ones."""
    text = path.read_text()
    fenced = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [
        *fenced,
        *re.findall(r"(?:^    \S[^\n]*\n)+", re.sub(r"(?s)^```.*?^```$", "", text), re.MULTILINE),
    ]


def commands(path: Path) -> list[str]:
    lines = [line.strip() for block in blocks(path) for line in block.splitlines()]
    return [line for line in lines if re.match(r"(?:docker )?imgopt (?!\.\.\.)", line)]


COMMANDS = sorted({command for path in PAGES for command in commands(path)})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_pages_has_these_options(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(re.split(r"[;|>]| && ", command, maxsplit=1)[0], comments=True)
    words = words[words.index("imgopt") + 1 :]
    assert main([*words, "-h"]) == 0, capsys.readouterr().err


def test_the_pages_have_commands() -> None:
    assert len(COMMANDS) > 8
    assert any(command.startswith("imgopt optimize") for command in COMMANDS)
    assert any(command.startswith("imgopt ci baseline") for command in COMMANDS)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a checkout of imgopt in it, as the pages ask for."""
    folder = tmp_path_factory.mktemp("project")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(
        listing, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, names):
        target = folder / PLACE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(ROOT / name):
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
    for words in ("init -q", "add --all", "-c user.name=a -c user.email=a@b commit -qm all"):
        subprocess.run(["git", *words.split()], cwd=folder, check=True, capture_output=True)
    return folder


def installed(project: Path, folder: Path, command: str, **variables: str) -> Path:
    """The bin folder of a fresh virtual environment in which `command` was run by a shell."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    path = f"{folder}/bin:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **variables}
    done = subprocess.run(
        ["sh", "-ec", command], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "bin"


INSTALLATION = re.compile(
    r"^.*?(?:^|[\s/\"])pip\"? install (?P<what>(?:[^\n\\]|\\\n)*)", re.MULTILINE
)


def installations() -> list[tuple[str, str]]:
    found = []
    for path in DOCUMENTS:
        text = "\n".join(blocks(path)) if path.suffix == ".md" else path.read_text(errors="replace")
        for match in INSTALLATION.finditer(re.sub(r"(?m)^\s*#.*$", "", text)):
            what = re.sub(r"\s#.*", "", re.sub(r"\\\n\s*", "", match["what"])).strip().strip("'`")
            if "imgopt" in what or "IMGOPT" in what or what.startswith("."):
                found.append((named(path), what))
    return found


def test_there_are_installations_to_try() -> None:
    assert {path for path, _ in installations()} >= {
        "README.md",
        "docs/ci.md",
        "ci-templates/Jenkinsfile",
        "ci-templates/gitlab.yml",
        "ci-templates/github/image-size-comment.yml",
    }


@pytest.mark.engine
@pytest.mark.parametrize(
    ("path", "what"), {what.split()[-1]: (path, what) for path, what in installations()}.values()
)
def test_what_a_document_installs_is_this_imgopt(
    project: Path, tmp_path: Path, path: str, what: str
) -> None:
    place = project / PLACE if path in ("README.md", "CONTRIBUTING.md") else project
    variables = {
        "IMGOPT_PACKAGE": f"./{PLACE}",
        "GITHUB_SERVER_URL": f"file://{project.parent}",
        "GITHUB_REPOSITORY": project.name,
    }
    found = installed(place, tmp_path / "venv", f"pip install --quiet {what}", **variables)
    said = subprocess.run(
        [found / "imgopt", "strategies"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (said.returncode, "layer-order" in said.stdout) == (0, True), said.stderr
    asked = "from importlib.metadata import version; print(version('docker-imgopt'))"
    assert subprocess.run(
        [found / "python", "-c", asked], cwd=tmp_path, check=True, capture_output=True
    ).stdout


@pytest.mark.engine
def test_the_five_minutes_of_the_page_end_as_it_says(
    project: Path, tmp_path: Path, engine: Engine, base: Callable[[str], str]
) -> None:
    image = f"imgopt-page-{os.getpid()}"
    work = tmp_path / "project"
    shutil.copytree(project, work, symlinks=True)
    base_image = base("debian:bookworm-slim")
    (work / "Dockerfile").write_text(f"FROM {base_image}\nWORKDIR /app\nCOPY . .\n")
    (work / ".dockerignore").write_text("tools\n.git\n")
    script = "".join(blocks(ROOT / "docs/ci.md")[:3]).replace("app:dev", f"{image}:dev")
    identity = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    path = f"{tmp_path}/venv/bin:{os.environ['PATH']}"
    environment = {**os.environ, **identity, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            ["sh", "-c", script], cwd=work, env=environment, capture_output=True, text=True
        )
    finally:
        engine.client.images.remove(f"{image}:dev", force=True)
    assert done.returncode == 0, done.stderr
    assert "own-layers" in done.stdout and "instruction COPY . ." in done.stdout
    assert done.stdout.rstrip().endswith("exit code 1")


@pytest.mark.engine
def test_the_hook_of_the_page_runs(project: Path, tmp_path: Path) -> None:
    """With imgopt on the PATH, as after the page's first step."""
    work = tmp_path / "project"
    shutil.copytree(project, work, symlinks=True)
    (work / "Dockerfile").write_text("FROM debian\nRUN apt-get update && apt-get install -y curl\n")
    page = (ROOT / "docs/ci.md").read_text()
    settings = re.search(r"```yaml\n# \.pre-commit-config\.yaml\n(.*?)```", page, re.DOTALL)
    assert settings is not None
    (work / ".pre-commit-config.yaml").write_text(settings[1])
    subprocess.run(["git", "add", "Dockerfile"], cwd=work, check=True)
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(tmp_path / "home"),
        "PATH": f"{tools}:{os.environ['PATH']}",
    }
    command = [tools / "pre-commit", "run", "imgopt-lint", "--files", "Dockerfile"]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    assert "Dockerfile:2: warning" in done.stdout, done.stdout + done.stderr
