"""Lines of .dockerignore name what is there and what a step makes, and nothing that a build, a
source or a sibling asks for: each test that must not change is named after its trap."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.draft import new_draft, run_strategy
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.registry import find_strategy

from .kit import project

COMPOSE = "services:\n  web:\n    build: .\n"
IN_APP = "FROM node:22\nWORKDIR /app\nCOPY . .\n"
NODE = IN_APP + "RUN npm ci\nCMD node app.js\n"
IN_A = "FROM a\nWORKDIR /a\nCOPY . .\n"
PLAIN = "FROM debian:12\nCOPY . /srv/\nCMD /srv/run\n"


def lines(
    folder: Path, dockerfile: str, files: Mapping[str, str], *, own: str = "Dockerfile"
) -> list[str]:
    """The lines that the strategy adds for a project on disk."""
    project(folder, {own: dockerfile, **files})
    context = ContextFiles.read(folder, folder / own)
    draft = run_strategy(
        new_draft(dockerfile, context.ignore),
        find_strategy("ignore-file"),
        Project(context, builtin_ecosystems()),
    )
    before = (context.ignore or "").splitlines()
    return [line for line in (draft.ignore or "").splitlines() if line not in before]


def test_files_that_stay_for_one_reason_are_told_in_one_line(tmp_path: Path) -> None:
    text = IN_A + "RUN docker build .\n"
    compose = [f"docker-compose{kind}.yml" for kind in ("", ".dev", ".test", ".build", ".prod")]
    project(tmp_path, {"Dockerfile": text, ".gitattributes": ""} | dict.fromkeys(compose, COMPOSE))
    context = ContextFiles.read(tmp_path, tmp_path / "Dockerfile")
    draft = run_strategy(
        new_draft(text, None),
        find_strategy("ignore-file"),
        Project(context, builtin_ecosystems()),
    )
    staying = [skip.reason for skip in draft.skips if " in the build: " in skip.reason]
    assert len(staying) == len({reason.partition(": ")[2] for reason in staying})
    assert any(" more stay in the build: " in reason for reason in staying), staying


@pytest.mark.parametrize(
    ("dockerfile", "files"),
    [
        pytest.param(
            IN_APP + "RUN npm install -g pm2\n", {"package.json": "{}"}, id="global install"
        ),
        pytest.param(IN_APP + "RUN yarn global add pm2\n", {"package.json": "{}"}, id="yarn global"),
        pytest.param(IN_APP + "RUN cd tools && npm ci\n",
                     {"package.json": "{}", "tools/package.json": "{}"}, id="install in another folder"),
        pytest.param(IN_APP + "RUN npm --prefix /opt ci\n", {"package.json": "{}"}, id="prefix"),
        pytest.param("FROM node:22 AS a\nWORKDIR /b\nCOPY . .\nRUN npm ci\nFROM node:22\nWORKDIR /app\nCOPY . .\n",
                     {"package.json": "{}"}, id="the stage that ships makes none"),
        pytest.param(IN_APP + "RUN npm run build\n",
                     {"package.json": '{"scripts": {"build": "tsc"}}'}, id="a script runs with them"),
        pytest.param(IN_APP + "RUN npm ci\nFROM node:22\nCOPY node_modules /n\n",
                     {"package.json": "{}"}, id="taken by name in another stage"),
        pytest.param("FROM node:22\nWORKDIR /app\nARG D\nCOPY . $D\nRUN npm ci\n", {"package.json": "{}"},
                     id="unknown place"),
        pytest.param(IN_APP + "RUN npm ci\n", {"package.json": "{}",
                     "Dockerfile.dev": "FROM node:22\nCOPY . /app\nCMD npm run dev\n"}, id="a sibling runs with them"),
        pytest.param(IN_APP + "RUN npm ci\n", {"package.json": "{}",
                     "compose.yaml": "services:\n  w:\n    build:\n      dockerfile: build/web.docker\n",
                     "build/web.docker": "FROM node:22\nCOPY node_modules /n\n"}, id="named in a Compose file"),
        pytest.param(IN_APP + "RUN npm ci\n", {"package.json": "{}",
                     "compose.yaml": "services:\n  w:\n    build:\n      dockerfile_inline: |\n        FROM node\n"
                     "        COPY node_modules /n\n"}, id="a Dockerfile inside a Compose file"),
        pytest.param(IN_APP + "RUN npm ci\n", {"package.json": "{}",
                     "docker-bake.hcl": 'target "e2e" {\n  dockerfile = "ci/e2e.txt"\n}\n',
                     "ci/e2e.txt": "FROM node:22\nCOPY node_modules /n\n"}, id="a bake file names the sibling"),
    ],
)  # fmt: skip
def test_packages_stay_that_no_step_makes_there(
    tmp_path: Path, dockerfile: str, files: Mapping[str, str]
) -> None:
    found = lines(tmp_path, dockerfile, {"node_modules/left/index.js": "", **files})
    assert "node_modules" not in found


@pytest.mark.parametrize(
    ("dockerfile", "files", "line"),
    [
        pytest.param(NODE, {}, "node_modules", id="npm"),
        pytest.param(NODE.replace("npm ci", "npm i -g npm@11 && npm install"), {}, "node_modules",
                     id="after a global one"),
        pytest.param(NODE.replace("npm ci", "cd web && yarn"), {"web/package.json": "{}"}, "web/node_modules",
                     id="folder"),
        pytest.param("FROM n AS d\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nFROM n\nWORKDIR /app\n"
                     "COPY . .\nCOPY --from=d /app/node_modules ./node_modules\n", {"d": ""}, None, id="from a stage"),
        pytest.param("FROM node:22 AS b\nWORKDIR /app\nCOPY package.json .\nRUN npm ci\nFROM b\nCOPY . .\n", {},
                     "node_modules", id="in the stage below"),
    ],
)  # fmt: skip
def test_packages_that_a_step_makes_are_kept_out_also_before_they_are_there(
    tmp_path: Path, dockerfile: str, files: Mapping[str, str], line: str | None
) -> None:
    found = lines(tmp_path, dockerfile, {"package.json": "{}", **files})
    assert [one for one in found if "node_modules" in one] == ([line] if line else [])


def test_members_of_a_workspace_have_packages_of_their_own(tmp_path: Path) -> None:
    files = {
        "package.json": '{"workspaces": ["packages/*"]}',
        "packages/a/package.json": "{}",
        "packages/a/node_modules/x/i.js": "",
    }
    assert lines(tmp_path, NODE, files)[-2:] == ["node_modules", "packages/a/node_modules"]


def test_committed_packages_stay(tmp_path: Path) -> None:
    project(tmp_path, {"Dockerfile": NODE, "package.json": "{}", "node_modules/a/i.js": ""})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A", "-f")
    found = lines(tmp_path, NODE, {})
    assert "node_modules" not in found
    assert ".git" in found


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("dockerfile", "files", "line"),
    [
        pytest.param(IN_A + "RUN cargo build --release\n", {"Cargo.toml": ""}, "target", id="cargo"),
        pytest.param(IN_A + "RUN mvn -B package\n", {"pom.xml": "<project/>"}, "target", id="mvn"),
        pytest.param(IN_A + "RUN dotnet publish\n", {"api/api.csproj": ""}, "api/obj", id="obj"),
        pytest.param(IN_A + "RUN dotnet publish\n", {"api/api.csproj": ""}, "api/bin", id="bin"),
        pytest.param(IN_A + "RUN uv sync\n", {"pyproject.toml": ""}, ".venv", id="uv"),
        pytest.param("FROM p\nWORKDIR /a\nRUN python3 -m venv env\nCOPY . .\n", {"pyproject.toml": ""}, "env",
                     id="venv"),
        pytest.param("FROM p\nENV POETRY_VIRTUALENVS_IN_PROJECT=1\nWORKDIR /a\nCOPY . .\nRUN poetry install\n",
                     {"pyproject.toml": ""}, ".venv", id="poetry"),
        pytest.param(IN_A + "RUN composer install\n", {"composer.json": "{}"}, "vendor", id="composer"),
        pytest.param(IN_A + "RUN npm run build\n", {"vite.config.ts": "", "package.json":
                     '{"scripts": {"build": "tsc && vite build"}}'}, "dist", id="vite in a script"),
    ],
)  # fmt: skip
def test_what_a_step_makes_is_kept_out_before_it_is_there(
    tmp_path: Path, dockerfile: str, files: Mapping[str, str], line: str
) -> None:
    assert line in lines(tmp_path, dockerfile, files)


@pytest.mark.parametrize(
    ("dockerfile", "files", "line"),
    [
        pytest.param(IN_A + "RUN mvn -B package\nCOPY target/app.jar /\n",
                     {"pom.xml": "<project/>"}, "target", id="target is copied by name"),
        pytest.param(IN_A + "RUN mvn -B package\nCOPY */app.jar /\n",
                     {"pom.xml": "<project/>"}, "target", id="target is copied by a pattern"),
        pytest.param(IN_A + "RUN dotnet publish\n",
                     {"api/api.csproj": "", "api/bin/migrate.sh": ""}, "api/bin", id="bin holds scripts"),
        pytest.param(IN_A + "RUN dotnet publish\n",
                     {"api/api.csproj": "", "api/obj/chair.obj": ""}, "api/obj", id="obj holds models"),
        pytest.param(IN_A + "RUN cargo build\n",
                     {"Cargo.toml": "", "target/spec.json": "{}"}, "target", id="target is the author's"),
        pytest.param("FROM rust:1\nENV CARGO_TARGET_DIR=/t\nWORKDIR /a\nCOPY . .\nRUN cargo build\n",
                     {"Cargo.toml": ""}, "target", id="made elsewhere by a variable"),
        pytest.param(IN_A + "RUN npx vite build\n",
                     {"vite.config.ts": "build: {outDir: 'x'}", "package.json": "{}"}, "dist", id="outDir"),
        pytest.param(IN_A + "RUN npx vite build\n",
                     {"vite.config.ts": "", "package.json": "{}", "dist/shim.js": ""}, "dist", id="dist of his own"),
        pytest.param("FROM p\nENV UV_PROJECT_ENVIRONMENT=/opt/v\nWORKDIR /a\nCOPY . .\nRUN uv sync\n",
                     {"pyproject.toml": "", ".venv/pyvenv.cfg": ""}, "made:.venv", id="uv installs elsewhere"),
        pytest.param(IN_A + "RUN composer install\n",
                     {"composer.json": '{"config": {"vendor-dir": "lib"}}'}, "vendor", id="vendor-dir"),
        pytest.param(IN_A + "RUN go build -mod=vendor .\n",
                     {"go.mod": "", "vendor/modules.txt": ""}, "vendor", id="Go's vendor is the source"),
        pytest.param(IN_A + "RUN pip install flask\nCMD python -m venv.app\n",
                     {"venv/app.py": "", "venv/__init__.py": ""}, "venv", id="a source folder called venv"),
        pytest.param(IN_A + "RUN uv sync\n",
                     {"pyproject.toml": "", ".venv/settings.py": ""}, ".venv", id="a source folder called .venv"),
        pytest.param("FROM p\nCOPY . .\nRUN pip install x\nCMD venv/bin/python a.py\n",
                     {"venv/pyvenv.cfg": ""}, "venv", id="the image runs the environment"),
        pytest.param("FROM p\nCOPY . .\nRUN pip install x\nCMD ./start.sh\n",
                     {"venv/pyvenv.cfg": "", "start.sh": ". venv/bin/activate\n"}, "venv", id="a script activates it"),
    ],
)  # fmt: skip
def test_what_is_not_what_a_step_makes_stays(
    tmp_path: Path, dockerfile: str, files: Mapping[str, str], line: str
) -> None:
    assert line not in lines(tmp_path, dockerfile, files)


def test_an_environment_of_this_machine_goes_where_the_image_installs_its_own(
    tmp_path: Path,
) -> None:
    files = {"venv/pyvenv.cfg": "", "requirements.txt": "flask\n"}
    assert "venv" in lines(
        tmp_path, "FROM p\nCOPY . .\nRUN pip install -r requirements.txt\n", files
    )


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"composer.yaml": COMPOSE}, id="composer.yaml"),
        pytest.param({"compose-rules.yaml": "rules: []\n"}, id="no Compose file by what is in it"),
        pytest.param({"composed.yml": COMPOSE, "docker-composer.yml": COMPOSE}, id="longer names"),
        pytest.param({"Dockerfile.j2": "FROM {{ a }}\n", "Dockerfile.tmpl": "FROM x\n"}, id="templates"),
        pytest.param({"Dockerfiles/base": "FROM a\n", "Dockerfile.d/x": "FROM a\n"}, id="folders"),
        pytest.param({"templates/Dockerfile": "FROM a\n"}, id="a Dockerfile that the program hands out"),
        pytest.param({"testdata/repo/.git/HEAD": "x"}, id="a repository among the test data"),
        pytest.param({"lib/shop.pyc": "x"}, id="bytecode without its source"),
        pytest.param({"gen.py": "T = open('Dockerfile').read()\n"}, id="read by name in a source"),
        pytest.param({"main.go": "package main\n//go:embed Dockerfile\nvar t string\n"}, id="embedded by Go"),
        pytest.param({"main.go": "package main\n//go:embed *\nvar t embed.FS\n"}, id="embedded with the whole folder"),
        pytest.param({"src/main.rs": 'include_str!("../Dockerfile")'}, id="included by Rust"),
        pytest.param({"settings.json": '{"template": "./Dockerfile"}'}, id="named in settings"),
        pytest.param({"other/Dockerfile.e2e": "FROM a\nCOPY Dockerfile /x\n"}, id="a sibling takes it"),
        pytest.param({"b.Containerfile": "FROM a\nCOPY Docker* /x\n"}, id="a sibling takes it by a pattern"),
        pytest.param({"e2e/Dockerfile": "FROM docker:27\nCOPY . .\nCMD docker build .\n"},
                     id="an image that builds images"),
    ],
)  # fmt: skip
def test_files_stay_that_only_look_like_the_builds_own(
    tmp_path: Path, files: Mapping[str, str]
) -> None:
    found = lines(tmp_path, PLAIN, files)
    allowed = {"**/__pycache__"}
    if not any(
        "Dockerfile" in text or "embed" in text or "Docker" in text or "docker" in text
        for text in files.values()
    ):
        allowed |= {"Dockerfile"}
    assert set(found) <= allowed | {name for name in files if name == "b.Containerfile"}


def test_the_builds_own_files_are_named_one_by_one(tmp_path: Path) -> None:
    files = {
        "compose.yaml": COMPOSE,
        "docker-compose.prod.yml": COMPOSE,
        "Dockerfile-dev": "FROM a\n",
        "Makefile": "all:\n\tdocker build -f Dockerfile-dev .\n\tdocker compose -f docker-compose.prod.yml up\n",
    }
    assert lines(tmp_path, PLAIN, files) == [
        "Dockerfile",
        "Dockerfile-dev",
        "compose.yaml",
        "docker-compose.prod.yml",
    ]


def test_the_dockerfile_in_a_folder_is_kept_out_by_its_path(tmp_path: Path) -> None:
    assert lines(tmp_path, PLAIN, {"a": ""}, own="docker/web.Dockerfile") == [
        "docker/web.Dockerfile"
    ]


def test_a_sibling_that_an_ignore_file_keeps_out_still_counts(tmp_path: Path) -> None:
    files = {
        ".dockerignore": "Dockerfile*\n",
        "Dockerfile.e2e": "FROM a\nCOPY compose.yaml /e2e/\n",
        "compose.yaml": COMPOSE,
    }
    assert lines(tmp_path, PLAIN, files) == []


def test_an_ignore_file_of_its_own_serves_no_sibling(tmp_path: Path) -> None:
    sibling = {"Dockerfile.e2e": "FROM a\nCOPY compose.yaml /e2e/\n", "compose.yaml": COMPOSE}
    assert "compose.yaml" in lines(
        tmp_path / "a", PLAIN, {"Dockerfile.dockerignore": "x\n", **sibling}
    )
    assert "compose.yaml" in lines(
        tmp_path / "b", PLAIN, {"Dockerfile.e2e.dockerignore": "x\n", **sibling}
    )


@pytest.mark.parametrize(
    ("dockerfile", "files"),
    [
        pytest.param(PLAIN + "RUN V=$(git describe) make\n", {}, id="a step"),
        pytest.param(PLAIN, {"Makefile": "V := $(shell git rev-parse HEAD)\n"}, id="make"),
        pytest.param(PLAIN, {"build.sh": "git log -1 --format=%h > v\n"}, id="a script"),
        pytest.param(PLAIN, {"pyproject.toml": '[tool.setuptools_scm]\n'}, id="setuptools_scm"),
        pytest.param(PLAIN, {"package.json": '{"scripts": {"build": "V=$(git rev-parse HEAD) vite build"}}'},
                     id="a script of npm"),
        pytest.param(PLAIN, {"vite.config.ts": "execSync('git rev-parse HEAD')"}, id="settings of a bundler"),
        pytest.param(PLAIN, {"app.py": 'subprocess.check_output(["git", "rev-parse", "HEAD"])'}, id="the program asks"),
        pytest.param(PLAIN, {"main.go": 'func main() { i, _ := debug.ReadBuildInfo() }'}, id="Go's build information"),
        pytest.param(PLAIN, {"build.rs": "vergen::EmitBuilder::builder()"}, id="vergen"),
        pytest.param(PLAIN, {"a.csproj": '<PackageReference Include="MinVer"/>'}, id="MinVer"),
        pytest.param(PLAIN, {"x.gemspec": "s.files = `git ls-files`.split"}, id="gemspec"),
        pytest.param(PLAIN.replace("COPY", "COPY .git /g\nCOPY"), {}, id="copied by name"),
        pytest.param(PLAIN, {"ci/Dockerfile": "FROM a\nCOPY . .\nRUN git status\n"}, id="a sibling"),
    ],
)  # fmt: skip
def test_version_control_data_stays_where_it_is_read(
    tmp_path: Path, dockerfile: str, files: Mapping[str, str]
) -> None:
    found = lines(tmp_path, dockerfile, {".git/HEAD": "ref", "compose.yaml": COMPOSE, **files})
    assert ".git" not in found
    if ".git /g" not in dockerfile:
        assert "compose.yaml" not in found  # to git it would be a deleted file


def test_a_clone_of_another_repository_asks_nothing_of_this_one(tmp_path: Path) -> None:
    text = "FROM a\nRUN git clone https://example.org/x && make\nCOPY . .\n"
    assert ".git" in lines(tmp_path, text, {".git/HEAD": "ref", "a": ""})


@pytest.mark.parametrize(
    "step",
    ["[ -d node_modules ] || npm ci", "test -f x && npm ci", 'if [ -n "$A" ]; then npm ci; fi'],
)
def test_an_installation_behind_a_condition_makes_nothing_for_sure(
    tmp_path: Path, step: str
) -> None:
    files = {"package.json": "{}", "node_modules/a/i.js": ""}
    assert "node_modules" not in lines(tmp_path, IN_APP + f"RUN {step}\n", files)


def test_the_longest_name_is_what_a_source_means(tmp_path: Path) -> None:
    files = {"Dockerfile.app": "FROM a\n", "src/main.rs": 'include_str!("../Dockerfile.app")'}
    assert lines(tmp_path, PLAIN, files) == ["Dockerfile"]


@pytest.mark.parametrize(
    "script",
    ["nx affected -t build", "lerna run build --since main", "turbo build --filter=[HEAD^1]"],
)
def test_tools_that_ask_git_by_themselves(tmp_path: Path, script: str) -> None:
    files = {".git/HEAD": "ref", "package.json": '{"scripts": {"build": "' + script + '"}}'}
    assert ".git" not in lines(tmp_path, PLAIN, files)
    files["package.json"] = "{}"
    assert ".git" not in lines(tmp_path, IN_APP + f"RUN npx {script}\n", files)
