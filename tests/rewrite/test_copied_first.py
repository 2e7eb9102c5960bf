"""What comes in front of an installation, and what it may not be parted from: manifests, settings,
members, sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from .order_kit import CARGO, GO, NODE, PYTHON, draft_of, order

MANIFESTS: list[tuple[str, Mapping[str, str], str, list[str]]] = [
    (
        "COPY go.mod go.sum main.go ./",
        GO,
        "go build -o /x .",
        ["COPY go.mod go.sum ./", "RUN go mod download", "COPY main.go ./"],
    ),
    (
        "COPY go.* *.go ./",
        GO,
        "go build .",
        ["COPY go.mod go.sum ./", "RUN go mod download", "COPY go.* *.go ./"],
    ),
    (
        'COPY ["app.py", "requirements.txt", "./"]',
        PYTHON,
        "pip install -r requirements.txt",
        ["COPY requirements.txt ./", "RUN pip", "COPY ["],
    ),
    (
        "COPY app.py requirements.txt ./",
        PYTHON,
        "pip install -r requirements.txt",
        ["COPY requirements.txt ./", "RUN pip", "COPY app.py ./"],
    ),
    (
        "COPY --chown=1:1 requirements.txt app.py /app/",
        PYTHON,
        "pip install -r requirements.txt",
        ["COPY --chown=1:1 requirements.txt /app/", "RUN pip", "COPY --chown=1:1 app.py /app/"],
    ),
    (
        "COPY package.json package-lock.json app.js ./",
        NODE,
        "npm ci",
        ["COPY package.json package-lock.json ./", "RUN npm ci", "COPY app.js ./"],
    ),
    (
        "COPY pom.xml A.java ./",
        {"pom.xml": "<project/>", "A.java": ""},
        "mvn package",
        [
            "COPY pom.xml ./",
            "RUN mvn --batch-mode dependency:go-offline",
            "COPY A.java ./",
            "RUN mvn package",
        ],
    ),
    (
        "COPY Cargo.toml Cargo.lock build.rs main.rs ./",
        {
            "Cargo.toml": '[package]\nname = "a"\n[[bin]]\nname = "a"\npath = "main.rs"\n',
            "Cargo.lock": "",
            "build.rs": "",
            "main.rs": "",
        },
        "cargo build",
        [
            "COPY Cargo.toml Cargo.lock ./",
            "&& cargo build",
            "COPY build.rs main.rs ./",
            "RUN cargo build",
        ],
    ),
]


@pytest.mark.parametrize(
    ("copy", "files", "command", "lines"), MANIFESTS, ids=[row[0] for row in MANIFESTS]
)
def test_a_line_of_manifests_and_source_is_parted(
    copy: str, files: Mapping[str, str], command: str, lines: list[str], tmp_path: Path
) -> None:
    done = order(tmp_path, f"FROM base\nWORKDIR /app\n{copy}\nRUN {command}\n", files)
    places = [done.index(line) for line in lines]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("files", "command", "copied"),
    [
        (
            {".yarnrc": 'yarn-offline-mirror "./mirror"\n', "mirror/a.tgz": ""},
            "yarn install --offline",
            "mirror",
        ),
        ({".yarnrc": "yarn-path lib/yarn.js\n", "lib/yarn.js": ""}, "yarn install", "lib/yarn.js"),
        (
            {".yarnrc.yml": "x: y\n", ".yarn/cache/a.zip": ""},
            "yarn install --immutable",
            ".yarn/cache",
        ),
        ({".npmrc": "cache=./store\n", "store/a": ""}, "npm ci --offline", "store"),
        ({".npmrc": "cafile=conf/own.pem\n", "conf/own.pem": ""}, "npm ci", "conf/own.pem"),
        ({".npmrc": "store-dir = store\n", "store/a": ""}, "pnpm install --offline", "store"),
        (
            {"bunfig.toml": '[install]\ncafile = "conf/own.pem"\n', "conf/own.pem": ""},
            "bun install",
            "conf/own.pem",
        ),
    ],
)
def test_what_settings_of_the_project_name_is_copied_too(
    files: Mapping[str, str], command: str, copied: str, tmp_path: Path
) -> None:
    done = order(
        tmp_path, f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\nRUN make\n", {**NODE, **files}
    )
    front = done[: done.index("RUN ")]
    assert f"COPY {copied} ./" in front and "COPY . ." not in front


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (
            {"Gemfile": "", "Gemfile.lock": "", "vendor/bundle/a.rb": ""},
            "bundle install --deployment",
        ),
        ({"composer.json": "{}", "vendor/autoload.php": ""}, "composer install --no-dev"),
        (
            {"composer.json": '{"repositories": [{"type": "artifact", "url": "zips/"}]}'},
            "composer install",
        ),
        ({"a.csproj": "<Project/>", "obj/project.assets.json": ""}, "dotnet restore"),
        ({**NODE, "node_modules/ms/i.js": ""}, "npm ci"),
        ({**NODE, ".yarn/unplugged/a/i.js": ""}, "yarn install"),
        ({**NODE, ".pnp.cjs": ""}, "yarn install"),
        (
            {**PYTHON, "env/bin/python": ""},
            "python -m venv env && env/bin/pip install -r requirements.txt",
        ),
        ({**PYTHON, ".venv/bin/python": ""}, "uv venv && uv pip install -r requirements.txt"),
        (
            {"pyproject.toml": "", "uv.lock": "", ".venv/bin/python": ""},
            "uv sync --no-install-project",
        ),
        ({"pyproject.toml": "", "poetry.lock": "", ".venv/bin/python": ""}, "poetry install"),
        ({"pyproject.toml": "", "pdm.lock": "", ".venv/bin/python": ""}, "pdm sync"),
        ({**NODE, "node_modules/ms/i.js": ""}, "bun install"),
        ({**CARGO, "target/debug/shop": ""}, "cargo build"),
        ({**GO, "vendor/modules.txt": ""}, "go build ."),
        (
            {
                **CARGO,
                ".cargo/config.toml": '[source.own]\ndirectory = "vendor"\n',
                "vendor/a/x": "",
            },
            "cargo build",
        ),
        (
            {**PYTHON, "requirements.txt": "--find-links ./wheels\nflask\n"},
            "pip install -r requirements.txt",
        ),
    ],
)
def test_what_this_machine_installed_is_not_laid_over_the_installation(
    files: Mapping[str, str], command: str, tmp_path: Path
) -> None:
    text = f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\nCMD x\n"
    assert order(tmp_path, text, files) == text


@pytest.mark.parametrize(
    "before", ["go telemetry off", "go version && go env", "go env -w GOFLAGS=-mod=mod"]
)
def test_a_command_before_that_fetches_nothing_leaves_the_fetch_to_be_made(
    before: str, tmp_path: Path
) -> None:
    text = f"FROM golang\nRUN {before}\nWORKDIR /app\nCOPY . .\nRUN go build .\n"
    assert "RUN go mod download\nCOPY . .\n" in order(tmp_path, text, GO)


PARENT = "<project><parent><artifactId>p</artifactId></parent></project>"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"go.work": "use ./api\n", "api/go.mod": "module a\n", "api/go.sum": "x"}, "go build ."),
        ({"package.json": '{"workspaces": ["api"]}', "api/package.json": "{}"}, "npm ci"),
        ({"package.json": '{"workspaces": ["api"]}', "api/package.json": "{}"}, "yarn install"),
        ({"pnpm-workspace.yaml": "packages: [api]\n", "api/package.json": "{}"}, "pnpm install"),
        (
            {
                "Cargo.toml": "[workspace]\n",
                **{f"api/{name}": text for name, text in CARGO.items()},
            },
            "cargo build",
        ),
        (
            {"pom.xml": "<modules><module>api</module></modules>", "api/pom.xml": PARENT},
            "mvn package",
        ),
        ({"pom.xml": "<packaging>pom</packaging>", "api/pom.xml": PARENT}, "mvn package"),
        (
            {
                "pyproject.toml": "[tool.uv.workspace]\nmembers = ['api']\n",
                "api/pyproject.toml": "",
            },
            "uv sync --frozen",
        ),
        (
            {"Directory.Packages.props": "<Project/>", "api/a.csproj": "<Project/>"},
            "dotnet restore",
        ),
        ({".yarnrc.yml": "x: y\n", "api/package.json": "{}"}, "yarn install"),
    ],
)
@pytest.mark.parametrize("way", ["WORKDIR /app/api\nRUN ", "RUN cd api && "])
def test_a_member_of_something_larger_is_not_installed_alone(
    files: Mapping[str, str], command: str, way: str, tmp_path: Path
) -> None:
    text = f"FROM base\nWORKDIR /app\nCOPY . /app\n{way}{command}\nCMD x\n"
    assert order(tmp_path, text, files) == text


@pytest.mark.parametrize(
    ("mounts", "made"),
    [
        (["--mount=type=cache,target=/app/target"], False),
        (["--mount=type=cache,target=target,sharing=locked"], False),
        (["--mount=type=cache,target=/app"], False),
        (
            [
                "--mount=type=cache,target=/usr/local/cargo/registry/index",
                "--mount=type=tmpfs,target=/tmp",
            ],
            True,
        ),
    ],
)
def test_the_author_s_own_mounts_serve_a_stub_or_forbid_it(
    mounts: list[str], made: bool, tmp_path: Path
) -> None:
    flags = " ".join(mounts)
    text = f"FROM rust\nWORKDIR /app\nCOPY . .\nRUN {flags} cargo build --release\n"
    done = order(tmp_path, text, CARGO)
    assert (done != text) == made
    assert all(done.count(mount) == 1 + made for mount in mounts)


def test_a_target_folder_named_by_a_variable_is_a_mount_of_the_target_too(tmp_path: Path) -> None:
    text = "FROM rust\nENV CARGO_TARGET_DIR=/t\nWORKDIR /app\nCOPY . .\nRUN --mount=type=cache,target=/t cargo build\n"
    assert order(tmp_path, text, CARGO) == text


@pytest.mark.parametrize(
    "text",
    [
        "FROM base\nWORKDIR /app\nCOPY . $PLACE\nENV PLACE=/other\nRUN npm install -g pm2\n",
        "FROM base\nARG WHO=1\nCOPY --chown=${WHO} . /app\nARG WHO=2\nRUN npm install -g pm2\n",
        "FROM base\nCOPY --chown=node . /app\nWORKDIR /app\nRUN npm install -g pm2\n",
        "FROM base\nUSER node\nCOPY . /app\nWORKDIR /app\nRUN npm install -g pm2\n",
        "FROM base\nWORKDIR /app\nCOPY src src\nRUN make\nCOPY app.js ./\nRUN npm install -g pm2\n",
        "FROM rust\nWORKDIR /app\nCOPY . .\nRUN if true; then cargo build --target x; else cargo build; fi\n",
        "FROM golang\nWORKDIR /app\nCOPY . .\nRUN --network=none go build .\n",
        "FROM rust\nWORKDIR /app\nCOPY Cargo.toml build.rs ./\nCOPY src src\nRUN cargo build\n",
        "FROM rust\nWORKDIR /app\nCOPY Cargo.toml ./\nCOPY src/a.js ./\nRUN mkdir src && echo 'fn main() {}' > "
        "src/main.rs && cargo build\nCOPY src src\nRUN cargo build\n",
        "FROM rust\nWORKDIR /app\nCOPY Cargo.toml ./\nCOPY src/a.js ./\nRUN mkdir src && echo > src/lib.rs "
        "&& cargo build\nCOPY src src\nRUN cargo build\n",
        "FROM base\nWORKDIR /app\nCOPY rust-toolchain.toml ./\nRUN curl https://sh.rustup.rs | sh -s -- -y\n",
    ],
    ids=[
        "a variable of the COPY is set behind it",
        "the owner's variable is set behind the COPY",
        "a WORKDIR would make the folder for another owner",
        "a WORKDIR would make the folder for another user",
        "the source stays above",
        "a command that runs only sometimes",
        "a step without a network",
        "a stub in the place of what was copied above",
        "a stub of the author's own",
        "a library of the author's own that stands for the source",
        "an installer reads the version that the project names",
    ],
)
def test_a_copy_passes_nothing_that_changes_it(text: str, tmp_path: Path) -> None:
    files = {**NODE, **CARGO, **GO, "rust-toolchain.toml": "", "src/a.js": "", "build.rs": ""}
    assert order(tmp_path, text, files) == text


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        ("uv sync --frozen --no-dev", "uv sync --frozen --no-dev --no-install-project"),
        ("uv sync --locked", "uv sync --locked --no-install-project"),
        ("poetry install --only main", "poetry install --only main --no-root"),
        ("pdm install --prod", "pdm install --prod --no-self"),
        (
            "poetry config virtualenvs.in-project true && poetry install",
            "poetry config virtualenvs.in-project true && poetry install --no-root",
        ),
    ],
)
def test_python_s_installers_fetch_ahead_with_the_author_s_options(
    command: str, reads: str, tmp_path: Path
) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "a"\n',
        "uv.lock": "x",
        "poetry.lock": "x",
        "a/b.py": "",
    }
    text = f"FROM base\nENV POETRY_VIRTUALENVS_IN_PROJECT=true\nWORKDIR /app\nCOPY . .\nRUN {command}\n"
    done = order(tmp_path, text, files)
    assert done.index(f"RUN {reads}\n") < done.index("COPY . .\n") < done.rindex(f"RUN {command}\n")


def test_sources_whose_metadata_a_lock_checks_are_not_left_behind(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "a"\ndynamic = ["version", "dependencies"]\n',
        "uv.lock": "x",
    }
    text = "FROM base\nWORKDIR /app\nCOPY . .\nRUN uv sync --locked\n"
    draft = draft_of(tmp_path, text, files)
    assert draft.text == text
    assert "refers to the source tree" in draft.skips[0].reason


@pytest.mark.parametrize(
    ("command", "front"),
    [
        (
            "dotnet restore",
            ["COPY shop.sln Directory.Build.props ./", "COPY src/Api/Api.csproj ./src/Api/"],
        ),
        (
            "dotnet restore shop.sln",
            ["COPY shop.sln Directory.Build.props ./", "COPY src/Core/Core.csproj"],
        ),
        (
            "dotnet restore src/Api/Api.csproj",
            ["COPY src/Api/Api.csproj ./src/Api/", "COPY src/Core/Core.csproj"],
        ),
    ],
)
def test_a_solution_reads_its_projects_and_those_that_they_refer_to(
    command: str, front: list[str], tmp_path: Path
) -> None:
    files = {
        "shop.sln": 'Project("{F}") = "Api", "src\\Api\\Api.csproj", "{1}"\nEndProject\n',
        "src/Api/Api.csproj": '<Project><ProjectReference Include="..\\Core\\Core.csproj" /></Project>',
        "src/Core/Core.csproj": "<Project/>",
        "src/Api/Program.cs": "",
        "Directory.Build.props": "<Project/>",
    }
    done = order(
        tmp_path, f"FROM sdk\nWORKDIR /app\nCOPY . .\nRUN {command}\nRUN dotnet publish\n", files
    )
    assert all(line in done[: done.index("RUN dotnet restore")] for line in front)
    assert (
        done.index("RUN dotnet restore") < done.index("COPY . .") < done.index("RUN dotnet publish")
    )


def test_a_project_whose_reference_needs_the_build_s_variables_stays(tmp_path: Path) -> None:
    text = "FROM sdk\nWORKDIR /app\nCOPY . .\nRUN dotnet restore\n"
    files = {
        "a.csproj": '<Project><ProjectReference Include="$(Root)b.csproj" /></Project>',
        "b.csproj": "<Project/>",
    }
    assert order(tmp_path, text, files) == text


def test_maven_s_own_folder_comes_whole_where_it_holds_settings(tmp_path: Path) -> None:
    files = {
        "pom.xml": "<project/>",
        ".mvn/maven.config": "-T1\n",
        ".mvn/wrapper/a.jar": "",
        "mvnw": "",
        "src/A": "",
    }
    done = order(tmp_path, "FROM maven\nWORKDIR /app\nCOPY . .\nRUN mvn package\n", files)
    assert "COPY pom.xml ./\nCOPY .mvn ./.mvn\nRUN mvn --batch" in done


def test_comments_and_blank_lines_stay_with_their_blocks(tmp_path: Path) -> None:
    text = "FROM base\nWORKDIR /app\n\n# source\nCOPY . .\n\n# dependencies\nRUN npm ci\n\n# build\nRUN npm run build\n"
    assert order(tmp_path, text, NODE) == (
        "FROM base\nWORKDIR /app\n\nCOPY package.json package-lock.json ./\n\n# dependencies\nRUN npm ci\n\n"
        "# source\nCOPY . .\n\n# build\nRUN npm run build\n"
    )


def test_a_comment_about_the_installation_stays_above_it(tmp_path: Path) -> None:
    text = "FROM base\nWORKDIR /app\n# Install the dependencies\nCOPY . .\nRUN npm ci\nRUN npm run build\n"
    assert order(tmp_path, text, NODE) == (
        "FROM base\nWORKDIR /app\n# Install the dependencies\nCOPY package.json package-lock.json ./\nRUN npm ci\n"
        "COPY . .\nRUN npm run build\n"
    )


def test_a_long_copy_gets_several_lines(tmp_path: Path) -> None:
    names = [f"requirements-of-the-service-{number}.txt" for number in range(6)]
    command = "pip install " + " ".join(f"-r {name}" for name in names)
    done = order(
        tmp_path,
        f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\n",
        dict.fromkeys(names, "flask\n"),
    )
    copied = done[: done.index("RUN ")]
    assert all(name in copied for name in names)
    assert max(len(line) for line in copied.splitlines()) <= 120


@pytest.mark.parametrize(
    ("steps", "moved"),
    [
        (
            "RUN npm run build\n\n# server\nRUN npm install -g serve\n",
            "# server\nRUN npm install -g serve\n",
        ),
        (
            "RUN npm ci && npm run build\n\nRUN npm i -g serve@14 pm2\n",
            "RUN npm i -g serve@14 pm2\n",
        ),
        (
            "RUN yarn install\nRUN yarn build\nLABEL a=b\nRUN yarn global add serve\n",
            "RUN yarn global add serve\n",
        ),
    ],
)
def test_a_program_for_the_machine_does_not_wait_for_the_build(
    steps: str, moved: str, tmp_path: Path
) -> None:
    files = {name: text for name, text in NODE.items() if name != "package.json"}
    done = order(tmp_path, f"FROM node\nWORKDIR /app\n\nCOPY . .\n{steps}\nCMD x\n", files)
    assert done.startswith(f"FROM node\nWORKDIR /app\n\n{moved}") and done.count(moved) == 1
    assert done.index(moved) < done.index("COPY . .") < done.index(" build\n")


@pytest.mark.parametrize(
    "steps",
    [
        "RUN npm run build\nRUN npm install -g npm@11\n",
        "RUN npm run build\nRUN npm install -g @yarnpkg/cli-dist\n",
        "RUN make\nRUN npm install -g serve\n",
        "RUN npm run build\nENV NPM_CONFIG_PREFIX=/x\nRUN npm install -g serve\n",
        "RUN npm run build\nENV PATH=/x:$PATH\nRUN npm install -g serve\n",
        "RUN npm run build\nUSER node\nRUN npm install -g serve\n",
        "RUN npm run build\nRUN npm install -g serve && serve --version\n",
        "RUN npm run build\nRUN npm install -g ./dist\n",
        "RUN npm run build\nRUN npm install serve\n",
        "RUN npm run build > log\nRUN npm install -g serve\n",
    ],
)
def test_a_program_that_the_build_may_use_or_settle_stays_behind_it(
    steps: str, tmp_path: Path
) -> None:
    text = f"FROM node\nWORKDIR /app\nCOPY . .\n{steps}CMD x\n"
    assert order(tmp_path, text, {"app.js": "", "dist/package.json": "{}"}) == text


@pytest.mark.parametrize(
    ("command", "files"),
    [
        (
            "npm ci --ignore-scripts",
            {"package.json": '{"scripts": {"postinstall": "node build.js"}}'},
        ),
        (
            "composer install --no-scripts --no-autoloader",
            {"composer.json": '{"autoload": {"classmap": ["src"]}}'},
        ),
    ],
)
def test_code_that_an_option_keeps_from_running_needs_no_source(
    command: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    done = order(
        tmp_path,
        f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\nRUN make\n",
        {**files, "src/a": ""},
    )
    assert done.index(f"RUN {command}") < done.index("COPY . .") < done.index("RUN make")
    shorter = command.rpartition(" ")[0]
    text = f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {shorter}\nRUN make\n"
    assert order(tmp_path / "b", text, {**files, "src/a": ""}) == text


@pytest.mark.parametrize(
    ("head", "files", "command"),
    [
        (
            "ENV COMPOSER_VENDOR_DIR=lib\n",
            {"composer.json": "{}", "lib/a.php": ""},
            "composer install",
        ),
        (
            "ENV UV_PROJECT_ENVIRONMENT=env\n",
            {"pyproject.toml": "", "env/a": ""},
            "uv sync --no-install-project",
        ),
        (
            "",
            {**NODE, "prisma/schema.prisma": 'output = "../client"\n', "client/i.js": ""},
            "npm ci",
        ),
    ],
)
def test_folders_that_settings_have_filled_are_not_laid_over(
    head: str, files: Mapping[str, str], command: str, tmp_path: Path
) -> None:
    text = f"FROM base\n{head}WORKDIR /app\nCOPY . .\nRUN {command}\nRUN make\n"
    assert order(tmp_path, text, files) == text


def test_an_install_ahead_uses_the_author_s_download_cache(tmp_path: Path) -> None:
    step = "RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen"
    done = order(
        tmp_path,
        f"FROM base\nWORKDIR /app\nCOPY . .\n{step}\n",
        {"pyproject.toml": "", "uv.lock": "x"},
    )
    assert (
        done.index(f"{step} --no-install-project\n")
        < done.index("COPY . .")
        < done.index(f"{step}\n")
    )


def test_a_tool_that_is_built_by_its_name_needs_no_modules_of_the_project(tmp_path: Path) -> None:
    text = "FROM golang\nWORKDIR /app\nCOPY . .\nRUN go install example.org/tool@v1\n"
    assert order(tmp_path, text, GO) == text


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("npm ci", {"package.json": '{"dependencies": {"x": "./libs/x.tgz"}}'}),
        ("npm ci", {"package.json": '{"devDependencies": {"x": "../x"}}'}),
        ("npm ci", {"package.json": '{"dependencies": {"x": "libs/x.tgz"}}'}),
        ("pnpm install", {"package.json": '{"pnpm": {"overrides": {"x": "link:./x"}}}'}),
        ("yarn install", {"package.json": '{"resolutions": {"x": "portal:./x"}}'}),
        ("bun install", {"package.json": '{"dependencies": {"x": "file:./x"}}'}),
        ("pdm install", {"pyproject.toml": 'dependencies = ["x @ file:///${PROJECT_ROOT}/x"]\n'}),
        (
            "uv sync --frozen",
            {"pyproject.toml": 'dependencies = ["x @ file:///app/x"]\n', "uv.lock": "x"},
        ),
        ("poetry install", {"pyproject.toml": 'x = {file = "libs/x.whl"}\n', "poetry.lock": "x"}),
        (
            "pip install -r requirements.txt",
            {"requirements.txt": "--index-url file:///app/simple\nflask\n"},
        ),
        ("pip install -r requirements.txt", {"requirements.txt": "x @ ./libs/x\n"}),
        (
            "uv pip install -r requirements.txt",
            {"requirements.txt": "--find-links wheels\nflask\n"},
        ),
        ("go build .", {"go.mod": "module a\nreplace x => /app/x\n", "go.sum": "x"}),
        (
            "mvn package",
            {"pom.xml": "<project><url>file://${project.basedir}/repo</url></project>"},
        ),
        ("mvn package", {"pom.xml": "<systemPath>${basedir}/lib/a.jar</systemPath>"}),
        (
            "mvn package",
            {
                "pom.xml": "<parent><relativePath>parent</relativePath></parent>",
                "parent/pom.xml": "",
            },
        ),
        ("bundle install", {"Gemfile": 'source "file:///app/gems"\n'}),
        ("bundle install", {"Gemfile": 'eval File.read("Gemfile.own")\n'}),
        (
            "composer install",
            {"composer.json": '{"repositories": [{"type": "vcs", "url": "./own"}]}'},
        ),
    ],
)
def test_a_dependency_in_the_source_keeps_it_in_front(
    command: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    text = f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\nRUN make\n"
    assert order(tmp_path, text, files) == text


@pytest.mark.parametrize(
    ("command", "files"),
    [
        (
            "npm ci",
            {
                "package.json": '{"main": "./x.js", "scripts": {"a": "x file:y"}, "dependencies": {"a": "b/c"}}'
            },
        ),
        (
            "bundle install",
            {"Gemfile": 'ruby file: ".ruby-version"\ngem "rake"\n', ".ruby-version": "3.3\n"},
        ),
        ("go mod download", {"go.mod": "module a\nreplace x => example.org/x v1\n"}),
        (
            "pnpm install",
            {
                "package.json": "{}",
                "pnpm-workspace.yaml": "patchedDependencies:\n  a: patches/a.patch\n",
                "patches/a.patch": "",
            },
        ),
    ],
)
def test_what_only_looks_like_a_dependency_in_the_source_does_not(
    command: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    done = order(tmp_path, f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\nRUN make\n", files)
    assert done.index(f"RUN {command}") < done.index("COPY . .")
    assert all(name in done for name in files)


@pytest.mark.parametrize(
    ("command", "fetch"),
    [
        ("mvn package -Pprod -DskipTests", "mvn --batch-mode dependency:go-offline -Pprod"),
        ("mvn package -P prod,x", "mvn --batch-mode dependency:go-offline -P prod,x"),
        (
            "mvn -Dmaven.repo.local=/m package",
            "mvn --batch-mode dependency:go-offline -Dmaven.repo.local=/m",
        ),
        (
            "mvn -Drevision=1.2 -U package",
            "mvn --batch-mode dependency:go-offline -Drevision=1.2 -U",
        ),
    ],
)
def test_a_fetch_follows_the_options_that_say_what_and_where_to(
    command: str, fetch: str, tmp_path: Path
) -> None:
    text = f"FROM maven\nWORKDIR /app\nCOPY . .\nRUN {command}\n"
    done = order(tmp_path, text, {"pom.xml": "<project/>", "src/A.java": ""})
    assert (
        done == f"FROM maven\nWORKDIR /app\nCOPY pom.xml ./\nRUN {fetch}\nCOPY . .\nRUN {command}\n"
    )


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("mvn -Dmaven.repo.local=./repo package", {"pom.xml": "<project/>", "repo/a.jar": ""}),
        ("mvn -Dmaven.repo.local=$REPO package", {"pom.xml": "<project/>"}),
        ("mvn -P $PROFILE package", {"pom.xml": "<project/>"}),
        (
            "pdm install --no-self",
            {"pyproject.toml": "", "pdm.lock": "", "__pypackages__/3.12/lib/a.py": ""},
        ),
    ],
)
def test_a_fetch_that_would_go_elsewhere_than_the_build_is_not_made(
    command: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    text = f"FROM base\nWORKDIR /app\nCOPY . .\nRUN {command}\n"
    assert order(tmp_path, text, files) == text


BERRY = """\
__metadata:
  version: 10

