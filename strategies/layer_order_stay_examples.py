"""What layer-order leaves alone, each example named after its trap."""

from __future__ import annotations

from imgopt.rewrite.strategy import Example

STAYS = (
    Example(
        "the folder changes between install and build",
        before="FROM node:20\nWORKDIR /app\nCOPY . .\nRUN cd web && npm ci && cd .. && make\n",
        after=None,
        refused="`make` may read the source",
        files={"web/package.json": "{}", "web/src/a.ts": ""},
    ),
    Example(
        "dependencies that another file says",
        before="FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install .\n",
        after=None,
        refused="leaves its dependencies to another file",
        files={
            "pyproject.toml": '[project]\nname = "a"\ndynamic = ["dependencies"]\n',
            "setup.py": "",
        },
    ),
    Example(
        "extras of the project itself",
        before="FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install .[all]\n",
        after=None,
        refused="refers to the source tree",
        files={
            "pyproject.toml": (
                '[project]\nname = "A_b"\ndependencies = []\n'
                '[project.optional-dependencies]\nall = ["a-b[web]"]\nweb = ["flask"]\n'
            ),
        },
    ),
    Example(
        "requirements of the author's own, and the project",
        before=(
            "FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r"
            " requirements.txt\nCOPY . .\nRUN pip install .\n"
        ),
        after=None,
        files={
            "pyproject.toml": '[project]\nname = "a"\ndependencies = ["flask"]\n',
            "requirements.txt": "flask",
        },
    ),
    Example(
        "an interpreter that cannot read the metadata",
        before="FROM python:3.10\nWORKDIR /app\nCOPY . .\nRUN pip install .\n",
        after=None,
        refused="reads the source tree",
        files={"pyproject.toml": '[project]\nname = "a"\ndependencies = ["flask"]\n'},
    ),
    Example(
        "constraints beside the project",
        before="FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -c limits.txt .\n",
        after=None,
        refused="changes what pip installs",
        files={
            "pyproject.toml": '[project]\nname = "a"\ndependencies = ["flask"]\n',
            "limits.txt": "",
        },
    ),
    Example(
        "pip install of the project itself",
        before="FROM python:3.12\nCOPY . /app\nWORKDIR /app\nRUN pip install .\n",
        after=None,
        refused="reads the source tree",
        files={"setup.py": ""},
    ),
    Example(
        "a manifest that points into the source",
        before="FROM python:3.12\nCOPY . .\nRUN pip install -r requirements.txt\n",
        after=None,
        refused="refers to the source tree",
        files={"requirements.txt": "-e ./lib\n", "lib/setup.py": ""},
    ),
    Example(
        "install scripts of the project",
        before="FROM node:20\nCOPY . .\nRUN npm ci\n",
        after=None,
        refused="runs the project's own code",
        files={"package.json": '{"scripts": {"postinstall": "node setup.js"}}', "setup.js": ""},
    ),
    Example(
        "a cache mount keeps the modules already",
        before="FROM golang:1.22\nCOPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build .\n",
        after=None,
        files={"go.mod": "module a\n", "go.sum": "x\n", "main.go": ""},
    ),
    Example(
        "the author keeps what is compiled in a cache mount",
        before=(
            "FROM rust:1\nWORKDIR /s\nCOPY . .\nRUN --mount=type=cache,target=target cargo build"
            " --release\n"
        ),
        after=None,
        files={"Cargo.toml": '[package]\nname = "a"\n', "Cargo.lock": "", "src/main.rs": ""},
    ),
    Example(
        "the tool is set up for the project",
        before=(
            "FROM python:3.12\nCOPY . .\nRUN poetry config --local virtualenvs.create false\nRUN"
            " poetry install\n"
        ),
        after=None,
        refused="comes before it",
        files={"pyproject.toml": ""},
    ),
    Example(
        "a variable for the tool comes after the source",
        before=(
            "FROM python:3.12\nCOPY . .\nENV POETRY_VIRTUALENVS_CREATE=false\nRUN poetry install\n"
        ),
        after=None,
        refused="comes before it",
        files={"pyproject.toml": ""},
    ),
    Example(
        "a variable leads the package manager into the source",
        before=(
            "FROM python\nENV PIP_CONSTRAINT=/app/pins.txt\nCOPY . /app\nRUN pip install flask\n"
        ),
        after=None,
        refused="leads into the source",
        files={"pins.txt": "flask==3\n"},
    ),
    Example(
        "the source is a package below the working directory",
        before=(
            "FROM python\nWORKDIR /app\nCOPY . /app/lib\nRUN pip install --no-cache-dir /app/lib"
            " uvicorn\n"
        ),
        after=None,
        refused="runs outside what is copied",
        files={"setup.py": ""},
    ),
    Example(
        "a script of the project is no installer",
        before="FROM debian\nCOPY . .\nRUN cat setup | bash - && apt-get install -y nodejs\n",
        after=None,
        refused="may read the source",
        files={"setup": ""},
    ),
    Example(
        "output into the source",
        before=(
            "FROM debian\nWORKDIR /app\nCOPY . .\nRUN echo stable > release && apt-get install -y"
            " nodejs\n"
        ),
        after=None,
        refused="writes into what is copied",
        files={"release": ""},
    ),
    Example(
        "the source brings settings of the package manager",
        before="FROM debian\nCOPY rootfs /\nRUN apt-get update && apt-get install -y make\n",
        after=None,
        refused="files of the system",
        files={"rootfs/etc/apt/sources.list": ""},
    ),
    Example(
        "vendored modules need no fetch",
        before="FROM golang:1.22\nCOPY . .\nRUN go build .\n",
        after=None,
        refused="vendor/ already",
        files={"go.mod": "module a\n", "go.sum": "x\n", "main.go": "", "vendor/modules.txt": ""},
    ),
    Example(
        "a private module needs the agent",
        before="FROM golang:1.22\nCOPY . .\nRUN --mount=type=ssh go build .\n",
        after=None,
        refused="an agent",
        files={"go.mod": "module a\n", "go.sum": "x\n", "main.go": ""},
    ),
    Example(
        "a library outside of the context",
        before="FROM rust\nCOPY . .\nRUN cargo build\n",
        after=None,
        refused="lies outside of the project (../b)",
        files={
            "Cargo.toml": '[package]\nname = "a"\n[dependencies]\nb = {path = "../b"}\n',
            "src/main.rs": "",
        },
    ),
    Example(
        "a program whose source is not there",
        before="FROM rust\nCOPY . .\nRUN cargo build\n",
        after=None,
        refused="gen/main.rs is not in the build context",
        files={"Cargo.toml": '[package]\nname = "a"\n[[bin]]\nname = "a"\npath = "gen/main.rs"\n'},
    ),
    Example(
        "an offline build fetches nothing",
        before="FROM maven\nCOPY . .\nRUN mvn -o package\n",
        after=None,
        refused="`-o` changes",
        files={"pom.xml": "<project/>"},
    ),
    Example(
        "wheels in the source tree",
        before="FROM p\nCOPY . .\nRUN pip install --find-links=wheels -r requirements.txt\n",
        after=None,
        refused="another place",
        files={"requirements.txt": "a\n", "wheels/a.whl": ""},
    ),
    Example(
        "a package in another folder",
        before="FROM node:20\nCOPY . .\nRUN npm ci --prefix web\n",
        after=None,
        refused="another place",
        files={"package.json": "{}", "web/package.json": "{}"},
    ),
    Example(
        "a package file in the source tree",
        before=(
            "FROM d\nCOPY . .\nRUN apt-get install -y ./a.deb && pip install -r requirements.txt\n"
        ),
        after=None,
        refused="another place",
        files={"requirements.txt": "a\n", "a.deb": ""},
    ),
    Example(
        "a member of a workspace has a program that is linked",
        before="FROM node:20\nCOPY . .\nRUN pnpm install\n",
        after=None,
        refused="has a program that the installation links",
        files={
            "package.json": "{}",
            "pnpm-workspace.yaml": "packages:\n  - a\n",
            "a/package.json": '{"bin": "x"}',
        },
    ),
    Example(
        "packages of this machine would lie over the installed ones",
        before="FROM node:20\nCOPY . .\nRUN npm ci\n",
        after=None,
        refused="lie over what is installed",
        files={"package.json": "{}", "node_modules/a/index.js": ""},
    ),
    Example(
        "a comment between two commands is not lost",
        before="FROM node:20\nCOPY . .\nRUN npm ci && \\\n    # build\n    npm run build\n",
        after=None,
        files={"package.json": "{}"},
    ),
    Example(
        "manifests come first already",
        before="FROM node:20\nCOPY package.json ./\nRUN npm install\nCOPY . .\nCMD node app.js\n",
        after=None,
        files={"package.json": "{}", "app.js": ""},
    ),
)
