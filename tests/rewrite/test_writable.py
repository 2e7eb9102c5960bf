"""Who is not root any more may write where the application writes, though no probe asked it to."""

from __future__ import annotations

import http.client
import time
from dataclasses import replace
from pathlib import Path

import pytest

from imgopt.config import Config
from imgopt.engine import RunRequest, Session
from imgopt.image.entries import Entry
from imgopt.image.tree import Node, Tree
from imgopt.loop.attempt import prove_plan
from imgopt.loop.original import measure_original
from imgopt.loop.request import OptimizeRequest, Silent
from imgopt.rewrite.final.fates import Carved, PathFact
from imgopt.rewrite.final.final_stage import Copy, FinalStage, Folder
from imgopt.rewrite.final.owning import entered_by_all, owned_by, special_folders, with_owners
from imgopt.rewrite.final.writable import Writable
from imgopt.strategies.variants import choose_variants

from .kit import project


def stage(*copies: Copy, shell: bool = True, links: tuple[str, ...] = ()) -> FinalStage:
    return FinalStage("builder", "base", shell, Carved({}, {}), copies=copies, links=links)


def text(final: FinalStage) -> str:
    return final.render_builder_middle() + final.render_builder_tail() + final.render()


def test_a_folder_gets_its_owner_while_it_is_copied() -> None:
    final = owned_by(stage(Copy(("/app",), "/app")), Writable(("/app",)), 7, None)
    assert text(final) == "FROM base\nCOPY --from=builder --chown=7:7 /app /app\n"


def test_parts_of_a_folder_give_their_owner_to_the_folder_that_they_make() -> None:
    final = owned_by(
        stage(Copy(("/app/a", "/app/b"), "/app/"), Copy(("/usr/x",), "/usr/x")),
        Writable(("/app",)),
        7,
        None,
    )
    assert text(final) == (
        "FROM base\nCOPY --from=builder --chown=7:7 /app/a /app/b /app/\nCOPY --from=builder /usr/x /usr/x\n"
    )


def test_a_folder_of_which_nothing_is_copied_is_made_empty() -> None:
    final = owned_by(stage(Copy(("/bin/x",), "/bin/x")), Writable(("/data",)), 7, None)
    assert text(final) == (
        "RUN mkdir -p /staging/empty\nFROM base\nCOPY --from=builder --chown=7:7 /staging/empty /data\n"
        "COPY --from=builder /bin/x /bin/x\n"
    )


def test_a_part_of_a_folder_that_is_copied_whole_gets_its_owner_in_the_builder() -> None:
    final = owned_by(stage(Copy(("/srv",), "/srv")), Writable(("/srv/in",), ("/srv/log",)), 7, None)
    assert text(final) == (
        "RUN mkdir -p /srv/in && chown -R 7:7 /srv/in && chown 7:7 /srv/log\nFROM base\nCOPY --from=builder /srv /srv\n"
    )


def test_links_that_are_gathered_do_not_take_a_folder_away() -> None:
    copies = (Copy(("/app/a",), "/app/a"), Copy(("/staging/root/",), "/"))
    final = owned_by(stage(*copies, links=("/app/l",)), Writable(("/app",)), 7, None)
    assert text(final).startswith(
        "RUN mkdir -p /staging/root/app && chown -R 7:7 /staging/root/app\n"
    )


def test_a_folder_of_the_base_gets_its_owner_before_anything_is_copied_into_it() -> None:
    root = Node("/", "dir", Entry("/", "dir"), None, None)
    root.children = {"data": Node("/data", "dir", Entry("/data", "dir"), None, root)}
    base = Tree(root)
    final = owned_by(stage(Copy(("/data/model",), "/data/model")), Writable(("/data",)), 7, base)
    assert text(final) == (
        "FROM base\nRUN mkdir -p /data && chown -R 7:7 /data\nCOPY --from=builder --chown=7:7 /data/model /data/model\n"
    )


