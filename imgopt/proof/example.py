"""One small service, what was seen of it, and changes to it that the checks have to tell apart.

Each check names changes that it, and no other check, refutes (`Mutation`). They are its tests and
its documentation. The service is a Flask application on a base of a few files: no engine is needed
to make and compare such images.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imgopt.engine import Change
from imgopt.image.recipe import File as File
from imgopt.image.recipe import Files as Files
from imgopt.image.recipe import Layers as Layers
from imgopt.run.fanotify import Trace
from imgopt.run.listening import Listener
from imgopt.run.observation import Observation, RunPlan
from imgopt.run.own_run import OwnRun
from imgopt.run.pictures import Picture, Process
from imgopt.run.probes import Answer, Probe

_TAGS = {"needed": 1, "soname": 14, "rpath": 15, "runpath": 29}


def elf(*needed: str, interpreter: str = "", **strings: str) -> File:
    """A 64-bit x86 shared object with these dynamic entries."""
    table, entries = bytearray(b"\0"), []
    for tag, text in [*(("needed", name) for name in needed), *strings.items()]:
        entries.append((_TAGS[tag], len(table)))
        table += text.encode() + b"\0"
    count = 3 if interpreter else 2
    dynamic_at = 64 + 56 * count
    dynamic_size = 16 * (len(entries) + 3)
    strings_at = dynamic_at + dynamic_size
    entries += [(5, strings_at), (10, len(table)), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    interpreter_at = strings_at + len(table)
    size = interpreter_at + len(interpreter) + 1
    heads = [(1, 5, 0, size), (2, 6, dynamic_at, dynamic_size)]
    if interpreter:
        heads.append((3, 4, interpreter_at, len(interpreter) + 1))
    head = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
    segments = b"".join(
        struct.pack("<IIQQQQQQ", kind, flags, at, at, at, n, n, 8) for kind, flags, at, n in heads
    )
    return File(head + segments + dynamic + bytes(table) + interpreter.encode() + b"\0", 0o755)


STATUS = "var/lib/dpkg/status"
_PACKAGE = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n\n"
BASE_STATUS = _PACKAGE.format("base-files", "1.0")
HELLO_2 = BASE_STATUS + _PACKAGE.format("hello", "2.0")
BASE: Files = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n"
        "mail:x:8:8::/var/mail:/bin/sh\n"
    ),
    "etc/mime.types": "text/csv csv\n",
    "etc/services": "ldap 389/tcp\n",
    "etc/localtime": "TZif2\0CET-1CEST\nCET-1CEST,M3.5.0,M10.5.0/3\n",
    "etc/group": "root:x:0:\napp:x:1000:\nshared:x:1600:app\n",
    STATUS: BASE_STATUS,
    "bin/sh": File("#!/bin/true\n", 0o755),
    "bin/true": File("x", 0o755),
    "tmp": File(folder=True, mode=0o1777),
    "usr/bin/python3.11": File("elf", 0o755),
    "usr/bin/python3": File(link="python3.11"),
    "usr/bin/node": File(b"\0node.js/v20.1.0\0", 0o755),
    "usr/bin/env": File("elf", 0o755),
    "usr/bin/convert": File("elf", 0o755),
    "usr/lib/python3.11/colorsys.py": "def rgb(): ...\n",
    "usr/lib/python3.11/wave.py": "def open(): ...\n",
    "lib64/ld-linux-x86-64.so.2": elf(soname="ld-linux-x86-64.so.2"),
    "usr/share/words": "a\nb\n",
    "usr/share/zoneinfo/Europe/Berlin": "TZif2\0CET-1CEST,M3.5.0,M10.5.0/3\n",
    "usr/lib/locale/de_DE.utf8/LC_CTYPE": "x",
    "usr/lib/locale/de_DE.utf8/LC_TIME": "x",
    "etc/ssl/certs/ca-certificates.crt": "-----BEGIN CERTIFICATE-----",
}
SITE = "usr/lib/python3.11/site-packages"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
HELLO: Files = {
    STATUS: BASE_STATUS + _PACKAGE.format("hello", "1.0"),
    "var/lib/dpkg/info/hello.list": (
        f"/usr/bin/hello\n/{LIBRARIES}/libgreet.so.1\n/{LIBRARIES}/libwords.so.1\n"
    ),
    "usr/bin/hello": File("elf", 0o755),
    f"{LIBRARIES}/libgreet.so.1": elf("libwords.so.1", soname="libgreet.so.1"),
    f"{LIBRARIES}/libwords.so.1": elf(soname="libwords.so.1"),
}
PACKAGES: Files = {
    f"{SITE}/flask/__init__.py": "import sys",
    f"{SITE}/flask/views.py": "import re",
    f"{SITE}/flask-3.0.dist-info/METADATA": "Name: Flask\nVersion: 3.0\n",
    f"{SITE}/flask-3.0.dist-info/RECORD": (
        "flask/__init__.py,,\nflask/views.py,,\nflask-3.0.dist-info/METADATA,,\n"
    ),
}
DATA: Files = {"usr/share/nltk_data/stopwords": "the", "usr/share/nltk_data/corpora/x": "y"}
EXPORT = """\
import subprocess
subprocess.run(['convert', 'a.png', 'b.pdf'])
subprocess.run([tool, 'x'])

