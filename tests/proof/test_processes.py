"""What the processes of a service were started with: settings that launchers, scripts and files
give them, in services of several languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from recipes import File, Files, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances, Start
from imgopt.proof.check import Comparison, Outcome
from imgopt.proof.checks.configuration import CHECK as CONFIGURATION
from imgopt.proof.checks.processes import check_processes
from imgopt.proof.derive import derive
from imgopt.proof.example import SEEN, without
from imgopt.run.fanotify import Trace
from imgopt.run.pictures import Picture, Process, unseen
from imgopt.run.runs import Runs

ELF = File(b"\x7fELF" + b"\0" * 60, 0o755)
ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\nmail:x:8:8::/var/mail:/bin/sh\n"
BASE: Files = {
    "etc/passwd": ACCOUNTS,
    "etc/group": "root:x:0:\n",
    "etc/nsswitch.conf": "hosts: files myhostname dns\n",
    "usr/bin/node": ELF,
    "usr/bin/npm": File("#!/usr/bin/env node\n", 0o755),
    "usr/lib/node_modules/npm/lib/npm.js": "process.env.INIT_CWD\n",
    "usr/bin/python3.11": ELF,
    "usr/bin/env": ELF,
    "bin/sh": ELF,
}
PATH = "/usr/bin:/bin"
ENV = {"PATH": PATH, "HOSTNAME": "imgopt", "HOME": "/root"}
NPM = {
    **ENV,
    "PATH": f"/app/node_modules/.bin:{PATH}",
    "npm_config_cache": "/root/.npm",
    "npm_package_version": "1.0.0",
    "INIT_CWD": "/app",
    "NODE": "/usr/bin/node",
    "COLOR": "0",
    "EDITOR": "vi",
    "PWD": "/app",
}
NAMES = {"/etc/passwd": ACCOUNTS, "/etc/group": "root:x:0:\n"}
NODE = Process(1, 0, "/usr/bin/node", ("node", "server.js"), ENV, "/app", groups=(0,))
ABOVE = (
    replace(NODE, arguments=("npm start", "", "")),
    Process(7, 1, "/bin/sh", ("sh", "-c", "node server.js"), NPM, "/app", groups=(0,)),
)
STARTED = (*ABOVE, replace(NODE, number=8, parent=7, environment=NPM))


@dataclass(frozen=True)
class Case:
    """A service and its processes; `says` is what the check has to say, "" for nothing."""

    says: str = ""
    source: str = "serve()\n"
    files: Files = field(default_factory=dict)
    before: tuple[Process, ...] = STARTED
    second: tuple[Process, ...] = ()
    """Of the second run of the original; none: the same."""
    after: tuple[Process, ...] = (NODE,)
    names: Mapping[str, str] = field(default_factory=lambda: NAMES)
    names_after: Mapping[str, str] = field(default_factory=lambda: NAMES)
    start: tuple[str, ...] = ("npm", "start")
    after_start: tuple[str, ...] = ("node", "server.js")
    config: Mapping[str, Any] = field(default_factory=dict)
    candidate: Mapping[str, Any] = field(default_factory=dict)
    ended: bool = False

    def outcome(self, view_of: Callable[..., ImageView]) -> Outcome:
        return check_processes(self.comparison(view_of))

    def comparison(self, view_of: Callable[..., ImageView]) -> Comparison:
        app: Files = {
            "app/package.json": '{"scripts": {"start": "node server.js"}}',
            "app/server.js": self.source,
            "app/main.py": self.source,
            **self.files,
        }
        config = {"Env": [f"PATH={PATH}"], "WorkingDir": "/app", **self.config}
        layers = (("ADD rootfs", BASE), ("COPY . .", app))
        before = view_of(Recipe(layers, {**config, "Cmd": list(self.start)}), 1)
        changed = {**config, "Cmd": list(self.after_start), **self.candidate}
        after = view_of(Recipe(layers, changed), 1)
        opened = frozenset(["/app/server.js", "/usr/lib/node_modules/npm/lib/npm.js"])
        seen = replace(SEEN, trace=Trace(opened, frozenset()), written=())
        runs = [
            replace(seen, pictures=self._pictures(processes, self.names))
            for processes in (self.before, self.second or self.before)
        ]
        run = replace(seen, pictures=self._pictures(self.after, self.names_after))
        return Comparison(before, after, derive(before, after, opened), Runs(tuple(runs), run))

    def _pictures(
        self, processes: tuple[Process, ...], names: Mapping[str, str]
    ) -> tuple[Picture, ...]:
        one = Picture(processes, names, ended=self.ended)
        return (one,) if self.ended else (one, one)


def own(**changes: Any) -> tuple[Process, ...]:
    """The candidate's one process with these changes."""
    return (replace(NODE, **changes),)


