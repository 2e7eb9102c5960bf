"""Which run time an image starts, and what its files say before anything is run."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping

import pytest
from recipes import File, Files, Recipe

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.image_view import ImageView
from imgopt.run.pictures import Process
from imgopt.run.tuning.found import find, running_workers, said_workers, server
from imgopt.run.tuning.look import archives, compilers, start_texts

BY_NAME = {one.name: one for one in builtin_ecosystems()}
JAVA = BY_NAME["java"].tuning
PROGRAM = File(b"\x7fELF", 0o755)
BASE: Files = {
    "/bin/sh": PROGRAM,
    "/bin/bash": PROGRAM,
    "/opt/java/bin/java": PROGRAM,
    "/opt/java/bin/javac": PROGRAM,
    "/usr/bin/python3.11": PROGRAM,
    "/usr/bin/node": PROGRAM,
    "/usr/bin/launcher": PROGRAM,
}
View = Callable[..., ImageView]


@pytest.fixture
def view(view_of: View) -> View:
    def make(*command: str, **files: str | bytes) -> ImageView:
        app = {f"/app/{name.replace('_', '.')}": File(text, 0o755) for name, text in files.items()}
        config = {
            "Cmd": list(command),
            "WorkingDir": "/app",
            "Env": ["PATH=/opt/java/bin:/usr/bin:/bin"],
        }
        return view_of(Recipe((("ADD rootfs", BASE), ("COPY . /app", app)), config), 1)

    return make


def process(number: int, parent: int, program: str, *words: str) -> Process:
    return Process(number, parent, program, (program.rpartition("/")[2], *words))


NPM = (
    process(1, 0, "/usr/bin/node", "/usr/lib/npm-cli.js", "start"),
    process(18, 1, "/bin/dash", "-c", "node app.js"),
    process(19, 18, "/usr/bin/node", "--max-old-space-size=300", "app.js"),
)
GUNICORN = (
    process(1, 0, "/usr/bin/python3.11", "/usr/bin/gunicorn", "-w", "3", "app:app"),
    *(
        process(n, 1, "/usr/bin/python3.11", "/usr/bin/gunicorn", "-w", "3", "app:app")
        for n in (7, 8, 9)
    ),
)
SPAWNED = (
    process(1, 0, "/usr/bin/python3.11", "/usr/bin/uvicorn", "--workers", "2", "app:app"),
    process(8, 1, "/usr/bin/python3.11", "-c", "from multiprocessing.resource_tracker import main"),
    process(9, 1, "/usr/bin/python3.11", "-c", "from multiprocessing.spawn import spawn_main; 1"),
    process(10, 1, "/usr/bin/python3.11", "-c", "from multiprocessing.spawn import spawn_main; 2"),
)


def test_behind_a_launcher_the_service_is_meant(view: View) -> None:
    found = find(view("npm", "start"), NPM)
    assert found is not None
    assert (found.ecosystem.name, found.words) == ("node", ("--max-old-space-size=300", "app.js"))


def test_behind_a_shell_the_program_is_meant(view: View) -> None:
    shell = process(1, 0, "/bin/dash", "-c", "java -jar a.jar")
    java = process(7, 1, "/opt/java/bin/java", "-Xmx1g", "-jar", "a.jar")
    found = find(view("sh", "-c", "java -Xmx1g -jar a.jar"), (shell, java))
    assert found is not None
    assert (found.program, found.words) == ("/opt/java/bin/java", ("-Xmx1g", "-jar", "a.jar"))


@pytest.mark.parametrize(("processes", "count"), [(GUNICORN, 3), (SPAWNED, 2)])
def test_workers_are_those_below_their_server(
    view: View, processes: tuple[Process, ...], count: int
) -> None:
    found = find(view("server"), processes)
    assert found is not None
    assert found.process is not None
    assert found.process.number == 1
    known = server(found.ecosystem, found.program, found.words)
    assert known is not None
    assert running_workers(known[0], found.process, processes) == count


def test_another_program_is_none(view: View) -> None:
    assert find(view("redis-server"), (process(1, 0, "/usr/bin/redis-server"),)) is None


def test_without_processes_the_start_says_it(view: View) -> None:
    found = find(view("java", "-Xmx1g", "-jar", "a.jar"), ())
    assert found is not None
    assert (found.ecosystem.name, found.words) == ("java", ("-Xmx1g", "-jar", "a.jar"))
    assert find(view("/usr/bin/launcher"), ()) is None


WORKERS: Mapping[str, tuple[str, dict[str, str], int | None]] = {
    "nothing is said": ("/usr/bin/gunicorn app:app", {}, None),
    "a computed number": ("/usr/bin/gunicorn -w $N app:app", {}, None),
    "an option": ("/usr/bin/gunicorn -w 4 app:app", {}, 4),
    "an option in one word": ("/usr/bin/gunicorn -w4 app:app", {}, 4),
    "a long option": ("/usr/bin/gunicorn --workers=9 app:app", {}, 9),
    "a module": ("-m gunicorn --workers 5 app:app", {}, 5),
    "a variable": ("/usr/bin/gunicorn app:app", {"WEB_CONCURRENCY": "6"}, 6),
    "options in a variable": ("/usr/bin/gunicorn app:app", {"GUNICORN_CMD_ARGS": "--workers=7"}, 7),
    "the option counts over the variable": (
        "/usr/bin/gunicorn -w 2 app:app",
        {"WEB_CONCURRENCY": "6"},
        2,
    ),
}


@pytest.mark.parametrize(("words", "environment", "count"), WORKERS.values(), ids=WORKERS)
def test_workers_that_a_start_asks_for(
    words: str, environment: dict[str, str], count: int | None
) -> None:
    known = server(BY_NAME["python"], "/usr/bin/python3", words.split())
    assert known is not None
    assert said_workers(known[0], known[1], environment) == count


@pytest.mark.parametrize("words", ["app.py gunicorn.conf", "-c 'gunicorn'", "-m app"])
def test_no_server_is_meant_by_other_words(words: str) -> None:
    assert server(BY_NAME["python"], "/usr/bin/python3", words.split()) is None


def test_scripts_of_the_start_are_looked_through_and_what_they_read(view: View) -> None:
    image = view(
        "./run.sh",
        run_sh="#!/bin/sh\n. ./env.sh\nexec java $OPTS -jar a.jar\n",
        env_sh="OPTS=$JAVA_OPTS\n",
        other_sh="echo $CATALINA_OPTS\n",
    )
    texts = start_texts(image, JAVA)
    assert texts is not None
    assert set(texts) == {"/app/run.sh", "/app/env.sh"}


def test_the_command_of_a_shell_is_looked_through(view: View) -> None:
    texts = start_texts(view("/bin/sh", "-c", "java $JAVA_OPTS -jar a.jar"), JAVA)
    assert texts is not None
    assert "$JAVA_OPTS" in texts["the command"]


def test_without_a_shell_nothing_is_put_in(view: View) -> None:
    assert start_texts(view("java", "$JAVA_OPTS", "-jar", "a.jar"), JAVA) == {}


def test_what_an_unknown_launcher_reads_is_not_known(view: View) -> None:
    assert start_texts(view("/usr/bin/launcher", "web"), JAVA) is None


def test_compilers_are_found(view: View) -> None:
    assert set(compilers(view("java"), JAVA)) == {"/opt/java/bin/javac"}
    assert compilers(view("python3"), BY_NAME["python"].tuning) == {}


def packed(*names: str, size: int = 2 << 20) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"\0" * size)
    return buffer.getvalue()


def test_an_archive_with_its_libraries_is_seen(view: View) -> None:
    image = view(
        "java",
        a_jar=packed("BOOT-INF/lib/x.jar", "BOOT-INF/classes/A.class"),
        thin_jar=packed("A.class"),
        small_jar=packed("BOOT-INF/lib/x.jar", size=9),
        broken_jar=b"PK",
    )
    words = ("-jar", "a.jar", "thin.jar", "small.jar", "broken.jar", "gone.jar")
    (one,) = archives(image, JAVA, words)
    assert (one.path, one.libraries) == ("/app/a.jar", 2 << 20)