"@types/node@npm:*, @types/node@npm:24.1.0":
  version: 24.1.0
  resolution: "@types/node@npm:24.1.0"

"ms@npm:^2.1.0":
  version: 2.1.3
  resolution: "ms@npm:2.1.3"
"""


@pytest.mark.parametrize(
    ("dependencies", "lock", "unlocked"),
    [
        pytest.param({}, BERRY, "", id="none"),
        pytest.param({"ms": "^2.1.0"}, BERRY, "", id="locked"),
        pytest.param({"@types/node": "*"}, BERRY, "", id="one of two ranges"),
        pytest.param({"ms": "^3.0.0"}, BERRY, "ms ^3.0.0", id="another range"),
        pytest.param({"s": "^2.1.0"}, BERRY, "s ^2.1.0", id="the end of another name"),
        pytest.param({"types/node": "*"}, BERRY, "types/node *", id="without its scope"),
        pytest.param(
            {"ms": "workspace:*", "a": "git+https://e.org/a.git"},
            BERRY,
            "",
            id="what a lock says otherwise",
        ),
        pytest.param({"ms": "^3.0.0"}, "# yarn lockfile v1\n", "", id="Yarn 1 does not compare"),
    ],
)
def test_an_installation_that_writes_the_lock_stays_behind_the_copy_that_brings_the_old_one(
    dependencies: dict[str, str], lock: str, unlocked: str, tmp_path: Path
) -> None:
    """`yarn build` of Yarn 2 and later fails where package.json asks for what yarn.lock does not
    have."""
    manifest = json.dumps({"name": "shop", "devDependencies": dependencies})
    files = {
        "package.json": manifest,
        "yarn.lock": lock,
        ".yarnrc.yml": "nodeLinker: pnp\n",
        "app.js": "",
    }
    text = "FROM node:24\nWORKDIR /app\nCOPY . .\nRUN yarn install\nRUN yarn build\n"
    draft = draft_of(tmp_path, text, files)
    assert (draft.text == text) == bool(unlocked)
    if unlocked:
        (skip,) = draft.skips
        assert skip.reason.endswith(
            f"`yarn install` locks {unlocked}, which the project has not locked"
        )