def script(**changes: Any) -> tuple[Process, ...]:
    """A process that was started by an entry script, without a launcher."""
    plain = replace(NODE, program="/usr/bin/python3.11", arguments=("python3", "main.py"))
    return (replace(plain, **changes),)


def gunicorn(prefix: str) -> Files:
    site = f"{prefix}/lib/python3.11/site-packages"
    return {
        f"{prefix}/bin/gunicorn": File("#!/usr/bin/python3.11\n", 0o755),
        f"{site}/gunicorn-1.0.dist-info/METADATA": "Name: gunicorn\nVersion: 1.0\n",
        f"{site}/gunicorn-1.0.dist-info/RECORD": "../../../bin/gunicorn,,\n",
    }


PYTHON: dict[str, Any] = {"start": ("python3", "main.py"), "after_start": ("python3", "main.py")}
SAME = {
    "npm tells its script of itself": Case(),
    "npm itself reads what it sets": Case(
        before=tuple(replace(one, environment={**NPM, "INIT_CWD": "/x"}) for one in STARTED)
    ),
    "a title is written over the variables": Case(
        before=(*ABOVE, replace(STARTED[-1], environment=None)), after=own(environment=None)
    ),
    "a probe's command is in the picture": Case(
        before=(*STARTED, Process(40, 0, "/usr/bin/env", ("env", "-0"), {}, "/")),
        after=(NODE, Process(50, 0, "/bin/sh", ("sh", "-c", "true"), {}, "/")),
    ),
    "a port is drawn anew at every start": Case(
        before=script(arguments=("python3", "main.py", "--port=51234")),
        second=script(arguments=("python3", "main.py", "--port=49876")),
        after=script(arguments=("python3", "main.py", "--port=50111")),
        **PYTHON,
    ),
    "a token is drawn anew at every start": Case(
        before=script(environment={**ENV, "TOKEN": "a"}),
        second=script(environment={**ENV, "TOKEN": "b"}),
        after=script(environment={**ENV, "TOKEN": "c"}),
        **PYTHON,
    ),
    "a package falls back where PWD is not set": Case(
        files={"usr/lib/python3/dist-packages/gunicorn/util.py": "os.environ['PWD']"},
    ),
    "a script of a shell has its own PWD": Case(files={"app/run.sh": "cd $PWD/x\n"}),
    "another word with the name of a variable": Case(source="const EDITOR = 1; NODE(); COLOR\n"),
    "a comment on the folder of npm": Case(source="// see node_modules/.bin and INIT CWD\n"),
    "root becomes another user": Case(
        after=own(
            uid=10001,
            gid=10001,
            groups=(10001,),
            environment={**ENV, "HOME": "/home/app"},
        ),
        candidate={"User": "10001"},
        names_after={**NAMES, "/etc/passwd": ACCOUNTS + "app:x:10001:10001::/home/app:\n"},
    ),
    "a limit that differs by itself": Case(
        before=script(limits={"Max open files": "1024/4096"}),
        second=script(limits={"Max open files": "4096/4096"}),
        after=script(limits={"Max open files": "1024/4096"}),
        **PYTHON,
    ),
    "an account of the system that only has the name of a word": Case(
        source="send(user, 'mail')\n", names_after={**NAMES, "/etc/passwd": "root:x:0:0::/root:\n"}
    ),
    "of a program that ends another child is seen": Case(
        before=(*script(), Process(9, 1, "/bin/sh", ("sh", "-c", "date"), ENV, "/app")),
        after=(*script(), Process(9, 1, "/usr/bin/env", ("env",), ENV, "/app")),
        ended=True,
        **PYTHON,
    ),
    "poetry runs a program of the project by a line of its own": Case(
        before=script(
            arguments=(
                "/app/.venv/bin/python",
                "-c",
                "import sys; from importlib import import_module; sys.argv = ['/app/main.py', '-v'];"
                " sys.exit(import_module('app.main').run())",
            )
        ),
        after=script(arguments=("/app/.venv/bin/python", "/app/main.py", "-v")),
        **PYTHON,
    ),
    "a time is written into a variable at the start": Case(
        before=script(environment={**ENV, "STARTED": "2026-11-30T10:11:12"}),
        after=script(environment={**ENV, "STARTED": "2026-11-30T10:14:59"}),
        **PYTHON,
    ),
    "the shell is another program in another base": Case(
        before=(*script(), Process(9, 1, "/usr/bin/dash", ("sh", "-c", "x"), ENV, "/app")),
        after=(*script(), Process(9, 1, "/bin/busybox", ("sh", "-c", "x"), ENV, "/app")),
        **PYTHON,
    ),
    "a way to hosts that only the base has": Case(
        names={**NAMES, "/etc/nsswitch.conf": "hosts: files myhostname dns\n"}
    ),
    "a login shell gives another user other folders": Case(
        before=script(environment={**ENV, "PATH": f"/usr/sbin:{PATH}"}),
        after=script(uid=7, environment={**ENV, "PATH": f"{PATH}:/usr/games"}),
        files={"usr/sbin/adduser": ELF},
        candidate={"User": "7"},
        **PYTHON,
    ),
    "packages lie in an environment of their own": Case(
        before=script(arguments=("/usr/local/bin/python3", "/usr/local/bin/gunicorn", "app:app")),
        after=script(arguments=("/venv/bin/python3", "/venv/bin/gunicorn", "app:app")),
        files={**gunicorn("usr/local"), **gunicorn("venv")},
        **PYTHON,
    ),
    "the words are spelled with the folder": Case(
        after=own(arguments=("/usr/bin/node", "/app/server.js"))
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_process_is_not_refuted(case: str, view_of: Callable[..., ImageView]) -> None:
    found = SAME[case].outcome(view_of)
    assert (found.verdict, list(map(str, found.items))) == ("passed", [])


def launched(**more: str) -> tuple[Process, ...]:
    return (*ABOVE, replace(STARTED[-1], environment={**NPM, **more}))


LOST = {
    "node-options of npm": Case(
        "does not get the variable NODE_OPTIONS", before=launched(NODE_OPTIONS="--require ./a.js")
    ),
    "a variable of a file that a launcher read": Case(
        "does not get the variable PRICE_FACTOR", before=launched(PRICE_FACTOR="3")
    ),
    "an entry script exports what it finds": Case(
        "another value of the variable MODE",
        before=script(environment={**ENV, "MODE": "full"}),
        after=script(environment={**ENV, "MODE": "none"}),
        **PYTHON,
    ),
    "a variable that only the candidate has": Case(
        "gets the variable LD_PRELOAD",
        before=script(),
        after=script(environment={**ENV, "LD_PRELOAD": "/x.so"}),
        **PYTHON,
    ),
    "a source reads where npm was called": Case(
        "reads it", source="const root = process.env.INIT_CWD || '/tmp'\n"
    ),
    "a source takes variables apart": Case(
        "reads it", source="const { PWD, TERM } = process.env\n"
    ),
    "a source reads the version of the project": Case(
        "reads it", source="send(process.env['npm_package_version'])\n"
    ),
    "a source starts a program of the project's packages": Case(
        "starts migrate, which is found only with /app/node_modules/.bin in PATH",
        source="const { execSync } = require('child_process')\nexecSync('migrate up')\n",
        files={"app/node_modules/.bin/migrate": File("#!/usr/bin/env node\n", 0o755)},
    ),
    "a login shell leaves out a folder of which a program is called": Case(
        "another value of the variable PATH",
        source="subprocess.run(['sendmail', '-t'])\n",
        before=script(environment={**ENV, "PATH": f"/usr/sbin:{PATH}"}),
        after=script(uid=7, environment={**ENV, "PATH": PATH}),
        files={"usr/sbin/sendmail": ELF},
        candidate={"User": "7"},
        **PYTHON,
    ),
    "an entry script closes what the service makes": Case(
        "umask of", before=script(umask=0o077), after=script(), **PYTHON
    ),
    "ulimit of an entry script": Case(
        "Max stack size",
        before=script(limits={"Max stack size": "65536/65536"}),
        after=script(limits={"Max stack size": "8388608/unlimited"}),
        **PYTHON,
    ),
    "nohup": Case(
        "ignored signals", before=script(ignored=frozenset({1})), after=script(), **PYTHON
    ),
    "a group that was added by the start": Case(
        "groups of", before=script(groups=(0, 44)), after=script(groups=(0,)), **PYTHON
    ),
    "cd of an entry script": Case(
        "works in the folder /app instead of /app/site",
        before=script(folder="/app/site"),
        after=script(),
        files={"app/site/index.html": "x"},
        **PYTHON,
    ),
    "a worker beside the service": Case(
        "`python3 jobs.py` does not run",
        before=(*script(), Process(9, 1, "/usr/bin/python3.11", ("python3", "jobs.py"), ENV)),
        after=script(),
        **PYTHON,
    ),
    "half of the workers": Case(
        "runs 2 times instead of 4",
        before=(*script(), *script(number=8, parent=1) * 3),
        after=(*script(), *script(number=8, parent=1)),
        **PYTHON,
    ),
    "settings in root's home": Case(
        "/root/.gitconfig is not found by way of it",
        files={"root/.gitconfig": "[user]\nname = a\n"},
        after=own(uid=10001, environment={**ENV, "HOME": "/home/app"}),
        candidate={"User": "10001"},
    ),
    "a model in root's home": Case(
        "/root/.cache/hub/model.bin is not found by way of it",
        files={"root/.cache/hub/model.bin": "x"},
        after=own(uid=10001, environment=without(ENV, "HOME")),
        candidate={"User": "10001"},
    ),
    "an account that the author made": Case(
        "the account jobs (1001) is not there",
        source="os.setuid(pwd.getpwnam('jobs').pw_uid)\n",
        names={**NAMES, "/etc/passwd": ACCOUNTS + "jobs:x:1001:1001::/:\n"},
    ),
    "an account of the system that a call names": Case(
        "the account mail (8) is not there",
        source="pwd.getpwnam('mail')\n",
        names_after={**NAMES, "/etc/passwd": "root:x:0:0::/root:\n"},
    ),
    "a host name service of the author": Case(
        "by way of mdns",
        names={**NAMES, "/etc/nsswitch.conf": "hosts: files mdns [NOTFOUND=return] dns\n"},
    ),
    "of a program that ends": Case(
        "does not get the variable DEPTH",
        before=script(environment={**ENV, "DEPTH": "3"}),
        after=script(),
        ended=True,
        **PYTHON,
    ),
}


@pytest.mark.parametrize("case", LOST)
def test_what_a_process_lost_is_refuted(case: str, view_of: Callable[..., ImageView]) -> None:
    found = LOST[case].outcome(view_of)
    assert found.verdict == "failed"
    assert LOST[case].says in "; ".join(map(str, found.items))


def moments(
    view_of: Callable[..., ImageView],
    before: tuple[tuple[Process, ...], ...],
    after: tuple[tuple[Process, ...], ...],
) -> list[str]:
    """What is said of these processes after the start and at the end."""
    given = Case(**PYTHON).comparison(view_of)
    ours, theirs = (tuple(Picture(one, NAMES) for one in seen) for seen in (before, after))
    run = replace(SEEN, pictures=ours)
    runs = Runs((run, run), replace(SEEN, pictures=theirs))
    return list(map(str, check_processes(replace(given, runs=runs)).items))


WORKER = Process(9, 1, "/usr/bin/python3.11", ("python3", "jobs.py"), ENV)


def test_what_the_start_does_for_a_while_may_be_over_sooner(
    view_of: Callable[..., ImageView],
) -> None:
    both, alone = (*script(), WORKER), script()
    assert moments(view_of, (both, alone), (alone, alone)) == []
    assert moments(view_of, (alone, alone), (both, alone)) == []


def test_a_process_that_ended_while_it_was_asked_is_missed(
    view_of: Callable[..., ImageView],
) -> None:
    both, alone = (*script(), WORKER), script()
    assert "jobs.py` does not run" in moments(view_of, (both, both), (both, alone))[0]
    assert "does not start" in moments(view_of, (alone, alone), (both, both))[0]


JVM = ("java", "-XX:TieredStopAtLevel=1", "-cp", "/app/classes:/root/.m2/a.jar", "app.Main")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ((), ""),
        (("-Dregion=eu",), "is started without -Dregion=eu"),
        (("-javaagent:/app/trace.jar",), "is started without -javaagent:/app/trace.jar"),
        (("-Xmx64m",), "is started without -Xmx64m"),
    ],
)
def test_options_of_a_run_time_come_along_where_a_start_is_resolved(
    more: tuple[str, ...], says: str, view_of: Callable[..., ImageView]
) -> None:
    words = (*JVM[:1], *more, *JVM[1:])
    resolved = ("java", "-cp", "target/classes:target/dependency/*", "app.Main")
    given = Case(before=own(arguments=words), after=own(arguments=resolved)).comparison(view_of)
    start = Start((), resolved, "what the launcher starts", other_words=True)
    found = check_processes(replace(given, allowances=replace(given.allowances, start=start)))
    assert found.verdict == ("failed" if says else "passed")
    assert says in "; ".join(map(str, found.items))


