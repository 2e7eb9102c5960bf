"""`imgopt deploy compose`: base, development and production."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.deploy_options import Run, Subject, Wanted, context_of, delivered, planned, texts_in
from imgopt.cli.grouped import grouped

HELP = """
Compose files from what a run of the image showed: base, development, production.

A health check whose program is in the image, the stop's grace, limits by the measured peak, a
read-only root with what has to be writable: each figure with a comment that says where it is from.
A compose.yaml that lies in --out is changed in place: what its author wrote stays, unless the run
showed that it fails. Without --out, the files are shown.

  imgopt deploy compose . --out .

  imgopt deploy compose --facts facts.json --image registry.example/shop:1.4 --out deploy --diff
"""
ContextOption = Annotated[
    Path | None,
    typer.Option("--context", "-C", help="Build context that development follows."),
]
SecretFile = Annotated[
    list[str] | None,
    typer.Option(
        "--secret-file", metavar="NAME", help="The program takes it as NAME_FILE; repeatable."
    ),
]


def register(group: typer.Typer) -> None:
    group.command("compose", help=HELP)(grouped(compose, choices.format_option("deploy")))


def compose(
    subject: Subject = None,
    context: ContextOption = None,
    secret_file: SecretFile = None,
    *,
    wanted: Wanted,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    out: options.OutputOptions,
) -> int:
    from imgopt.deploy.compose.files import compose_files
    from imgopt.deploy.model import Options

    out.check("deploy")
    plan = planned(
        wanted, Run(subject, build, smoke), Options(secret_files=tuple(secret_file or ()))
    )
    texts = texts_in(wanted.out, below=False)
    if context is None and subject is not None and Path(subject).is_dir():
        context = Path(subject)
    return delivered(compose_files(plan, texts, context_of(wanted.out, context)), wanted, out)