def test_a_folder_that_a_package_may_bring_gets_its_owner_behind_the_installation() -> None:
    final = replace(
        stage(Copy(("/bin/x",), "/bin/x")), packages=("fontconfig",), install="apk add {packages}"
    )
    owned = owned_by(final, Writable(("/data",), ("/var/cache/fontconfig",)), 7, None)
    assert text(owned).endswith(
        "RUN mkdir -p /data && chown -R 7:7 /data\n"
        "RUN mkdir -p /var/cache/fontconfig && chown 7:7 /var/cache/fontconfig\n"
        "COPY --from=builder /bin/x /bin/x\n"
    )


def test_a_users_folder_is_the_users_again() -> None:
    rows = [
        ("/app", "dir", 7),
        ("/app/a", "file", 7),
        ("/app/d", "dir", 7),
        ("/app/d/x", "file", 7),
    ]
    rows += [
        ("/app/e", "dir", 7),
        ("/app/e/root", "file", 0),
        ("/srv", "dir", 0),
        ("/srv/b", "file", 7),
    ]
    facts = {path: PathFact(path, kind, 1, 1, uid=uid, gid=uid) for path, kind, uid in rows}
    copies = [Copy((path,), path) for path in ("/app/a", "/app/d", "/srv/b")]
    assert [copy.chown for copy in with_owners(copies, facts)] == ["7:7", "7:7", ""]
    mixed = with_owners([Copy(("/app/e",), "/app/e")], facts)
    assert mixed == (
        Copy(("/staging/empty",), "/app/e", chown="7:7"),
        Copy(("/app/e",), "/app/e"),
    )


def test_a_folder_that_is_open_to_everybody_stays_open() -> None:
    rows = [
        ("/data", "dir", 0o777),
        ("/data/a", "file", 0o644),
        ("/app", "dir", 0o1777),
        ("/app/x", "file", 0o755),
    ]
    rows += [
        ("/srv", "dir", 0o755),
        ("/srv/in", "dir", 0o777),
        ("/var", "dir", 0o777),
        ("/var/a", "file", 0o644),
    ]
    facts = {path: PathFact(path, kind, 1, 1, mode=mode) for path, kind, mode in rows}
    root = Node("/", "dir", Entry("/", "dir"), None, None)
    root.children = {"var": Node("/var", "dir", Entry("/var", "dir"), None, root)}
    copies = [Copy((path,), path) for path in ("/data", "/app/x", "/srv", "/var/a")]
    found = special_folders(copies, facts, Tree(root), shell=True)
    assert found == (Folder("/app", 0o1777), Folder("/data", 0o777))
    final = replace(stage(*copies[:1]), folders=found[1:])
    assert text(final) == (
        "FROM base\nCOPY --from=builder /data /data\nRUN install -d -o 0 -g 0 -m 777 /data\n"
    )


def test_a_folder_that_copy_makes_as_it_was_gets_no_step() -> None:
    rows = [("/app", 0, 0o755), ("/app/x", 0, 0o644), ("/own", 7, 0o755), ("/own/x", 7, 0o600)]
    facts = {
        path: PathFact(path, "file" if "x" in path else "dir", 1, 1, mode=mode, uid=uid, gid=uid)
        for path, uid, mode in rows
    }
    base = Tree(Node("/", "dir", Entry("/", "dir"), None, None))
    copies = with_owners([Copy(("/app",), "/app"), Copy(("/own",), "/own")], facts)
    assert special_folders(copies, facts, base, shell=True) == ()


def test_a_folder_of_a_group_keeps_group_and_mode() -> None:
    rows = [("/srv/pool", 1600, 0o2770), ("/tmp", 0, 0o1777), ("/tmp/in", 33, 0o775)]
    facts = {path: PathFact(path, "dir", 0, 1, mode=mode, gid=gid) for path, gid, mode in rows}
    root = Node("/", "dir", Entry("/", "dir"), None, None)
    root.children = {"tmp": Node("/tmp", "dir", Entry("/tmp", "dir", mode=0o1777), None, root)}
    copies = [Copy((path,), path) for path in ("/srv/pool", "/tmp/in")]
    found = special_folders(copies, facts, Tree(root), shell=True)
    assert found == (Folder("/srv/pool", 0o2770, 0, 1600), Folder("/tmp/in", 0o775, 0, 33))
    # what comes by a copy brings its parents' attributes too: those of the original
    bare = special_folders(copies, facts, Tree(root), shell=False)
    assert text(replace(stage(*copies, shell=False), folders=bare)) == (
        "RUN install -d -o 0 -g 1600 -m 2770 /staging/folders/srv/pool \\\n"
        " && install -d -o 0 -g 0 -m 1777 /staging/folders/tmp \\\n"
        " && install -d -o 0 -g 33 -m 775 /staging/folders/tmp/in\n"
        "FROM base\nCOPY --from=builder /srv/pool /srv/pool\nCOPY --from=builder /tmp/in /tmp/in\n"
        "COPY --from=builder /staging/folders/ /\n"
    )


