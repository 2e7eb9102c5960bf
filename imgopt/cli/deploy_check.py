"""`imgopt deploy check`: Compose and Kubernetes files against rules and against the image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.grouped import grouped

if TYPE_CHECKING:
    from imgopt.results.deploy import DeployCheck

HELP = """
Hold Kubernetes and Compose files against rules, and against the image that they run.

Does the program of a probe exist in the image, may its user execute it? Is the memory limit above
the peak that was measured, does the grace last for the drain? Each finding has its evidence, file
and line, and what to do. FILE is a file, a folder (Kustomizations are resolved), or - for standard
input. Images are looked for in the engine, or given by --image; what was measured, by --facts.

A line is accepted by a comment on it, or above: # imgopt: ignore D22 because REASON

Exit code 0: fine; 1: findings of the level of --fail-on or above; 2: what was named cannot be
read.

  imgopt deploy check k8s/ --facts facts.json

  helm template chart | imgopt deploy check - --image web=shop:1.4 --format sarif

  imgopt deploy check --rules D5
"""
Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", help="Files, folders, or - for standard input."),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        metavar="[NAME=]IMAGE",
        help="The image itself: a name, a tar or a folder; NAME is a container, service or image"
        " of the files; repeatable.",
    ),
]
Facts = Annotated[
    list[str] | None,
    typer.Option(
        "--facts",
        metavar="[NAME=]FILE",
        help="What `imgopt run-facts IMAGE --format json` measured; repeatable.",
    ),
]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        help=f"{choices.listed(choices.DEPLOY_LEVELS)}: findings that make exit code 1.",
    ),
]
Rules = Annotated[
    bool, typer.Option("--rules", help="List the rules, or explain those that are named.")
]


def register(group: typer.Typer) -> None:
    kind = choices.format_option("deploy-check")
    group.command("check", help=HELP)(grouped(check_command, kind))


def check_command(
    files: Files = None,
    image: Images = None,
    facts: Facts = None,
    fail_on: FailOn = "error",
    rules: Rules = False,
    *,
    out: options.OutputOptions,
) -> int:
    from imgopt.errors import InputError

    if rules:
        return _explain([str(path) for path in files or ()])
    out.check("deploy-check")
    choices.check("--fail-on", [fail_on], choices.DEPLOY_LEVELS)
    if not files:
        raise InputError("no file is named", hint="name files or folders, or - for standard input")
    result = _checked(files, image or [], facts or [])
    _give(result, out)
    return result.exit_code(fail_on)


def _checked(
    files: list[Path], images: list[str] | tuple[()], facts: list[str] | tuple[()]
) -> DeployCheck:
    from imgopt.cli.waiting import told_when_slow
    from imgopt.deploy.check.run import check

    with told_when_slow("reading the files and the images that they name"):
        return check(files, images, facts)


def _give(result: DeployCheck, out: options.OutputOptions) -> None:
    from imgopt.cli.emit import emit
    from imgopt.report import write_outputs

    emit(result, out.format)
    write_outputs(result, out.output or ())


def _explain(names: list[str]) -> int:
    from imgopt.cli.emit import show
    from imgopt.deploy.check.rules import RULES
    from imgopt.errors import InputError
    from imgopt.report.deploy_rules import listing, page

    if not names:
        show(listing(RULES))
        return 0
    chosen = [rule for rule in RULES if {rule.id, rule.name} & set(names)]
    if not chosen:
        raise InputError(
            f"no rule {names[0]}", hint=f"known: {', '.join(rule.id for rule in RULES)}"
        )
    for rule in chosen:
        show(page(rule))
    return 0
