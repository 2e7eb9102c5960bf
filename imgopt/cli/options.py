"""Options that several commands share: what `docker build` takes, how the image is run, and where
results go."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from imgopt.errors import InputError, Location

Context = Annotated[Path, typer.Argument(help="Build context folder.", show_default=True)]
File = Annotated[
    Path | None, typer.Option("--file", "-f", help="Dockerfile (default: CONTEXT/Dockerfile).")
]
Target = Annotated[str | None, typer.Option("--target", help="Stage to build.")]
BuildArg = Annotated[
    list[str] | None,
    typer.Option("--build-arg", help="NAME=VALUE, or NAME alone, as in docker build."),
]
Secret = Annotated[
    list[str] | None, typer.Option("--secret", help="As in docker build: id=npm,src=.npmrc")
]
Ssh = Annotated[
    list[str] | None, typer.Option("--ssh", help="As in docker build: default, or ID=SOCKET.")
]
Platform = Annotated[
    str | None, typer.Option("--platform", help="linux/amd64, linux/arm64, linux/arm/v7, ...")
]
Network = Annotated[
    str | None, typer.Option("--network", help="Of RUN steps: default, none or host.")
]
Base = Annotated[
    list[str] | None, typer.Option("--base", help="NAME=IMAGE: use IMAGE where a FROM says NAME.")
]
Port = Annotated[
    list[int] | None,
    typer.Option("--port", min=1, max=65535, help="Port that the service listens on; repeatable."),
]
Http = Annotated[list[str] | None, typer.Option("--http", help="PATH or PATH=TEXT to ask for.")]
RunCommand = Annotated[
    list[str] | None, typer.Option("--run", help="Command to run in the container and compare.")
]
Env = Annotated[
    list[str] | None,
    typer.Option("--env", "-e", help="NAME=VALUE, or NAME alone, for the container."),
]
EnvFile = Annotated[Path | None, typer.Option("--env-file", help="File of NAME=VALUE lines.")]
Requests = Annotated[
    Path | None,
    typer.Option(
        "--requests",
        help="File of requests to send: .http, Postman, HAR, OpenAPI or Bruno.",
    ),
]
NoWrites = Annotated[
    bool,
    typer.Option("--no-writes", help="Look for no requests that may change something."),
]
Tests = Annotated[
    str | None,
    typer.Option("--tests", help="Command that tests the running service, for both images."),
]
Service = Annotated[str | None, typer.Option("--service", help="Service of the Compose file.")]
BakeTarget = Annotated[str | None, typer.Option("--bake-target", help="Target of the Bake file.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Configuration file (default: the nearest).")
]
Format = Annotated[str, typer.Option("--format", help="What goes to standard output.")]
Output = Annotated[
    list[str] | None,
    typer.Option("--output", metavar="FORMAT:PATH", help="To a file, in a format; repeatable."),
]

MOST_SHOWN = 12
"""Dockerfiles that are listed where there are several."""

if TYPE_CHECKING:
    from imgopt.config import Config
    from imgopt.run.settings import SmokeSettings


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """The build half of the command line; None means: as the configuration says."""

    file: File = None
    target: Target = None
    build_arg: BuildArg = None
    secret: Secret = None
    ssh: Ssh = None
    platform: Platform = None
    network: Network = None
    base: Base = None
    config: ConfigFile = None
    service: Service = None
    bake_target: BakeTarget = None


@dataclass(frozen=True, slots=True)
class SmokeOptions:
    """The run half of the command line."""

    port: Port = None
    http: Http = None
    run: RunCommand = None
    env: Env = None
    env_file: EnvFile = None


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What a proof asks beyond the pages that it finds."""

    requests: Requests = None
    no_writes: NoWrites = False
    tests: Tests = None


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where the result goes."""

    format: Format = "text"
    output: Output = None

    def check(self, kind: str) -> None:
        """Before long work: raises InputError where results of this kind have no such format, or no
        such file."""
        from imgopt.report import check_format, check_outputs

        check_format(self.format, kind)
        check_outputs(self.output or (), kind)


def effective_config(
    context: Path,
    build: BuildOptions,
    smoke: SmokeOptions | None = None,
    asked: RequestOptions | None = None,
) -> Config:
    """The configuration file with the command line over it."""
    from imgopt.config import load_config

    if not context.is_dir():
        raise InputError(
            "not a folder",
            location=Location(str(context)),
            hint="give the build context, as for docker build",
        )
    config, path = load_config(context, build.config)
    folder = path.parent if path else context
    built = _with_build(config, build)
    return _with_requests(_with_smoke(built, smoke or SmokeOptions(), folder), asked, folder)


def _with_build(config: Config, options: BuildOptions) -> Config:
    old = config.build
    section = msgspec.structs.replace(
        old,
        file=str(options.file) if options.file else old.file,
        target=options.target or old.target,
        args={**old.args, **pairs(from_environment(options.build_arg or ()), "--build-arg")},
        secrets=[*old.secrets, *(options.secret or [])],
        ssh=[*old.ssh, *(options.ssh or [])],
        platform=options.platform or old.platform,
        network=options.network or old.network,
    )
    compose = msgspec.structs.replace(
        config.compose,
        service=options.service or config.compose.service,
        bake_target=options.bake_target or config.compose.bake_target,
    )
    bases = {**config.bases, **pairs(options.base, "--base")}
    return msgspec.structs.replace(config, build=section, bases=bases, compose=compose)


def _with_smoke(config: Config, options: SmokeOptions, folder: Path) -> Config:
    from imgopt.run.settings import read_http

    old = config.smoke
    for probe in [*old.http, *(options.http or [])]:
        read_http(probe)  # a wrong one is said before anything is built
    env_file = options.env_file or (folder / old.env_file if old.env_file else None)
    section = msgspec.structs.replace(
        old,
        ports=[*old.ports, *(options.port or [])],
        http=[*old.http, *(options.http or [])],
        run=[*old.run, *(options.run or [])],
        env=_environment(options, env_file, old.env),
        env_file=None,
    )
    return msgspec.structs.replace(config, smoke=section)


def _with_requests(config: Config, asked: RequestOptions | None, folder: Path) -> Config:
    """With the command line's file of requests, and without writes where they are not wanted; what
    is wrong with the requests is said before anything is built."""
    from imgopt.requests.configured import requests_of

    old = config.smoke
    file = folder / old.requests_file if old.requests_file else None
    file = asked.requests if asked is not None and asked.requests else file
    section = msgspec.structs.replace(
        old,
        requests_file=str(file.resolve()) if file else None,
        writes=old.writes and not (asked is not None and asked.no_writes),
        tests=_tests(old.tests, asked),
    )
    if asked is not None:
        requests_of(section.requests, section.requests_file, folder)
    return msgspec.structs.replace(config, smoke=section)


def _tests(configured: str | None, asked: RequestOptions | None) -> str | None:
    """Tests may change something: with --no-writes only those run that stand beside it; "" says
    that the configuration's do not."""
    if asked is None or asked.tests is not None:
        return configured if asked is None else asked.tests
    return "" if configured and asked.no_writes else configured


