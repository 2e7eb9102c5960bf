"""`imgopt ci`: stop a size regression, and say which line did it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from imgopt.cli import options

if TYPE_CHECKING:
    from imgopt.ci.api import Project
    from imgopt.ci.subjects import Subject
    from imgopt.results.ci import CiResult

FailOn_ = Literal["error", "warn", "never"]
Images = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME=]IMAGE...", help="Images; default: those of the configuration.")
]
Folder = Annotated[Path, typer.Option("--context", "-C", help="Project folder: configuration, baseline, manifests.")]
Baseline = Annotated[Path | None, typer.Option("--baseline", help="Baseline file (default: imgopt-baseline.json).")]
Against = Annotated[str | None, typer.Option("--against", help="Use the baseline at the merge base with REV.")]
AgainstImage = Annotated[str | None, typer.Option("--against-image", help="Compare with this image instead.")]
Platforms = Annotated[list[str] | None, typer.Option("--platform", help="For instance linux/arm64; repeatable.")]
Pull = Annotated[bool, typer.Option("--pull", help="Read the layers of registry images, not only the manifest.")]
Build = Annotated[bool, typer.Option("--build", help="Build the images of the configuration first.")]
FailOn = Annotated[str, typer.Option("--fail-on", help="error, warn or never: which findings make exit code 1.")]
Require = Annotated[bool, typer.Option("--require-baseline", help="Exit with 2 where there is no baseline.")]
Ratchet = Annotated[bool, typer.Option("--ratchet", help="Record images that became smaller.")]
NoFix = Annotated[bool, typer.Option("--no-fix", help="Do not ask the rewriter for the offending lines.")]


def register(app: typer.Typer) -> None:
    ci = typer.Typer(no_args_is_help=True, help="Hold image sizes against a baseline, and say which line broke it.")
    ci.command("check", help=CHECK)(check)
    ci.command("baseline", help=BASELINE)(baseline)
    app.add_typer(ci, name="ci")


CHECK = """
Hold images against the baseline: what grew, by instruction, package and path.

Exit code 0: fine; 1: a rule of level error is broken; 2: wrong input, or no baseline with --require-baseline.
In GitHub Actions, --format github also writes the step summary and the outputs.

  imgopt ci check app=ghcr.io/acme/app:dev

  imgopt ci check --against origin/main --output sarif:imgopt.sarif --output junit:imgopt.xml
"""
BASELINE = """
Record what images weigh now in imgopt-baseline.json; commit the file.

  imgopt ci baseline app=ghcr.io/acme/app:dev
"""


def check(
    images: Images = None, context: Folder = Path(), baseline: Baseline = None, against: Against = None,
    against_image: AgainstImage = None, file: options.File = None, target: options.Target = None,
    platform: Platforms = None, build: Build = False, pull: Pull = False, fail_on: FailOn = "error",
    require_baseline: Require = False, ratchet: Ratchet = False, no_fix: NoFix = False,
    config: options.ConfigFile = None, format: options.Format = "text", output: options.Output = None,
) -> int:  # fmt: skip
    from imgopt.ci.api import run_check
    from imgopt.ci.building import built
    from imgopt.ci.record import record
    from imgopt.report.formats import check_outputs, write_outputs

    level = _fail_on(fail_on)
    check_outputs(output or [], "ci")
    project = _project(context, config, baseline, require_baseline)
    subjects = _subjects(images, project, file, target, platform)
    with built(subjects, project.config, rebuild=build, say=_say) as ready:
        result, checked = run_check(
            ready, project, against=against, against_image=against_image, pull=pull, suggest=not no_fix
        )
    _show(result, format)
    write_outputs(result, output or [])
    if ratchet and result.status != "failed":
        for key in record(project.baseline, checked, ratchet=project.settings.metric):
            _say(f"recorded {key} in {project.baseline}")
    return result.exit_code(level)


def baseline(
    images: Images = None, context: Folder = Path(), baseline: Baseline = None, file: options.File = None,
    target: options.Target = None, platform: Platforms = None, build: Build = False, pull: Pull = False,
    ratchet: Ratchet = False, config: options.ConfigFile = None,
) -> int:  # fmt: skip
    from imgopt.ci.api import run_check
    from imgopt.ci.building import built
    from imgopt.ci.record import record

    project = _project(context, config, baseline, False)
    subjects = _subjects(images, project, file, target, platform)
    with built(subjects, project.config, rebuild=build, say=_say) as ready:
        _, checked = run_check(ready, project, pull=pull, suggest=False)
    changed = record(project.baseline, checked, ratchet=project.settings.metric if ratchet else None)
    for item in checked:
        word = "recorded" if item.entry.key in changed else "unchanged"
        _say(f"{word} {item.entry.key} in {project.baseline}")
    return 0


def _fail_on(word: str) -> FailOn_:
    from imgopt.errors import InputError

    for known in get_args(FailOn_):
        if word == known:
            found: FailOn_ = known
            return found
    raise InputError(f"--fail-on {word}: expected error, warn or never")


def _project(context: Path, config: Path | None, baseline: Path | None, require: bool) -> Project:
    import dataclasses

    import msgspec

    from imgopt.ci.api import load_project

    project = load_project(context, config, baseline)
    if require:
        settings = msgspec.structs.replace(project.settings, on_missing_baseline="error")
        project = dataclasses.replace(project, settings=settings)
    return project


def _subjects(
    images: Sequence[str] | None, project: Project, file: Path | None, target: str | None, platforms: list[str] | None
) -> list[Subject]:
    from imgopt.ci.subjects import Where, find_subjects

    where = Where(project.folder, None, file, target, tuple(platforms or ()))
    return find_subjects(images or (), project.settings, where)


def _show(result: CiResult, format: str) -> None:
    from imgopt.report import render, renderable

    if format != "text":
        sys.stdout.write(render(result, format))
        return
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(renderable(result))


def _say(message: str) -> None:
    from imgopt.report.common import safe_terminal

    print(f"imgopt: {safe_terminal(message)}", file=sys.stderr)
