"""Files whose rewrites went wrong once, each the whole of what it takes. They are run first, in
every run."""

from __future__ import annotations

from differential.case import Case, File

_NODE = {
    "package.json": '{"scripts": {"build": "tsc"},\n  "dependencies": {\n    "ms": "1"\n  }\n}\n',
    "package-lock.json": "{}\n",
    "app.js": "a\n",
}
_SOURCE = "FROM node:20\nWORKDIR /app\nCOPY . .\n"
_START = "CMD serve\n"


def _case(
    name: str, text: str, junk: tuple[str, ...] = (), sibling: str | None = None, **files: str
) -> Case:
    """Names of files have `__` for a dot and `_in_` for a slash."""
    named = {
        path.replace("_in_", "/").replace("__", "."): File(
            text, 0o755 if path == "start" else 0o644
        )
        for path, text in files.items()
    }
    if sibling is not None:
        named["Dockerfile.e2e"] = File(sibling)
    return Case(
        name, text, named, frozenset([*junk, "Dockerfile", "Dockerfile.e2e"]), sibling=sibling
    )


def _node(name: str, text: str, junk: tuple[str, ...] = (), **files: str) -> Case:
    made = _case(name, text, junk, **files)
    return Case(
        name, text, {**{path: File(own) for path, own in _NODE.items()}, **made.files}, made.junk
    )


KEPT = (
    _case(
        "a fetch in front of the only COPY of its manifest",
        "FROM golang:1.24\nWORKDIR /src\nCOPY go.mod go.sum main.go ./\nRUN go build -o /shop .\nCMD /shop\n",
        go__mod="module a\n", go__sum="s\n", main__go="package main\n",
    ),
    _case(
        "settings of the system, where the working directory is the root",
        f"FROM python:3.13\nCOPY pip.conf /etc/pip.conf\nCOPY . .\nRUN pip install private\n{_START}",
        pip__conf="index\n", app__py="a\n",
    ),
    _case(
        "settings of npm's installation",
        f"FROM node:24\nCOPY npmrc /usr/local/etc/npmrc\nRUN npm install -g tool\n{_START}", npmrc="registry\n",
    ),
    _node(
        "a certificate that a variable names and the source brings",
        f"FROM node:22\nENV NODE_EXTRA_CA_CERTS=/app/ca.pem\nWORKDIR /app\nCOPY . .\nRUN npm ci\n{_START}",
        ca__pem="certificate\n",
    ),
    _case("yum is not cleaned by dnf", f"FROM centos:7\nRUN yum install -y gcc\nRUN yum install -y make\n{_START}"),
    _case("microdnf is not cleaned by dnf", f"FROM ubi9/ubi-minimal\nRUN microdnf install -y gcc\n{_START}"),
    _case(
        "lists that a later step downloads a source with",
        f"FROM debian:12\nRUN apt-get update && apt-get install -y dpkg-dev\nRUN apt-get source hello\n{_START}",
    ),
    _node(
        "packages that no step makes", f"{_SOURCE}RUN npm install -g pm2\n{_START}",
        node_modules_in_ms_in_index__js="ms\n",
    ),
    _node("an installation that writes the manifest", f"{_SOURCE}RUN npm install debug\nRUN npm prune\n{_START}"),
    _node(
        "a download that the source would overwrite",
        f"{_SOURCE}RUN curl -fsSL https://x.example.org -o config.json && npm ci\n{_START}", config__json="own\n",
    ),
    _case(
        "an offline mirror", f"{_SOURCE}RUN yarn install --offline\n{_START}",
        package__json=_NODE["package.json"], yarn__lock="# yarn lockfile v1\n",
        __yarnrc='yarn-offline-mirror "./mirror"\n', mirror_in_ms__tgz="packed\n",
    ),
    _case(
        "a cache that is kept in git", f"{_SOURCE}RUN yarn install --immutable --immutable-cache\n{_START}",
        package__json=_NODE["package.json"], yarn__lock="__metadata:\n", __yarnrc__yml="nodeLinker: pnp\n",
        __yarn_in_cache_in_ms__zip="packed\n",
    ),
    _case(
        "packages of the developer that would lie over the installed ones",
        f"FROM composer:2\nWORKDIR /app\nCOPY . .\nRUN composer install --no-dev\n{_START}",
        composer__json="{}\n", composer__lock="{}\n", vendor_in_autoload__php="old\n",
    ),
    _case(
        "what the developer restored would lie over what is restored",
        "FROM mcr.microsoft.com/dotnet/sdk:8.0\nWORKDIR /app\nCOPY . .\nRUN dotnet restore\n"
        f"RUN dotnet publish --no-restore -o /out\n{_START}",
        a__csproj="<p/>\n", obj_in_project__assets__json="old\n",
    ),
    _case(
        "credentials that a build's own step writes",
        f"FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN echo machine > /root/.netrc && go build -o /shop .\n{_START}",
        go__mod="module a\n", go__sum="s\n", main__go="package main\n",
    ),
    _case(
        "a variable of the modules behind the source",
        f"FROM golang:1.24\nWORKDIR /src\nCOPY . .\nENV GOPRIVATE=example.org\nRUN go build -o /shop .\n{_START}",
        go__mod="module a\n", go__sum="s\n", main__go="package main\n",
    ),
    _case(
        "a stub of the author's own",
        "FROM rust\nWORKDIR /app\nCOPY Cargo.toml Cargo.lock ./\nCOPY Makefile ./\n"
        "RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build\nCOPY src src\n"
        f"RUN cargo build\n{_START}",
        Cargo__toml='[package]\nname = "shop"\n', Cargo__lock="version = 3\n", src_in_main__rs="fn main() { 1 }\n",
        Makefile="all:\n",
    ),
    _case(
        "a script without a first line", "FROM debian:12\nWORKDIR /app\nCOPY start /app/start\nCMD /app/start\n",
        start="exec serve 1\n",
    ),
    _case(
        "names that only look like a compose file's", f"FROM debian:12\nCOPY . /srv/\n{_START}",
        composer__yaml="a\n", composed__yml="b\n",
    ),
    _case("a package that is called venv", f"FROM python:3.13\nCOPY . /srv/\nRUN pip install a\n{_START}",
          venv_in___init____py="a\n"),
    _case(
        "a template that the program embeds", "FROM golang\nWORKDIR /a\nCOPY . .\nRUN go build -o /shop\nCMD /shop\n",
        go__mod="module a\n", main__go="//go:embed Dockerfile.tmpl\n", Dockerfile__tmpl="FROM x\n",
    ),
    _case("another Dockerfile's file", f"FROM debian:12\nCOPY . /srv/\n{_START}", ("compose.yaml",),
          "FROM debian:12\nCOPY compose.yaml /there/\n", compose__yaml="services:\n"),
    _case(
        "a folder that the copy of a file makes",
        f"FROM debian:12\nCOPY a.conf /conf/\nRUN chown -R 1001:1001 /conf\n{_START}", a__conf="a\n",
    ),
    _case(
        "a change of owner that held a step back",
        "FROM python:3.13\nWORKDIR /srv\nCOPY . .\nCOPY conf /conf\nRUN chown -R 1001:1001 /conf\n"
        f"RUN apt-get update && apt-get install -y git\n{_START}", app__py="a\n", conf_in_a="a\n",
    ),
)  # fmt: skip
