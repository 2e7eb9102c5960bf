"""`imgopt prove`: does another Dockerfile, or another image, do the same job?"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import options
from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from imgopt.config import Config
    from imgopt.proof.prove import Question
    from imgopt.results.proof import ProofResult

HELP = """
Does that Dockerfile (yours, a colleague's, a model's) do the same job as this one?

Builds both, runs the original twice and the candidate once, asks both the same, and compares configuration, files,
libraries, packages, programs, opened files, answers, user and stop. Exit code 0: proven; 1: refuted or unproven.

  imgopt prove . --with Dockerfile.slim

  imgopt prove shop:1.4 --with shop:1.5-slim
"""

_LOG_LINES = 15

Subject = Annotated[str, typer.Argument(metavar="[CONTEXT|IMAGE]", help="Build context folder, or an image.")]
With = Annotated[str, typer.Option("--with", help="The candidate: a Dockerfile, or an image.")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", help="An intended difference: user, entrypoint, env:NAME, file:PATH, package:NAME, ..."),
]


def register(app: typer.Typer) -> None:
    app.command("prove", help=HELP)(prove_command)


def prove_command(
    subject: Subject = ".",
    candidate: With = ...,  # type: ignore[assignment]
    allow: Allow = None,
    file: options.File = None,
    target: options.Target = None,
    build_arg: options.BuildArg = None,
    secret: options.Secret = None,
    ssh: options.Ssh = None,
    platform: options.Platform = None,
    network: options.Network = None,
    base: options.Base = None,
    port: options.Port = None,
    http: options.Http = None,
    run: options.RunCommand = None,
    env: options.Env = None,
    env_file: options.EnvFile = None,
    config: options.ConfigFile = None,
    format: options.Format = "text",
    output: options.Output = None,
) -> int:
    from imgopt.report import check_outputs, formats_of, write_outputs

    if format not in formats_of("proof"):
        raise InputError(f"no format {format!r} here", hint=f"choose one of: {', '.join(formats_of('proof'))}")
    check_outputs(output or (), "proof")
    build = options.BuildOptions(file, target, build_arg, secret, ssh, platform, network, base)
    smoke = options.SmokeOptions(port, http, run, env, env_file)
    folder = Path(subject) if Path(subject).is_dir() else Path()
    settings = options.effective_config(folder, build, smoke, config)
    if Path(subject).is_dir():
        question = _of_dockerfiles(Path(subject), candidate, settings)
    else:
        question = _of_images(subject, candidate, settings)
    result = _prove(replace(question, allow=tuple(allow or ())))
    _print(result, format)
    write_outputs(result, output or ())
    return 0 if result.verdict == "proven" else 1


def _of_dockerfiles(context: Path, candidate: str, settings: Config) -> Question:
    from imgopt.engine import BuildRequest
    from imgopt.proof.prove import Question

    section = settings.build
    own = options.find_dockerfile(context, settings)
    request = BuildRequest(
        context,
        dockerfile=_readable(own),
        target=section.target,
        build_args=section.args,
        secrets=tuple(section.secrets),
        ssh=tuple(section.ssh),
        platform=section.platform,
        network=section.network,
        bases=settings.bases,
        name="original",
        file=str(own),
    )
    other = next((path for path in (Path(candidate), context / candidate) if path.is_file()), Path(candidate))
    _readable(other)  # what is wrong with the input is said before an engine is asked for
    target = section.target if section.target and _has_stage(other, section.target) else None
    wanted = replace(request, dockerfile=other, target=target, name="candidate", file=str(other))
    return Question(request, wanted, options.smoke_settings(settings), settings.bases)


def _has_stage(dockerfile: Path, name: str) -> bool:
    from imgopt.dockerfile import parse

    stages = parse(dockerfile.read_bytes().decode(errors="surrogateescape")).stages
    return any(stage.name == name.lower() for stage in stages)


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise InputError("no such Dockerfile", location=Location(str(path)), hint="--with takes the candidate's path")
    if not path.read_bytes().strip():
        raise InputError("the Dockerfile is empty", location=Location(str(path)))
    return path


def _of_images(original: str, candidate: str, settings: Config) -> Question:
    from imgopt.proof.prove import Question

    for name in (original, candidate):
        if Path(name).exists():
            raise InputError(
                "is no build context, and an image has to be in the engine to be run",
                location=Location(name),
                hint="give a folder, or `docker load` the image and give its name",
            )
    return Question(original, candidate, options.smoke_settings(settings), settings.bases)


def _prove(question: Question) -> ProofResult:
    from imgopt.cli.progress import LiveProgress
    from imgopt.engine import BuildFailure, Session, connect
    from imgopt.proof.prove import prove
    from imgopt.report.common import safe_terminal

    try:
        with Session(connect()) as session, LiveProgress() as progress:
            return prove(session, question, on_event=progress.build, say=progress.stage)
    except BuildFailure as failure:
        for line in failure.log[-_LOG_LINES:]:
            print(f"  {safe_terminal(line)}", file=sys.stderr)
        raise


def _print(result: ProofResult, format: str) -> None:
    from rich.console import Console

    from imgopt.report import render, renderable

    if format == "text":
        Console(highlight=False).print(renderable(result))
    else:
        sys.stdout.write(render(result, format))
