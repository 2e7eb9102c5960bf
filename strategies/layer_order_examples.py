"""What layer-order does."""

from __future__ import annotations

from imgopt.rewrite.strategy import Example

MOVES = (
    Example(
        "pip after the source",
        before=(
            "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD"
            " python app.py\n"
        ),
        after=(
            "FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt ./\nRUN pip install -r"
            " requirements.txt\nCOPY . .\nCMD python app.py\n"
        ),
        files={"requirements.txt": "flask==3.0\n", "app.py": ""},
    ),
    Example(
        "install and build in one RUN",
        before="FROM node:20\nWORKDIR /app\n# everything\nCOPY . .\nRUN npm ci && npm run build\n",
        after=(
            "FROM node:20\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\n#"
            " everything\nCOPY . .\nRUN npm run build\n"
        ),
        files={"package.json": '{"dependencies": {}}', "package-lock.json": "{}", "src/a.ts": ""},
    ),
    Example(
        "install and build in a folder of their own",
        before=(
            "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN cd web && npm ci && npm run build && npm"
            " test\n"
        ),
        after=(
            "FROM node:20\nWORKDIR /app\nCOPY web/package.json ./web/\nRUN cd web && npm ci\n"
            "COPY . .\nRUN cd web && npm run build && npm test\n"
        ),
        files={"web/package.json": "{}", "web/src/a.ts": ""},
    ),
    Example(
        "go build fetches its modules ahead",
        before="FROM golang:1.22\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\n",
        after=(
            "FROM golang:1.22\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\n"
            "RUN go build -o /app .\n"
        ),
        files={"go.mod": "module a\n", "go.sum": "x\n", "main.go": ""},
    ),
    Example(
        "pip install of the project itself, which declares its dependencies",
        before="FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -e '.[web]'\n",
        after=(
            'FROM python:3.12\nWORKDIR /app\nCOPY pyproject.toml ./\nRUN python -c "import'
            " tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project'];"
            " \\\nprint(*p['dependencies'], *p['optional-dependencies']['web'], sep='\\n')\" >"
            " /tmp/requirements.txt \\\n    && pip install -r /tmp/requirements.txt \\\n    && rm"
            " /tmp/requirements.txt\nCOPY . .\nRUN pip install -e '.[web]'\n"
        ),
        files={
            "pyproject.toml": (
                '[project]\nname = "a"\ndependencies = ["flask>=3"]\n'
                '[project.optional-dependencies]\nweb = ["gunicorn"]\n'
            ),
            "a.py": "",
        },
    ),
    Example(
        "the author's own mounts serve the new step too",
        before=(
            "FROM rust:1\nCOPY Cargo.toml ./\nCOPY src src\n"
            "RUN --mount=type=cache,target=/usr/local/cargo/registry cargo build --release\n"
        ),
        after=(
            "FROM rust:1\nCOPY Cargo.toml ./\n"
            "RUN --mount=type=cache,target=/usr/local/cargo/registry mkdir -p src \\\n"
            "    && echo 'fn main() {}' > src/main.rs \\\n    && cargo build --release \\\n"
            "    && rm -rf target/*/.fingerprint/a-* target/*/*/.fingerprint/a-*\nCOPY src src\n"
            "RUN --mount=type=cache,target=/usr/local/cargo/registry cargo build --release\n"
        ),
        files={"Cargo.toml": '[package]\nname = "a"\n', "src/main.rs": ""},
    ),
    Example(
        "the tool is installed after the source",
        before="FROM debian\nCOPY . .\nRUN apt-get install -y golang\nRUN go build .\n",
        after=(
            "FROM debian\nRUN apt-get install -y golang\nCOPY go.mod go.sum ./\nRUN go mod"
            " download\nCOPY . .\nRUN go build .\n"
        ),
        files={"go.mod": "module a\n", "go.sum": "x\n", "main.go": ""},
    ),
    Example(
        "the tool is installed in the same step",
        before="FROM python:3.12\nCOPY . .\nRUN pip install poetry && poetry install\n",
        after=(
            "FROM python:3.12\nRUN pip install poetry\nCOPY pyproject.toml poetry.lock ./\n"
            "RUN poetry install --no-root\nCOPY . .\nRUN poetry install\n"
        ),
        files={"pyproject.toml": "", "poetry.lock": ""},
    ),
    Example(
        "the tool is set up first",
        before=(
            "FROM python:3.12\nCOPY . .\nRUN pip install poetry\nRUN poetry config"
            " virtualenvs.create false\nRUN poetry install\n"
        ),
        after=(
            "FROM python:3.12\nRUN pip install poetry\nRUN poetry config virtualenvs.create false\n"
            "COPY pyproject.toml ./\nRUN poetry install --no-root\nCOPY . .\nRUN poetry install\n"
        ),
        files={
            "pyproject.toml": 'include = [{ path = "data/*", format = "wheel" }]\n',
            "data/a": "",
        },
    ),
    Example(
        "the tool is set up in the same step",
        before=(
            "FROM python:3.12\nCOPY . .\nRUN poetry config virtualenvs.create false && poetry"
            " install\n"
        ),
        after=(
            "FROM python:3.12\nCOPY pyproject.toml ./\n"
            "RUN poetry config virtualenvs.create false && poetry install --no-root\nCOPY . .\n"
            "RUN poetry config virtualenvs.create false && poetry install\n"
        ),
        files={"pyproject.toml": ""},
    ),
    Example(
        "packages of the system after the source",
        before=(
            "FROM debian\nWORKDIR /app\n\nCOPY . .\n\nRUN apt-get update && apt-get install -y"
            " gcc\nRUN make\n"
        ),
        after=(
            "FROM debian\nWORKDIR /app\n\nRUN apt-get update && apt-get install -y gcc\n\nCOPY ."
            " .\n\nRUN make\n"
        ),
        files={"Makefile": ""},
    ),
    Example(
        "each manifest in front of the step that reads it",
        before=(
            "FROM debian\nCOPY . /app\nWORKDIR /app\nRUN apt-get update\nRUN apt-get install -y"
            " python3-pip\nRUN pip3 install -r requirements.txt\nCMD python3 app.py\n"
        ),
        after=(
            "FROM debian\nWORKDIR /app\nRUN apt-get update\nRUN apt-get install -y"
            " python3-pip\nCOPY requirements.txt /app/\nRUN pip3 install -r requirements.txt\nCOPY"
            " . /app\nCMD python3 app.py\n"
        ),
        files={"requirements.txt": "flask\n", "app.py": ""},
    ),
    Example(
        "a variable of the package manager that leads elsewhere",
        before="FROM python\nENV PIP_CACHE_DIR=/app/.cache\nCOPY . /app\nRUN pip install flask\n",
        after="FROM python\nENV PIP_CACHE_DIR=/app/.cache\nRUN pip install flask\nCOPY . /app\n",
        files={"app.py": ""},
    ),
    Example(
        "requirements by their whole path",
        before="FROM python\nWORKDIR /app\nCOPY . /app\nRUN pip install -r /app/requirements.txt\n",
        after=(
            "FROM python\nWORKDIR /app\nCOPY requirements.txt /app/\nRUN pip install -r"
            " /app/requirements.txt\nCOPY . /app\n"
        ),
        files={"requirements.txt": "flask\n", "app.py": ""},
    ),
    Example(
        "an installer from the network, and tidying up",
        before=(
            "FROM debian\nWORKDIR /app\nCOPY . .\nRUN curl -fsSL https://example.com/setup | bash -"
            " \\\n    && apt-get install -y nodejs && apt-get clean && rm -rf"
            " /var/lib/apt/lists/*\nRUN make\n"
        ),
        after=(
            "FROM debian\nWORKDIR /app\nRUN curl -fsSL https://example.com/setup | bash - \\\n   "
            " && apt-get install -y nodejs && apt-get clean && rm -rf /var/lib/apt/lists/*\nCOPY ."
            " .\nRUN make\n"
        ),
        files={"Makefile": ""},
    ),
    Example(
        "a package list of one's own, a program for all",
        before=(
            "FROM node\nCOPY . /app\nRUN echo x > /etc/apt/x.list && npm install -g pm2\nRUN make\n"
        ),
        after=(
            "FROM node\nRUN echo x > /etc/apt/x.list && npm install -g pm2\nCOPY . /app\nRUN make\n"
        ),
        files={"Makefile": ""},
    ),
    Example(
        "a virtual environment",
        before=(
            "FROM python\nCOPY . /app\nWORKDIR /app\n"
            "RUN python -m venv /venv && /venv/bin/pip install -r requirements.txt\n"
        ),
        after=(
            "FROM python\nCOPY requirements.txt /app/\nWORKDIR /app\n"
            "RUN python -m venv /venv && /venv/bin/pip install -r requirements.txt\nCOPY . /app\n"
        ),
        files={"requirements.txt": "flask\n", "app.py": ""},
    ),
    Example(
        "a program is built on a stub first, with all its options",
        before=(
            "FROM rust\nCOPY . .\nRUN cargo build --release --target x86_64-unknown-linux-musl\n"
        ),
        after=(
            "FROM rust\nCOPY Cargo.toml Cargo.lock ./\nRUN mkdir -p src \\\n    "
            "&& echo 'fn main() {}' > src/main.rs \\\n    "
            "&& cargo build --release --target x86_64-unknown-linux-musl \\\n    && rm -rf "
            "target/*/.fingerprint/a-* target/*/*/.fingerprint/a-*\nCOPY . .\n"
            "RUN cargo build --release --target x86_64-unknown-linux-musl\n"
        ),
        files={"Cargo.toml": '[package]\nname = "a"\n', "Cargo.lock": "", "src/main.rs": ""},
    ),
    Example(
        "cargo install builds what it installs",
        before="FROM rust\nCOPY . .\nRUN cargo install --path .\n",
        after=(
            "FROM rust\nCOPY Cargo.toml ./\nRUN mkdir -p src \\\n    && echo 'fn main() {}' >"
            " src/main.rs \\\n    && cargo install --path . \\\n    && rm -rf"
            " target/*/.fingerprint/a-* target/*/*/.fingerprint/a-*\nCOPY . .\nRUN cargo install"
            " --path .\n"
        ),
        files={"Cargo.toml": '[package]\nname = "a"\n', "src/main.rs": ""},
    ),
    Example(
        "the manifest is copied before the source",
        before=(
            "FROM maven\nWORKDIR /app\nCOPY pom.xml ./\nCOPY src ./src\nRUN mvn package -Pprod\n"
        ),
        after=(
            "FROM maven\nWORKDIR /app\nCOPY pom.xml ./\nRUN mvn --batch-mode dependency:go-offline"
            " -Pprod\nCOPY src ./src\nRUN mvn package -Pprod\n"
        ),
        files={"pom.xml": "<project/>", "src/A.java": ""},
    ),
    Example(
        "the manifest comes behind the source, into the folder that the source made",
        before=(
            "FROM maven\nCOPY src /app/src\nCOPY pom.xml /app\nRUN mvn -f /app/pom.xml clean"
            " package\n"
        ),
        after=(
            "FROM maven\nCOPY pom.xml /app/\nRUN mvn --batch-mode dependency:go-offline -f"
            " /app/pom.xml\nCOPY src /app/src\nRUN mvn -f /app/pom.xml clean package\n"
        ),
        files={"pom.xml": "<project/>", "src/A.java": ""},
    ),
    Example(
        "a folder of its own, named by the manifest",
        before="FROM maven\nCOPY . /app\nRUN mvn -f /app/pom.xml clean package\n",
        after=(
            "FROM maven\nCOPY pom.xml /app/\nRUN mvn --batch-mode dependency:go-offline -f"
            " /app/pom.xml\nCOPY . /app\nRUN mvn -f /app/pom.xml clean package\n"
        ),
        files={"pom.xml": "<project/>", "src/A.java": ""},
    ),
    Example(
        "the manifest was copied to another folder",
        before=(
            "FROM p\nCOPY requirements.txt /tmp/\nWORKDIR /a\nCOPY . .\nRUN pip install -r"
            " requirements.txt\n"
        ),
        after=(
            "FROM p\nCOPY requirements.txt /tmp/\nWORKDIR /a\nCOPY requirements.txt ./\n"
            "RUN pip install -r requirements.txt\nCOPY . .\n"
        ),
        files={"requirements.txt": "a\n", "a.py": ""},
    ),
    Example(
        "the members of a workspace bring their manifests",
        before="FROM node:20\nCOPY . .\nRUN pnpm install\n",
        after=(
            "FROM node:20\nCOPY package.json pnpm-workspace.yaml ./\nCOPY web/package.json ./web/\n"
            "RUN pnpm install\nCOPY . .\n"
        ),
        files={
            "package.json": "{}",
            "pnpm-workspace.yaml": "packages:\n  - web\n",
            "web/package.json": "{}",
        },
    ),
)
