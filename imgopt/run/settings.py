"""How a project's image is started and asked: the user's own settings for a run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgopt.compose.companions import Beside, beside_of
from imgopt.config import Config, SmokeSection
from imgopt.errors import InputError, Location
from imgopt.requests.configured import requests_of
from imgopt.requests.request import Request
from imgopt.run.answers import CannedAnswer, answers_of


@dataclass(frozen=True, slots=True)
class SmokeSettings:
    """Times in seconds. Each of `http` is `[:PORT]PATH` or `[:PORT]PATH=TEXT`, where TEXT must be
    in the answer; a path with a query takes `==` before the text. `run` are commands executed
    inside the container. `mounts` as in `docker run --volume`. `command` replaces the image's
    command."""

    http: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    env_file: Path | None = None
    mounts: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    network: str | None = None
    start_timeout: float = 60.0
    stop_timeout: float = 10.0
    requests: tuple[Request, ...] = ()
    """The user's own, in this order, behind everything else that is asked."""
    writes: bool = True
    """Whether requests that may change something are looked for where the user names none."""
    coverage: int = 0
    """Per cent of the application's source files that the run has to read before a candidate may be
    proven that drops what the others could use."""
    tests: str | None = None
    """A command that runs the project's own tests against the service; "" where they are not to be
    run, None where none are named."""
    tests_stage: str | None = None
    """The stage whose image has the tools for them; None: the one that the last stage is made
    of."""
    answers: tuple[CannedAnswer, ...] = ()
    """What hosts of the world answer, whom the run does not reach."""
    beside: Beside | None = None
    """How a Compose file says that it runs, and what runs beside it."""
    alone: bool = False
    """In a network of the run's own even where nobody runs beside it: nothing of the world is
    reached, and the names that it looks up are seen."""
    more: tuple[str, ...] = ()
    """Paths that are asked of every port that speaks HTTP, beside those that are found by looking
    at the answers."""

    @property
    def in_own_network(self) -> bool:
        """Whether each run gets a network of its own at its start."""
        return bool(self.beside or self.answers or (self.alone and self.network is None))

    def environment(self) -> dict[str, str]:
        """The file's variables under those given one by one. Raises InputError for a file that
        cannot be read."""
        return {**(read_env_file(self.env_file) if self.env_file else {}), **self.env}


def settings_of(section: SmokeSection, folder: Path) -> SmokeSettings:
    """The configuration's [smoke] table; a relative `env_file` lies below `folder`."""
    return SmokeSettings(
        http=tuple(section.http),
        run=tuple(section.run),
        ports=tuple(section.ports),
        env=section.env,
        env_file=folder / section.env_file if section.env_file else None,
        mounts=tuple(section.mounts),
        command=tuple(section.command) if section.command is not None else None,
        network=section.network,
        start_timeout=section.start_timeout,
        stop_timeout=section.stop_timeout,
        answers=answers_of(section.answers, folder),
        requests=requests_of(section.requests, section.requests_file, folder),
        writes=section.writes,
        coverage=section.coverage,
        tests=section.tests,
        tests_stage=section.tests_stage,
    )


def configured_settings(config: Config, folder: Path) -> SmokeSettings:
    """The same with what runs beside the service, where the configuration names one of a Compose
    file and no network in which that is there already. Raises InputError."""
    settings = settings_of(config.smoke, folder)
    if settings.network and settings.answers:
        raise InputError(
            "answers under [smoke] are given in a network of the run's own",
            hint="leave out network, or the answers",
        )
    return settings if settings.network else replace(settings, beside=beside_of(config))


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One of the user's HTTP probes. `port` None means: every port that answers HTTP."""

    path: str
    text: str | None
    port: int | None


def read_http(setting: str) -> HttpRequest:
    """Raises InputError for what is no `[:PORT]PATH[=TEXT]`."""
    port, rest = None, setting
    if setting.startswith(":"):
        number, slash, tail = setting[1:].partition("/")
        if not number.isdigit() or not 0 < int(number) < 65536:
            raise InputError(
                f"no port in the HTTP probe {setting!r}",
                hint="write :PORT/PATH, for instance :8080/health",
            )
        port, rest = int(number), slash + tail
    path, sign, text = rest.partition("==" if "?" in rest.partition("=")[0] else "=")
    if not path.startswith("/"):
        raise InputError(
            f"the HTTP probe {setting!r} has no path", hint="write /PATH or /PATH=TEXT"
        )
    return HttpRequest(path, text if sign else None, port)


def read_env_file(path: Path) -> dict[str, str]:
    """As `docker run --env-file` reads it: NAME=VALUE per line, `#` comments, no quotes, no
    expansion; a NAME alone takes the value of the caller's environment, and is left out where that
    has none. Raises InputError with its place.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot read the environment file: {error}", location=Location(str(path))
        ) from None
    values: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        line = line.lstrip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not name or re.search(r"\s", name.rstrip() if not sign else name):
            raise InputError(
                "no name of a variable",
                location=Location(str(path), number),
                hint="one NAME=VALUE per line",
            )
        values.update({name: value} if sign else from_caller(name.rstrip()))
    return values


def from_caller(name: str) -> dict[str, str]:
    """The variable as the caller's environment has it; {} where it is not set."""
    value = os.environ.get(name)
    return {} if value is None else {name: value}
