"""A script that only sets variables and starts one program is what it starts; one that does more
stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.entry_scripts import script_start
from imgopt.inspect.start.start_words import unfolded

SHEBANG = "#!/bin/sh\n"
BASE = {"/bin/sh": "\x7fELF", "/usr/bin/python3": File("\x7fELF", 0o755)}


@pytest.fixture
def view(view_of: Callable[..., ImageView]) -> Callable[[str], ImageView]:
    def make(text: str) -> ImageView:
        files = {
            "/app/start.sh": File(text, 0o755),
            "/venv/pyvenv.cfg": "home = /usr\n",
            "/venv/bin/activate": "PATH=/venv/bin:$PATH\n",
        }
        layers = (("ADD rootfs", BASE), ("COPY . /app", files))
        config = {"WorkingDir": "/app", "Env": ["PATH=/usr/bin:/bin", "LEVEL=low"]}
        return view_of(Recipe(layers, config), 1)

    return make


DOES_MORE = {
    "another program": "python3 migrate.py\nexec python3 app.py",
    "a program behind it": "python3 app.py\npython3 clean.py",
    "in the background": "python3 worker.py &\nexec python3 app.py",
    "itself in the background": "python3 app.py &",
    "a condition": 'if [ -n "$DEBUG" ]; then set -x; fi\nexec python3 app.py',
    "one of two": "python3 a.py || python3 b.py",
    "a computed word": "exec python3 app.py --port $PORT",
    "a substitution": "export HOST=$(hostname)\nexec python3 app.py",
    "a value of another variable": "export URL=http://$HOST\nexec python3 app.py",
    "another folder": "cd /srv\nexec python3 app.py",
    "another file's settings": ". ./env.sh\nexec python3 app.py",
    "a mask": "umask 077\nexec python3 app.py",
    "a limit": "ulimit -n 65536\nexec python3 app.py",
    "a redirection": "exec python3 app.py > /var/log/app.log 2>&1",
    "a trap": "trap 'exit 0' TERM\nexec python3 app.py",
    "a pattern": "exec python3 *.py",
    "all variables at once": "set -a\nA=1\nexec python3 app.py",
    "a function": "run() { python3 app.py; }\nrun",
    "one argument": 'exec python3 "$1"',
    "nothing": "export A=1",
    "a syntax error": "if true\nexec python3 app.py",
    "a loop that waits": "until nc -z db 5432; do sleep 1; done\nexec python3 app.py",
}


@pytest.mark.parametrize("text", DOES_MORE.values(), ids=DOES_MORE)
def test_what_does_more_stays(view: Callable[[str], ImageView], text: str) -> None:
    assert script_start(view(f"{SHEBANG}{text}\n"), ("/app/start.sh", "x")) is None


RESOLVED = {
    "one program": ("exec python3 app.py", ("python3", "app.py"), {}),
    "without exec": ("python3 app.py", ("python3", "app.py"), {}),
    "with the words": ('exec python3 app.py "$@"', ("python3", "app.py", "x"), {}),
    "the words alone": ('set -eu\nexec "$@"', ("x",), {}),
    "variables": (
        "export A=1 B='two words'\nC=3\nexport C\nexec python3 a.py",
        ("python3", "a.py"),
        {"A": "1", "B": "two words", "C": "3"},
    ),
    "one that nobody is told": ("A=1\nexec python3 a.py", ("python3", "a.py"), {}),
    "one that the image has": ("LEVEL=high\nexec python3 a.py", ("python3", "a.py"), {"LEVEL": "high"}),
    "a default": (
        ': "${PORT:=80}"\nexport PORT\nexport HOST=${HOST:-0.0.0.0}\nexec python3 a.py',
        ("python3", "a.py"),
        {"PORT": "80", "HOST": "0.0.0.0"},
    ),
    "a default of what the image has": (
        "export LEVEL=${LEVEL:-high}\nexec python3 a.py",
        ("python3", "a.py"),
        {"LEVEL": "low"},
    ),
    "in front of the program": ("A=1 exec python3 a.py", ("python3", "a.py"), {"A": "1"}),
    "the search path": (
        'export PATH="/opt/x/bin:$PATH"\nexec python3 a.py',
        ("python3", "a.py"),
        {"PATH": "/opt/x/bin:$PATH"},
    ),
    "a virtual environment": (
        ". /venv/bin/activate\nexec python3 a.py",
        ("python3", "a.py"),
        {"VIRTUAL_ENV": "/venv", "PATH": "/venv/bin:$PATH"},
    ),
    "its own folder and a line": ('cd /app\necho "starting $LEVEL"\nexec python3 a.py', ("python3", "a.py"), {}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words", "environment"), RESOLVED.values(), ids=RESOLVED)
def test_what_only_starts_is_what_it_starts(
    view: Callable[[str], ImageView],
    text: str,
    words: tuple[str, ...],
    environment: dict[str, str],
) -> None:
    found = script_start(view(f"{SHEBANG}{text}\n"), ("/app/start.sh", "x"))
    assert found is not None
    assert (found.words, dict(found.environment)) == (words, environment)


@pytest.mark.parametrize(
    "words",
    [
        ("./start.sh",),
        ("sh", "start.sh"),
        ("/bin/bash", "-e", "/app/start.sh"),
        ("bash", "-c", ". start.sh"),
        ("/bin/sh", "-c", "exec ./start.sh"),
        ("sh", "-c", "sh start.sh"),
    ],
)
def test_it_may_be_called_in_any_way(
    view: Callable[[str], ImageView], words: tuple[str, ...]
) -> None:
    seen = view(f"{SHEBANG}export A=1\nexec python3 app.py\n")
    found = unfolded(seen, words)
    assert found.words == ("python3", "app.py")
    assert dict(found.environment) == {"A": "1"}
    assert found.reasons


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!/usr/bin/python3\nimport app\n", ("/app/start.sh",)),  # no shell reads it
        (f"{SHEBANG}exec python3 app.py\n", ("python3", "/app/start.sh")),
        (f"{SHEBANG}exec python3 app.py\n", ("sh", "-x", "-c", "echo")),
        (f"{SHEBANG}exec python3 app.py\n", ("sh", "missing.sh")),
        (f"{SHEBANG}exec python3 app.py\n", ("sh", "-c", "./start.sh && true")),
    ],
)
def test_no_script_is_read_where_none_is_called(
    view: Callable[[str], ImageView], text: str, words: tuple[str, ...]
) -> None:
    assert script_start(view(text), words) is None
