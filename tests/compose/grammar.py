"""Small Compose files, one for each part of the grammar, and what Compose itself made of them.

`python tests/compose/grammar.py` asks an installed Compose again and writes grammar.json anew.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from imgopt.compose.project import read_project
from imgopt.errors import InputError

GOLDEN = Path(__file__).with_name("grammar.json")
ENVIRONMENT = {"SHELL_SAYS": "from the shell", "EMPTY": "", "HOME": "/home/someone"}
WEB = "services:\n  web:\n    build: .\n"

GOOD: dict[str, dict[str, str]] = {
    "the smallest": {"compose.yaml": WEB},
    "the old name and a version": {"docker-compose.yml": 'version: "3.9"\n' + WEB},
    "an override beside it": {
        "compose.yaml": WEB
        + "    environment: {A: 1, B: 2}\n    ports: ['80:80']\n    command: one two\n",
        "compose.override.yaml": "services:\n  web:\n    environment: [B=3, C=4]\n"
        "    ports: ['81:81', '80:80']\n    command: [three]\n    build: {target: dev}\n",
    },
    "COMPOSE_FILE in .env": {
        ".env": "COMPOSE_FILE=base.yml:prod.yml\n",
        "base.yml": WEB,
        "prod.yml": "services:\n  web:\n    build:\n      args: [MODE=prod]\n",
    },
    "profiles": {
        "compose.yaml": WEB
        + "  debug:\n    image: busybox\n    profiles: [debug, all]\n    depends_on: [web]\n"
    },
    "extends in the same file": {
        "compose.yaml": "services:\n  base:\n    build: {context: ., args: {A: 1}}\n"
        "    environment: {X: x}\n    volumes: ['./a:/a']\n"
        "  web:\n    extends: {service: base}\n    build: {args: {B: 2}}\n"
        "    environment: {Y: y}\n    volumes: ['./b:/a', './c:/c']\n"
    },
    "extends another file, whose paths are its own": {
        "compose.yaml": "services:\n  web:\n    extends: {file: common/base.yaml, service: app}\n"
        "    ports: ['8000']\n",
        "common/base.yaml": "services:\n  app:\n    build: ./app\n    env_file: app.env\n"
        "    volumes: ['./data:/data']\n    healthcheck: {test: [CMD, 'true'], retries: 2}\n",
        "common/app.env": "FROM_FILE=1\n",
    },
    "include, the short form": {
        "compose.yaml": "include: [infra/compose.yaml]\n" + WEB + "    depends_on: [db]\n",
        "infra/compose.yaml": "services:\n  db:\n    image: postgres:${PG:-16}\n"
        "    volumes: ['./init:/docker-entrypoint-initdb.d:ro', 'data:/d']\nvolumes: {data: {}}\n",
        "infra/.env": "PG=17\n",
    },
    "include, the long form": {
        "compose.yaml": "include:\n  - path: [infra/a.yaml, infra/b.yaml]\n"
        "    project_directory: .\n    env_file: infra/x.env\n" + WEB,
        "infra/a.yaml": "services:\n  db:\n    image: db:$V\n    volumes: ['./x:/x']\n",
        "infra/b.yaml": "services:\n  db:\n    environment: {B: 1}\n",
        "infra/x.env": "V=3\n",
    },
    "anchors and merge keys": {
        "compose.yaml": "x-env: &env\n  A: 1\n  B: two\nx-app: &app\n  build: .\n  user: '1000'\n"
        "services:\n  web:\n    <<: *app\n    environment:\n      <<: *env\n      B: three\n"
        "  worker:\n    <<: [*app, {command: work}]\n"
    },
    "defaults, required and alternative values": {
        "compose.yaml": WEB + "    environment:\n      A: ${NOT_SET:-a default}\n"
        "      B: ${NOT_SET-}\n      C: ${EMPTY:-was empty}\n      D: ${EMPTY-not this}\n"
        "      E: ${SHELL_SAYS:+instead}\n      F: ${SHELL_SAYS:?must be}\n      G: $SHELL_SAYS!\n"
        "      H: $$HOME and $${HOME}\n      I: ${NOT_SET:-${SHELL_SAYS}}\n"
        "      J: ${NOT_SET:+never}\n"
    },
    ".env, with quotes and comments": {
        ".env": "# ours\nexport A=one # not this\nB='single $A' \nC=\"double $A\\n\"\nD=\nE = spaced \n"
        "F=a#b\nSHELL_SAYS=from the file\n",
        "compose.yaml": WEB
        + "    environment: {A: '$A', B: '$B', C: '$C', D: '${D}', E: '$E', F: '$F', S: '$SHELL_SAYS'}\n",
    },
    "env_file, long and short": {
        "compose.yaml": WEB + "    env_file:\n      - a.env\n      - path: b.env\n"
        "      - {path: nowhere.env, required: false}\n    environment: {C: mine}\n",
        "a.env": "A=1\nC=theirs\nSHELL_SAYS\n",
        "b.env": 'A=2\nURL="postgres://u:p@db/x?y=z"\n',
    },
    "a variable of the caller's": {
        "compose.yaml": WEB + "    environment:\n      - SHELL_SAYS\n      - NOT_SET\n      - B=\n"
    },
    "words of YAML 1.1 are texts": {
        "compose.yaml": WEB
        + "    environment: {A: yes, B: off, C: true, D: 1.0, E: 012, F: null}\n"
        "    ports:\n      - 22:22\n      - 3000\n"
    },
    "a build in the long form": {
        "compose.yaml": "services:\n  web:\n    build:\n      context: ./web\n"
        "      dockerfile: docker/Dockerfile.prod\n      target: run\n"
        "      args: {A: 1, SHELL_SAYS: , B: '${NOT_SET:-b}'}\n      network: host\n"
        "      shm_size: 64m\n      extra_hosts: ['db=10.0.0.1', 'old:10.0.0.2']\n"
        "      platforms: [linux/amd64, linux/arm64]\n      cache_from: [x]\n      pull: true\n"
        "      labels: {a: b}\n      tags: [x/y:z]\n      no_cache: true\n"
    },
    "the Dockerfile above the context": {
        "compose.yaml": "services:\n  web:\n    build: {context: src, dockerfile: ../Dockerfile.web}\n"
    },
    "an inline Dockerfile": {
        "compose.yaml": "services:\n  web:\n    build:\n      context: .\n"
        "      dockerfile_inline: |\n        FROM busybox\n        RUN echo $$HOME\n"
    },
    "additional contexts": {
        "compose.yaml": "services:\n  web:\n    build:\n      context: .\n      additional_contexts:\n"
        "        - shared=../shared\n        - alpine=docker-image://alpine:3\n"
        "        - git=https://example.org/x.git\n  base: {build: base}\n"
        "  top:\n    build: {context: ., additional_contexts: {base: 'service:base'}}\n"
    },
    "secrets and SSH of a build": {
        "compose.yaml": "services:\n  web:\n    build:\n      context: .\n      ssh: [default, key=./id]\n"
        "      secrets:\n        - npm\n        - {source: token, target: /run/secrets/tok}\n"
        "secrets:\n  npm: {file: ./npmrc}\n  token: {environment: TOKEN}\n"
    },
    "secrets and configs of a service": {
        "compose.yaml": WEB + "    secrets: [pw, {source: key, target: /etc/key, mode: 0400}]\n"
        "    configs:\n      - {source: conf, target: /etc/app.conf}\n      - said\n"
        "secrets: {pw: {file: pw.txt}, key: {file: ./k}}\n"
        "configs: {conf: {file: ./app.conf}, said: {content: 'a=${EMPTY:-1}'}}\n"
    },
    "ports in every form": {
        "compose.yaml": WEB
        + "    ports:\n      - '8000'\n      - '8001:80'\n      - '127.0.0.1:8002:81'\n"
        "      - '9000-9002:9000-9002'\n      - '53:53/udp'\n      - '[::1]:8003:82'\n"
        "      - {target: 83, published: '8083', protocol: tcp, mode: host}\n"
        "    expose: ['7000', 7001]\n"
    },
    "volumes in every form": {
        "compose.yaml": WEB
        + "    volumes:\n      - /anonymous\n      - named:/n\n      - ./rel:/r:ro\n"
        "      - ~/home:/h\n      - /abs:/abs:rw,z\n      - {type: bind, source: ./b, target: /b}\n"
        "      - {type: tmpfs, target: /t, tmpfs: {size: 1000}}\n"
        "      - {type: volume, source: named, target: /n2, read_only: true, volume: {nocopy: true}}\n"
        "    tmpfs: [/run, '/tmp:size=64m']\nvolumes: {named: }\n"
    },
    "depends_on with conditions": {
        "compose.yaml": WEB
        + "    depends_on:\n      db: {condition: service_healthy, restart: true}\n"
        "      migrate: {condition: service_completed_successfully}\n      cache: {condition: service_started, required: false}\n"
        "  db:\n    image: postgres:16\n    healthcheck: {test: pg_isready -U $$POSTGRES_USER, interval: 2s, "
        "timeout: 1m30s, retries: 5, start_period: 500ms, start_interval: 0.5s}\n"
        "  migrate: {build: ., command: alembic upgrade head, depends_on: [db]}\n  cache: {image: redis}\n"
    },
    "health: none and disabled": {
        "compose.yaml": WEB + "    healthcheck: {disable: true}\n  b:\n    image: b\n"
        "    healthcheck: {test: [NONE]}\n"
    },
    "links and a shared network imply an order": {
        "compose.yaml": WEB + "    links: ['db:database']\n  db: {image: db}\n"
        "  side: {image: side, network_mode: 'service:web'}\n"
        "  files: {image: f, volumes_from: ['web:ro']}\n"
    },
    "networks and aliases": {
        "compose.yaml": WEB + "    networks: {back: {aliases: [www, api]}, front: }\n"
        "    container_name: shop-web\n    hostname: web.local\n  b: {image: b, networks: [back]}\n"
        "networks: {back: {internal: true}, front: }\n"
    },
    "a GPU that is asked for": {
        "compose.yaml": WEB
        + "    deploy:\n      resources:\n        limits: {memory: 1g}\n        reservations:\n"
        "          devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]\n  llm: {image: l, gpus: all}\n"
    },
    "develop.watch": {
        "compose.yaml": WEB
        + "    develop:\n      watch:\n        - {action: sync, path: ./src, target: /app, "
        "ignore: [node_modules/]}\n        - {action: rebuild, path: package.json}\n"
    },
    "user, folder, rights and limits": {
        "compose.yaml": WEB
        + "    user: 1000:1000\n    working_dir: /srv\n    read_only: true\n    init: true\n"
        "    stop_grace_period: 1m\n    cap_drop: [ALL]\n    security_opt: [no-new-privileges:true]\n"
        "    entrypoint: /bin/sh -c 'exec \"$$@\"' --\n    command: ['a b', c]\n    mem_limit: 512m\n"
        "    ulimits: {nofile: {soft: 1, hard: 2}}\n    extra_hosts: {host: 10.0.0.1}\n    restart: always\n"
    },
    "!reset and !override": {
        "compose.yaml": WEB
        + "    ports: ['80:80']\n    environment: {A: 1, B: 2}\n    user: root\n",
        "compose.override.yaml": "services:\n  web:\n    ports: !override ['90:90']\n"
        "    user: !reset null\n    environment: {A: !reset null}\n",
    },
    "a name, x- keys and an empty service section": {
        "compose.yaml": "name: shop-${EMPTY:-prod}\nx-a: {b: c}\n"
        + WEB
        + "    x-own: 1\n    labels: {a: 1}\n"
    },
    "an image and a build": {
        "compose.yaml": WEB + "    image: registry.example.org/web:1\n    pull_policy: build\n"
    },
    "texts over several lines": {
        "compose.yaml": WEB + "    command: >\n      serve ${NOT_SET:-all}\n      --port 80\n"
        "    environment:\n      A: |\n        one\n        two\n      B: >-\n        three\n        four\n"
    },
    "folders with a slash at their end": {
        "compose.yaml": WEB + "    volumes: ['./a/:/a/', '/b/:/b/', './c/../d:/e/../f']\n"
    },
    "lines of Windows": {
        "compose.yaml": (WEB + "    environment:\n      - A=1\n").replace("\n", "\r\n")
    },
}

REFUSED: dict[str, dict[str, str]] = {
    "no YAML": {"compose.yaml": "services:\n  web:\n    build: .\n   b: x\n"},
    "an unknown key": {"compose.yaml": WEB + "    enviroment: {A: 1}\n"},
    "an unknown key of a build": {
        "compose.yaml": "services:\n  web:\n    build:\n      contxt: .\n"
    },
    "a key that is there twice": {"compose.yaml": WEB + "    build: x\n"},
    "ports that are no list": {"compose.yaml": WEB + "    ports: 80\n"},
    "a variable that must be set": {
        "compose.yaml": WEB + "    environment:\n      A: ${NOT_SET:?say it}\n"
    },
    "a brace that is not closed": {"compose.yaml": WEB + "    environment:\n      A: '${B'\n"},
    "an undefined service": {"compose.yaml": WEB + "    depends_on: [db]\n"},
    "an undefined network": {"compose.yaml": WEB + "    networks: [back]\n"},
    "an undefined volume": {"compose.yaml": WEB + "    volumes: ['data:/data']\n"},
    "an undefined secret": {"compose.yaml": WEB + "    secrets: [pw]\n"},
    "neither image nor build": {"compose.yaml": "services:\n  web:\n    ports: ['80']\n"},
    "a circle": {"compose.yaml": WEB + "    depends_on: [b]\n  b: {image: b, depends_on: [web]}\n"},
    "an env_file that is not there": {
        "compose.yaml": WEB + "    env_file: .env.prod\n",
        ".env.prod.example": "",
    },
    "extends what is not there": {"compose.yaml": WEB + "    extends: {service: base}\n"},
    "a port that is none": {"compose.yaml": WEB + "    ports: ['80:http']\n"},
}


def written(files: Mapping[str, str], folder: Path) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


def told(folder: Path, *, own: bool) -> Any:
    """The services as plain values, the folder's own path left out; for what is refused its
    line."""
    folder = folder.resolve()
    try:
        project = read_project(folder, own=own)
    except InputError as error:
        assert error.location is not None
        return {"refused": error.message.replace(str(folder), "."), "line": error.location.line}
    assert project is not None
    plain = msgspec.to_builtins(dict(sorted(project.services.items())), enc_hook=str)
    text = (
        json.dumps(plain, sort_keys=True)
        .replace(f"{folder.parent}/", "../")
        .replace(f"../{folder.name}", ".")
    )
    return json.loads(text)


def main() -> None:
    os.environ.update(ENVIRONMENT)
    os.environ.pop("NOT_SET", None)
    found = {}
    for name, files in {**GOOD, **REFUSED}.items():
        with tempfile.TemporaryDirectory(prefix="grammar") as folder:
            found[name] = told(written(files, Path(folder)), own="--own" in sys.argv)
    GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
