"""`imgopt ci`: stop a size regression, and say which line did it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from imgopt.cli import choices, options
from imgopt.cli.waiting import told_when_slow

if TYPE_CHECKING:
    from imgopt.ci.api import Project
    from imgopt.ci.subjects import Subject

FailLevel = Literal["error", "warn", "never"]
Images = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME=]IMAGE...", help="Images; default: those of the configuration."),
]
Folder = Annotated[
    Path,
    typer.Option("--context", "-C", help="Project folder: configuration, baseline, manifests."),
]
Baseline = Annotated[
    Path | None, typer.Option("--baseline", help="Baseline file (default: imgopt-baseline.json).")
]
Against = Annotated[
    str | None, typer.Option("--against", help="Use the baseline at the merge base with REV.")
]
AgainstImage = Annotated[
    str | None, typer.Option("--against-image", help="Compare with this image instead.")
]
Platforms = Annotated[
    list[str] | None, typer.Option("--platform", help="linux/amd64, linux/arm64, ...; repeatable.")
]
Pull = Annotated[
    bool, typer.Option("--pull", help="Read the layers of registry images, not only the manifest.")
]
Build = Annotated[
    bool, typer.Option("--build", help="Build the images first, also those that have a name.")
]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on", help=f"{choices.listed(choices.FAIL_LEVELS)}: which findings make exit code 1."
    ),
]
Require = Annotated[
    bool, typer.Option("--require-baseline", help="Exit with 2 where there is no baseline.")
]
Ratchet = Annotated[
    bool, typer.Option("--ratchet", help="Record images that became smaller, and only those.")
]
NoFix = Annotated[
    bool, typer.Option("--no-fix", help="Do not ask the rewriter for the offending lines.")
]
Because = Annotated[
    str, typer.Option("--because", help="Why the growth is right; kept in the baseline.")
]
Until = Annotated[
    str | None, typer.Option("--until", help="YYYY-MM-DD: accepted through that day only.")
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Commits to look at.")]
CiFormat = Annotated[str, choices.format_option("ci")]
HistoryFormat = Annotated[str, choices.format_option("history")]
Dockerfiles = Annotated[
    list[Path],
    typer.Argument(metavar="DOCKERFILE|FOLDER...", help="Files to check, or folders of them."),
]
Fix = Annotated[bool, typer.Option("--fix", help="Write what the rewriter would write.")]


def register(app: typer.Typer) -> None:
    ci = typer.Typer(
        no_args_is_help=True,
        help="Hold image sizes against a baseline, and say which line broke it.",
    )
    ci.command("check", help=CHECK)(check)
    ci.command("baseline", help=BASELINE)(baseline)
    ci.command("accept", help=ACCEPT)(accept)
    ci.command("history", help=HISTORY)(history)
    ci.command("lint", help=LINT)(lint)
    app.add_typer(ci, name="ci")


CHECK = """
Hold images against the baseline: what grew, by instruction, package and path.

Exit code 0: fine; 1: a rule of level error is broken; 2: wrong input, or no baseline with
--require-baseline. In GitHub Actions, --format github also writes the step summary and the
outputs.

  imgopt ci check app=ghcr.io/acme/app:dev

  imgopt ci check --against origin/main --output sarif:imgopt.sarif --output junit:imgopt.xml
"""
BASELINE = """
Record what images weigh now in imgopt-baseline.json; commit the file.

  imgopt ci baseline app=ghcr.io/acme/app:dev
"""
ACCEPT = """
Take what `imgopt ci check` finds knowingly, with a reason.

With --until the baseline stays, and counts again after that day. Without, what is measured
becomes the baseline.

  imgopt ci accept app=app:dev --because "the model is part of it now" --until 2030-01-31
"""
HISTORY = """
Draw the sizes over the baseline's git history, with the commits that changed them most.

  imgopt ci history --limit 50
"""
LINT = """
Check Dockerfiles by their text alone, without an engine: what a build refuses, and what the
rewriter does better.

Exit code 1 when there is a remark, or with --fix when a file was changed.

