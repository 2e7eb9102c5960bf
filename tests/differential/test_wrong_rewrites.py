"""Deliberate mistakes: each is a rewrite as a strategy could make it, and the comparison has to see
what it breaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from differential.case import Case, File
from differential.comparing import Outcome, compare
from differential.laboratory import Laboratory
from differential.rewriting import Rewrite

pytestmark = pytest.mark.engine


@dataclass(frozen=True, slots=True)
class Wrong:
    """`seen`: a part of what the comparison says."""

    name: str
    by: str
    before: str
    after: str
    seen: str
    files: dict[str, str] = field(default_factory=dict)
    junk: tuple[str, ...] = ()
    ignore: str | None = None

    @property
    def case(self) -> Case:
        files = {
            path: File(text, 0o755 if path == "start" else 0o644)
            for path, text in self.files.items()
        }
        return Case(self.name, self.before, files, frozenset(self.junk))


NODE = {
    "package.json": '{"scripts": {"build": "tsc"},\n  "dependencies": {\n    "ms": "1"\n  }\n}\n',
    "package-lock.json": "{}\n",
    "app.js": "a\n",
}
SOURCE = "FROM node:20\nWORKDIR /app\nCOPY . .\n"
WRONG = (
    Wrong(
        "the installation in front of its manifest", "layer-order", f"{SOURCE}RUN npm ci\n",
        "FROM node:20\nWORKDIR /app\nRUN npm ci\nCOPY . .\n", "the rewrite fails", NODE,
    ),
    Wrong(
        "the lock file left behind", "layer-order", f"{SOURCE}RUN npm install\n",
        "FROM node:20\nWORKDIR /app\nCOPY package.json ./\nRUN npm install\nCOPY . .\n", "log lacks", NODE,
    ),
    Wrong(
        "settings of the system left behind", "layer-order",
        "FROM python:3.12\nCOPY pip.conf /etc/pip.conf\nRUN pip install a\n",
        "FROM python:3.12\nRUN pip install a\nCOPY pip.conf /etc/pip.conf\n", "log lacks", {"pip.conf": "index\n"},
    ),
    Wrong(
        "a certificate that a variable names left behind", "layer-order",
        "FROM python:3.12\nENV PIP_CERT=/srv/ca.pem\nCOPY ca.pem /srv/\nRUN pip install a\n",
        "FROM python:3.12\nENV PIP_CERT=/srv/ca.pem\nRUN pip install a\nCOPY ca.pem /srv/\n", "log lacks",
        {"ca.pem": "certificate\n"},
    ),
    Wrong(
        "what was installed is overwritten by the old manifest", "layer-order", f"{SOURCE}RUN npm install debug\n",
        "FROM node:20\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm install debug\nCOPY . .\n",
        "/app/package.json", NODE,
    ),
    Wrong(
        "a download is overwritten by the source", "layer-order",
        f"{SOURCE}RUN curl -fsSL https://x.example.org -o app.js && npm ci\n",
        "FROM node:20\nWORKDIR /app\nCOPY package.json package-lock.json ./\n"
        "RUN curl -fsSL https://x.example.org -o app.js && npm ci\nCOPY . .\n", "/app/app.js", NODE,
    ),
    Wrong(
        "the developer's packages lie over the installed ones", "layer-order", f"{SOURCE}RUN npm ci\n",
        "FROM node:20\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
        "/app/node_modules/old/index.js", {**NODE, "node_modules/old/index.js": "old\n"},
    ),
    Wrong(
        "a fetch without the variable of its build", "layer-order",
        "FROM golang\nWORKDIR /src\nCOPY . .\nENV GOPRIVATE=example.org\nRUN go build -o /shop\n",
        "FROM golang\nWORKDIR /src\nCOPY go.mod ./\nRUN go mod download\nCOPY . .\nENV GOPRIVATE=example.org\n"
        "RUN go build -o /shop\n", "has the settings of:  go mod download", {"go.mod": "module a\n"},
    ),
    Wrong(
        "a fetch without the credentials of its build", "layer-order",
        "FROM golang\nWORKDIR /src\nCOPY . .\nRUN echo machine > /root/.netrc && go build -o /shop\n",
        "FROM golang\nWORKDIR /src\nCOPY go.mod ./\nRUN go mod download\nCOPY . .\n"
        "RUN echo machine > /root/.netrc && go build -o /shop\n", "has the settings of:  go mod download",
        {"go.mod": "module a\n"},
    ),
    Wrong(
        "the build in front of its source", "layer-order", f"{SOURCE}RUN npm ci\nRUN npm run build\n",
        "FROM node:20\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nRUN npm run build\nCOPY . .\n",
        "log lacks:  npm run build", NODE,
    ),
    Wrong(
        "what is built of a stub stays", "layer-order",
        "FROM rust\nWORKDIR /app\nCOPY . .\nRUN cargo build\n",
        "FROM rust\nWORKDIR /app\nCOPY Cargo.toml ./\n"
        "RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build\nCOPY . .\nRUN cargo build\n",
        "log lacks:  cargo build",
        {"Cargo.toml": 'name = "shop"\n', "src/main.rs": "fn main() { 1 }\n"},
    ),
    Wrong(
        "lists removed in front of a step that reads them", "installer-caches",
        "FROM debian:12\nRUN apt-get update && apt-get install -y curl\nRUN apt-get source hello\n",
        "FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"
        "RUN apt-get source hello\n", "the rewrite fails",
    ),
    Wrong(
        "the cleanup of another program", "installer-caches", "FROM centos:7\nRUN yum install -y gcc\n",
        "FROM centos:7\nRUN yum install -y gcc && dnf clean all\n", "exit code 127",
    ),
    Wrong(
        "more removed than a cache", "installer-caches", "FROM python:3.12\nRUN pip install a\n",
        "FROM python:3.12\nRUN pip install --no-cache-dir a && rm -rf /usr/local/lib/python3\n", "site-packages/a",
    ),
    Wrong(
        "a mount over what the project put there", "cache-mounts",
        "FROM maven\nWORKDIR /app\nCOPY settings.xml /root/.m2/\nCOPY pom.xml ./\nRUN mvn package\n",
        "FROM maven\nWORKDIR /app\nCOPY settings.xml /root/.m2/\nCOPY pom.xml ./\n"
        "RUN --mount=type=cache,target=/root/.m2 mvn package\n", "log lacks:  mvn package",
        {"settings.xml": "<s/>\n", "pom.xml": "<p/>\n"},
    ),
    Wrong(
        "a mount over what a later step needs", "cache-mounts",
        "FROM maven\nWORKDIR /app\nCOPY . .\nRUN mvn package\nRUN mvn -o verify\n",
        "FROM maven\nWORKDIR /app\nCOPY . .\nRUN --mount=type=cache,target=/root/.m2 mvn package\nRUN mvn -o verify\n",
        "the rewrite fails", {"pom.xml": "<p/>\n"},
    ),
    Wrong(
        "a mount over the project's own folder", "cache-mounts",
        "FROM rust\nWORKDIR /app\nCOPY . .\nRUN cargo build\n",
        "FROM rust\nWORKDIR /app\nCOPY . .\nRUN --mount=type=cache,target=/app/target cargo build\n",
        "/app/target/release/shop", {"Cargo.toml": 'name = "shop"\n', "src/main.rs": "fn main() { 1 }\n"},
    ),
    Wrong(
        "a script that only a shell can start", "exec-form",
        "FROM debian:12\nWORKDIR /app\nCOPY start .\nCMD ./start\n",
        'FROM debian:12\nWORKDIR /app\nCOPY start .\nCMD ["./start"]\n', "exec format error",
        {"start": "exec serve 1\n"},
    ),
    Wrong(
        "a variable that no shell puts in", "exec-form", "FROM debian:12\nENV PORT=80\nCMD serve -p $PORT\n",
        'FROM debian:12\nENV PORT=80\nCMD ["serve", "-p", "$PORT"]\n', "start:",
    ),
    Wrong(
        "an ignore pattern that hides what the program reads", "ignore-file", "FROM debian:12\nCOPY . /app\n",
        "FROM debian:12\nCOPY . /app\n", "/app/composer.yaml", {"composer.yaml": "a\n", "compose.yaml": "b\n"},
        ("compose.yaml",), "compose*.y*ml\n",
    ),
    Wrong(
        "packages hidden that no step makes", "ignore-file", f"{SOURCE}RUN npm install -g pm2\n",
        f"{SOURCE}RUN npm install -g pm2\n", "/app/node_modules/ms", {**NODE, "node_modules/ms/a.js": "a\n"}, (),
        "**/node_modules\n",
    ),
    Wrong(
        "version control data that a build asks for", "ignore-file",
        "FROM golang\nWORKDIR /app\nCOPY . .\nRUN make\n", "FROM golang\nWORKDIR /app\nCOPY . .\nRUN make\n",
        "the rewrite fails", {"Makefile": "V := $(shell git describe)\n", ".git/HEAD": "ref\n"}, (".git/HEAD",),
        "**/.git\n",
    ),
    Wrong(
        "the folder's own owner", "copy-chown", "FROM debian:12\nWORKDIR /app\nCOPY a .\nRUN chown -R 1001:1001 /app\n",
        "FROM debian:12\nWORKDIR /app\nCOPY --chown=1001:1001 a .\n", "/app: ", {"a": "a\n"},
    ),
    Wrong(
        "a cleanup joined to a step in another folder", "same-layer-cleanup",
        "FROM debian:12\nWORKDIR /app\nCOPY a .\nRUN cd /tmp && touch a\nRUN rm -f a\n",
        "FROM debian:12\nWORKDIR /app\nCOPY a .\nRUN cd /tmp && touch a && rm -f a\n", "/app/a", {"a": "a\n"},
    ),
    Wrong(
        "an installation lost while joining", "apt-hygiene",
        "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y git\nRUN apt-get install -y curl\n",
        "FROM debian:12\nRUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*\n",
        "log lacks:  apt-get install -y curl",
    ),
    Wrong(
        "a value that the new form cuts", "modern-syntax", "FROM debian:12\nENV NAME the shop\n",
        "FROM debian:12\nENV NAME=the\n", "environment: ",
    ),
    Wrong(
        "another name", "modern-syntax", "FROM debian:12\nWORKDIR /a\nCOPY a.conf b.conf\n",
        "FROM debian:12\nWORKDIR /a\nCOPY a.conf .\n", "/a/b.conf", {"a.conf": "a\n"},
    ),
    Wrong(
        "what ONBUILD needs", "installer-caches",
        "FROM debian:12\nRUN apt-get update\nONBUILD RUN apt-get install -y curl\n",
        "FROM debian:12\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\nONBUILD RUN apt-get install -y curl\n",
        "no image can be built on it",
    ),
    Wrong(
        "a value behind the step that reads it", "late-args",
        "FROM debian:12\nARG GIT_COMMIT=a\nRUN echo $GIT_COMMIT > /commit\n",
        "FROM debian:12\nRUN echo $GIT_COMMIT > /commit\nARG GIT_COMMIT=a\n", "/commit",
    ),
    Wrong(
        "a value that is gone", "late-args", "FROM debian:12\nENV GIT_COMMIT=a\nRUN touch /a\n",
        "FROM debian:12\nRUN touch /a\n", "configuration: ",
    ),
    Wrong(
        "another variable", "apt-hygiene", "FROM debian:12\nENV A=1\nRUN apt-get update\n",
        "FROM debian:12\nRUN apt-get update\n", "configuration: ",
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def judged(laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    wrong = {one.name: one for one in WRONG}

    def make(case: Case, _folder: Path) -> Rewrite:
        one = wrong[case.name]
        return Rewrite(one.after, one.ignore, (one.by,))

    found = compare(laboratory, [one.case for one in WRONG], tmp_path_factory.mktemp("wrong"), make)
    return {one.case.name: one for one in found}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda one: one.name)
def test_is_seen(judged: dict[str, Outcome], wrong: Wrong) -> None:
    found = judged[wrong.name]
    assert found.counts, "the original does not build"
    assert any(wrong.seen in line for line in found.different), str(found)
