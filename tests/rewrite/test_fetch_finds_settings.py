"""What a step sets for its own build, a fetch in front of the source has as well; where it cannot,
there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from .order_kit import CARGO, GO, NODE, order

FILES = {
    **NODE,
    **CARGO,
    **GO,
    "pyproject.toml": '[project]\nname = "a"\n',
    "poetry.lock": "x",
    "pom.xml": "<project/>",
    "ca.pem": "certificate",
    "src/a.js": "",
}


def source(run: str, between: str = "") -> str:
    return f"FROM base\nWORKDIR /app\nCOPY . .\n{between}RUN {run}\n"


@pytest.mark.parametrize(
    "text",
    [
        source("echo machine github.com > /root/.netrc && go build ."),
        source("echo replace a =\\> b >> go.mod && go build ."),
        source("printf '<settings/>' > /root/.m2/settings.xml; mvn package"),
        source("echo '[registries]' > .cargo/config.toml && cargo build"),
        source("echo '[virtualenvs]' > poetry.toml && poetry install"),
        source("export GOPRIVATE=$PRIVATE && go build ."),
        source("export SSL_CERT_FILE=/app/ca.pem && go build ."),
        source('export PATH="$PATH:/opt/go/bin" && go build .'),
        source("GOFLAGS=$FLAGS go build ."),
        source("test -d x || export GOPROXY=off; go build ."),
        source("go build .", "ENV GOPRIVATE=example.org\n"),
        source("go build .", "ARG GOPROXY\n"),
        source("go build .", "ENV CGO_ENABLED=0 GIT_SSL_CAINFO=/ca.pem\n"),
        source("mvn package", "ENV MAVEN_OPTS -Dhttp.proxyHost=a\n"),
        source("echo token > /root/.npmrc && npm ci && npm run build && rm /root/.npmrc"),
        source('npm config set _auth=1 && npm ci && npm run build && rm -f "$HOME/.npmrc"'),
    ],
    ids=[
        "credentials that the step writes",
        "a manifest that the step writes",
        "the user's settings, written in the step",
        "the project's settings, written in the step",
        "settings of the environment, written in the step",
        "a variable whose value nobody knows",
        "a variable that leads into the source",
        "the place of the tool",
        "a variable of the command alone whose value nobody knows",
        "a variable that is set only sometimes",
        "a variable behind the source",
        "an argument behind the source",
        "a certificate's variable among others behind the source",
        "a variable in the old form behind the source",
        "a secret that the step does not leave behind",
        "a secret that a tool wrote and the step does not leave behind",
    ],
)
def test_a_fetch_that_would_miss_a_setting_is_none(text: str, tmp_path: Path) -> None:
    assert order(tmp_path, text, FILES) == text


@pytest.mark.parametrize(
    ("command", "fetch"),
    [
        (
            "export GOPRIVATE=example.org && go build .",
            "export GOPRIVATE=example.org && go mod download",
        ),
        (
            "GOPROXY=https://p.example.org CGO_ENABLED=0 go build .",
            "GOPROXY=https://p.example.org go mod download",
        ),
        (
            "export https_proxy=http://p:3128; go build .",
            "export https_proxy=http://p:3128 && go mod download",
        ),
        ("export CGO_ENABLED=0 GOOS=linux && go build .", "go mod download"),
        ("export VERSION=$(cat v) && go build .", "go mod download"),
        ("echo building >&2 && echo more > /dev/null && go build . 2>&1", "go mod download"),
        (
            "MAVEN_OPTS=-Xmx1g mvn package",
            "MAVEN_OPTS=-Xmx1g mvn --batch-mode dependency:go-offline",
        ),
        (
            "POETRY_HTTP_BASIC_A_PASSWORD=1 poetry install",
            "POETRY_HTTP_BASIC_A_PASSWORD=1 poetry install --no-root",
        ),
        (
            "export PIP_CERT=/etc/ca.pem && poetry install",
            "export PIP_CERT=/etc/ca.pem && poetry install --no-root",
        ),
    ],
)
def test_a_fetch_has_the_settings_of_its_step(command: str, fetch: str, tmp_path: Path) -> None:
    done = order(tmp_path, source(command), FILES)
    assert done.index(f"RUN {fetch}\n") < done.index("COPY . .\n") < done.index(f"RUN {command}\n")


def test_variables_for_the_compiler_alone_may_stand_behind_the_source(tmp_path: Path) -> None:
    text = source("go build .", "ENV CGO_ENABLED=0 GOOS=linux\n")
    assert "RUN go mod download\nCOPY . .\n" in order(tmp_path, text, FILES)