def test_what_is_meant_is_allowed_by_the_key_that_is_told(
    view_of: Callable[..., ImageView],
) -> None:
    given = LOST["an entry script closes what the service makes"].comparison(view_of)
    (item,) = check_processes(given).items
    assert item.subject == "process:umask"
    said = derive(given.original, given.candidate, given.files, ["process:umask"])
    assert check_processes(replace(given, allowances=said)).verdict == "passed"


def test_values_that_could_be_secret_are_not_told(view_of: Callable[..., ImageView]) -> None:
    found = Case(before=launched(DB_PASSWORD="s3cret-value")).outcome(view_of)
    assert found.verdict == "failed"
    assert "s3cret" not in "; ".join((found.detail, *map(str, found.items), *found.allowed))


def test_what_cannot_be_seen_is_not_measured(view_of: Callable[..., ImageView]) -> None:
    given = Case().comparison(view_of)
    blind = replace(SEEN, pictures=(unseen("the engine is not on this machine"),))
    runs = Runs((blind, blind), blind)
    found = check_processes(replace(given, runs=runs))
    assert (found.verdict, found.detail) == ("not measured", "the engine is not on this machine")


EMPTY = {"WorkingDir": "/src"}


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        ({}, "passed"),
        ({"src/templates/a.html": "x"}, "failed"),
        ({"src/settings.json": "{}"}, "failed"),
    ],
)
def test_a_working_directory_counts_where_something_is_in_it(
    files: Files, verdict: str, view_of: Callable[..., ImageView]
) -> None:
    served = ("node", "/app/server.js")
    given = Case(
        files=files,
        config=EMPTY,
        candidate={"WorkingDir": "/srv"},
        start=served,
        after_start=served,
        before=own(folder="/src", arguments=served),
        after=own(folder="/srv", arguments=served),
    ).comparison(view_of)
    assert check_processes(given).verdict == verdict
    assert CONFIGURATION.judge(given).verdict == verdict
    assert CONFIGURATION.judge(replace(given, allowances=Allowances())).verdict == verdict