def rare():
    import wave
    kind = mimetypes.guess_type(name)
    port = socket.getservbyname('ldap')
    shutil.chown(name, user='mail', group='shared')
"""
APP: Files = {
    "app/export.py": EXPORT,
    "app/main.py": "import flask",
    "app/templates/index.html": "<h1>hi</h1>",
    "app/page": File(link="templates/index.html"),
    "app/later": File(link="/run/later"),
    "app/run.sh": File("#!/bin/sh\nexec python3 main.py\n", 0o755),
    "app/tool": File("#!/bin/sh\n", 0o755),
    "app/greet": elf("libgreet.so.1", interpreter="/lib64/ld-linux-x86-64.so.2"),
    "app/empty": File(folder=True),
    "app/shared": File(folder=True, mode=0o2775, uid=1000, gid=1600),
    "app/.git/HEAD": "ref",
    "data": File(folder=True, uid=1000, gid=1000),
}
LAYERS: Layers = (
    ("ADD rootfs", BASE),
    ("RUN apt-get install hello", HELLO),
    ("RUN pip install flask", PACKAGES),
    ("RUN python -m nltk.downloader stopwords", DATA),
    ("COPY . /app", APP),
)
NAMED = ("hello",)
"""What the author installs by name."""
ENV = ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=de_DE.UTF-8", "TZ=Europe/Berlin", "MODE=web"]
CONFIG: Mapping[str, Any] = {
    "Cmd": ["/app/run.sh"],
    "Env": ENV,
    "WorkingDir": "/app",
    "User": "1000",
    "ExposedPorts": {"8000/tcp": {}},
    "Volumes": {"/data": {}},
    "Labels": {"team": "a", "org.opencontainers.image.authors": "us"},
}

_PAGE = Probe("http", "found", 8000, "/")
PLAN = RunPlan((8000,), (8000,), (_PAGE,), ends=False, ready_seconds=1.0)
OPENED = frozenset(
    f"/{path}"
    for path in (
        *(
            "bin/sh",
            "usr/bin/python3.11",
            "usr/bin/node",
            "app/run.sh",
            "app/main.py",
            f"{SITE}/flask/__init__.py",
        ),
        *("usr/lib/python3.11/colorsys.py", "usr/share/words"),
    )
)
EXECUTED = frozenset({"/bin/sh", "/usr/bin/python3.11", "/usr/bin/node", "/app/run.sh"})


_WRITE = Probe("http", "found", 8000, "/notes", method="POST", body=b'{"text": "a"}')
_READ = Probe("http", "found", 8000, "/notes", label="again")
_PLAIN, _JSON = (("content-type", "text/plain"),), (("content-type", "application/json"),)


def answered(
    body: str, status: int = 200, notes: str = '["a"]', written: int = 201
) -> tuple[Answer, ...]:
    """The service's one page, a note that is sent to it, and the list of notes afterwards."""
    return (
        Answer(_PAGE, status, _PLAIN, body.encode()),
        Answer(_WRITE, written, _JSON, b"{}"),
        Answer(_READ, 200, _JSON, notes.encode()),
    )


