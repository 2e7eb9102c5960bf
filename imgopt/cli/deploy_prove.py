"""`imgopt deploy prove`: the files tried on real parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.emit import give
from imgopt.cli.grouped import grouped
from imgopt.errors import InputError

if TYPE_CHECKING:
    from imgopt.deploy.prove.prove import Question
    from imgopt.results.deploy import DeployProof

HELP = """
Try Kubernetes or Compose files on real parts, and count the requests that fail.

Kubernetes: schemas offline; a real API server's strict dry run with Pod Security "restricted"; a
real node: roll out, rolling update under load, drained node, killed pod and node, bad release,
scaling, memory. The cluster is the local one (make cluster) or --context, in a namespace of its
own that is removed at the end. Compose: up --wait, healthy, stopped in time. Exit code 0: all
passed; 1: something failed or was not measured.

  imgopt deploy prove deploy/

  imgopt deploy prove compose.yaml

  imgopt deploy prove deploy/ --context staging --http /healthz
"""

Given = Annotated[
    list[Path], typer.Argument(metavar="DIR|FILE...", help="Files to try, or folders of them.")
]
LastTier = Annotated[
    int, typer.Option("--tier", min=1, max=3, help="1: schemas; 2: API server too; 3: nodes too.")
]
Kubeconfig = Annotated[
    str | None,
    typer.Option("--context", metavar="NAME", help="Context of your kubeconfig to try them on."),
]
Overlay = Annotated[
    str | None,
    typer.Option("--overlay", help="Kustomize overlay for the nodes (default: production)."),
]
Http = Annotated[
    str | None, typer.Option("--http", metavar="PATH", help="Path to ask under load (default: /).")
]
Count = Annotated[
    int, typer.Option("--requests", min=1, max=100_000, help="Requests of a rolling update.")
]
Workers = Annotated[
    int, typer.Option("--workers", min=1, max=64, help="Connections that ask at the same time.")
]
Ready = Annotated[
    int, typer.Option("--ready", metavar="SECONDS", min=1, help="How long pods may take.")
]
Trials = Annotated[
    list[str] | None,
    typer.Option("--trial", help=f"{choices.listed(choices.TRIALS)}; default all; repeatable."),
]


def register(group: typer.Typer) -> None:
    group.command("prove", help=HELP)(grouped(prove_command, choices.format_option("deploy-proof")))


def prove_command(
    given: Given,
    tier: LastTier = 3,
    context: Kubeconfig = None,
    overlay: Overlay = None,
    http: Http = None,
    requests: Count = 2000,
    workers: Workers = 4,
    ready_seconds: Ready = 120,
    trial: Trials = None,
    *,
    out: options.OutputOptions,
) -> int:
    from imgopt.deploy.prove.prove import Question
    from imgopt.deploy.prove.stage import Settings

    out.check("deploy-proof")
    choices.check("--trial", trial or (), choices.TRIALS)
    settings = Settings(http, requests, workers=workers, ready_seconds=float(ready_seconds))
    if http is not None and not http.startswith("/"):
        raise InputError(f"--http {http!r} is no path", hint="it begins with /")
    question = Question(given, tier, context, overlay, settings, tuple(trial or ()))
    result = _prove(question)
    give(result, out)
    return 0 if result.verdict == "passed" else 1


def _prove(question: Question) -> DeployProof:
    from imgopt.cli.progress import LiveProgress
    from imgopt.deploy.prove.compose import compose_files, prove_compose
    from imgopt.deploy.prove.prove import prove

    with LiveProgress() as progress:
        if files := compose_files(question.given):
            return prove_compose(files, question.tier, progress.stage)
        return prove(question, progress.stage)
