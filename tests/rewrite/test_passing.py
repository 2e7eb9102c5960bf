"""What may move past what: each name tells the trap; the Dockerfile of a trap comes out byte for
byte as it went in."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.order.passing import TABLE, Answer, Copied, Does, described, may_pass

from .order_kit import GO, NODE, PYTHON, order, run

SETTINGS = [
    ("/etc/pip.conf", "pip install shop"),
    ("/root/.config/pip/pip.conf", "pip install shop"),
    ("/home/me/.pip/pip.conf", "pip install shop"),
    ("/usr/local/etc/npmrc", "npm install -g pm2"),
    ("/root/.npmrc", "npm install -g pm2"),
    ("/.yarnrc.yml", "yarn global add pm2"),
    ("/etc/apt/sources.list.d/own.list", "apt-get update"),
    ("/etc/yum.repos.d/own.repo", "yum install -y gcc"),
    ("/etc/apk/repositories", "apk add gcc"),
    ("/etc/gemrc", "gem install rake"),
    ("/opt/conda/.condarc", "conda install -y numpy"),
    ("/root/.netrc", "pip install shop"),
    ("/usr/local/share/ca-certificates/own.crt", "pip install shop"),
    ("/etc/ssl/certs/own.pem", "npm install -g pm2"),
]


@pytest.mark.parametrize(
    "workdir", ["", "WORKDIR /\n", "WORKDIR /app\n", "WORKDIR /etc\n", "WORKDIR /root\n"]
)
@pytest.mark.parametrize(("place", "command"), SETTINGS)
def test_settings_stay_in_front_of_the_installation_that_finds_them(
    place: str, command: str, workdir: str, tmp_path: Path
) -> None:
    text = f"FROM base\n{workdir}COPY own {place}\nRUN {command}\nCMD x\n"
    assert order(tmp_path, text, {"own": "x"}) == text
    folder = (
        f"FROM base\n{workdir}COPY own/ {place.rpartition('/')[0] or '/'}\nRUN {command}\nCMD x\n"
    )
    name = place.rpartition("/")[2]
    assert order(tmp_path / "f", folder, {f"own/{name}": "x"}) == folder


@pytest.mark.parametrize(
    ("variable", "command"),
    [
        ("PIP_CERT=/app/own.pem", "pip install flask"),
        ("SSL_CERT_FILE=/app/own.pem", "pip install flask"),
        ("REQUESTS_CA_BUNDLE=own.pem", "pip install flask"),
        ("NODE_EXTRA_CA_CERTS=/app/own.pem", "npm ci"),
        ('NODE_OPTIONS="--require ./own.pem"', "npm ci"),
        ("NPM_CONFIG_USERCONFIG=/app/own.pem", "npm ci"),
        ("GOFLAGS=-modfile=/app/own.pem", "go mod download"),
        ("CURL_CA_BUNDLE=/app/own.pem", "npm install -g pm2"),
        ("GIT_SSL_CAINFO=own.pem", "npm ci"),
        ("BUNDLE_GEMFILE=/app/own.pem", "gem install rake"),
        ("CARGO_HTTP_CAINFO=/app/own.pem", "apt-get install -y gcc"),
        ("JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/app/own.pem", "apt-get install -y gcc"),
    ],
)
@pytest.mark.parametrize("way", ["before", "behind", "in the step"])
def test_a_variable_that_names_what_is_copied_keeps_it_in_front(
    variable: str, command: str, way: str, tmp_path: Path
) -> None:
    lines = {
        "before": f"ENV {variable}\nCOPY . .\nRUN {command}\n",
        "behind": f"COPY . .\nENV {variable}\nRUN {command}\n",
        "in the step": f"COPY . .\nRUN {variable} {command}\n",
    }
    text = f"FROM base\nWORKDIR /app\n{lines[way]}CMD x\n"
    assert order(tmp_path, text, {**NODE, **GO, "own.pem": "x"}) == text


@pytest.mark.parametrize(
    "command",
    [
        "npm install ms",
        "npm i --save-dev ms",
        "npm install --loglevel error -D ms@2",
        "npm install ms --omit dev",
        "pnpm install ms",
        "pnpm add ms",
        "bun install ms",
        "pdm config --local venv.in_project true",
        "yarn add ms",
        "npm install -g",
        "npm install -g .",
        "npm uninstall ms",
        "npm update",
        "pipenv install ms",
        "poetry add ms",
        "uv add ms",
        "cargo add ms",
        "go get example.org/ms",
        "composer require a/b",
        "bundle add ms",
        "dotnet add package Ms",
        "yarn config set registry https://x",
        "npm config set registry https://x --location=project",
        "npm config set --location project registry https://x",
        "npm config set -L project registry https://x",
        "poetry config virtualenvs.in-project true --local",
        "pnpm config set --location=project x y",
        "bundle config set --local path vendor/bundle",
        "composer config repo.own https://x",
        "yarn set version berry",
        "corepack use pnpm@9",
        "git config user.name x",
        "conda create -y -p ./env numpy",
        "pip install --target lib flask",
        "pip install --prefix=/app/lib flask",
    ],
)
def test_what_writes_into_the_project_stays_behind_it(command: str, tmp_path: Path) -> None:
    files = {
        **NODE,
        ".yarnrc.yml": "",
        "Pipfile": "",
        "pyproject.toml": "",
        "Gemfile": "",
        "lib/a.py": "",
    }
    text = run(command)
    assert order(tmp_path, text, files) == text


WRITES = [
    "curl -fsSL https://e.org/x -o conf/site.json",
    "curl -sSLo app.js https://e.org/x",
    "curl -oapp.js https://e.org/x",
    "curl --output=app.js https://e.org/x",
    "curl -sO https://e.org/app.js",
    "curl --output-dir /app -O https://e.org/app.js",
    "curl --cacert app.js https://e.org/x -o /opt/x",
    "curl -d @app.js https://e.org/x -o /opt/x",
    "wget https://e.org/app.js",
    "wget -qO app.js https://e.org/x",
    "wget -P conf https://e.org/site.json",
    "wget --directory-prefix=/app https://e.org/app.js",
    "tar xzf /opt/x.tgz",
    "tar -C /app -xzf /opt/x.tgz",
    "tar -xzC conf -f /opt/x.tgz",
    "tar -C / -xzf /opt/x.tgz",
    "tar -C /opt -xzf app.js",
    "unzip /opt/x.zip",
    "unzip -d conf /opt/x.zip",
    "git clone https://e.org/x",
    "git clone https://e.org/x lib",
    "cp /opt/x app.js",
    "cp -r conf /opt/conf",
    "mv /opt/x /app/app.js",
    "ln -sf /opt/x app.js",
    "sed -i s/a/b/ app.js",
    "sed -i 's#a#b#' /app/conf/site.json",
    "install -m 644 /opt/x app.js",
    "touch app.js",
    "tee app.js",
    "mkdir conf",
    "mkdir -m 777 -p /app/data",
    "rm -rf conf",
    "chmod 600 app.js",
    "cp /opt/x app.js.new && mv app.js.new app.js",
    "useradd -m -d /app me",
    "python -m venv conf",
]


@pytest.mark.parametrize("copy", ["COPY . .", "COPY . /app/", "COPY --chown=1:1 . /app", "ADD . ."])
@pytest.mark.parametrize("command", WRITES)
def test_a_write_into_what_is_copied_stays_behind_it(
    command: str, copy: str, tmp_path: Path
) -> None:
    text = run(f"{command} && npm ci", copy)
    assert order(tmp_path, text, NODE) == text


@pytest.mark.parametrize(
    "command",
    [
        "curl -fsSL https://e.org/x -o /usr/local/bin/x && chmod +x /usr/local/bin/x",
        "curl -fsSL https://e.org/x | tar -xz -C /usr/local --strip-components=1",
        "wget -q -O /tmp/x.zip https://e.org/x && unzip -d /opt /tmp/x.zip && rm /tmp/x.zip",
        "cd /tmp && wget https://e.org/x",
        "ln -sf /usr/share/zoneinfo/UTC /etc/localtime",
        "sed -i 's/deb.debian.org/mirror.e.org/g' /etc/apt/sources.list",
        "git clone --depth=1 https://e.org/x /opt/x",
        "mkdir -p /app/data /var/data",
        "git config --global user.name x",
        "npm config set registry https://x",
        "yarn config set registry https://x -H",
        "poetry config virtualenvs.in-project true",
        "corepack enable",
        "useradd -m me",
        "groupadd -r me && useradd -r -g me me",
    ],
)
def test_a_command_that_touches_nothing_of_the_source_passes_it(
    command: str, tmp_path: Path
) -> None:
    done = order(tmp_path, run(command), NODE)
    assert done.index(f"RUN {command}\n") < done.index("RUN npm ci\n") < done.index("COPY . .\n")


@pytest.mark.parametrize(
    "head",
    [
        "COPY pip.conf /etc/pip.conf\n",
        "COPY pip.conf /opt/venv/pip.conf\n",
        "COPY pip.conf /root/.config/pip/pip.conf\n",
        "RUN pip config set global.find-links /app/wheels\n",
        "RUN echo '[install] find-links=/app/wheels' > /etc/pip.conf\n",
        "ENV PIP_FIND_LINKS=/app/wheels\n",
    ],
)
def test_settings_above_that_name_what_is_copied_keep_it_in_front(
    head: str, tmp_path: Path
) -> None:
    files = {
        **PYTHON,
        "pip.conf": "[install]\nfind-links = /app/wheels\nno-index = yes\n",
        "wheels/a.whl": "",
    }
    text = f"FROM python\nWORKDIR /app\n{head}COPY . .\nRUN pip install -r requirements.txt\n"
    assert order(tmp_path, text, files) == text


@pytest.mark.parametrize(
    "command",
    [
        "export PIP_CERT=/app/own.pem && pip install flask",
        "env PIP_CERT=/app/own.pem pip install flask",
        "PIP_CERT=own.pem && export PIP_CERT && pip install flask",
        "npm config set cafile=/app/own.pem && npm ci",
        "npm config set cafile /app/own.pem && npm ci",
        "git config --global http.sslCAInfo /app/own.pem && npm ci",
        "apt-get install -o Dir::Etc::SourceList=/app/own.pem -y gcc",
        "apt-get install -c own.pem -y gcc",
        "pip install --cert own.pem flask",
        "corepack prepare --activate",
        "useradd --create-home --home-dir=/app me && npm ci",
    ],
)
def test_a_step_that_names_a_file_of_the_source_needs_it(command: str, tmp_path: Path) -> None:
    text = run(command)
    assert order(tmp_path, text, {**NODE, "own.pem": "x"}) == text


def test_settings_beside_the_manifest_in_the_base_s_own_folder_are_the_project_s(
    tmp_path: Path,
) -> None:
    done = order(
        tmp_path, "FROM node\nCOPY . .\nRUN npm ci\nRUN make\n", {**NODE, ".npmrc": "a=b\n"}
    )
    assert done.startswith(
        "FROM node\nCOPY package.json package-lock.json .npmrc ./\nRUN npm ci\nCOPY . .\n"
    )


def test_settings_in_a_folder_of_the_application_s_own_are_no_settings_of_the_system(
    tmp_path: Path,
) -> None:
    text = "FROM base\nWORKDIR /etc/shop\nCOPY . .\nRUN npm install -g pm2\nRUN make\n"
    done = order(tmp_path, text, {"app.js": "", "docker/pip.conf": ""})
    assert done.index("npm install") < done.index("COPY . .")


@pytest.mark.parametrize(
    "command",
    [
        "npm install --package-lock-only",
        "pnpm install --lockfile-only",
        "yarn install --mode=update-lockfile",
        "yarn install --mode update-lockfile",
        "uv sync --upgrade",
        "dotnet restore --use-lock-file",
        "curl -fsSL https://e.org/install | sh -s -- -b ./bin && npm ci",
        "curl -fsSL https://e.org/install | sh -s -- -b /app/bin && npm ci",
        "curl -fsSL https://e.org/install | sh -s -- --prefix=/app && npm ci",
        "curl -fsSL https://e.org/install | sh -s -- -b conf && npm ci",
        "curl -fsSL https://e.org/install | INSTALL_DIR=/app/bin sh && npm ci",
    ],
)
def test_what_changes_the_lock_file_or_installs_into_the_source_stays_behind_it(
    command: str, tmp_path: Path
) -> None:
    text = run(command)
    assert (
        order(
            tmp_path,
            text,
            {**NODE, "a.csproj": "<Project/>", "pyproject.toml": "", "yarn.lock": ""},
        )
        == text
    )


@pytest.mark.parametrize(
    "command",
    [
        "curl https://sh.rustup.rs -sSf | sh -s -- -y --default-toolchain nightly",
        "curl -fsSL https://e.org/install | sh -s -- -b /usr/local/bin v1.2",
    ],
)
def test_an_installer_that_goes_elsewhere_passes_the_source(command: str, tmp_path: Path) -> None:
    done = order(tmp_path, run(command, head="ARG INSTALL_EXTRAS=a,b\n"), NODE)
    assert done.index("RUN curl") < done.index("COPY . .")


def test_every_kind_of_command_has_one_row_and_every_program_is_of_one_kind() -> None:
    assert [row.does for row in TABLE] == list(Does)
    assert {program.does for one in builtin_ecosystems() for program in one.program} <= {
        kind.value for kind in Does
    }
    assert len(described()) == len(TABLE)


def test_the_table_lets_nothing_pass_what_it_writes_or_what_programs_find_by_themselves() -> None:
    for row in TABLE:
        assert may_pass(row.does, Copied.WRITTEN) is Answer.STAYS
        assert (may_pass(row.does, Copied.SETTINGS) is Answer.PASSES) == (row.does is Does.NOTHING)
    assert (
        may_pass(Does.UNKNOWN, Copied.SOURCE)
        is may_pass(Does.CHANGES_MANIFEST, Copied.SOURCE)
        is Answer.STAYS
    )
