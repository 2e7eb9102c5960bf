"""Examples of heavy-light: what must not change first."""

from __future__ import annotations

from imgopt.rewrite.strategy import Example

LIST = "flask==3.0.3\nnumpy==1.26.4\ntorch==2.3.0\n"
FILES = {"requirements.txt": LIST, "app.py": "import torch\n"}
TEXT = (
    "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\n"
    'RUN pip install -r requirements.txt\nCOPY . .\nCMD ["python", "app.py"]\n'
)

PARTED = r"""COPY requirements.txt /tmp/all-packages.txt
RUN sed -e :a -e '/\\$/N;s/\\\n//;ta' /tmp/all-packages.txt \
    | sed -nE '/^((-i|--(extra-)?index-url|--trusted-host)[ =]|(torch|torchvision|torchaudio|triton"""
PARTED += r"""|nvidia[-_.][a-z0-9._-]*|tensorflow[a-z0-9._-]*\
|jax[a-z0-9._-]*|numpy|scipy|pandas|pyarrow|scikit[-_.]learn|opencv[-_.][a-z0-9._-]*\
|onnxruntime[a-z0-9._-]*|xgboost[a-z0-9._-]*|lightgbm|catboost|transformers\
|llvmlite|numba|matplotlib|pyspark|polars[a-z0-9._-]*|duckdb|playwright\
|faiss[-_.][a-z0-9._-]*|spacy|pymupdf|grpcio) *([[][^]]*[]])? *== *[^=*,;# ]+ *([;#]|--hash|$))/Ip' \
    > /tmp/heavy-packages.txt

"""
MOUNT = (
    "RUN --mount=type=bind,from=heavy-packages,source=/tmp/heavy-packages.txt,"
    "target=/tmp/heavy-packages.txt \\\n"
)


def _stays(name: str, before: str, refused: str = "", **files: str) -> Example:
    named = {key.replace("__", "."): text for key, text in files.items()}
    return Example(name, before, refused=refused, files={**FILES, **named})


EXAMPLES = (
    _stays("nothing heavy in the list", TEXT, requirements__txt="flask==3.0.3\nclick==8.1.7\n"),
    _stays("nothing light in the list", TEXT, requirements__txt="numpy==1.26.4\ntorch==2.3.0\n"),
    _stays(
        "heavy ones without a pin: a newer one may come",
        TEXT,
        requirements__txt="flask==3.0.3\ntorch\nnumpy>=1.26\nscipy==1.*\npandas===2.2\n",
    ),
    _stays(
        "an include, read from where the list lies",
        TEXT,
        "read from where it lies: `-",
        requirements__txt=f"-r base.txt\n{LIST}",
    ),
    _stays(
        "a constraint in the list",
        TEXT,
        "read from where it lies: `-",
        requirements__txt=f"-c pins.txt\n{LIST}",
    ),
    _stays(
        "a package of a local path",
        TEXT,
        "read from where it lies",
        requirements__txt=f"{LIST}./vendor/own\n",
    ),
    _stays(
        "line ends of another system",
        TEXT,
        "read from where it lies",
        requirements__txt=LIST.replace("\n", "\r\n"),
    ),
    _stays(
        "an option that installs again what is there",
        TEXT.replace("install -r", "install --upgrade -r"),
        "`--upgrade` stands beside the list",
    ),
    _stays(
        "a folder of one's own, in which nothing is found installed",
        TEXT.replace("install -r", "install --target /deps -r"),
        "`--target` stands beside the list",
    ),
    _stays(
        "a package beside the list",
        TEXT.replace("requirements.txt\nCOPY . .", "requirements.txt gunicorn\nCOPY . ."),
        "`gunicorn` stands beside the list",
    ),
    _stays(
        "a constraint beside the list",
        TEXT.replace("-r requirements.txt\n", "-r requirements.txt -c pins.txt\n"),
        "several lists",
    ),
    _stays(
        "builds that see what is installed",
        TEXT.replace("install -r", "install --no-build-isolation -r"),
        "`--no-build-isolation` stands beside the list",
    ),
    _stays(
        "a variable that does the same",
        TEXT.replace("WORKDIR", "ENV PIP_UPGRADE=1\nWORKDIR"),
        "with PIP_UPGRADE",
    ),
    _stays(
        "the installer is raised in front of it",
        TEXT.replace("RUN pip", "RUN pip install -U pip && pip"),
        "commands in front",
    ),
    _stays(
        "a step between the list and its installation",
        TEXT.replace("RUN pip", "RUN apt-get update && apt-get install -y gcc\nRUN pip"),
        "line 4 stands between",
    ),
    _stays(
        "a setting between the list and its installation",
        TEXT.replace("RUN pip", "ENV CFLAGS=-O3\nRUN pip"),
        "line 4 stands between",
    ),
    _stays(
        "a stage named by its number",
        f"FROM alpine\nRUN touch /made\n{TEXT}COPY --from=0 /made /made\n",
        "by its number",
    ),
    _stays(
        "a list that is fetched by the build",
        TEXT.replace("COPY requirements.txt .", "ADD https://example.com/requirements.txt ."),
        "no COPY of the same stage",
    ),
    _stays(
        "a manager that knows no part",
        "FROM python:3.12-slim\nCOPY pyproject.toml poetry.lock ./\nRUN poetry install\n",
        "`poetry` installs no part by itself",
        pyproject__toml="",
        poetry__lock='[[package]]\nname = "torch"\n',
    ),
    _stays(
        "another manager that knows no part",
        "FROM node:22\nCOPY package.json package-lock.json ./\nRUN npm ci\n",
        "`npm` installs no part by itself",
        **{"package__json": "{}", "package-lock__json": "{}"},
    ),
    Example(
        "a list of its own",
        TEXT,
        "FROM python:3.12-slim AS heavy-packages\n"
        + PARTED
        + TEXT.replace(
            "COPY requirements.txt",
            f"{MOUNT}    pip install --no-deps -r /tmp/heavy-packages.txt\nCOPY requirements.txt",
        ),
        files=FILES,
    ),
    Example(
        "hashes, a cache, options and what follows stay",
        "FROM python:3.12 AS app\nWORKDIR /srv\n# all of it\nCOPY . .\n"
        "RUN --mount=type=cache,target=/root/.cache/pip \\\n"
        "    pip install --no-cache-dir -r requirements.txt && rm -rf /tmp/made\n",
        "FROM python:3.12 AS heavy-packages\n"
        + PARTED
        + "FROM python:3.12 AS app\nWORKDIR /srv\n"
        + MOUNT
        + "    --mount=type=cache,target=/root/.cache/pip \\\n"
        "    pip install --no-cache-dir --no-deps -r /tmp/heavy-packages.txt\n"
        "# all of it\nCOPY . .\n"
        "RUN --mount=type=cache,target=/root/.cache/pip \\\n"
        "    pip install --no-cache-dir -r requirements.txt && rm -rf /tmp/made\n",
        files={
            "requirements.txt": "numpy==1.26.4 \\\n    --hash=sha256:aa\nflask==3 --hash=sha256:bb\n"
        },
    ),
    Example(
        "another installer of the same lists",
        "FROM python:3.12\nCOPY requirements.txt .\n"
        "RUN uv pip install --system -r requirements.txt\n",
        "FROM python:3.12 AS heavy-packages\n"
        + PARTED
        + "FROM python:3.12\n"
        + MOUNT
        + "    uv pip install --system --no-deps -r /tmp/heavy-packages.txt\n"
        "COPY requirements.txt .\nRUN uv pip install --system -r requirements.txt\n",
        files=FILES,
    ),
)
