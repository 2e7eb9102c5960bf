"""`imgopt bench`: two or more Dockerfiles, measured side by side."""

from __future__ import annotations

import random
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.arms import Wanted
from imgopt.cli.emit import give, show
from imgopt.cli.found import settled
from imgopt.cli.grouped import grouped
from imgopt.cli.repeated import without_secret
from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from rich.console import Console

    from imgopt.bench.arms import ArmSpec
    from imgopt.bench.settings import Listener, Settings
    from imgopt.cache.scenarios import Scenario
    from imgopt.config import Config
    from imgopt.engine import Session
    from imgopt.results.bench import BenchResult

HELP = """
Measure before and after: sizes, builds, rebuilds after an edit, start, memory, stop.

Compares the project with the variants that imgopt optimize proves, which are found first, or with
what is named. Bytes are exact. Times are taken in mirrored turns and claimed only where an exact
test allows it; every value is kept. The project is not edited, no cache is pruned. Exit code 0; 1
when an arm does not build.

  imgopt bench .

  imgopt bench . --result result.json

  imgopt bench . --with Dockerfile.slim --output html:bench.html

  imgopt bench . --rev main --rev HEAD
"""

With = Annotated[
    list[Path] | None,
    typer.Option("--with", help="Another Dockerfile of this project; repeatable."),
]
Saved = Annotated[
    Path | None, typer.Option("--result", help="JSON of imgopt optimize: its proven variants.")
]
Variant = Annotated[
    list[str] | None,
    typer.Option("--variant", help=f"Only {choices.listed(choices.VARIANTS)}; repeatable."),
]
Revision = Annotated[
    list[str] | None, typer.Option("--rev", help="A git revision of the project; repeatable.")
]
OtherContext = Annotated[
    list[Path] | None, typer.Option("--with-context", help="Another context; repeatable.")
]
OtherTarget = Annotated[
    list[str] | None, typer.Option("--with-target", help="Another target stage; repeatable.")
]
Runs = Annotated[
    int | None,
    typer.Option("--runs", min=1, max=100, help="Runs of each; fewer than 6 claim nothing."),
]
Quick = Annotated[bool, typer.Option("--quick", help="Three runs of each: figures without claims.")]
MaxTime = Annotated[
    float | None,
    typer.Option("--max-time", min=0, help="Seconds for everything (540; 0: no limit)."),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Of the order of turns; recorded.")]
Again = Annotated[
    bool, typer.Option("--aa", help="The first arm against itself too: how noisy is this machine?")
]
Only = Annotated[
    list[str] | None,
    typer.Option("--scenario", help=f"Only these: {choices.listed(choices.MEASURED)}; repeatable."),
]
Resume = Annotated[
    Path | None, typer.Option("--resume", help="Go on from this partial result (JSON).")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be measured, and stop.")]

_DEFAULT_MAX_TIME = 540.0
_PARTS = ("cold", "run")


@dataclass(frozen=True, slots=True)
class How:
    """How it is measured."""

    runs: Runs = None
    quick: Quick = False
    max_time: MaxTime = None
    seed: Seed = None
    aa: Again = False
    scenario: Only = None


def register(app: typer.Typer) -> None:
    app.command("bench", help=HELP)(grouped(bench_command, choices.format_option("bench")))


def bench_command(
    context: options.Context = Path(),
    other: With = None,
    saved: Saved = None,
    variant: Variant = None,
    rev: Revision = None,
    other_context: OtherContext = None,
    other_target: OtherTarget = None,
    *,
    how: How,
    resume: Resume = None,
    dry_run: DryRun = False,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    out: options.OutputOptions,
) -> int:
    from imgopt.cli.engine import engine_to_prove_with
    from imgopt.engine import Session

    out.check("bench")
    context, config = settled(context, build, smoke)
    earlier = _earlier(resume)
    settings = _settings(config, how)
    wanted = Wanted(
        context,
        other or (),
        saved,
        variant or (),
        rev or (),
        other_context or (),
        other_target or (),
    )
    began = time.monotonic()
    with Session(engine_to_prove_with()) as session:
        arms = wanted.arms(session, config, dry_run)
        scenarios = _scenarios(arms[0], how.scenario or config.bench.scenarios)
        if dry_run:
            _plan(arms, scenarios, settings)
            return 0
        settings = _with_time_left(settings, time.monotonic() - began)
        result = _measure(session, arms, scenarios, config, settings, earlier, out.output or ())
    give(result, out)
    if result.reason == "interrupted":
        return 130
    return 1 if any(arm.failure for arm in result.arms) else 0


def _earlier(resume: Path | None) -> BenchResult | None:
    from imgopt.report import load
    from imgopt.results.bench import BenchResult

    earlier = load(resume) if resume else None
    if earlier is None or isinstance(earlier, BenchResult):
        return earlier
    raise InputError("not a result of imgopt bench", location=Location(str(resume)))


def _with_time_left(settings: Settings, spent: float) -> Settings:
    """What finding the variants took counts, too."""
    return (
        settings
        if settings.max_time is None
        else replace(settings, max_time=max(settings.max_time - spent, 0.0))
    )


def _settings(config: Config, how: How) -> Settings:
    from imgopt.bench.settings import Settings

    section = config.bench
    limit = how.max_time if how.max_time is not None else section.max_time
    chosen = how.scenario or section.scenarios
    return Settings(
        runs=3 if how.quick else how.runs or section.runs,
        seed=random.SystemRandom().randrange(2**31) if how.seed is None else how.seed,
        max_time=_DEFAULT_MAX_TIME if limit is None else limit or None,
        cold=not chosen or "cold" in chosen,
        containers=not chosen or "run" in chosen,
        again=how.aa,
        alpha=section.alpha,
        min_effect=section.min_effect,
    )


def _scenarios(first: ArmSpec, only: Sequence[str]) -> list[Scenario]:
    """Those asked for, else the default ones as far as this project has something to edit."""
    from imgopt.bench.scenarios import DEFAULT, REPEATABLE, choose
    from imgopt.cache.scenarios import Skipped

    known = (*REPEATABLE, *_PARTS)
    for name in only:
        if name not in known:
            raise InputError(f"no scenario {name!r} here", hint=f"known: {', '.join(known)}")
    names = [name for name in only if name not in _PARTS] if only else DEFAULT
    found = choose(first, names) if names else []
    skipped = [one for one in found if isinstance(one, Skipped)]
    if only and skipped:
        raise InputError(f"no scenario {skipped[0].name!r} here: {skipped[0].reason}")
    return [one for one in found if not isinstance(one, Skipped)]


def _plan(arms: Sequence[ArmSpec], scenarios: Sequence[Scenario], settings: Settings) -> None:
    """What `--dry-run` prints. How long a build takes is not known before the first one; the limit
    is."""
    from rich.console import Group
    from rich.text import Text

    from imgopt.report.common import safe_terminal, seconds_text

    count = len(arms) + settings.again
    rounds = settings.runs + settings.warm_up
    lines = [f"arms: {', '.join(safe_terminal(f'{arm.name} ({arm.dockerfile})') for arm in arms)}"]
    if len(arms) == 1:
        lines.append(
            "and every variant that imgopt optimize proves, found first; per variant as many turns"
            " again"
        )
    builds = count
    for scenario in scenarios:
        edit = f", each after {safe_terminal(scenario.edit)}" if scenario.edit != "nothing" else ""
        lines.append(f"{scenario.name}: {rounds} builds of each arm{edit}")
        builds += rounds * count
    if settings.cold:
        lines.append(
            f"cold: {rounds} builds of each arm with --no-cache and empty cache mounts; nothing is"
            " pruned"
        )
        builds += rounds * count
    if settings.containers:
        lines.append(
            f"run: {rounds} containers of each arm: start to the first good answer, memory, stop"
        )
    lines.append(
        f"of {rounds} runs the first warms up and does not count"
        if settings.warm_up
        else "every run counts"
    )
    limit = (
        f"at most {seconds_text(settings.max_time)} (--max-time)"
        if settings.max_time
        else "no time limit"
    )
    lines.append(
        f"in all {builds} builds, {limit}; an estimate follows the first build of each arm"
    )
    show(Group(*map(Text, lines)))


def _measure(
    session: Session,
    arms: Sequence[ArmSpec],
    scenarios: Sequence[Scenario],
    config: Config,
    settings: Settings,
    earlier: BenchResult | None,
    outputs: Sequence[str],
) -> BenchResult:
    from rich.console import Console

    from imgopt.bench.run import Bench

    console = Console(stderr=True, highlight=False)
    with console.status("building") as status:
        listener = _listener(
            console, status.update, [spec for spec in outputs if spec.startswith("json:")]
        )
        bench = Bench(session, arms, scenarios, options.smoke_settings(config), settings, listener)
        bench.command = ["imgopt", *_arguments(sys.argv[1:], settings.seed)]
        if earlier is not None:
            bench.resume(earlier)
        return bench.run()


def _arguments(given: Sequence[str], seed: int) -> list[str]:
    given = [_without_secret(word) for word in given]
    return [*given, *([] if "--seed" in shlex.join(given) else ["--seed", str(seed)])]


def _without_secret(word: str) -> str:
    option, equals, value = word.partition("=")
    if option.startswith("-"):
        return (
            f"{option}{equals}{without_secret(value)}"
            if option in ("--env", "--build-arg", "-e")
            else word
        )
    return without_secret(word)


def _listener(console: Console, update: object, json_outputs: Sequence[str]) -> Listener:
    """Progress on stderr, one line per turn where it is no terminal; JSON outputs are valid after
    every round."""
    from imgopt.bench.settings import Listener, Progress
    from imgopt.report import write_outputs
    from imgopt.report.common import safe_terminal, seconds_text

    def progress(now: Progress) -> None:
        word = "at least" if now.at_least else "about"
        left = f"; {word} {seconds_text(now.left)} left" if now.left else ""
        line = f"{now.what}: {safe_terminal(now.arm)}, turn {now.done + 1} of {now.of}{left}"
        if console.is_terminal and callable(update):
            update(line)
        else:
            console.print(line, markup=False)

    def checkpoint(result: BenchResult) -> None:
        if json_outputs:
            unfinished = result if result.partial else _unfinished(result)
            write_outputs(unfinished, json_outputs)

    return Listener(progress, checkpoint)


def _unfinished(result: BenchResult) -> BenchResult:
    import msgspec

    return msgspec.structs.replace(result, partial=True, reason="still measuring, or killed")
