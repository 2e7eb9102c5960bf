"""Whatever file comes in: a plan is valid, says why each line changed, and twice is once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import parse
from imgopt.rewrite.plan import make_plan
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.variants import choose_variants, strategies_of

LINES = [
    "WORKDIR /app",
    "WORKDIR sub",
    "COPY . .",
    "COPY . /app",
    "copy ./ ./",
    "ADD . /src",
    "COPY requirements.txt .",
    "COPY package*.json ./",
    "COPY --chown=node:node . .",
    "COPY --from=0 /a /b",
    "RUN pip install -r requirements.txt",
    "RUN  pip3 install --upgrade pip && pip3 install -r requirements.txt && python setup.py build",
    "run npm install",
    "RUN npm ci && npm run build",
    "RUN cd /app && npm ci",
    "RUN apt-get update",
    "RUN apt-get install -y curl git",
    "RUN apt-get update && \\\n    # tools\n    apt-get install -y \\\n      curl \\\n\n      git",
    "RUN rm -rf /var/lib/apt/lists/*",
    "RUN chown -R node:node /app",
    "RUN go build -o /bin/app ./...",
    "RUN cargo build --release",
    "RUN mvn -q package",
    "RUN <<EOF\npip install -r requirements.txt\nEOF",
    "RUN --mount=type=cache,target=/root/.cache/pip pip install flask",
    'RUN ["pip", "install", "flask"]',
    "RUN set -eux; make -C /app || true",
    "ENV A=1 B=two",
    "ENV PATH=$PATH:/opt",
    "ARG VERSION=1",
    "USER node",
    "EXPOSE 8000",
    "# a comment",
    "",
    "CMD python app.py",
    'CMD ["npm", "start"]',
    "CMD exec gunicorn -b :$PORT app",
    "ENTRYPOINT ./entry.sh",
    "HEALTHCHECK CMD curl -f http://localhost/",
    "FROM node:20-slim AS web",
    "FROM 0",
]
FILES = {
    "requirements.txt": "flask\n",
    "package.json": '{"dependencies": {}}',
    "package-lock.json": "{}",
    "go.mod": "module a\n",
    "go.sum": "x\n",
    "Cargo.toml": '[package]\nname = "a"\n',
    "Cargo.lock": "",
    "pom.xml": "<project/>",
    "src/main.rs": "",
    "app.py": "",
    ".git/HEAD": "ref",
    "Dockerfile": "",
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ContextFiles:
    folder: Path = tmp_path_factory.mktemp("context")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return ContextFiles(folder, {name: len(text) for name, text in FILES.items()})


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(LINES), max_size=14), st.sampled_from(["\n", "\r\n"]))
def test_a_static_plan_of_any_file(context: ContextFiles, lines: list[str], eol: str) -> None:
    text = "\n".join(["# syntax=docker/dockerfile:1", "FROM python:3.12", *lines, ""]).replace(
        "\n", eol
    )
    if parse(text).errors:
        return
    project = Project(context, builtin_ecosystems())
    strategies = strategies_of(choose_variants(["safe"])[0], (), ())
    plan = make_plan(text, project, strategies)
    assert not parse(plan.dockerfile).errors, plan.dockerfile
    assert ("\r\n" in plan.dockerfile.replace("\r\n", "")) is False
    if not plan.changes:
        assert plan.dockerfile == text
    for change in plan.changes:
        assert change.because
        assert change.line is None or 1 <= change.line <= text.count("\n") + 1
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert all(line in plan.dockerfile for line in comments)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(LINES), max_size=10))
def test_planning_goes_on_to_a_fixed_point(context: ContextFiles, lines: list[str]) -> None:
    text = "\n".join(["FROM python:3.12", *lines, ""])
    if parse(text).errors:
        return
    strategies = strategies_of(choose_variants(["safe"])[0], (), ())
    ignore = context.ignore
    # a chown that joins its COPY lets an installation pass it, which is cut from its build
    for _ in range(3):
        plan = make_plan(
            text,
            Project(ContextFiles(context.root, context.sizes, ignore), builtin_ecosystems()),
            strategies,
        )
        if (plan.dockerfile, plan.ignore) == (text, ignore):
            return
        text, ignore = plan.dockerfile, plan.ignore
    pytest.fail(f"it never comes to rest:\n{text}")