def test_a_group_s_folder_that_the_new_user_owns_keeps_its_group() -> None:
    final = replace(stage(Copy(("/pool",), "/pool")), folders=(Folder("/pool", 0o2770, 0, 1600),))
    owned = owned_by(final, Writable(("/pool",)), 7, None)
    assert owned.folders == (Folder("/pool", 0o2770, 7, 1600),)


SERVICE = """\
import http.server, getpass, os, pathlib, signal, tempfile

signal.signal(signal.SIGTERM, lambda *words: os._exit(0))

class Notes(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.say("notes")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.store(body)
            self.say("stored")
        except Exception as error:
            self.say(repr(error), 500)

    def store(self, body):
        if self.path == "/beside":
            open("notes.txt", "ab").write(body)
        if self.path == "/source":
            open("server.py", "ab").close()
        if self.path == "/folder":
            os.makedirs("uploads/today", exist_ok=True)
            open("uploads/today/x", "ab").write(body)
        if self.path == "/data":
            open("/data/in/x", "ab").write(body)
        if self.path == "/log":
            open("/var/log/notes.log", "ab").write(body)
        if self.path == "/volume":
            open("/state/x", "ab").write(body)
        if self.path == "/home":
            (pathlib.Path.home() / ".notes").write_bytes(body)
        if self.path == "/name":
            getpass.getuser()
        if self.path == "/temporary":
            tempfile.NamedTemporaryFile().write(body)

    def say(self, text, code=200):
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("", 8000), Notes).serve_forever()
"""
WRITER = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /app\nRUN mkdir -p /data/in && ln -s server.py main.py\nVOLUME /state\n"
    "COPY server.py .\nEXPOSE 8000\nCMD python3 main.py\n",
    "server.py": SERVICE,
}
PLACES = ("beside", "source", "folder", "data", "log", "volume", "home", "name", "temporary")


def post(port: int, path: str) -> tuple[int, str]:
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("POST", path, b"x")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            time.sleep(0.2)
    return 0, "no answer"


@pytest.mark.engine
def test_a_service_may_write_wherever_it_could_as_root(
    session: Session, bases: dict[str, str], tmp_path: Path
) -> None:
    folder = project(tmp_path, WRITER)
    request = OptimizeRequest(folder, folder / "Dockerfile", Config(bases=bases))
    original = measure_original(session, request, request.source(), Silent())
    for name in ("slim", "distroless"):
        proven = prove_plan(session, request, original, choose_variants([name])[0], Silent())
        assert proven.verdict == "proven", [name, proven.failure, *map(str, proven.items)]
        assert (
            proven.build is not None
            and proven.build.image_id is not None
            and proven.image is not None
        )
        assert proven.image.config.user not in ("", "0", "root")
        with session.create(RunRequest(proven.build.image_id, ports=("8000/tcp",))) as container:
            container.start()
            port = container.ports()["8000/tcp"]
            assert {place: post(port, f"/{place}") for place in PLACES} == dict.fromkeys(
                PLACES, (200, "stored")
            )


@pytest.mark.parametrize("shell", [True, False])
def test_a_closed_home_folder_is_opened_with_and_without_a_shell(shell: bool) -> None:
    final = entered_by_all(stage(shell=shell), "/root")
    whole = final.render_builder_middle() + final.render()
    assert ("RUN chmod o+x /root\n" in whole) is shell
    assert (
        "RUN mkdir -p /staging/homes/root && chmod 711 /staging/homes/root\n" in whole
    ) is not shell
    assert ("COPY --from=builder /staging/homes/ /\n" in whole) is not shell
