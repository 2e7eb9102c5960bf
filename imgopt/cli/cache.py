"""`imgopt cache`: what does a code change rebuild, why, and what did that cost over the last
commits?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.emit import give
from imgopt.cli.found import settled
from imgopt.cli.grouped import grouped
from imgopt.cli.repeated import build_words
from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from imgopt.cache.project import Project
    from imgopt.cache.times import Times
    from imgopt.config import Config
    from imgopt.engine import Session
    from imgopt.results import Result

HELP = """
What does a code change rebuild? Predicted per step and change, in milliseconds, without an engine.

With --measure the changes are made on a copy of the context and built. --explain LINE says why a
line misses between two states. --replay N plays the last N commits. Nothing in the context is
ever written.

  imgopt cache .

  imgopt cache . --explain 7 --since HEAD~1

  imgopt cache . --replay 200 --with Dockerfile.slim
"""

Measure = Annotated[
    bool, typer.Option("--measure", help="Build the changes, and compare with what was predicted.")
]
ScenarioName = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        help=f"Only this change: {choices.listed(choices.SCENARIOS)}, or your own; repeatable.",
    ),
]
Explain = Annotated[
    int | None, typer.Option("--explain", metavar="LINE", help="Why a line misses; 0: the first.")
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="REV", help="Compare with this git revision.")
]
Against = Annotated[
    Path | None, typer.Option("--against", metavar="DIR", help="Compare with this other context.")
]
ReplayCount = Annotated[
    int | None, typer.Option("--replay", metavar="N", min=1, help="Play the last N commits.")
]
With = Annotated[
    list[Path] | None, typer.Option("--with", help="Beside it, this Dockerfile, repeatable.")
]
Timings = Annotated[
    list[Path] | None, typer.Option("--timings", help="Step seconds from a measured result (JSON).")
]


def register(app: typer.Typer) -> None:
    app.command("cache", help=HELP)(
        grouped(cache_command, choices.format_option("cache", "explain", "replay"))
    )


def cache_command(
    context: options.Context = Path(),
    measure: Measure = False,
    scenario: ScenarioName = None,
    explain: Explain = None,
    since: Since = None,
    against: Against = None,
    replay: ReplayCount = None,
    with_: With = None,
    timings: Timings = None,
    *,
    build: options.BuildOptions,
    out: options.OutputOptions,
) -> int:
    from msgspec import structs

    words = build_words(context, build)
    kind = (
        "explain"
        if _is_explain(explain, since, against)
        else "replay"
        if replay is not None
        else "cache"
    )
    out.check(kind)
    _check(kind, explain, since, against, with_, measure)
    project = _project(*settled(context, build))
    with ExitStack() as stack:
        session, tell = _engine(stack) if measure else (None, lambda _: None)
        times = _times(timings or [])
        result: Result
        if kind == "explain":
            result = project.explain(explain or None, since, against)
        elif replay is not None:
            result = project.replay(replay, with_ or (), times, session, tell)
        elif session is not None:
            result = structs.replace(
                project.measure(session, scenario or (), tell), arguments=words
            )
        else:
            result = structs.replace(project.examine(scenario or (), times), arguments=words)
    give(result, out)
    return 0


def _is_explain(explain: int | None, since: str | None, against: Path | None) -> bool:
    return explain is not None or since is not None or against is not None


def _check(
    kind: str,
    explain: int | None,
    since: str | None,
    against: Path | None,
    with_: Sequence[Path] | None,
    measure: bool,
) -> None:
    if kind == "explain" and (since is None) == (against is None):
        raise InputError(
            "--explain compares with one other state",
            hint="add --since REV (a git revision) or --against DIR",
        )
    if explain is not None and explain < 0:
        raise InputError(
            f"--explain {explain}: lines count from 1", hint="0 takes the first line that misses"
        )
    if kind == "explain" and measure:
        raise InputError(
            "--measure has nothing to build for --explain", hint="leave one of them out"
        )
    if with_ and kind != "replay":
        raise InputError(
            "--with needs --replay N",
            hint="`imgopt bench` compares two Dockerfiles by building them",
        )


def _project(context: Path, settings: Config) -> Project:
    from imgopt.cache.memory import Memory
    from imgopt.cache.own import OwnScenario
    from imgopt.cache.project import Project
    from imgopt.engine import configured

    file = options.other_name(context, settings)
    request = replace(
        configured(context, settings),
        dockerfile=Path(file) if file else None,
        file=file or "Dockerfile",
    )
    own = tuple(
        OwnScenario(one.name, context / one.patch if one.patch else None, one.command)
        for one in settings.cache.scenario
    )
    return Project(request, own, Memory(context))


def _engine(stack: ExitStack) -> tuple[Session, Callable[[str], None]]:
    from rich.console import Console

    from imgopt.engine import Session, connect

    session = stack.enter_context(Session(connect()))
    console = Console(stderr=True)
    status = stack.enter_context(console.status("connecting"))

    def tell(text: str) -> None:
        status.update(text)
        if not console.is_terminal:
            console.print(text, highlight=False, markup=False)

    return session, tell


def _times(files: Sequence[Path]) -> Times | None:
    """The step seconds of measured results."""
    from imgopt.cache.times import Times
    from imgopt.report import load
    from imgopt.results.cache import CacheResult

    found: dict[tuple[str, str], float] = {}
    for file in files:
        result = load(file)
        if not isinstance(result, CacheResult):
            raise InputError(
                f"is {result.schema}",
                location=Location(str(file)),
                hint="give what --measure --output json:FILE wrote",
            )
        for scenario in result.scenarios:
            for step, one in zip(result.steps, scenario.steps, strict=False):
                if one.measured == "miss" and one.seconds is not None:
                    found[step.stage, step.instruction] = one.seconds
    return Times(found) if files else None
