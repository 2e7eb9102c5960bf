"""Cache mounts: only where that tool, on that base, keeps a cache in that folder, and would find
something in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.caches.cache_places import place
from imgopt.rewrite.draft import Draft

from .lone import run

BUILD, MODULES, REGISTRY = "/root/.cache/go-build", "/go/pkg/mod", "/usr/local/cargo/registry"
GEMS, CONDA, NUGET = "/usr/local/bundle/cache", "/opt/conda/pkgs", "/root/.nuget/packages"
GRADLE = "/home/gradle/.gradle/caches"
POETRY = ["/root/.cache/pypoetry/cache", "/root/.cache/pypoetry/artifacts"]
V1, V4 = "# yarn lockfile v1\n", "__metadata:\n  version: 8\n"


def mounts(
    text: str, folder: Path, files: Mapping[str, str] | None = None
) -> list[list[str | None]]:
    """Targets of the cache mounts of each RUN, after the rewrite."""
    draft = run("cache-mounts", text, folder, files)
    runs = [item.typed for item in parse(draft.text).instructions if isinstance(item.typed, Run)]
    return [[mount.target for mount in one.mounts if mount.type == "cache"] for one in runs]


def reasons(draft: Draft) -> str:
    return "\n".join(skip.reason for skip in draft.skips)


@pytest.mark.parametrize(
    ("base", "step", "folders"),
    [
        ("golang:1.24", "go build .", [BUILD, MODULES]),
        ("golang:1.24-alpine", "go install example.org/a@v1", [BUILD, MODULES]),
        ("corp.example/mirror/library/golang:1.24", "go test ./...", [BUILD, MODULES]),
        ("golang:1.24", "/usr/local/go/bin/go build .", [BUILD, MODULES]),
        ("golang:1.24", "CGO_ENABLED=0 go build .", [BUILD, MODULES]),
        ("golang:1.24", "go mod download", [MODULES]),
        ("golang:1.24", "go mod tidy", [MODULES]),
        ("golang:1.24", "go list -m all", [MODULES]),
        ("golang:1.24", "go build -mod=vendor .", [BUILD]),
        ("alpine:3.20", "apk add --no-cache go && go build .", [BUILD, "/root/go/pkg/mod"]),
        ("debian:12", "go mod download", ["/root/go/pkg/mod"]),
        ("registry.fedoraproject.org/fedora:41", "go mod download", ["/root/go/pkg/mod"]),
        ("rust:1.80", "cargo build --release", [REGISTRY]),
        ("rust:1.80-alpine", "cargo +nightly build", [REGISTRY]),
        ("rust:1.80", "cargo chef cook --release --recipe-path recipe.json", [REGISTRY]),
        ("debian:12", "cargo build --release", ["/root/.cargo/registry"]),
        ("alpine:3.20", "apk add --no-cache cargo && cargo build", ["/root/.cargo/registry"]),
        ("lukemathwalker/cargo-chef:latest-rust-1.80", "cargo chef cook", [REGISTRY]),
        ("maven:3.9", "mvn package", ["/root/.m2"]),
        ("maven:3.9", "mvn -V package", ["/root/.m2"]),
        ("eclipse-temurin:21", "./mvnw package", ["/root/.m2"]),
        ("node:20", "npm ci", ["/root/.npm"]),
        ("python:3.12", "pip install a", ["/root/.cache/pip"]),
        ("python:3.12", "pip -v install a", ["/root/.cache/pip"]),
        ("python:3.12", "pip wheel -w /w a", ["/root/.cache/pip"]),
        ("debian:12", "pip3 install a", ["/root/.cache/pip"]),
        ("python:3.12", "uv sync --frozen", ["/root/.cache/uv"]),
        ("python:3.12", "uv pip install --system a", ["/root/.cache/uv"]),
        ("node:20", "pnpm install --frozen-lockfile", ["/root/.local/share/pnpm/store"]),
        ("oven/bun:1", "bun install", ["/root/.bun/install/cache"]),
        ("python:3.12", "poetry install --no-root", POETRY),
        ("python:3.12-slim", "pip install poetry && poetry install", ["/root/.cache/pip", *POETRY]),
        ("python:3.12", "pdm sync --prod", ["/root/.cache/pdm"]),
        ("ruby:3.3", "bundle install --jobs 4", [GEMS]),
        ("ruby:3.3-alpine", "apk add --no-cache build-base && bundle", [GEMS]),
        ("composer:2", "composer install --no-dev", ["/tmp/cache"]),
        ("continuumio/miniconda3", "conda env create -f environment.yml", [CONDA]),
        ("condaforge/miniforge3:24.9.2-0", "mamba install -y numpy", [CONDA]),
        ("gradle:8-jdk17", "gradle build -x test", [GRADLE]),
        ("gradle:jdk21", "./gradlew bootJar", [GRADLE, "/home/gradle/.gradle/wrapper"]),
        ("gradle:5.6.4", "gradle build", [GRADLE]),
        (
            "eclipse-temurin:21",
            "./gradlew build",
            ["/root/.gradle/caches", "/root/.gradle/wrapper"],
        ),
        ("mcr.microsoft.com/dotnet/sdk:8.0", "dotnet publish -c Release -o /out", [NUGET]),
        ("mcr.microsoft.com/dotnet/sdk:8.0-alpine", "dotnet restore && dotnet build", [NUGET]),
    ],
)
def test_the_folder_is_the_one_of_that_tool_on_that_base(
    base: str, step: str, folders: list[str], tmp_path: Path
) -> None:
    assert mounts(f"FROM {base}\nRUN {step}\n", tmp_path) == [folders]


@pytest.mark.parametrize(
    "base",
    [
        "corp.example/base:1",
        "circleci/golang:1.15",
        "cimg/go:1.22",
        "bitnami/golang:1",
        "jupyter/base-notebook",
    ],
)
@pytest.mark.parametrize("step", ["go build .", "pip install a", "npm ci"])
def test_nothing_is_mounted_on_a_base_of_which_nothing_is_known(
    base: str, step: str, tmp_path: Path
) -> None:
    draft = run("cache-mounts", f"FROM {base}\nRUN {step}\n", tmp_path)
    assert draft.changes == ()
    assert "is not known" in reasons(draft)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM tool:1\nRUN npm ci\n", ["/root/.npm"]),
        ("FROM docker.io/library/tool\nRUN pip install a\n", ["/root/.cache/pip"]),
        ("FROM tool:1\nRUN go mod download\n", []),
        ("FROM tool:1\nRUN cargo build\n", []),
        ("FROM odoo:17\nRUN pip install a\n", []),
        ("FROM team/tool:1\nRUN npm ci\n", []),
    ],
)
def test_an_official_image_starts_as_root_but_may_have_a_tool_of_its_own(
    text: str, found: list[str], tmp_path: Path
) -> None:
    assert mounts(text, tmp_path) == [found]


@pytest.mark.parametrize(
    "step",
    [
        "go telemetry off",
        "go version",
        "go env GOPATH",
        "go fmt ./...",
        "go mod init example.org/a",
        "go help build",
        "go",
        "cargo chef prepare --recipe-path recipe.json",
        "cargo --version",
        "cargo -V",
        "cargo fmt --check",
        "cargo init --bin .",
        "npm --version",
        "npm run build",
        "npm config set fund false",
        "npm version patch",
        "pip list",
        "pip freeze > r.txt",
        "pip check",
        "pip uninstall -y a",
        "pip --version",
        "mvn -v",
        "mvn --version",
        "yarn --version",
        "uv --version",
        "uv venv",
        "pnpm run build",
        "bun run build",
        "poetry config virtualenvs.create false",
        "pip install --no-index --find-links wheels -r r.txt",
        "pip install --no-index --find-links=/wheels a",
        "uv pip install --no-index --system a",
        "poetry run pytest",
        "pdm run start",
        "bundle exec rake assets:precompile",
        "bundle config set without development",
        "bundle check",
        "composer dump-autoload -o",
        "conda list",
        "conda init bash",
        "dotnet --info",
        "dotnet nuget add source https://example.org/v3/index.json",
        "apt-get update",
    ],
)
@pytest.mark.parametrize(
    "base", ["golang", "rust", "node", "python", "maven", "ruby", "composer", "a.b/sdk"]
)
def test_a_step_that_fetches_nothing_gets_no_mount(base: str, step: str, tmp_path: Path) -> None:
    draft = run("cache-mounts", f"FROM {base}\nRUN {step}\n", tmp_path)
    assert (draft.changes, draft.skips) == ((), ())


@pytest.mark.parametrize(
    ("text", "files", "why"),
    [
        ("FROM maven\nRUN mvn -B -s /usr/share/maven/ref/settings-docker.xml package\n", {}, "`-s`"),
        ("FROM maven\nRUN mvn -gs settings.xml package\n", {}, "`-gs`"),
        ("FROM maven\nRUN mvn --settings=ci.xml package\n", {}, "`--settings`"),
        ("FROM maven\nRUN mvn -Dmaven.repo.local=/repo package\n", {}, "`-Dmaven.repo.local`"),
        ("FROM maven\nENV MAVEN_OPTS=-Dmaven.repo.local=/repo\nRUN mvn package\n", {}, "in MAVEN_OPTS"),
        ("FROM maven\nRUN MAVEN_ARGS=-Dmaven.repo.local=/r mvn package\n", {}, "in MAVEN_ARGS"),
        ("FROM maven\nCOPY . .\nRUN mvn package\n", {".mvn/maven.config": "-Dmaven.repo.local=/r\n"}, "maven.config"),
        ("FROM gradle\nENV GRADLE_USER_HOME=/g\nRUN gradle build\n", {}, "GRADLE_USER_HOME"),
        ("FROM python\nRUN pip install --cache-dir /c a\n", {}, "`--cache-dir`"),
        ("FROM python\nRUN pip install --cache-dir=/c a\n", {}, "`--cache-dir`"),
        ("FROM python\nENV PIP_CACHE_DIR=/c\nRUN pip install a\n", {}, "PIP_CACHE_DIR"),
        ("FROM python\nENV PIP_NO_CACHE_DIR=1\nRUN pip install a\n", {}, "PIP_NO_CACHE_DIR"),
        ("FROM python\nARG PIP_NO_CACHE_DIR\nRUN pip install a\n", {}, "PIP_NO_CACHE_DIR"),
        ("FROM python\nRUN PIP_CACHE_DIR=/c pip install a\n", {}, "PIP_CACHE_DIR"),
        ("FROM python\nRUN export XDG_CACHE_HOME=/c && pip install a\n", {}, "XDG_CACHE_HOME"),
        ("FROM python\nENV XDG_CACHE_HOME=/c\nRUN pip install a\n", {}, "XDG_CACHE_HOME"),
        ("FROM python\nENV HOME=/home/a\nRUN pip install a\n", {}, "HOME"),
        ("FROM python\nRUN pip config set global.cache-dir /c\nRUN pip install a\n", {}, "pip config"),
        ("FROM python\nCOPY pip.conf /etc/\nRUN pip install a\n", {"pip.conf": "no-cache-dir = 1\n"}, "pip.conf"),
        ("FROM node\nCOPY . .\nRUN npm ci --cache /c\n", {}, "`--cache`"),
        ("FROM node\nCOPY . .\nRUN npm ci\n", {".npmrc": "cache=/c\n"}, ".npmrc"),
        ("FROM node\nRUN echo cache=/c > ~/.npmrc\nRUN npm ci\n", {}, ".npmrc"),
        ("FROM node\nRUN npm config set cache /c\nRUN npm ci\n", {}, "npm config set"),
        ("FROM node\nENV npm_config_cache=/c\nRUN npm ci\n", {}, "npm_config_cache"),
        ("FROM golang\nENV GOPATH=/src/go\nRUN go mod download\n", {}, "GOPATH"),
        ("FROM golang\nENV GOPATH=/go:/more\nRUN go mod download\n", {}, "GOPATH"),
        ("FROM golang\nENV GOMODCACHE=/m\nRUN go build .\n", {}, "GOMODCACHE"),
        ("FROM golang\nRUN go env -w GOMODCACHE=/m\nRUN go mod download\n", {}, "go env -w"),
        ("FROM rust\nENV CARGO_HOME=/c\nRUN cargo build\n", {}, "CARGO_HOME"),
        ("FROM rust\nCOPY . .\nRUN cargo build\n", {".cargo/config.toml": "replace-with='v'\n"}, "config.toml"),
        ("FROM node\nCOPY . .\nRUN yarn install\n", {"yarn.lock": V1, ".yarnrc": "yarn-offline-mirror x\n"}, ".yarnrc"),
        ("FROM node\nCOPY . .\nRUN yarn install\n", {"yarn.lock": V4}, "whether the project runs from it"),
        ("FROM node\nCOPY . .\nRUN yarn install\n", {}, "what this yarn keeps"),
        ("FROM python\nENV UV_LINK_MODE=symlink\nRUN uv sync\n", {}, "UV_LINK_MODE"),
        ("FROM python\nRUN uv sync --no-cache\n", {}, "`--no-cache`"),
        ("FROM python\nRUN poetry config cache-dir /c\nRUN poetry install\n", {}, "poetry config"),
        ("FROM node\nRUN pnpm fetch\nRUN pnpm install --offline\n", {}, "in a layer"),
        ("FROM node\nRUN npm ci\nRUN npm ci --offline\n", {}, "in a layer"),
        ("FROM golang\nRUN go mod download\nENV GOPROXY=off\nRUN go build .\n", {}, "GOPROXY=off"),
        ("FROM node\nRUN npm ci\nRUN --network=none npm rebuild\n", {}, "network of its own"),
    ],
)  # fmt: skip
def test_no_mount_where_the_cache_is_elsewhere_or_must_be_in_a_layer(
    text: str, files: dict[str, str], why: str, tmp_path: Path
) -> None:
    draft = run("cache-mounts", text, tmp_path, files)
    assert draft.text == text
    assert why in reasons(draft)


SDK = "FROM mcr.microsoft.com/dotnet/sdk:8.0"


@pytest.mark.parametrize(
    ("text", "files", "why"),
    [
        ("FROM python\nENV PIP_CACHE_DIR=/root/.cache/pip\nRUN pip install a && rm -rf $PIP_CACHE_DIR\n", {}, "names"),
        ('FROM node\nENV PNPM_HOME=/pnpm\nRUN pnpm install && rm -rf "${PNPM_HOME}/store"\n', {}, "names"),
        ("FROM python\nRUN pip install a && cd /root && rm -rf .cache\n", {}, "names"),
        ("FROM python\nWORKDIR /root\nRUN pip install a && rm -rf .cache\n", {}, "names"),
        ("FROM python\nRUN C=/root/.cache; pip install a; rm -rf $C/pip\n", {}, "names"),
        ("FROM fedora\nRUN pip install a && rm -rf ~/.cache/{pip,uv}\n", {}, "names"),
        ("FROM python\nRUN pip install a && rm -rf $WHAT\n", {}, "names"),
        ("FROM python\nRUN poetry install && poetry cache clear --all .\n", {}, "about the cache itself"),
        ("FROM python\nENV POETRY_CACHE_DIR=/tmp/p\nRUN poetry install && rm -rf $POETRY_CACHE_DIR\n", {}, "CACHE_DIR"),
        ("FROM python AS a\nRUN poetry install\nFROM python\nCOPY --from=a /root/.cache /c\n", {}, "keep out"),
        ("FROM python\nENV PDM_INSTALL_CACHE=1\nRUN pdm sync\n", {}, "PDM_INSTALL_CACHE"),
        ("FROM python\nRUN pdm config install.cache true\nRUN pdm sync\n", {}, "pdm config"),
        ("FROM ruby\nRUN bundle install && rm -rf $GEM_HOME/cache\n", {}, "GEM_HOME"),
        ("FROM ruby\nRUN bundle install && rm -rf /usr/local/bundle/cache/*.gem\n", {}, "names"),
        ("FROM ruby\nENV BUNDLE_PATH=/gems\nRUN bundle install\n", {}, "BUNDLE_PATH"),
        ("FROM ruby\nENV BUNDLE_DEPLOYMENT=1\nRUN bundle install\n", {}, "BUNDLE_DEPLOYMENT"),
        ("FROM ruby\nRUN bundle config set --local path vendor/bundle\nRUN bundle install\n", {}, "bundle config"),
        ("FROM ruby\nRUN bundle install\nRUN bundle install --local\n", {}, "in a layer"),
        ("FROM ruby\nRUN bundle install\nRUN bundle cache\n", {}, "in a layer"),
        ("FROM ruby AS a\nRUN bundle install\nFROM ruby\nCOPY --from=a /usr/local/bundle /usr/local/bundle\n"
         "RUN bundle install --local\n", {}, "in a layer"),
        ("FROM ruby AS a\nRUN bundle install\nFROM ruby\nCOPY --from=a /usr/local/bundle/cache /c\n", {}, "keep out"),
        ("FROM composer\nRUN composer install && composer clear-cache\n", {}, "about the cache itself"),
        ("FROM composer\nRUN composer install\nENV COMPOSER_DISABLE_NETWORK=1\nRUN composer update\n", {}, "NETWORK"),
        ("FROM composer\nENV COMPOSER_CACHE_DIR=/dev/null\nRUN composer install\n", {}, "COMPOSER_CACHE_DIR"),
        ("FROM continuumio/miniconda3\nRUN conda install a && conda clean -afy\n", {}, "about the cache itself"),
        ("FROM continuumio/miniconda3\nRUN conda create -n e a\nRUN conda-pack -n e -o /e.tar\n", {}, "in a layer"),
        ("FROM continuumio/miniconda3\nRUN conda create -n e a\nRUN conda install --offline b\n", {}, "in a layer"),
        ("FROM x/miniconda3\nRUN conda config --set always_softlink true\nRUN conda install a\n", {}, "conda config"),
        ("FROM x/miniconda3\nCOPY . .\nRUN conda install a\n", {".condarc": "allow_softlinks: true\n"}, "condarc"),
        ("FROM mambaorg/micromamba\nUSER root\nRUN conda install -y a\n", {}, "not known"),
        ("FROM gradle:4.7-jdk8\nRUN gradle build\n", {}, "not known"),
        ("FROM gradle:5.2-jdk11\nRUN gradle build\n", {}, "not known"),
        ("FROM gradle\nRUN gradle dependencies\nRUN gradle --offline jar\n", {}, "in a layer"),
        ('FROM gradle\nRUN gradle build\nCMD ["gradle", "bootRun"]\n', {}, "when the container starts"),
        ("FROM gradle\nRUN gradle build\nUSER gradle\nRUN gradle jar\n", {}, "without the mount"),
        ("FROM gradle AS a\nRUN gradle build\nFROM gradle\nCOPY --from=a /root/.gradle /g\n", {}, "keep out"),
        (f"{SDK}\nRUN dotnet restore\nRUN dotnet publish --no-restore\n", {}, "in a layer"),
        (f"{SDK}\nRUN dotnet build\nRUN dotnet test --no-build\n", {}, "in a layer"),
        (f"{SDK}\nRUN dotnet restore\nRUN dotnet msbuild -t:Publish\n", {}, "in a layer"),
        (f"{SDK}\nRUN dotnet restore\nRUN ./build.sh\n", {}, "without the mount"),
        (f"{SDK}\nRUN dotnet restore\nRUN pwsh build.ps1\n", {}, "in a layer"),
        (f'{SDK}\nRUN dotnet restore\nCMD ["dotnet", "watch"]\n', {}, "when the container starts"),
        (f'{SDK}\nRUN dotnet build\nCMD ["dotnet", "bin/Debug/net8.0/a.dll"]\n', {}, "when the container starts"),
        (f'{SDK} AS a\nRUN dotnet build\nFROM a\nCMD ["dotnet", "test"]\nFROM b\nCOPY --from=a /o .\n', {}, "starts"),
        (f"{SDK} AS a\nRUN dotnet restore\nFROM b\nCOPY --from=a / /\n", {}, "keep out"),
        ("FROM maven AS a\nRUN mvn package\nFROM maven\nRUN --mount=from=a,source=/root/.m2,target=/root/.m2 ls\n",
         {}, "reads what the mount"),
        ("FROM golang AS a\nRUN go mod download\nFROM b\nRUN --mount=from=a,source=/go,target=/g cp -r /g /\n",
         {}, "reads what the mount"),
        (f"{SDK}\nRUN dotnet publish -p:RestorePackagesPath=/p\n", {}, "RestorePackagesPath"),
        (f"{SDK}\nCOPY . .\nRUN dotnet publish\n", {"NuGet.config": "globalPackagesFolder"}, "NuGet.config says"),
        (f"{SDK}\nENV NUGET_PACKAGES=/p\nRUN dotnet publish\n", {}, "NUGET_PACKAGES"),
        (f"{SDK}\nRUN dotnet publish && dotnet nuget locals all --clear\n", {}, "about the cache itself"),
    ],
)  # fmt: skip
def test_no_mount_that_would_break_a_step_or_hide_what_another_needs(
    text: str, files: dict[str, str], why: str, tmp_path: Path
) -> None:
    draft = run("cache-mounts", text, tmp_path, files)
    assert draft.text == text
    assert why in reasons(draft)


def test_gems_that_lie_in_the_project_are_not_downloaded(tmp_path: Path) -> None:
    files = {"Gemfile": "", "vendor/cache/puma-6.gem": ""}
    assert mounts("FROM ruby:3.3\nCOPY . .\nRUN bundle install\n", tmp_path, files) == [[]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{SDK}\nRUN dotnet restore\nCOPY . .\nRUN dotnet publish -o /out\n", [[NUGET], [NUGET]]),
        (f'{SDK}\nRUN dotnet publish -o out\nENTRYPOINT ["dotnet", "out/a.dll"]\n', [[NUGET]]),
        (f'{SDK}\nRUN dotnet publish\nCMD ["dotnet", "bin/Release/net8.0/publish/a.dll"]\n', [[NUGET]]),
        ("FROM gradle\nRUN gradle dependencies\nRUN gradle bootJar\n", [[GRADLE], [GRADLE]]),
        ("FROM gradle\nCOPY gradle.properties /root/.gradle/\nRUN gradle build\n", [[GRADLE]]),
        ("FROM ruby AS a\nRUN bundle install\nFROM ruby\nCOPY --from=a /usr/local/bundle /b\n", [[GEMS]]),
        ("FROM x/miniconda3 AS a\nRUN conda install a\nFROM b\nCOPY --from=a /opt/conda /opt/conda\n", [[CONDA]]),
        ("FROM python AS a\nRUN poetry install\nFROM b\nCOPY --from=a /root/.cache/pypoetry/virtualenvs /v\n",
         [POETRY]),
        ("FROM eclipse-temurin\nRUN ./gradlew --version\nRUN ./gradlew build\n",
         [["/root/.gradle/wrapper"], ["/root/.gradle/caches", "/root/.gradle/wrapper"]]),
        ("FROM ruby\nRUN bundle config set --local without test && bundle install\n", [[GEMS]]),
        ("FROM maven AS a\nRUN mvn package\nFROM b\nRUN --mount=from=a,target=/a cp /a/x.jar /\n", [["/root/.m2"], []]),
        ("FROM maven AS a\nRUN mvn package\nFROM a\nCOPY --from=tools/docker / /\n", [["/root/.m2"]]),
        ("FROM python AS a\nRUN pip install a\nFROM b\nCOPY --from=c /root/.cache /root/.cache\nCOPY --from=a /x /x\n",
         [["/root/.cache/pip"]]),
        ("FROM python\nRUN T=$(mktemp -d); pip install a; rm -rf $T\n", [["/root/.cache/pip"]]),
        ("FROM python\nENV D=/var/tmp/x\nRUN pip install a && rm -rf $D/*\n", [["/root/.cache/pip"]]),
    ],
)  # fmt: skip
def test_every_step_that_reads_gets_the_mount_and_what_lies_beside_stays(
    text: str, found: list[list[str]], tmp_path: Path
) -> None:
    assert mounts(text, tmp_path) == found


@pytest.mark.parametrize("step", ["gradle build", "dotnet build", "conda install -y a"])
def test_builds_that_disturb_each_other_in_one_cache_wait(step: str, tmp_path: Path) -> None:
    base = {"gradle": "gradle:8", "dotnet": "mcr.microsoft.com/dotnet/sdk:8.0"}.get(
        step.split()[0], "x/miniconda3"
    )
    assert ",sharing=locked" in run("cache-mounts", f"FROM {base}\nRUN {step}\n", tmp_path).text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM golang\nENV GOPATH=/go\nRUN go mod download\n", [MODULES]),
        ("FROM golang\nENV GOPATH=/go/\nRUN go mod download\n", [MODULES]),
        ("FROM golang\nENV GOPATH $GOPATH\nRUN go mod download\n", [MODULES]),
        (
            "FROM golang\nENV GOMODCACHE=/go/pkg/mod GOCACHE=/root/.cache/go-build\nRUN go build .\n",
            [BUILD, MODULES],
        ),
        ("FROM golang\nARG GOPATH=/go\nRUN go mod download\n", [MODULES]),
        ("FROM alpine\nENV GOPATH=/root/go\nRUN go mod download\n", ["/root/go/pkg/mod"]),
        ("FROM alpine\nENV HOME=/root\nRUN go mod download\n", ["/root/go/pkg/mod"]),
        ("FROM rust\nENV CARGO_HOME=/usr/local/cargo\nRUN cargo fetch\n", [REGISTRY]),
        ("FROM debian\nENV CARGO_HOME=/root/.cargo\nRUN cargo fetch\n", ["/root/.cargo/registry"]),
        ("FROM node\nENV npm_config_cache=/root/.npm\nRUN npm ci\n", ["/root/.npm"]),
        (
            "FROM python\nENV PIP_CACHE_DIR=/root/.cache/pip\nRUN pip install a\n",
            ["/root/.cache/pip"],
        ),
        ("FROM node\nENV PNPM_HOME=/pnpm\nRUN pnpm install\n", ["/pnpm/store"]),
        ("FROM node\nRUN apk add --no-cache git && npm ci\n", ["/root/.npm"]),
        ("FROM python\nRUN apk add --no-cache gcc && pip install a\n", ["/root/.cache/pip"]),
        ("FROM python\nRUN uv cache clean && pip install a\n", ["/root/.cache/pip"]),
        ("FROM node\nRUN pip install --no-cache-dir a && npm ci\n", ["/root/.npm"]),
    ],
)
def test_a_value_that_is_the_images_own_moves_nothing(
    text: str, found: list[str], tmp_path: Path
) -> None:
    assert mounts(text, tmp_path)[-1] == found


@pytest.mark.parametrize(
    ("lock", "settings", "found"),
    [
        (V1, None, ["/usr/local/share/.cache/yarn"]),
        (V4, "nodeLinker: node-modules\n", ["/root/.yarn/berry/cache"]),
        (V4, "nodeLinker: pnp\n", []),
        (V4, "nodeLinker: node-modules\nenableGlobalCache: false\n", []),
        ("__metadata:\n  version: 6\n", "nodeLinker: node-modules\n", []),
    ],
)
def test_yarn_by_its_version(
    lock: str, settings: str | None, found: list[str], tmp_path: Path
) -> None:
    files = {"package.json": "{}", "yarn.lock": lock} | (
        {".yarnrc.yml": settings} if settings else {}
    )
    assert mounts("FROM node:20\nCOPY . .\nRUN yarn install\n", tmp_path, files) == [found]


@pytest.mark.parametrize(
    "flags",
    [
        "--mount=type=cache,target=/usr/local/cargo/registry/cache --mount=type=cache,target=/usr/local/cargo/git/db",
        "--mount=type=cache,target=/usr/local/cargo/registry/index",
        "--mount=type=cache,target=/usr/local/cargo",
        "--mount=type=cache,target=$CARGO_HOME/registry",
        "--mount=type=cache,id=x,dst=/usr/local/cargo/git",
    ],
)
def test_an_author_who_mounts_the_cache_or_a_part_of_it_gets_no_other_mount(
    flags: str, tmp_path: Path
) -> None:
    text = f"FROM rust:1.80\nRUN {flags} cargo build\n"
    assert run("cache-mounts", text, tmp_path).text == text


@pytest.mark.parametrize(
    ("flag", "step", "touched"),
    [
        ("--mount=type=cache,id=pnpm-store,target=/store", "pnpm install", False),
        ("--mount=type=cache,target=/root/.pnpm-store", "pnpm install", False),
        ("--mount=type=cache,id=npm,target=/c", "npm ci", False),
        ("--mount=type=cache,target=/root/.pnpm-store", "npm ci", True),
        ("--mount=type=cache,target=/app/.next/cache", "npm ci", True),
    ],
)
def test_a_mount_called_after_the_tool_is_the_authors_own(
    flag: str, step: str, touched: bool, tmp_path: Path
) -> None:
    text = f"FROM node:20\nRUN {flag} {step}\n"
    assert (run("cache-mounts", text, tmp_path).text != text) is touched


def test_a_tool_installed_by_a_shell_from_elsewhere_builds_no_project(tmp_path: Path) -> None:
    text = "FROM debian:12\nRUN curl -sSf https://sh.rustup.rs | sh -s -- -y\nRUN cargo build\n"
    assert mounts(text, tmp_path)[1] == ["/root/.cargo/registry"]
    text = "FROM debian:12\nRUN sh build\nRUN cargo build\n"
    assert mounts(text, tmp_path)[1] == []


def test_a_step_without_a_mount_gets_the_authors_own(tmp_path: Path) -> None:
    own = "--mount=type=cache,id=mods,target=/go/pkg/mod,sharing=locked"
    text = f"FROM golang\nRUN go mod download\nRUN {own} go vet ./...\n"
    assert f"RUN {own} go mod download\n" in run("cache-mounts", text, tmp_path).text


def test_modules_that_lie_in_the_project_are_not_downloaded(tmp_path: Path) -> None:
    found = mounts(
        "FROM golang\nCOPY . .\nRUN go build .\n", tmp_path, {"vendor/modules.txt": "# a v1\n"}
    )
    assert found == [[BUILD]]


def test_two_managers_of_one_step_are_one_change(tmp_path: Path) -> None:
    draft = run(
        "cache-mounts", "FROM nikolaik/python-nodejs\nRUN npm ci && pip install a\n", tmp_path
    )
    assert [change.because for change in draft.changes] == [
        "npm and pip find what they downloaded before, also when this step runs again"
    ]
    assert draft.text.count("--mount") == 2


@pytest.mark.parametrize("base", ["php:8.3", "php:8.3-fpm-alpine", "debian:12"])
def test_a_folder_that_depends_on_more_than_the_file_is_told_and_not_mounted(
    base: str, tmp_path: Path
) -> None:
    text = f"FROM {base}\nRUN composer install\n"
    draft = run("cache-mounts", text, tmp_path)
    assert draft.text == text
    assert "in /root/.composer/cache: a cache mount there may help" in reasons(draft)


@pytest.mark.parametrize(
    ("expression", "values", "folder"),
    [
        ("${A:-~/b}/c", {}, "/root/b/c"),
        ("${A:-~/b}/c", {"A": "/x/"}, "/x/c"),
        ("${A:-${B:-~/b}/c}", {"B": "/x"}, "/x/c"),
        ("${A:-~/b}", {"HOME": "/home/u"}, "/home/u/b"),
        ("${A:-~/b}", {"A": "/x:/y"}, None),
        ("${A:-~/b}", {"A": "x"}, None),
        ("${A:-~/b}", {"A": ""}, "/root/b"),
    ],
)
def test_places_are_found_as_the_tool_finds_them(
    expression: str, values: dict[str, str], folder: str | None
) -> None:
    assert place(expression, values) == folder


def test_every_cache_of_the_facts_is_a_folder_on_a_plain_base() -> None:
    for ecosystem in builtin_ecosystems():
        for manager in ecosystem.manager:
            for cache in manager.cache:
                assert place(cache.folder, {}), (manager.name, cache.folder)