In a folder, and in its sub-folders, every Dockerfile is read, under whatever name
(web.Dockerfile, Dockerfile.prod).

  imgopt ci lint Dockerfile docker/*.Dockerfile

  imgopt ci lint .
"""


def check(
    images: Images = None,
    context: Folder = Path(),
    baseline: Baseline = None,
    against: Against = None,
    against_image: AgainstImage = None,
    file: options.File = None,
    target: options.Target = None,
    platform: Platforms = None,
    build: Build = False,
    pull: Pull = False,
    fail_on: FailOn = "error",
    require_baseline: Require = False,
    ratchet: Ratchet = False,
    no_fix: NoFix = False,
    config: options.ConfigFile = None,
    format: CiFormat = "text",
    output: options.Output = None,
) -> int:
    from imgopt.ci.api import run_check
    from imgopt.ci.building import built
    from imgopt.ci.record import record
    from imgopt.cli.emit import emit
    from imgopt.report.formats import write_outputs

    level = _fail_on(fail_on)
    options.OutputOptions(format, output).check("ci")
    project = _project(context, config, baseline, require_baseline)
    subjects = _subjects(images, project, file, target, platform)
    with built(subjects, project.config, rebuild=build, say=_say, keep_going=True) as ready:
        result, checked = run_check(
            ready,
            project,
            against=against,
            against_image=against_image,
            pull=pull,
            suggest=not no_fix,
        )
    emit(result, format)
    write_outputs(result, output or [])
    if ratchet and result.status != "failed":
        metric = project.settings.metric
        for key in record(project.baseline, checked, ratchet=metric, say=_say):
            _say(f"recorded {key} in {project.baseline}")
    return result.exit_code(level)


def baseline(
    images: Images = None,
    context: Folder = Path(),
    baseline: Baseline = None,
    file: options.File = None,
    target: options.Target = None,
    platform: Platforms = None,
    build: Build = False,
    pull: Pull = False,
    ratchet: Ratchet = False,
    config: options.ConfigFile = None,
) -> int:
    from imgopt.ci.api import run_record

    project = _project(context, config, baseline, False)
    subjects = _subjects(images, project, file, target, platform)
    changed, keys = run_record(
        subjects, project, rebuild=build, pull=pull, ratchet=ratchet, say=_say
    )
    for key in keys:
        _say(f"{'recorded' if key in changed else 'unchanged'} {key} in {project.baseline}")
    return 0


def accept(
    because: Because,
    images: Images = None,
    until: Until = None,
    context: Folder = Path(),
    baseline: Baseline = None,
    file: options.File = None,
    target: options.Target = None,
    platform: Platforms = None,
    build: Build = False,
    config: options.ConfigFile = None,
) -> int:
    import datetime

    from imgopt.ci.accept import accept as write
    from imgopt.ci.accept import read_acceptance
    from imgopt.ci.api import run_check
    from imgopt.ci.building import built

    project = _project(context, config, baseline, False)
    acceptance = read_acceptance(because, until, project.folder, datetime.date.today())
    subjects = _subjects(images, project, file, target, platform)
    with built(subjects, project.config, rebuild=build, say=_say) as ready:
        _, checked = run_check(ready, project, suggest=False, accepted=False)
    changed = write(project.baseline, checked, acceptance)
    for key in changed:
        _say(f"accepted {key} in {project.baseline}" + (f" until {until}" if until else ""))
    if not changed:
        _say("nothing to accept: no rule is broken")
    return 0


def history(
    context: Folder = Path(),
    baseline: Baseline = None,
    limit: Limit = 200,
    config: options.ConfigFile = None,
    format: HistoryFormat = "text",
    output: options.Output = None,
) -> int:
    from imgopt.ci.history import history as read
    from imgopt.cli.emit import emit
    from imgopt.report.formats import write_outputs

    options.OutputOptions(format, output).check("history")
    project = _project(context, config, baseline, False)
    result = read(project.baseline, project.settings.metric, limit)
    emit(result, format)
    write_outputs(result, output or [])
    return 0


def lint(files: Dockerfiles, fix: Fix = False) -> int:
    from imgopt.ci.lint import dockerfiles_of, lines_of
    from imgopt.ci.lint import fix as write
    from imgopt.ci.lint import lint as read
    from imgopt.collector import collector_paused
    from imgopt.report.common import safe_terminal

    known = dockerfiles_of(files)
    if any(path.is_dir() for path in files):
        _say(f"reads {', '.join(safe_terminal(str(path)) for path in known)}")
    what = f"{len(known)} Dockerfile{'s' if len(known) > 1 else ''}"
    with collector_paused(), told_when_slow(f"reading {what} and what is beside"):
        linted = read(known)
    changed = write(linted) if fix else []
    for line in lines_of(linted):
        print(safe_terminal(line))
    for path in changed:
        _say(f"rewrote {path}")
    return int(any(item.remarks for item in linted))


def _fail_on(word: str) -> FailLevel:
    from imgopt.errors import InputError

    for known in get_args(FailLevel):
        if word == known:
            found: FailLevel = known
            return found
    raise InputError(
        f"--fail-on {word}: no such level", hint=f"known: {', '.join(choices.FAIL_LEVELS)}"
    )


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
    images: Sequence[str] | None,
    project: Project,
    file: Path | None,
    target: str | None,
    platforms: list[str] | None,
) -> list[Subject]:
    from imgopt.ci.subjects import Where, find_subjects

    where = Where(project.folder, None, file, target, tuple(platforms or ()))
    return find_subjects(images or (), project.settings, where)


def _say(message: str) -> None:
    from imgopt.cli.streams import tell

    tell(message)
