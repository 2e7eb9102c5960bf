"""Services that are told to stop, and what came of it: examples of graceful-stop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from imgopt.image.recipe import FAT_DEBIAN, PROGRAM, File, Files
from imgopt.rewrite.image_examples import WORKDIR, python_example
from imgopt.rewrite.strategy import EvidenceExample
from imgopt.run.pictures import Process

_KILLED = {"stop_seconds": 10.2, "stop_code": 137}
_ENDED = {"stop_seconds": 0.2, "stop_code": 0}
_SIGINT, _SIGQUIT, _SIGTERM = 2, 3, 15
_BASE: Files = {
    **FAT_DEBIAN,
    "/bin/sed": PROGRAM,
    "/usr/sbin/nginx": PROGRAM,
    "/usr/bin/tini": PROGRAM,
}
_SH = ("/bin/sh", "-c")


def shell(*words: str) -> Process:
    """The first process, which has no handler."""
    return Process(1, 0, "/bin/dash", ("/bin/sh", *words), caught=frozenset())


def program(path: str, *words: str, caught: tuple[int, ...] = (), first: bool = False) -> Process:
    """The first process itself, or what the shell started."""
    number, parent = (1, 0) if first else (7, 1)
    name = path.rpartition("/")[2]
    return Process(number, parent, path, (name, *words), caught=frozenset(caught))


def stopped(
    name: str,
    start: str,
    *processes: Process,
    seen: Mapping[str, Any] = _KILLED,
    script: str = "",
    after: str | None = None,
    above: str = "",
    refused: str = "",
    middle: str = "",
    **config: Any,
) -> EvidenceExample:
    """`start`: the instructions that start it; `after` what stands in their place, `above` what
    comes behind FROM; `script` is /app/start.sh."""
    before = f"FROM python:3.11\nWORKDIR /app\nCOPY . .\n{middle}{start}\n"
    words: dict[str, list[str]] = {}
    for line in start.splitlines():
        keyword, _, value = line.partition(" ")
        words[keyword] = json.loads(value) if value.startswith("[") else [*_SH, value]
    files = {"app.py": "print(1)\n", **({"start.sh": f"#!/bin/sh\n{script}\n"} if script else {})}
    copied = {f"/app/{path}": File(text, 0o755) for path, text in files.items()}
    new = before.replace(start, after or start)
    return python_example(
        name,
        before=before,
        base=("ADD rootfs", _BASE),
        layers=(WORKDIR, ("COPY . .", copied)),
        config={
            "WorkingDir": "/app",
            "Cmd": words.get("CMD"),
            "Entrypoint": words.get("ENTRYPOINT"),
            **config,
        },
        files=files,
        after=new.replace("11\n", f"11\n{above}", 1) if after is not None else None,
        refused=refused,
        seen={**seen, "processes": processes},
        alone=True,
    )


_APP = program("/usr/local/bin/python3.11", "app.py", caught=(_SIGINT,))
_SERVER = program("/usr/local/bin/python3.11", "gunicorn", "app:app", caught=(_SIGINT, _SIGTERM))
_ALONE = program("/usr/local/bin/python3.11", "app.py", caught=(_SIGINT,), first=True)
_NGINX = program(
    "/usr/sbin/nginx", "-g", "daemon off;", caught=(_SIGINT, _SIGQUIT, _SIGTERM), first=True
)
_TINI = (
    "RUN apt-get update && apt-get install -y --no-install-recommends tini"
    " && rm -rf /var/lib/apt/lists/*\n"
)

EXAMPLES = (
    stopped("a service that ends in time", 'CMD ["python", "app.py"]', _ALONE, seen=_ENDED),
    stopped(
        "a shell in front of one that ends in time", "CMD python app.py", shell(), _APP, seen=_ENDED
    ),
    stopped(
        "a signal of the author's own",
        'CMD ["nginx", "-g", "daemon off;"]',
        _NGINX,
        seen=_ENDED,
        middle="STOPSIGNAL SIGTERM\n",
    ),
    stopped(
        "a signal of the base's own",
        'CMD ["nginx", "-g", "daemon off;"]',
        _NGINX,
        seen=_ENDED,
        StopSignal="SIGQUIT",
    ),
    stopped(
        "a handler that takes its time",
        'CMD ["python", "app.py"]',
        program("/usr/local/bin/python3.11", "app.py", caught=(_SIGINT, _SIGTERM), first=True),
        refused="it has a handler for the signal, and takes longer",
    ),
    stopped(
        "an init that hands the signal on already",
        'ENTRYPOINT ["tini", "--"]\nCMD ["python", "app.py"]',
        program("/usr/bin/tini", "--", "python", "app.py", first=True),
        _APP,
        refused="tini hands the signal on",
    ),
    stopped(
        "processes that were not seen",
        'CMD ["python", "app.py"]',
        refused="which process gets the signal was not seen",
    ),
    stopped(
        "a trap that only the shell runs",
        "CMD trap 'kill $!' EXIT; python app.py",
        shell("-c", "trap"),
        _APP,
        refused="it has a trap",
    ),
    stopped(
        "programs in the background",
        "CMD python worker.py & python app.py",
        shell("-c", "python"),
        _APP,
        refused="it starts programs in the background",
    ),
    stopped(
        "a pipe",
        "CMD python app.py | tee /log",
        shell("-c", "python"),
        _APP,
        refused="it ends with no plain command",
    ),
    stopped(
        "the exit code that another command makes",
        "CMD python app.py || echo failed",
        shell("-c", "python"),
        _APP,
        refused="runs only where another one fails",
    ),
    stopped(
        "a loop that starts it again",
        'CMD ["./start.sh"]',
        shell("/app/start.sh"),
        _APP,
        script="while true; do\n  python app.py\ndone",
        refused="start.sh: it ends with no plain command (while)",
    ),
    stopped(
        "a function of the script's own",
        'CMD ["./start.sh"]',
        shell("/app/start.sh"),
        _APP,
        script="serve() {\n  python app.py\n}\nserve",
        refused="may be a function of its own",
    ),
    stopped(
        "a line that the script has twice",
        'CMD ["./start.sh"]',
        shell("/app/start.sh"),
        _APP,
        script="python app.py\npython app.py\n# again",
        refused="put exec in front of the last command of /app/start.sh",
    ),
    stopped(
        "the last of several commands",
        "CMD python migrate.py && gunicorn --bind 0.0.0.0:$PORT app:app",
        shell("-c", "python"),
        _SERVER,
        after="CMD python migrate.py && exec gunicorn --bind 0.0.0.0:$PORT app:app",
    ),
    stopped(
        "a shell in the exec form",
        'CMD ["sh", "-c", "gunicorn --bind :$PORT app:app"]',
        shell("-c", "gunicorn"),
        _SERVER,
        after='CMD ["sh", "-c", "exec gunicorn --bind :$PORT app:app"]',
    ),
    stopped(
        "an interpreter that ends on another signal, behind a shell",
        "CMD python app.py --port $PORT",
        shell("-c", "python"),
        _APP,
        after="STOPSIGNAL SIGINT\nCMD exec python app.py --port $PORT",
    ),
    stopped(
        "an entry script",
        'CMD ["./start.sh"]',
        shell("/app/start.sh"),
        _SERVER,
        script="python migrate.py\ngunicorn app:app",
        after=(
            "# start.sh gives its place to what it starts, which gets the stop signal\n"
            "RUN sed -i '$ s|^gunicorn |exec &|' /app/start.sh\n"
            'CMD ["./start.sh"]'
        ),
    ),
    stopped(
        "an entry script of another user's",
        'USER 1000\nCMD ["./start.sh"]',
        shell("/app/start.sh"),
        _SERVER,
        script="python migrate.py\ngunicorn app:app",
        User="1000",
        after=(
            "# start.sh gives its place to what it starts, which gets the stop signal\n"
            "RUN sed -i '$ s|^gunicorn |exec &|' /app/start.sh\n"
            "USER 1000\n"
            'CMD ["./start.sh"]'
        ),
    ),
    stopped(
        "an interpreter as the first process",
        'CMD ["python", "app.py"]',
        _ALONE,
        after='STOPSIGNAL SIGINT\nCMD ["python", "app.py"]',
    ),
    stopped(
        "a server that cuts what it answers",
        'CMD ["nginx", "-g", "daemon off;"]',
        _NGINX,
        seen=_ENDED,
        after='STOPSIGNAL SIGQUIT\nCMD ["nginx", "-g", "daemon off;"]',
    ),
    stopped(
        "a program without any handler",
        'CMD ["/app/serve"]',
        program("/app/serve", first=True),
        above=_TINI,
        after='ENTRYPOINT ["tini", "--"]\nCMD ["/app/serve"]',
    ),
    stopped(
        "a program whose own handlers end no first process",
        'ENTRYPOINT ["node", "app.js"]',
        program("/usr/local/bin/node", "app.js", caught=(_SIGINT, _SIGTERM), first=True),
        above=_TINI,
        after='ENTRYPOINT ["tini", "--", "node", "app.js"]',
    ),
)
