"""`imgopt prove`: does another Dockerfile, or another image, do the same job?"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.emit import give
from imgopt.cli.found import settled
from imgopt.cli.grouped import grouped
from imgopt.cli.repeated import build_words, request_words, run_words
from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from imgopt.config import Config
    from imgopt.proof.prove import Question
    from imgopt.results.proof import ProofResult

HELP = """
Does that Dockerfile (yours, a colleague's, a model's) do the same job as this one?

Builds both, runs the original twice and the candidate once, asks both the same, and compares
configuration, files, libraries, packages, programs, opened files, answers, user and stop. Exit
code 0: proven; 1: refuted or unproven.

  imgopt prove . --with Dockerfile.slim

  imgopt prove shop:1.4 --with shop:1.5-slim
"""

_LOG_LINES = 15

Subject = Annotated[
    str, typer.Argument(metavar="[CONTEXT|IMAGE]", help="Build context folder, or an image.")
]
With = Annotated[str, typer.Option("--with", help="The candidate: a Dockerfile, or an image.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        help=f"An intended difference: {choices.listed(choices.DIFFERENCES)}; repeatable.",
    ),
]


def register(app: typer.Typer) -> None:
    app.command("prove", help=HELP)(grouped(prove_command, choices.format_option("proof")))


def prove_command(
    subject: Subject = ".",
    candidate: With = ...,  # type: ignore[assignment]
    allow: Allow = None,
    *,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    asked: options.RequestOptions,
    out: options.OutputOptions,
) -> int:
    from msgspec import structs

    out.check("proof")
    choices.check("--allow", allow or (), choices.DIFFERENCES)
    folder = Path(subject) if Path(subject).is_dir() else Path()
    if Path(subject).is_dir():
        where, settings = settled(folder, build, smoke, asked)
        question = _of_dockerfiles(where, candidate, settings)
    else:
        settings = options.effective_config(folder, build, smoke, asked)
        question = _of_images(subject, candidate, settings)
    result = _prove(replace(question, allow=tuple(allow or ())))
    allowed = [word for key in allow or () for word in ("--allow", key)]
    said = [*run_words(smoke), *request_words(asked), *allowed]
    result = structs.replace(result, arguments=build_words(subject, build), run_arguments=said)
    give(result, out)
    return 0 if result.verdict == "proven" else 1


def _of_dockerfiles(context: Path, candidate: str, settings: Config) -> Question:
    from imgopt.engine import configured
    from imgopt.proof.prove import Question

    section = settings.build
    own = options.find_dockerfile(context, settings)
    request = replace(
        configured(context, settings), dockerfile=_readable(own), name="original", file=str(own)
    )
    other = next(
        (path for path in (Path(candidate), context / candidate) if path.is_file()), Path(candidate)
    )
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
        raise InputError(
            "no such Dockerfile",
            location=Location(str(path)),
            hint="--with takes the candidate's path",
        )
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
    from imgopt.cli.engine import engine_to_prove_with
    from imgopt.cli.progress import LiveProgress
    from imgopt.engine import BuildFailure, Session
    from imgopt.proof.prove import prove
    from imgopt.report.common import safe_terminal

    try:
        builds = not isinstance(question.original, str)
        with Session(engine_to_prove_with(builds=builds)) as session, LiveProgress() as progress:
            return prove(session, question, on_event=progress.build, say=progress.stage)
    except BuildFailure as failure:
        for line in failure.log[-_LOG_LINES:]:
            print(f"  {safe_terminal(line)}", file=sys.stderr)
        raise