OWN_ACCOUNT = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n"
NAMES: Mapping[str, str] = {
    "/etc/passwd": OWN_ACCOUNT + "worker:x:1001:1001::/:/bin/sh\n",
    "/etc/group": "root:x:0:\napp:x:1000:\nfiles:x:44:app\n",
    "/etc/nsswitch.conf": "passwd: files\nhosts: files dns\n",
}
PROCESS = Process(
    number=1,
    parent=0,
    program="/usr/bin/python3.11",
    arguments=("web", "main.py"),
    environment={
        **dict(pair.split("=", 1) for pair in ENV),
        "HOSTNAME": "imgopt",
        "HOME": "/home/app",
        "FACTOR": "3",
    },
    folder="/app",
    uid=1000,
    gid=1000,
    groups=(44, 1000),
    limits={"Max open files": "4096/4096"},
    streams=("/dev/null", "pipe", "pipe"),
    files=frozenset({"socket"}),
    ignored=frozenset({13}),
)
"""The service's process; FACTOR comes from a file that its entry script reads."""
_WORKER = replace(PROCESS, number=7, parent=1, arguments=("web", "worker.py"), uid=1001, gid=1001)


def seen_processes(
    *,
    beside: tuple[Process, ...] = (_WORKER,),
    names: Mapping[str, str] = NAMES,
    **changes: Any,
) -> tuple[Picture, ...]:
    """Two pictures of the service, whose own process has these changes."""
    return (Picture((replace(PROCESS, **changes), *beside), names),) * 2


def without(mapping: Mapping[str, str], name: str) -> dict[str, str]:
    """The mapping without one of its names."""
    return {key: value for key, value in mapping.items() if key != name}


def own_run(code: int | None, output: str) -> OwnRun:
    """What the service's own tests came to."""
    return OwnRun("pytest tests", code, output)


SEEN = Observation(
    image="example",
    started=True,
    reason="it answers after 1.0 s",
    plan=PLAN,
    answers=answered("hello"),
    log="ready\n",
    said="ready\n",
    listening=(Listener(8000, loopback=False),),
    written=(Change("/data/note", "added"),),
    uid=1000,
    stop_seconds=0.2,
    stop_code=0,
    cut=0,
    trace=Trace(OPENED, EXECUTED),
    pictures=seen_processes(),
    companions=("db", "cache"),
    reached=frozenset({"db", "cache"}),
    stored={"/media": "folder", "/media/a.png": "file"},
    tests=own_run(0, "3 passed in 0.12s"),
)
"""A run of the service."""


@dataclass(frozen=True)
class Mutation:
    """A change of the service, and what the evidence against it says.

    `files` are added to the last layer, `base` to the first one; `without` are left out wherever
    they are; `config` replaces keys of the image's configuration (None leaves one out), `seen` what
    is observed of the changed service.
    """

    name: str
    says: str = ""
    files: Files = field(default_factory=dict)
    base: Files = field(default_factory=dict)
    without: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def layers(self) -> Layers:
        """The layers of the changed service, bottom up."""
        more = {0: self.base, len(LAYERS) - 1: self.files}
        return tuple(
            (
                step,
                {
                    **{path: file for path, file in files.items() if path not in self.without},
                    **more.get(at, {}),
                },
            )
            for at, (step, files) in enumerate(LAYERS)
        )

    @property
    def configuration(self) -> Mapping[str, Any]:
        return {key: value for key, value in {**CONFIG, **self.config}.items() if value is not None}

    @property
    def run(self) -> Observation:
        """What is seen of the changed service; candidates are not traced."""
        return replace(SEEN, trace=Trace(frozenset(), frozenset(), "not asked for"), **self.seen)


