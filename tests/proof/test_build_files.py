"""Files of the build that lie in an image: which of them a good rewrite may leave out, and which
look like them and are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from recipes import File, Recipe, elf

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.derive import derive

ELF = File(b"\x7fELF\x02\x01\x01" + bytes(200), 0o755)
OPENED = frozenset({"/app/main.py"})
RUNS_CONTAINER = "#!/bin/sh\nset -e\ndocker build -t notes .\ndocker run --rm -p 8000:8000 notes\n"


def reason(
    view_of: Callable[..., ImageView],
    path: str,
    files: Mapping[str, str | File],
    *,
    step: str = "RUN make",
    opened: frozenset[str] | None = OPENED,
    **config: Any,
) -> str | None:
    """Why a candidate may lack this file of the original."""
    own = {"app/main.py": "import os\n", **files}
    base = {"usr/bin/python3": ELF, "bin/sh": ELF}
    layers = (("ADD rootfs /", base), ("COPY . .", own), (step, {"app/made": "x"}))
    given = {"Cmd": ["python3", "main.py"], "Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/app"}
    view = view_of(Recipe(layers, {**given, **config}), 1)
    allowances: Allowances = derive(view, view, opened)
    return allowances.drop_reason(path, opened=path in (opened or ()))


KEPT: Mapping[str, tuple[str, Mapping[str, str | File], Mapping[str, Any]]] = {
    "a script that calls docker, which the image has": (
        "/app/run.sh", {"app/run.sh": RUNS_CONTAINER, "usr/bin/docker": ELF}, {}),
    "a script that only speaks of docker": (
        "/app/tidy.sh", {"app/tidy.sh": "#!/bin/sh\n# runs beside docker run\nrm -rf /data/old\n"}, {}),
    "a script of the service's": ("/app/report.sh", {"app/report.sh": "#!/bin/sh\nconvert a.png b.pdf\n"}, {}),
    "a script that calls docker and that a source starts": (
        "/app/run.sh", {"app/run.sh": RUNS_CONTAINER, "app/jobs.py": "subprocess.run(['./run.sh'])\n"}, {}),
    "a script that calls docker and that was opened": (
        "/app/run.sh", {"app/run.sh": RUNS_CONTAINER}, {"opened": OPENED | {"/app/run.sh"}}),
    "a script, where nothing was recorded": ("/app/run.sh", {"app/run.sh": RUNS_CONTAINER}, {"opened": None}),
    "recipes that a source calls": (
        "/app/Makefile", {"app/Makefile": "report:\n\techo", "app/jobs.py": "run(['make', 'report'])\n"}, {}),
    "recipes that a script calls": (
        "/app/Makefile", {"app/Makefile": "report:\n\techo", "app/jobs.sh": "cd /app\nmake report\n"}, {}),
    "variables that a library loads": (
        "/app/.env", {"app/.env": "A=1", "app/late.py": "from dotenv import load_dotenv\n"}, {}),
    "variables that a script sources": (
        "/app/.env", {"app/.env": "A=1", "app/cron.sh": ". ./.env\nexec python3 job.py\n"}, {}),
    "variables that a model of settings reads": (
        "/app/.env", {"app/.env": "A=1", "app/late.py": "class S(BaseSettings):\n  class Config: env_file = f'{x}'\n"}, {}),
    "variables under another name that a source names": (
        "/app/prod.env", {"app/prod.env": "A=1", "app/late.py": "load(open('prod.env'))\n"}, {}),
    "variables that the start loads": (
        "/app/.env", {"app/.env": "A=1"}, {"Cmd": ["python3", "-m", "dotenv", "run", "main.py"]}),
    "variables that the program itself knows": (
        "/app/.env",
        {"app/.env": "A=1", "app/server": elf("libc.so.6", rpath="github.com/joho/godotenv")},
        {"Cmd": ["/app/server"]}),
    "an archive that nobody unpacked": ("/app/words.tar.gz", {"app/words.tar.gz": "x"}, {"step": "RUN tar xf other.tar.gz"}),
    "an archive that is handed out": (
        "/app/static/all.zip", {"app/static/all.zip": "x"}, {"step": "RUN unzip static/all.zip -d static"}),
    "an archive that is unpacked again at run time": (
        "/app/seed.zip", {"app/seed.zip": "x", "app/reset.py": "unpack('seed.zip')\n"}, {"step": "RUN unzip seed.zip"}),
    "an archive with a longer name": (
        "/app/my-seed.zip", {"app/my-seed.zip": "x"}, {"step": "RUN unzip seed.zip"}),
    "an installer that no step ran": ("/app/install.sh", {"app/install.sh": "x"}, {"step": "RUN chmod +x install.sh"}),
    "variables in a folder that is handed out": (
        "/app/.env", {"app/.env": "A=1", "app/index.html": "hi"}, {"opened": OPENED | {"/app/index.html"}}),
    "a script below a page that was read": (
        "/app/get/run.sh", {"app/get/run.sh": RUNS_CONTAINER, "app/index.html": "hi"},
        {"opened": OPENED | {"/app/index.html"}}),
    "an image that is built of it at run time": ("/app/a.dockerfile.txt", {"app/a.dockerfile.txt": "FROM x"}, {}),
    "a program named as an editor": ("/app/settings/a.py", {"app/settings/a.py": "x = 1"}, {}),
}  # fmt: skip


@pytest.mark.parametrize(("path", "files", "more"), KEPT.values(), ids=KEPT)
def test_what_looks_like_a_file_of_the_build_is_missed(
    path: str,
    files: Mapping[str, str | File],
    more: Mapping[str, Any],
    view_of: Callable[..., ImageView],
) -> None:
    assert reason(view_of, path, files, **more) is None


LEFT_OUT: Mapping[str, tuple[str, Mapping[str, str | File], Mapping[str, Any]]] = {
    "a script beside a folder of pages": (
        "/app/run.sh", {"app/run.sh": RUNS_CONTAINER, "app/public/index.html": "hi"},
        {"opened": OPENED | {"/app/public/index.html"}}),
    "a script that builds and runs the container": ("/app/run.sh", {"app/run.sh": RUNS_CONTAINER}, {}),
    "one that calls compose behind a test": (
        "/app/up.sh", {"app/up.sh": "#!/bin/bash\nif docker compose ps | grep x; then echo; fi\n"}, {}),
    "one that deploys": ("/app/deploy.sh", {"app/deploy.sh": "cd k8s && kubectl apply -f .\n"}, {}),
    "one that podman runs": ("/app/scripts/dev.bash", {"app/scripts/dev.bash": "sudo podman run -it x\n"}, {}),
    "one of another system": ("/app/run.bat", {"app/run.bat": "@echo off\r\npython main.py\r\n"}, {}),
    "two that name each other": (
        "/app/a.sh", {"app/a.sh": "docker build .\n./b.sh\n", "app/b.sh": "docker run x\n./a.sh\n"}, {}),
    "recipes": ("/app/Makefile", {"app/Makefile": "test:\n\tpytest\n"}, {}),
    "recipes that run the container": ("/app/Makefile", {"app/Makefile": "up:\n\t@docker compose up -d\n"}, {}),
    "variables that nothing reads": (
        "/app/.env", {"app/.env": "A=1", "app/late.js": "const a = process.env.A, b = import.meta.env.B\n"}, {}),
    "variables that only compose reads": (
        "/app/.env.example", {"app/.env.example": "A=1", "app/compose.yml": "env_file: .env\n"}, {}),
    "variables that only a script from outside names": (
        "/app/.env", {"app/.env": "A=1", "app/run.sh": "docker run --env-file .env x\n"}, {}),
    "a downloaded archive": (
        "/opt/jdk.tar.gz", {"opt/jdk.tar.gz": "x"}, {"step": "RUN /bin/sh -c tar -xzf /opt/jdk.tar.gz -C /opt"}),
    "a package that was installed": (
        "/opt/tool_1.2.deb", {"opt/tool_1.2.deb": "x"}, {"step": "RUN apt-get install -y /opt/tool_1.2.deb"}),
    "an installer that was run": (
        "/opt/Miniconda3.sh", {"opt/Miniconda3.sh": "x"}, {"step": "RUN /bin/sh -c bash /opt/Miniconda3.sh -b"}),
    "one that was run by its path": (
        "/app/install.sh", {"app/install.sh": "x"}, {"step": "RUN /bin/sh -c chmod +x install.sh && ./install.sh"}),
    "settings of an editor": ("/app/.vs/a.json", {"app/.vs/a.json": "{}"}, {}),
    "of a host": ("/app/bitbucket-pipelines.yml", {"app/bitbucket-pipelines.yml": "a: b"}, {}),
    "of the place where it is deployed": ("/app/fly.toml", {"app/fly.toml": "app = 'x'"}, {}),
    "the Dockerfile of another variant": ("/app/Dockerfile-dev", {"app/Dockerfile-dev": "FROM x"}, {}),
    "what bake reads": ("/app/docker-bake.hcl", {"app/docker-bake.hcl": "target x {}"}, {}),
}  # fmt: skip


@pytest.mark.parametrize(("path", "files", "more"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_file_of_the_build_is_not_missed(
    path: str,
    files: Mapping[str, str | File],
    more: Mapping[str, Any],
    view_of: Callable[..., ImageView],
) -> None:
    assert reason(view_of, path, files, **more)
