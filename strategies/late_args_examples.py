"""Examples of late-args: what must not move first, each named after its trap."""

from __future__ import annotations

from imgopt.rewrite.strategy import Example

_APT = "RUN apt-get update && apt-get install -y curl\n"
_PIP = "COPY requirements.txt .\nRUN pip install -r requirements.txt\n"
_NPM = "COPY package.json package-lock.json ./\nRUN npm ci\n"
_NODE = {"package.json": '{"dependencies": {"express": "4"}}', "package-lock.json": "{}"}
_FLASK = {"requirements.txt": "flask==3.0.0\n"}


def _stays(name: str, text: str, refused: str = "", files: dict[str, str] | None = None) -> Example:
    return Example(name, text, None, refused, files or {})


EXAMPLES = (
    _stays("the step behind it names it",
           "FROM debian:12\nARG GIT_COMMIT\nRUN echo $GIT_COMMIT > /commit\n" + _APT),
    _stays("a build command may read it",
           f"FROM node:22\n{_NPM}COPY . .\nARG GIT_SHA\nRUN npm run build\nRUN rm -rf /tmp/x\n", "npm run build", _NODE),
    _stays("a script may read it", "FROM debian:12\nCOPY build.sh .\nARG BUILD_DATE\nRUN ./build.sh\n", "./build.sh"),
    _stays("a script that is fetched and run may read it",
           "FROM debian:12\nARG BUILD_NUMBER\nRUN curl -fsSL https://example.org/install.sh | sh\n", "sh"),
    _stays("env prints it", "FROM debian:12\nARG GIT_COMMIT\nRUN env > /build-env\n", "env"),
    _stays("export prints it", "FROM debian:12\nARG GIT_COMMIT\nRUN export -p > /build-env\n", "export -p"),
    _stays("set prints it", "FROM debian:12\nARG GIT_COMMIT\nRUN set > /build-env\n", "set"),
    _stays("a name that is computed may be this one",
           'FROM debian:12\nARG GIT_COMMIT\nRUN echo "${!GIT_*}" > /names\n'),
    _stays("what a substitution prints is not read", 'FROM debian:12\nARG BUILD_DATE\nRUN echo "$(env)" > /e\n', "echo"),
    _stays("the exec form of a step that is not known",
           'FROM debian:12\nARG GIT_COMMIT\nRUN ["/usr/bin/stamp"]\n'),
    _stays("another shell is not read", 'FROM debian:12\nSHELL ["python3", "-c"]\nARG GIT_COMMIT\nRUN print(1)\n', "print"),
    _stays("the project itself is installed: its build may read any variable",
           "FROM python:3.12\nWORKDIR /app\nCOPY . .\nARG BUILD_VERSION\nRUN pip install .\n", "pip install .",
           {"pyproject.toml": '[project]\nname = "a"\ndynamic = ["version"]\n', "setup.py": ""}),
    _stays("hooks of the manifest run with an installation",
           "FROM node:22\nWORKDIR /app\nARG GIT_SHA\nCOPY package.json package-lock.json ./\nRUN npm ci\n", "npm ci",
           {"package.json": '{"scripts": {"postinstall": "node stamp.js"}}', "package-lock.json": "{}",
            "stamp.js": "console.log(process.env.GIT_SHA)"}),
    _stays("tools read SOURCE_DATE_EPOCH by themselves", "FROM debian:12\nARG SOURCE_DATE_EPOCH\n" + _APT),
    _stays("setuptools-scm reads its variable by itself",
           "FROM python:3.12\nARG SETUPTOOLS_SCM_PRETEND_VERSION\n" + _PIP, "",
           {**_FLASK, "Makefile": "build:\n\tdocker build --build-arg SETUPTOOLS_SCM_PRETEND_VERSION=$(shell git describe) .\n"}),
    _stays("a version that the file chooses changes when somebody edits it",
           "FROM debian:12\nARG NODE_VERSION=22.1.0\n" + _APT + "RUN curl -O https://example.org/$NODE_VERSION.tgz\n"),
    _stays("a checksum is none of a build's own",
           "FROM debian:12\nARG TINI_SHA256=abc\n" + _APT + "RUN echo $TINI_SHA256\n"),
    _stays("nothing runs behind it", "FROM debian:12\n" + _APT + "ARG GIT_COMMIT\nENV GIT_COMMIT=$GIT_COMMIT\n"),
    _stays("a COPY alone does not compare it", "FROM debian:12\n" + _APT + "ARG GIT_COMMIT\nCOPY a.txt /\n"),
    _stays("in front of the first stage it is nothing to a step", "ARG GIT_COMMIT\nFROM debian:12\n" + _APT),
    _stays("what ONBUILD holds back may read it", "FROM debian:12\nARG GIT_COMMIT\nONBUILD RUN make\n" + _APT),
    _stays("an ENV of the author's beside it in one line",
           "FROM debian:12\nENV GIT_COMMIT=x LANG=C.UTF-8\n" + _APT),
    _stays("a proxy leads fetches", "FROM debian:12\nARG HTTP_PROXY\n" + _APT),
    Example("a commit above apt and pip, told at the end",
            f"FROM python:3.12\nARG GIT_COMMIT\nENV GIT_COMMIT=$GIT_COMMIT\n{_APT}WORKDIR /app\n{_PIP}COPY . .\nCMD [\"python\", \"app.py\"]\n",
            f"FROM python:3.12\n{_APT}WORKDIR /app\n{_PIP}COPY . .\nARG GIT_COMMIT\nENV GIT_COMMIT=$GIT_COMMIT\nCMD [\"python\", \"app.py\"]\n",
            files={**_FLASK, "app.py": "import os\nprint(os.environ['GIT_COMMIT'])\n"}),
    Example("in front of the step that reads it",
            f"FROM node:22\nWORKDIR /app\nARG GIT_SHA\n{_NPM}COPY . .\nRUN GIT=$GIT_SHA npm run build\n",
            f"FROM node:22\nWORKDIR /app\n{_NPM}COPY . .\nARG GIT_SHA\nRUN GIT=$GIT_SHA npm run build\n", files=_NODE),
    Example("in front of the step that may read it",
            "FROM golang:1.22\nWORKDIR /src\nARG VCS_REF\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN go build -o /app .\n",
            "FROM golang:1.22\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nARG VCS_REF\nRUN go build -o /app .\n",
            files={"go.mod": "module a\n", "go.sum": "", "main.go": "package main\n"}),
    Example("labels that pass it on go with it",
            f"FROM debian:12\n# who made it\nARG VCS_REF\nARG BUILD_DATE\nLABEL org.opencontainers.image.revision=$VCS_REF org.opencontainers.image.created=$BUILD_DATE\n{_APT}CMD [\"bash\"]\n",
            f"FROM debian:12\n{_APT}# who made it\nARG VCS_REF\nARG BUILD_DATE\nLABEL org.opencontainers.image.revision=$VCS_REF org.opencontainers.image.created=$BUILD_DATE\nCMD [\"bash\"]\n"),
    Example("the empty line above a comment goes with it",
            f"FROM debian:12\n\n# who made it\nARG VCS_REF\n\n{_APT}\nCMD [\"bash\"]\n",
            f"FROM debian:12\n\n{_APT}\n# who made it\nARG VCS_REF\n\nCMD [\"bash\"]\n"),
    Example("a name that only the workflow shows to be one",
            f"FROM debian:12\nARG RELEASE\n{_APT}COPY . /srv\nENV RELEASE=$RELEASE\n",
            f"FROM debian:12\n{_APT}COPY . /srv\nARG RELEASE\nENV RELEASE=$RELEASE\n",
            files={".github/workflows/image.yml": "      build-args: |\n        RELEASE=${{ github.sha }}\n"}),
    Example("a Makefile that gives the date",
            f"FROM debian:12\nARG WHEN\n{_APT}ENV WHEN=$WHEN\n",
            f"FROM debian:12\n{_APT}ARG WHEN\nENV WHEN=$WHEN\n",
            files={"Makefile": "image:\n\tdocker build --build-arg WHEN=$(shell date +%s) .\n"}),
    Example("in the stage that builds and in the one that ships, each by itself",
            f"FROM golang:1.22 AS build\nARG GIT_COMMIT\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN go build -ldflags \"-X main.commit=$GIT_COMMIT\" -o /app .\n\nFROM debian:12\nARG GIT_COMMIT\n{_APT}COPY --from=build /app /app\nENV GIT_COMMIT=$GIT_COMMIT\n",
            f"FROM golang:1.22 AS build\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nARG GIT_COMMIT\nRUN go build -ldflags \"-X main.commit=$GIT_COMMIT\" -o /app .\n\nFROM debian:12\n{_APT}COPY --from=build /app /app\nARG GIT_COMMIT\nENV GIT_COMMIT=$GIT_COMMIT\n",
            files={"go.mod": "module a\n", "go.sum": "", "main.go": "package main\n"}),
    Example("a literal that is raised with every release",
            f"FROM debian:12\nENV APP_VERSION=1.4.2\n{_APT}COPY . /srv\n",
            f"FROM debian:12\n{_APT}COPY . /srv\nENV APP_VERSION=1.4.2\n"),
)  # fmt: skip
"""A Dockerfile before and after; where the second is missing, it must not change."""