def smoke_settings(config: Config) -> SmokeSettings:
    """The configuration's [smoke] table as the proof and the benchmark take it."""
    from imgopt.run.settings import configured_settings

    return configured_settings(config, Path())


def from_environment(words: Iterable[str]) -> list[str]:
    """As docker does: a `--build-arg NAME` without a value takes that of the environment, or is not
    given."""
    valued = (
        word if "=" in word else f"{word}={os.environ[word]}"
        for word in words
        if "=" in word or word in os.environ
    )
    return list(valued)


def pairs(values: list[str] | None, option: str) -> dict[str, str]:
    """NAME=VALUE words as a mapping. Raises InputError for a word without `=`."""
    result: dict[str, str] = {}
    for word in values or []:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InputError(f"{option} {word}: expected NAME=VALUE")
        result[name] = value
    return result


def _environment(
    options: SmokeOptions, env_file: Path | None, configured: Mapping[str, str]
) -> dict[str, str]:
    """The file's variables, then the configuration's, then those of the command line, where a NAME
    alone takes the caller's value, as in `docker run --env`."""
    from imgopt.run.settings import from_caller, read_env_file

    given = {**(read_env_file(env_file) if env_file else {}), **configured}
    for word in options.env or []:
        given.update(pairs([word], "--env") if "=" in word else from_caller(word))
    return given


def find_dockerfile(context: Path, config: Config) -> Path:
    """The Dockerfile of a project: as `-f` or the configuration says, else CONTEXT/Dockerfile, else
    the only one that there is under another name or in a sub-folder, which is said. Raises
    InputError."""
    named = config.build.file
    if named is not None:
        path = (
            Path(named) if Path(named).is_file() or Path(named).is_absolute() else context / named
        )
    else:
        path = context / "Dockerfile"
    if path.is_file():
        return path
    return _other_dockerfile(context, path, named)


def other_name(context: Path, config: Config) -> str | None:
    """The path of the project's Dockerfile where it is not CONTEXT/Dockerfile. Raises InputError
    for none."""
    path = find_dockerfile(context, config)
    return None if path == context / "Dockerfile" else str(path)


def _other_dockerfile(context: Path, path: Path, named: str | None) -> Path:
    from imgopt.context.dockerfiles import find_dockerfiles, own_context

    found = find_dockerfiles(context)
    only = found[0] if len(found) == 1 and named is None else None
    if only is not None and own_context(context, only) == context:
        print(
            f"imgopt: there is no {path}: {only} is used, and {context} stays the build context",
            file=sys.stderr,
        )
        return only
    shown = [_pointed(context, own_context(context, other), other) for other in found[:MOST_SHOWN]]
    more = [f"and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
    hint = (
        "\n".join(["there is, with what to give:", *shown, *more])
        if found
        else "give its path with -f"
    )
    raise InputError("no such Dockerfile", location=Location(str(path)), hint=hint)


def _pointed(context: Path, own: Path, dockerfile: Path) -> str:
    """Context and `-f` for one of several Dockerfiles, as words to paste."""
    if own != context and dockerfile.name == "Dockerfile":
        return shlex.join([str(own)])
    return shlex.join([str(own), "-f", str(dockerfile)])
