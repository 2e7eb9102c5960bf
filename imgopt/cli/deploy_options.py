"""What the commands that write deployment files share: whose facts, under which name, and where
to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import options
from imgopt.errors import EnvironmentFailure, InputError, Location

if TYPE_CHECKING:
    from imgopt.deploy.model import Options, Plan
    from imgopt.results.deploy import DeployFiles
    from imgopt.results.run_facts import ImageFacts, RunFacts

Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="[CONTEXT|IMAGE]", help="Measured where no --facts are given: folder or image."
    ),
]
Facts = Annotated[
    Path | None,
    typer.Option("--facts", metavar="FILE", help="Saved result of `imgopt run-facts`."),
]
Of = Annotated[
    str, typer.Option("--of", help="Which image of the facts: original, slim, ... (the last).")
]
Image = Annotated[
    str, typer.Option("--image", help="What the image is called where it is pushed to.")
]
Name = Annotated[str, typer.Option("--name", help="Of the service (default: of the image).")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write there; what lies there is changed in place."),
]
Diff = Annotated[
    bool, typer.Option("--diff", help="Show what would change in --out, write nothing.")
]
Agent = Annotated[
    bool, typer.Option("--agent", help="Work that may take minutes: a grace period of 180-300 s.")
]
_MOST_FILES, _MOST_BYTES = 500, 2_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """The half of both commands that is the same."""

    facts: Facts = None
    of: Of = ""
    image: Image = ""
    name: Name = ""
    out: Out = None
    diff: Diff = False
    agent: Agent = False


@dataclass(frozen=True, slots=True)
class Run:
    """How it is built and run, where it is to be measured; `smoke` has the environment as well."""

    subject: str | None
    build: options.BuildOptions
    smoke: options.SmokeOptions


def planned(wanted: Wanted, run: Run, more: Options) -> Plan:
    """`more` is what the command alone takes. Raises InputError."""
    from dataclasses import replace

    from imgopt.deploy.plan import chosen, plan_of

    facts = _facts(wanted, run)
    image = chosen(facts, wanted.of)
    said = replace(
        more,
        name=wanted.name or run.build.service or "",
        image=wanted.image,
        built=bool(facts.context),
        agent=wanted.agent,
        environment={**_of_project(facts.context, image), **_environment(run.smoke)},
    )
    return plan_of(image, said, facts.project)


def _of_project(context: str, image: ImageFacts) -> dict[str, str]:
    """What the Compose file of the measured context gives the service, as far as the run was given
    it; nothing where it cannot be read any more."""
    from imgopt.compose.finding import find
    from imgopt.errors import ImgoptError

    if not context or not image.given_environment or not Path(context).is_dir():
        return {}
    try:
        found = find(Path(context)).one
    except ImgoptError:
        return {}
    own = found.service.environment if found is not None and found.service is not None else {}
    return {name: own[name] for name in image.given_environment if name in own}


def _facts(wanted: Wanted, run: Run) -> RunFacts:
    """Saved, or measured now."""
    if wanted.facts is not None:
        if run.subject is not None:
            raise InputError(
                f"--facts and {run.subject}: which of the two?", hint="leave one of them out"
            )
        return read_facts(wanted.facts)
    if run.subject is None:
        raise InputError(
            "of which run?",
            hint="give a folder or an image, or --facts FILE of `imgopt run-facts`",
        )
    from imgopt.cli.run_facts import MeasureOptions, measured

    asked = options.RequestOptions()
    return measured(run.subject, None, MeasureOptions().wanted(), run.build, run.smoke, asked)


def read_facts(path: Path) -> RunFacts:
    """Of `run-facts`, or those that a saved result of `optimize` has. Raises InputError."""
    from imgopt.report import load
    from imgopt.results.optimize import OptimizeResult
    from imgopt.results.run_facts import RunFacts

    result = load(path)
    found = result.run_facts if isinstance(result, OptimizeResult) else result
    if not isinstance(found, RunFacts):
        raise InputError(
            f"is {result.schema}, and run facts are needed",
            location=Location(str(path)),
            hint="`imgopt run-facts IMAGE --output json:FILE` writes them",
        )
    return found


def _environment(smoke: options.SmokeOptions) -> dict[str, str]:
    from imgopt.run.settings import from_caller, read_env_file

    given = dict(read_env_file(smoke.env_file)) if smoke.env_file else {}
    for word in smoke.env or []:
        given.update(options.pairs([word], "--env") if "=" in word else from_caller(word))
    return given


def texts_in(folder: Path | None, *, below: bool, chart: bool = False) -> dict[str, str]:
    """YAML files of a folder by path; of sub-folders as well, but not what is hidden or belongs to
    a chart, unless the folder is one. Raises InputError."""
    if folder is None or not folder.exists():
        return {}
    if not folder.is_dir():
        raise InputError("is no folder", location=Location(str(folder)), hint="--out DIR")
    found = sorted(
        path
        for path in (folder.rglob("*") if below else folder.iterdir())
        if path.suffix in (".yaml", ".yml")
        and path.is_file()
        and not _is_aside(path, folder, chart)
    )
    if len(found) > _MOST_FILES:
        raise InputError(
            f"{len(found)} YAML files: too many to be the files of one service",
            location=Location(str(folder)),
            hint="give the folder of this service",
        )
    return {path.relative_to(folder).as_posix(): _text(path) for path in found}


def _is_aside(path: Path, folder: Path, chart: bool) -> bool:
    parts = path.relative_to(folder).parts
    if any(part.startswith(".") or part == "node_modules" for part in parts):
        return True
    if chart:
        return False
    above = (folder.joinpath(*parts[:count]) for count in range(len(parts)))
    return any((one / "Chart.yaml").is_file() for one in above)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > _MOST_BYTES:
            raise InputError(
                "is too large for a file that people keep", location=Location(str(path))
            )
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", location=Location(str(path))) from None
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", location=Location(str(path))
        ) from None


def delivered(result: DeployFiles, wanted: Wanted, out: options.OutputOptions) -> int:
    """Writes all files or none, and shows the result."""
    from msgspec import structs

    from imgopt.cli.emit import give

    if wanted.out is not None and not wanted.diff:
        write_all(wanted.out, result)
        result = structs.replace(result, folder=str(wanted.out))
    give(result, out)
    return 0


def write_all(folder: Path, result: DeployFiles) -> None:
    """Every file that changes; where one cannot be written, the others are put back. Raises
    EnvironmentFailure."""
    from imgopt.report import write_atomic

    done: list[tuple[Path, str | None]] = []
    try:
        for file in result.files:
            if file.change != "unchanged":
                write_atomic(folder / file.path, file.text)
                done.append((folder / file.path, file.before))
    except EnvironmentFailure:
        for path, before in reversed(done):
            _put_back(path, before)
        raise


def _put_back(path: Path, before: str | None) -> None:
    from imgopt.report import write_atomic

    if before is None:
        path.unlink(missing_ok=True)
    else:
        write_atomic(path, before)


def context_of(out: Path | None, context: Path | None) -> str:
    """The build's folder as a file in `out` says it."""
    import os

    if context is None:
        return ""
    if not context.is_dir():
        raise InputError("not a folder", location=Location(str(context)))
    relative = os.path.relpath(context.resolve(), (out or Path()).resolve())
    return relative if relative.startswith(".") else f"./{relative}"
