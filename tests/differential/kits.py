"""Kits of ecosystems: the files of a small project, and the steps that projects of this kind
have."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from differential.case import Draft


@dataclass(frozen=True, slots=True)
class Kit:
    bases: tuple[str, ...]
    files: Callable[[Draft], None]
    installs: Callable[[Draft], list[str]]
    """Steps that install, in order."""
    manifests: tuple[str, ...]
    """What a project copies first, if it does so."""
    builds: tuple[str, ...]
    starts: tuple[str, ...]


def _package(draft: Draft, more: dict[str, object] | None = None) -> None:
    scripts = {"build": draft.pick("tsc", "vite build", "tsc"), "start": "node app.js"}
    if draft.chance(0.12):
        scripts[draft.pick("postinstall", "prepare")] = draft.pick(
            "node setup.js", "husky", "husky install", "patch-package", "prisma generate"
        )
        draft.file("setup.js", "setup\n")
        draft.file("patches/ms.patch", "patch\n")
        draft.file("prisma/schema.prisma", 'url = "file:./dev.db"\n')
    if draft.chance(0.05):
        scripts["build"] = "git rev-parse HEAD && tsc"
        draft.file(".git/HEAD", "ref: main\n")
    names = {"ms": "1.0.0", draft.pick("left", "right"): "1.0.0"}
    if draft.chance(0.05):
        names["own"] = "file:./lib/own"
        draft.file("lib/own/package.json", "{}\n")
    text = {
        "name": "shop",
        "scripts": scripts,
        "dependencies": names,
        "devDependencies": {"tsc": "1.0.0"},
    }
    draft.file("package.json", json.dumps({**text, **(more or {})}, indent=2) + "\n")
    draft.file("app.js", draft.pick("serve(1)\n", "serve(2)\n"))
    if draft.chance(0.2):
        draft.file(".npmrc", draft.pick("save-exact=true\n", "//npm.example.org/:_auth=1\n"))
    if draft.chance(0.25):
        for name in ("left/index.js", "old/index.js"):
            draft.file(f"node_modules/{name}", "of the developer\n")


def _npm_files(draft: Draft) -> None:
    members = draft.chance(0.12)
    if members:
        for name in ("ui", "api"):
            draft.file(f"packages/{name}/package.json", json.dumps({"name": name}) + "\n")
            draft.file(f"packages/{name}/index.js", f"{name}\n")
    _package(
        draft,
        {"workspaces": draft.rng.choice((["packages/*"], ["packages/**"]))} if members else None,
    )
    draft.file("package-lock.json", '{"lockfileVersion": 3}\n')


def _npm_installs(draft: Draft) -> list[str]:
    first = draft.pick(
        "npm ci", "npm ci", "npm ci --omit=dev", "npm install", "npm i", "npm install --production"
    )
    steps = [first]
    if draft.chance(0.1):
        steps.insert(0, draft.pick(
            "npm config set registry https://npm.example.org", "npm config set --location=project fund false",
            "npm install -g pm2", "npm i -g npm@10", "corepack enable",
        ))  # fmt: skip
    if draft.chance(0.1):
        steps.append(draft.pick(
            "npm install debug", "npm i --save-dev typescript", "npm install -g serve", "npm prune --omit=dev",
            "npm pkg set type=module", "npm install debug && npm prune --omit=dev", "npm cache clean --force",
        ))  # fmt: skip
    if draft.chance(0.05):
        steps = [draft.pick("npm install -g pm2", "npm install debug")]
    return steps


def _yarn_files(draft: Draft) -> None:
    _package(draft)
    draft.file("yarn.lock", "# yarn lockfile v1\n")
    if draft.chance(0.15):
        draft.file(
            ".yarnrc",
            draft.pick('yarn-offline-mirror "./mirror"\n', 'registry "https://y.example.org"\n'),
        )
        draft.file("mirror/ms-1.0.0.tgz", "packed\n")
    if draft.chance(0.05):
        draft.file(".yarnrc", 'yarn-path ".yarn/releases/yarn.cjs"\n')
        draft.file(".yarn/releases/yarn.cjs", "yarn\n")


def _yarn_installs(draft: Draft) -> list[str]:
    mirror = "mirror" in draft.text(".yarnrc")
    first = (
        "yarn install --offline"
        if mirror and draft.chance(0.6)
        else draft.pick(
            "yarn install",
            "yarn",
            "yarn install --frozen-lockfile",
            "yarn --frozen-lockfile",
            "yarn install --production",
        )
    )
    steps = [first]
    if draft.chance(0.12):
        steps.insert(
            0, draft.pick("yarn config set registry https://y.example.org", "yarn global add pm2")
        )
    if draft.chance(0.1):
        steps.append(draft.pick("yarn add debug", "yarn cache clean", "yarn global add serve"))
    return steps


def _berry_files(draft: Draft) -> None:
    _package(draft)
    draft.file("yarn.lock", "__metadata:\n  version: 8\n")
    path = draft.chance(0.3)
    draft.file(
        ".yarnrc.yml",
        "yarnPath: .yarn/releases/yarn.cjs\n" if path else "nodeLinker: node-modules\n",
    )
    draft.file(".yarn/releases/yarn.cjs", "yarn\n")
    if draft.chance(0.5):
        draft.file(".yarn/cache/ms.zip", "packed\n")
        draft.file(".pnp.cjs", "pnp\n")


def _berry_installs(draft: Draft) -> list[str]:
    zero = ".yarn/cache/ms.zip" in draft.files
    first = draft.pick("yarn install --immutable", "yarn install", "yarn")
    steps = (
        ["yarn install --immutable --immutable-cache"] if zero and draft.chance(0.6) else [first]
    )
    if draft.chance(0.15):
        steps.insert(0, draft.pick("corepack enable", "yarn config set nodeLinker node-modules"))
    return steps


def _pnpm_files(draft: Draft) -> None:
    _package(draft)
    draft.file("pnpm-lock.yaml", "lockfileVersion: 9\n")
    if draft.chance(0.25):
        draft.file(
            "pnpm-workspace.yaml",
            draft.pick('packages:\n  - "packages/*"\n', 'packages:\n  - "apps/**"\n'),
        )
        for name in ("packages/ui", "apps/web"):
            draft.file(f"{name}/package.json", json.dumps({"name": name}) + "\n")
            draft.file(f"{name}/index.js", f"{name}\n")
    if draft.chance(0.1):
        draft.file(".pnpmfile.cjs", "hooks\n")


def _pnpm_installs(draft: Draft) -> list[str]:
    steps = [
        draft.pick("pnpm install --frozen-lockfile", "pnpm install", "pnpm i", "pnpm install debug")
    ]
    if draft.chance(0.3):
        steps.insert(
            0,
            draft.pick("corepack enable", "npm install -g pnpm", "pnpm config set store-dir /pnpm"),
        )
    return steps


def _pip_files(draft: Draft) -> None:
    included = draft.chance(0.2)
    text = "flask==3.0\nredis\n" + ("-r more.txt\n" if included else "")
    if draft.chance(0.06):
        text += draft.pick("--find-links ./wheels\n", "-e ./lib\n", "-c constraints.txt\n")
    draft.file("wheels/a.whl", "wheel\n")
    draft.file("lib/setup.py", "setup\n")
    draft.file("constraints.txt", "redis<9\n")
    draft.file("requirements.txt", text)
    draft.file("more.txt", "boto\n")
    draft.file("app.py", draft.pick("app = 1\n", "app = 2\n"))
    draft.file("setup.py", draft.pick("setup()\n", "setup()\n", "import versioneer\n"))
    if "versioneer" in draft.text("setup.py"):
        draft.file(".git/HEAD", "ref: main\n")
    if draft.chance(0.1):
        draft.file("venv/__init__.py", "a package that is called so\n")


def _pip_installs(draft: Draft) -> list[str]:
    program = draft.pick("pip", "pip", "pip3", "python -m pip", "python3 -m pip")
    steps = [f"{program} install {draft.pick('', '', '--no-cache-dir ', '-U ')}-r requirements.txt"]
    if draft.chance(0.2):
        steps.insert(0, draft.pick(
            f"{program} install -U pip", f"{program} install wheel setuptools",
            f"{program} config set global.timeout 9", "curl -fsSL https://example.org/get.sh | sh",
            "python -m venv /venv",
        ))  # fmt: skip
    if draft.chance(0.15):
        steps.append(draft.pick(
            f"{program} install gunicorn", f"{program} install .", f"{program} install -e .", "pip uninstall -y redis",
            "python -m venv .venv && .venv/bin/pip install -r requirements.txt", f"{program} install ./lib",
        ))  # fmt: skip
    if draft.chance(0.1):
        steps = [
            draft.pick(
                "pip install flask",
                "pip install --user flask",
                "pip install flask && pip install redis",
            )
        ]
    return steps


def _poetry_files(draft: Draft) -> None:
    draft.file("pyproject.toml", '[tool.poetry]\nname = "shop"\nreadme = "README.md"\n')
    draft.file("poetry.lock", "content-hash\n")
    draft.file("README.md", "shop\n")
    draft.file("shop/__init__.py", draft.pick("a = 1\n", "a = 2\n"))
    if draft.chance(0.2):
        draft.file("poetry.toml", "[virtualenvs]\nin-project = true\n")


def _poetry_installs(draft: Draft) -> list[str]:
    steps = [
        draft.pick(
            "poetry install",
            "poetry install --no-root",
            "poetry install --only main --no-interaction",
        )
    ]
    if draft.chance(0.4):
        steps.insert(0, draft.pick(
            "poetry config virtualenvs.create false", "poetry config virtualenvs.in-project true",
            "poetry config --local virtualenvs.in-project true", "pip install poetry",
        ))  # fmt: skip
    if draft.chance(0.1):
        steps.append(
            draft.pick("poetry add redis", "poetry build", "poetry export -o requirements.txt")
        )
    return steps


def _pipenv_files(draft: Draft) -> None:
    draft.file("Pipfile", '[packages]\nflask = "*"\n')
    draft.file("Pipfile.lock", "{}\n")
    draft.file("app.py", "app = 1\n")


def _pipenv_installs(draft: Draft) -> list[str]:
    return [draft.pick(
        "pipenv install --system --deploy", "pipenv sync --system", "pipenv install", "pipenv install flask",
        "pip install pipenv && pipenv install --system --deploy",
    )]  # fmt: skip


def _uv_files(draft: Draft) -> None:
    draft.file("pyproject.toml", '[project]\nname = "shop"\ndependencies = ["flask"]\n')
    draft.file("uv.lock", "version = 1\n")
    draft.file("requirements.txt", "flask\n")
    draft.file("shop/__init__.py", draft.pick("a = 1\n", "a = 2\n"))
    if draft.chance(0.2):
        draft.file(draft.pick("uv.toml", ".python-version"), "3.12\n")


def _uv_installs(draft: Draft) -> list[str]:
    return [draft.pick(
        "uv sync --frozen", "uv sync --locked --no-dev", "uv sync", "uv pip install --system -r requirements.txt",
        "uv sync --frozen --no-install-project", "uv pip install --system .", "uv add redis",
    )]  # fmt: skip


def _go_files(draft: Draft) -> None:
    replaced = draft.chance(0.06)
    draft.file("go.mod", "module shop\n" + ("replace a => ./lib/a\n" if replaced else ""))
    draft.file("lib/a/go.mod", "module a\n")
    draft.file("go.sum", "a v1 h1:x\n")
    draft.file("main.go", draft.pick("package main\n", "package main // two\n"))
    if draft.chance(0.05):
        draft.file("embed.go", "//go:embed Dockerfile.tmpl\n")
        draft.file("Dockerfile.tmpl", "FROM x\n")
    if draft.chance(0.08):
        draft.file("vendor/modules.txt", "# a v1\n")
    draft.file("Makefile", draft.pick("build:\n\tgo build\n", "V := $(shell git describe)\n"))
    if "git describe" in draft.text("Makefile"):
        draft.file(".git/HEAD", "ref: main\n")


def _go_installs(draft: Draft) -> list[str]:
    steps = (
        []
        if draft.chance(0.5)
        else [draft.pick("go mod download", "go mod download && go mod verify")]
    )
    if draft.chance(0.15):
        steps.insert(0, draft.pick(
            "go telemetry off", "go env -w GOPROXY=https://g.example.org", "go install example.org/tool@v1",
            "git config --global url.ssh.insteadOf https", "go mod tidy",
        ))  # fmt: skip
    return steps


def _rust_files(draft: Draft) -> None:
    draft.file("Cargo.toml", '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n')
    draft.file("Cargo.lock", "version = 3\n")
    draft.file("src/main.rs", draft.pick("fn main() {}\n", "fn main() { 2 }\n"))
    if draft.chance(0.1):
        draft.file("build.rs", "fn main() {}\n")
    if draft.chance(0.1):
        draft.file(".cargo/config.toml", "[net]\nretry = 3\n")
    if draft.chance(0.2):
        draft.file("target/debug/shop", "of the developer\n")


def _maven_files(draft: Draft) -> None:
    module = draft.chance(0.1)
    draft.file(
        "pom.xml", "<project>" + ("<module>core</module>" if module else "") + "</project>\n"
    )
    draft.file("core/pom.xml", "<project></project>\n")
    draft.file("src/main/java/A.java", draft.pick("class A {}\n", "class A { int b; }\n"))
    draft.file("settings.xml", "<settings/>\n")
    if draft.chance(0.3):
        draft.file("mvnw", '#!/bin/sh\nexec mvn "$@"\n', 0o755)
        draft.file(".mvn/wrapper/maven-wrapper.properties", "u=1\n")
    if draft.chance(0.2):
        draft.file(".mvn/maven.config", "-B\n")


def _maven_installs(draft: Draft) -> list[str]:
    return draft.rng.choice(([], [], ["mvn dependency:go-offline"], ["mvn -B dependency:resolve"]))


def _composer_files(draft: Draft) -> None:
    more = draft.pick(
        "", '"autoload": {"psr-4": {"A\\\\": "src/"}}', '"scripts": {"post-install-cmd": "x"}', ""
    )
    more = '"repositories": [{"type": "path", "url": "./lib"}]' if draft.chance(0.06) else more
    draft.file("composer.json", '{"name": "a/b"' + (f", {more}" if more else "") + "}\n")
    draft.file("composer.lock", "{}\n")
    draft.file("lib/x.php", "x\n")
    draft.file("index.php", draft.pick("<?php 1;\n", "<?php 2;\n"))
    if draft.chance(0.25):
        draft.file("vendor/autoload.php", "of the developer\n")
        draft.file("vendor/dev/dev.php", "of the developer\n")


def _composer_installs(draft: Draft) -> list[str]:
    steps = [draft.pick(
        "composer install --no-dev", "composer install", "composer install --no-dev --no-scripts --no-autoloader",
    )]  # fmt: skip
    if "autoloader" in steps[0]:
        steps.append("composer dump-autoload")
    return steps


def _ruby_files(draft: Draft) -> None:
    draft.file("Gemfile", draft.pick('gem "rack"\n', 'gem "rails"\n'))
    draft.file("Gemfile.lock", "GEM\n")
    draft.file("app.rb", "run\n")
    if draft.chance(0.15):
        draft.file("vendor/cache/rack.gem", "packed\n")
    if draft.chance(0.15):
        draft.file(".bundle/config", "BUNDLE_WITHOUT: test\n")


def _ruby_installs(draft: Draft) -> list[str]:
    steps = [draft.pick("bundle install", "bundle install --jobs 4")]
    if "vendor/cache/rack.gem" in draft.files and draft.chance(0.5):
        steps = ["bundle install --local"]
    if draft.chance(0.3):
        steps.insert(0, draft.pick(
            "bundle config set without test", "bundle config set --local deployment true", "gem install bundler"
        ))  # fmt: skip
    return steps


def _dotnet_files(draft: Draft) -> None:
    draft.file("shop.csproj", '<Project Sdk="a"/>\n')
    draft.file("Program.cs", draft.pick("run();\n", "run(2);\n"))
    if draft.chance(0.2):
        draft.file("nuget.config", "<configuration/>\n")
    if draft.chance(0.3):
        draft.file("obj/project.assets.json", "of the developer\n")


def _plain_files(draft: Draft) -> None:
    draft.file("index.html", draft.pick("<p>1\n", "<p>2\n"))
    if draft.chance(0.15):
        for path in ("node_modules/left/index.js", "vendor/a.php", "venv/lib.txt"):
            draft.file(path, "what the image runs with\n")


def _none(_draft: Draft) -> list[str]:
    return []


_NODE = ("node:20", "node:24-slim", "node:22-bookworm", "node:20", "node:20-alpine", "node:26", "node:24",
         "node:26-slim")  # fmt: skip
_PYTHON = ("python:3.12", "python:3.11-slim", "python:3.13", "python:3.12-slim", "python:3.12-alpine",
           "python:3.13-slim", "python:3.14")  # fmt: skip
_SERVES = ("node app.js", "npm start", "serve -p 80", "./start.sh", "start", "./start")
_RUNS = (
    "gunicorn app:app",
    "python app.py",
    "gunicorn --bind 0.0.0.0:80 'my app:app'",
    "./start.sh",
    "./start",
)
KITS = {
    "npm": Kit(_NODE, _npm_files, _npm_installs, ("package.json", "package-lock.json"),
               ("npm run build", "npm test", "make", "node app.js"), _SERVES),
    "yarn": Kit(_NODE, _yarn_files, _yarn_installs, ("package.json", "yarn.lock"), ("yarn build", "make"), _SERVES),
    "berry": Kit(_NODE, _berry_files, _berry_installs, ("package.json", "yarn.lock"), ("yarn build",), _SERVES),
    "pnpm": Kit(_NODE, _pnpm_files, _pnpm_installs, ("package.json", "pnpm-lock.yaml"), ("pnpm build",), _SERVES),
    "pip": Kit(_PYTHON, _pip_files, _pip_installs, ("requirements.txt",),
               ("python manage.py collectstatic", "make", "python -m compileall ."), _RUNS),
    "poetry": Kit(_PYTHON, _poetry_files, _poetry_installs, ("pyproject.toml", "poetry.lock"), ("make",), _RUNS),
    "pipenv": Kit(_PYTHON, _pipenv_files, _pipenv_installs, ("Pipfile", "Pipfile.lock"), ("make",), _RUNS),
    "uv": Kit(_PYTHON, _uv_files, _uv_installs, ("pyproject.toml", "uv.lock"), ("make",), _RUNS),
    "go": Kit(("golang:1.22", "golang:1.26-alpine", "golang", "golang:1.26"), _go_files, _go_installs,
              ("go.mod", "go.sum"),
              ("go build -o /shop .", "go build -o shop", "make && go install ./...",
               "CGO_ENABLED=0 go build -o /shop"),
              ("/shop", "serve", "./start.sh")),
    "rust": Kit(("rust:1.80", "rust"), _rust_files, _none, ("Cargo.toml", "Cargo.lock"),
                ("cargo build --release", "cargo build --release && cp target/release/shop /shop",
                 "cargo install --path ."), ("serve", "target/release/shop")),
    "maven": Kit(("maven:3.9-eclipse-temurin-21", "maven"), _maven_files, _maven_installs, ("pom.xml",),
                 ("mvn package", "mvn -B clean package -DskipTests", "mvn -s settings.xml package", "./mvnw package",
                  "mvn -s /usr/share/maven/ref/settings-docker.xml package", "mvn package && mvn -o verify"),
                 ("java -jar target/app.jar", "./start.sh")),
    "composer": Kit(("composer:2", "php:8.3-cli"), _composer_files, _composer_installs,
                    ("composer.json", "composer.lock"), ("php index.php", "make"), ("php index.php", "./start.sh")),
    "ruby": Kit(("ruby:3.3", "ruby:3.3-slim"), _ruby_files, _ruby_installs, ("Gemfile", "Gemfile.lock"),
                ("bundle exec rake assets:precompile",), ("ruby app.rb", "./start.sh")),
    "dotnet": Kit(("mcr.microsoft.com/dotnet/sdk:8.0",), _dotnet_files,
                  lambda draft: draft.rng.choice((["dotnet restore"], ["dotnet restore shop.csproj"], [])),
                  ("shop.csproj",), ("dotnet publish -c Release -o /out", "dotnet publish --no-restore -o /out"),
                  ("serve /out",)),
    "plain": Kit(("debian:12", "ubuntu:24.04", "alpine:3.20", "centos:7", "fedora:40", "rockylinux:9", "nginx:1.27",
                  "registry.access.redhat.com/ubi9/ubi-minimal"),
                 _plain_files, _none, ("index.html",), ("make",),
                 ("nginx -g 'daemon off;'", "serve", "./start.sh", "start")),
}  # fmt: skip
"""By name. `start`, `start.sh` and `Makefile` are files of every context."""
