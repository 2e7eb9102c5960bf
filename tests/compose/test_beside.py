"""What of a Compose file runs beside a service, in which order, and what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from grammar import written

from imgopt.compose.companions import Beside, beside
from imgopt.compose.project import read_project

DOCKERFILE = "FROM python:3.11\nWORKDIR /app\nCOPY . .\n"


def of(
    tmp_path: Path, services: str, more: dict[str, str] | None = None, **options: bool
) -> Beside:
    files = {"compose.yaml": services, "Dockerfile": DOCKERFILE, "src/x": "", **(more or {})}
    project = read_project(written(files, tmp_path.resolve()), own=True)
    assert project is not None
    return beside(project, "web", **options)


def names(found: Beside) -> list[str]:
    return [one.name for one in found.companions]


def test_others_start_behind_what_they_wait_for(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        "services:\n  web: {build: ., depends_on: [worker, cache]}\n"
        "  worker: {image: worker, depends_on: [queue, db]}\n  cache: {image: redis}\n"
        "  db: {image: postgres}\n  queue: {image: rabbit, depends_on: [db]}\n"
        "  proxy: {image: nginx, depends_on: [web]}\n",
    )
    assert names(found) == ["db", "queue", "worker", "cache"]


def test_a_service_that_shares_the_image_runs_the_one_under_proof(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        "services:\n  web:\n    build: .\n    image: shop:1\n    depends_on:\n"
        "      migrate: {condition: service_completed_successfully}\n"
        "      seed: {condition: service_completed_successfully}\n      tool: {condition: service_started}\n"
        "  migrate: {build: ., command: up}\n  seed: {image: 'shop:1', command: seed}\n"
        "  tool: {build: {context: ., target: tool}}\n",
    )
    own = {one.name: (one.own, one.ends) for one in found.companions}
    assert own == {"migrate": (True, True), "seed": (True, True), "tool": (False, False)}
    assert str(found) == (
        "beside it run migrate (the same image, to its end), seed (the same image, to its end),"
        " tool (built here)"
    )


@pytest.mark.parametrize(
    "variable",
    [
        "DATABASE_URL: 'postgres://u:p@db:5432/x'",
        "DATABASE_URL: 'postgres://db/x'",
        "DB_HOST: db",
        "BROKERS: 'a:1,db:9092'",
        "DSN: 'user:pw@tcp(db:3306)/x?x://'",
        "ADDR: 'db:6379'",
    ],
)
def test_a_service_that_a_variable_names_as_its_host_runs_too(
    variable: str, tmp_path: Path
) -> None:
    found = of(
        tmp_path,
        f"services:\n  web: {{build: ., environment: {{{variable}}}}}\n  db: {{image: x}}\n",
    )
    assert names(found) == ["db"]


@pytest.mark.parametrize(
    "variable",
    [
        "POSTGRES_DB: db",
        "NAME: db",
        "URL: 'postgres://u:p@mydb:5432/db'",
        "URL: 'https://example.org/db'",
        "PATH: '/db:/x'",
        "TEXT: 'no db here'",
    ],
)
def test_a_word_that_is_no_host_starts_nothing(variable: str, tmp_path: Path) -> None:
    found = of(
        tmp_path,
        f"services:\n  web: {{build: ., environment: {{{variable}}}}}\n  db: {{image: x}}\n",
    )
    assert names(found) == []


def test_another_name_of_a_service_counts(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        "services:\n  web: {build: ., environment: {URL: 'redis://store:6379'}}\n"
        "  a: {image: x, networks: {default: {aliases: [store]}}}\n"
        "  b: {image: x, container_name: other}\n",
    )
    assert names(found) == ["a"]


def test_a_development_mount_is_left_out_with_the_volumes_below_it(tmp_path: Path) -> None:
    services = (
        "services:\n  web:\n    build: .\n    volumes:\n      - .:/app\n      - /app/node_modules\n"
        "      - ./src:/app/src\n      - data:/app/data\n      - ./app.conf:/etc/app.conf:ro\n"
        "volumes: {data: }\n"
    )
    found = of(tmp_path, services, {"app.conf": "x"})
    assert [mount.target for mount in found.service.mounts] == ["/app/data", "/etc/app.conf"]
    assert found.hidden == ("/app", "/app/src") and "left out of the run" in found.notes[0]
    kept = of(tmp_path, services, {"app.conf": "x"}, mounts=True)
    assert len(kept.service.mounts) == 5 and kept.notes == ()


def test_a_folder_that_the_image_has_not_is_mounted(tmp_path: Path) -> None:
    services = (
        "services:\n  web:\n    build: .\n    volumes: ['./media:/media', '../other:/other']\n"
    )
    more = {"media/a.png": "x", ".dockerignore": "media\n"}
    found = of(tmp_path, services, more)
    assert [mount.target for mount in found.service.mounts] == ["/media", "/other"]


def test_a_folder_that_only_some_lines_copy_is_told_apart(tmp_path: Path) -> None:
    services = "services:\n  web:\n    build: .\n    volumes: ['./src:/srv', './seed:/seed']\n"
    text = "FROM scratch\nCOPY --from=x ./seed /seed\nCOPY ./src/ package.json /app/\n"
    found = of(tmp_path, services, {"Dockerfile": text, "seed/x": "", "package.json": "{}"})
    assert [mount.target for mount in found.service.mounts] == ["/seed"]


def test_the_engine_is_not_handed_on_and_a_gpu_is_not_promised(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        "services:\n  web:\n    build: .\n    gpus: all\n    privileged: true\n"
        "    volumes: ['/var/run/docker.sock:/var/run/docker.sock']\n",
    )
    assert found.service.mounts == ()
    assert found.notes == (
        "left out of the run: the engine's socket",
        "no privileges of this machine are given to the run",
        "no GPU is given to the run",
    )


def test_what_only_a_variable_names_or_need_not_be_there_is_not_needed(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        "services:\n  web:\n    build: .\n    environment: {TRACES: 'http://otel:4317'}\n"
        "    depends_on: {db: {condition: service_started}, mail: {condition: service_started, required: false}}\n"
        "  db: {image: x}\n  mail: {image: x}\n  otel: {image: x}\n",
    )
    needed = {one.name: one.needed for one in found.companions}
    assert needed == {"db": True, "mail": False, "otel": False}


@pytest.mark.parametrize(
    ("copies", "hidden"),
    [
        ("COPY requirements.txt .", False),
        ("COPY package*.json pnpm-lock.yaml ./", False),
        ("COPY --from=tools /x /x\nRUN true", False),
        ("COPY . .", True),
        ("COPY ./src /app/src", True),
        ("COPY requirements.txt app.py ./", True),
        ("COPY manage ./", True),
    ],
)
def test_an_image_without_its_sources_is_run_over_the_mount_that_brings_them(
    copies: str, hidden: bool, tmp_path: Path
) -> None:
    services = "services:\n  web:\n    build: .\n    volumes: ['.:/app']\n"
    found = of(tmp_path, services, {"Dockerfile": f"FROM python:3.11\n{copies}\n"})
    assert bool(found.hidden) == hidden
    assert len(found.service.mounts) == (0 if hidden else 1)


HOSTS = "services:\n  web: {build: .}\n  cache: {image: redis}\n  proxy: {image: nginx, depends_on: [web]}\n"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("const cache = require('cache')\n", []),
        ("import { get } from 'cache'\nfrom cache import x\n", []),
        ("# the cache, and proxy\n", []),
        ("fetch('http://proxy:80/')\n", []),
        ("createClient({ host: 'cache', port: 6379 })\n", ["cache"]),
        ("redis.connect('cache:6379')\n", ["cache"]),
        ("url=redis://cache:6379/0\n", ["cache"]),
        ("jdbc:postgresql://user@cache/db\n", ["cache"]),
    ],
)
def test_a_service_that_the_sources_name_as_a_host_runs_too(
    tmp_path: Path, source: str, found: list[str]
) -> None:
    beside_it = of(tmp_path, HOSTS, {"src/app.js": source})
    assert names(beside_it) == found
    assert not any(one.needed for one in beside_it.companions)


def test_a_file_that_is_not_sent_to_the_build_names_nothing(tmp_path: Path) -> None:
    more = {"src/app.js": "fetch('http://cache/')\n", ".dockerignore": "src\n"}
    assert names(of(tmp_path, HOSTS, more)) == []