HARMLESS = (
    Mutation("no change at all"),
    Mutation("other times", files={"app/main.py": File("import flask", mtime=1)}),
    Mutation("another order of variables", config={"Env": ENV[::-1]}),
    Mutation("a label less that describes", config={"Labels": {"team": "a"}}),
    Mutation("one label more", config={"Labels": {"team": "a", "note": "x"}}),
    Mutation("an unused file more", files={"usr/share/doc/x": "x"}),
    Mutation("output is not buffered", config={"Env": [*ENV, "PYTHONUNBUFFERED=1"]}),
    Mutation(
        "a folder more to look for programs",
        files={
            "opt/more/bin/tidy": File("x", 0o755),
            "opt/more/bin/env": File(link="/usr/bin/env"),
        },
        config={"Env": ["PATH=/opt/more/bin:/usr/local/bin:/usr/bin:/bin", *ENV[1:]]},
    ),
    Mutation(
        "a virtual environment in front",
        files={
            "opt/env/pyvenv.cfg": "home = /usr/bin",
            "opt/env/bin/python3": File("other", 0o755),
        },
        config={"Env": ["PATH=/opt/env/bin:/usr/local/bin:/usr/bin:/bin", *ENV[1:]]},
    ),
    Mutation(
        "a folder more of modules",
        files={"opt/more/extra.py": "x = 1", "opt/more/pip/__init__.py": ""},
        config={"Env": [*ENV, "PYTHONPATH=/opt/more"]},
    ),
    Mutation(
        "the bundle of certificates is named",
        config={"Env": [*ENV, "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"]},
    ),
    Mutation("repository data is left out", without=("app/.git/HEAD",)),
    Mutation("a link is the file that it led to", files={"app/page": "<h1>hi</h1>"}),
    Mutation(
        "a link that leads to nothing leads elsewhere", files={"app/later": File(link="/run/x")}
    ),
    Mutation("another build of a file of the base", base={"usr/share/words": "a\nb\nc\n"}),
    Mutation(
        "other words in the log", seen={"said": "ready after 2 s\n", "log": "ready after 2 s\n"}
    ),
    Mutation(
        "its tests take longer and are run in another order",
        seen={"tests": own_run(0, "b ok 7 s\na ok 1 s\n3 passed in 9.81s")},
    ),
    Mutation(
        "it speaks with one service more, and stores one file more",
        seen={
            "reached": frozenset({"db", "cache", "queue"}),
            "stored": {"/media": "folder", "/media/a.png": "file", "/media/b.png": "file"},
        },
    ),
    Mutation("it stops faster", seen={"stop_seconds": 0.1}),
    Mutation(
        "its process has another number", seen={"pictures": seen_processes(number=9, parent=1)}
    ),
    Mutation(
        "it has more files open",
        seen={"pictures": seen_processes(files=frozenset({"file", "socket"}))},
    ),
    Mutation(
        "its program is called by its path",
        seen={"pictures": seen_processes(arguments=("/usr/bin/python3", "/app/main.py"))},
    ),
    Mutation(
        "a shell's own variable more",
        seen={
            "pictures": seen_processes(environment={**(PROCESS.environment or {}), "PWD": "/app"})
        },
    ),
    Mutation(
        "an account that nothing names is gone",
        seen={
            "pictures": seen_processes(names={**NAMES, "/etc/group": "root:x:0:\napp:x:1000:\n"})
        },
    ),
)
"""Changes that no check may refute."""
