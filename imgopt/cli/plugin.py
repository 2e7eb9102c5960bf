"""What the docker CLI runs for `docker imgopt ...` (docker/cli `cli-plugins`, SchemaVersion 0.1.0).

It is started with all words behind `docker`: first the docker CLI's own options, which choose the
engine, then `imgopt` and what is meant for it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from imgopt import __version__
from imgopt.errors import InputError

NAME = "imgopt"
_METADATA = "docker-cli-plugin-metadata"
_COMPLETE = ("__complete", "__completeNoDesc")
_VALUED = {
    "-c": "context",
    "-H": "host",
    "-l": "log-level",
    "--config": "config",
    "--context": "context",
    "--host": "host",
    "--log-level": "log-level",
    "--tlscacert": "ca.pem",
    "--tlscert": "cert.pem",
    "--tlskey": "key.pem",
}


def main(arguments: Sequence[str]) -> int:
    """The exit code, as of imgopt.cli.app.main."""
    from imgopt.cli.app import main as imgopt
    from imgopt.cli.app import say

    if list(arguments[:1]) == [_METADATA]:
        print(json.dumps(metadata()))
        return 0
    try:
        own, rest = split(arguments)
        choose(own)
    except InputError as error:
        return say(error)
    if own.get("complete"):
        return _complete(rest)
    _end_with_docker()
    return imgopt(rest, name=f"docker {NAME}")


def _end_with_docker() -> None:
    """A signal to docker does not reach us where there is no terminal: it closes a socket instead
    (docker/cli `cli-plugins/socket`), and we take that for the signal, so that nothing is left
    behind."""
    name = os.environ.get("DOCKER_CLI_PLUGIN_SOCKET", "")
    if not name:
        return
    docker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        docker.connect(f"\0{name[1:]}" if name.startswith("@") else name)
    except OSError:
        return

    def wait() -> None:
        with suppress(OSError):
            docker.recv(1)
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGTERM if ignored else signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def metadata() -> dict[str, str]:
    """What `docker info` and `docker --help` show."""
    return {
        "SchemaVersion": "0.1.0",
        "Vendor": NAME,
        "Version": __version__,
        "ShortDescription": "Make images smaller and rebuilds faster, proven",
    }


def split(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The docker CLI's own options by name, and the words for imgopt. Raises InputError for an
    option that is none."""
    own: dict[str, str] = {}
    left = list(arguments)
    while left and left[0] != NAME:
        word = left.pop(0)
        option, equals, value = word.partition("=")
        if word == "help":  # docker help imgopt
            return own, ["--help"]
        if word in _COMPLETE:
            own["complete"] = word
        elif option in _VALUED:
            own[_VALUED[option]] = value if equals else left.pop(0) if left else ""
        elif word[:2] in ("-c", "-H", "-l") and len(word) > 2:
            own[_VALUED[word[:2]]] = word[2:].removeprefix("=")
        elif option in ("--tls", "--tlsverify"):
            own[option] = value or "true"
        elif word not in ("-D", "--debug"):
            raise InputError(
                f"{word} is no option of docker's that imgopt knows", hint="docker imgopt --help"
            )
    return own, left[1:]


def choose(own: dict[str, str]) -> None:
    """Puts the docker CLI's options where its variables would be: for this process and those that
    it starts."""
    from imgopt.cli.engine import choose as choose_engine

    if own.get("config"):
        os.environ["DOCKER_CONFIG"] = own["config"]
    for option, variable in (("--tls", "DOCKER_TLS"), ("--tlsverify", "DOCKER_TLS_VERIFY")):
        if option in own:
            os.environ[variable] = "" if own[option] in ("false", "0") else "1"
    files = {name: Path(own[name]) for name in ("ca.pem", "cert.pem", "key.pem") if name in own}
    folders = {path.parent for path in files.values()}
    if len(folders) > 1 or any(path.name != name for name, path in files.items()):
        raise InputError(
            "--tlscacert, --tlscert and --tlskey have to name ca.pem, cert.pem and key.pem of one"
            " folder",
            hint=(
                "or make a context of them: docker context create NAME --docker"
                " host=...,ca=...,cert=...,key=..."
            ),
        )
    if folders:
        os.environ["DOCKER_CERT_PATH"] = str(folders.pop().absolute())
    choose_engine(own.get("host"), own.get("context"))


def _complete(rest: Sequence[str]) -> int:
    """Answers as cobra's programs do: a line per candidate, then what else the shell may do (0:
    complete files)."""
    from imgopt.cli.app import main as imgopt

    os.environ |= {
        "_IMGOPT_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": " ".join([NAME, *rest]),
    }
    try:
        imgopt([])
    except SystemExit:
        print(":0")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
