"""`imgopt bench`: two or more Dockerfiles, measured side by side."""

from __future__ import annotations

import random
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import options
from imgopt.errors import FindingsError, InputError, Location

if TYPE_CHECKING:
    from rich.console import Console

    from imgopt.bench.arms import ArmSpec
    from imgopt.bench.run import Listener, Settings
    from imgopt.cache.scenarios import Scenario
    from imgopt.config import Config
    from imgopt.engine import Session
    from imgopt.results.bench import BenchResult

HELP = """
Measure before and after: sizes, builds, rebuilds after an edit, start, memory, stop.

Compares the project with the variants that imgopt optimize proves, which are found first, or with what is named.
Bytes are exact. Times are taken in mirrored turns and claimed only where an exact test allows it; every value is
kept. The project is not edited, no cache is pruned. Exit code 0; 1 when an arm does not build.

  imgopt bench .

  imgopt bench . --result result.json

  imgopt bench . --with Dockerfile.slim --output html:bench.html

  imgopt bench . --rev main --rev HEAD
"""

With = Annotated[list[Path] | None, typer.Option("--with", help="Another Dockerfile of this project; repeatable.")]
Saved = Annotated[Path | None, typer.Option("--result", help="JSON of imgopt optimize: its proven variants.")]
Variant = Annotated[list[str] | None, typer.Option("--variant", help="Only these variants; repeatable.")]
Revision = Annotated[list[str] | None, typer.Option("--rev", help="A git revision of the project; repeatable.")]
OtherContext = Annotated[list[Path] | None, typer.Option("--with-context", help="Another context; repeatable.")]
OtherTarget = Annotated[list[str] | None, typer.Option("--with-target", help="Another target stage; repeatable.")]
Runs = Annotated[int | None, typer.Option("--runs", min=1, max=100, help="Runs of each; fewer than 6 claim nothing.")]
Quick = Annotated[bool, typer.Option("--quick", help="Three runs of each: figures without claims.")]
MaxTime = Annotated[float | None, typer.Option("--max-time", min=0, help="Seconds for everything (540; 0: no limit).")]
Seed = Annotated[int | None, typer.Option("--seed", help="Of the order of turns; recorded.")]
Again = Annotated[bool, typer.Option("--aa", help="The first arm against itself too: how noisy is this machine?")]
Only = Annotated[
    list[str] | None, typer.Option("--scenario", help="Only these: no-change, edit-source, cold, run, ...")
]
Resume = Annotated[Path | None, typer.Option("--resume", help="Go on from this partial result (JSON).")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be measured, and stop.")]

_DEFAULT_MAX_TIME = 540.0
_PARTS = ("cold", "run")


def register(app: typer.Typer) -> None:
    app.command("bench", help=HELP)(bench_command)


def bench_command(
    context: options.Context = Path(),
    other: With = None,
    saved: Saved = None,
    variant: Variant = None,
    rev: Revision = None,
    other_context: OtherContext = None,
    other_target: OtherTarget = None,
    runs: Runs = None,
    quick: Quick = False,
    max_time: MaxTime = None,
    seed: Seed = None,
    aa: Again = False,
    scenario: Only = None,
    resume: Resume = None,
    dry_run: DryRun = False,
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
    from imgopt.engine import Session, connect
    from imgopt.report import check_outputs, formats_of, load, write_outputs
    from imgopt.results.bench import BenchResult

    if format not in formats_of("bench"):
        raise InputError(f"no format {format!r} here", hint=f"choose one of: {', '.join(formats_of('bench'))}")
    check_outputs(output or (), "bench")
    build = options.BuildOptions(file, target, build_arg, secret, ssh, platform, network, base)
    smoke = options.SmokeOptions(port, http, run, env, env_file)
    effective = options.effective_config(context, build, smoke, config)
    earlier = load(resume) if resume else None
    if earlier is not None and not isinstance(earlier, BenchResult):
        raise InputError("not a result of imgopt bench", location=Location(str(resume)))
    settings = _settings(effective, 3 if quick else runs, max_time, seed, aa, scenario)
    wanted = _Wanted(context, other or (), saved, variant or (), rev or (), other_context or (), other_target or ())
    began = time.monotonic()
    with Session(connect()) as session:
        arms = wanted.arms(session, effective, dry_run)
        scenarios = _scenarios(arms[0], scenario or effective.bench.scenarios)
        if dry_run:
            _plan(arms, scenarios, settings)
            return 0
        settings = _with_time_left(settings, time.monotonic() - began)
        result = _measure(session, arms, scenarios, effective, settings, earlier, output or ())
    _print(result, format)
    write_outputs(result, output or ())
    if result.reason == "interrupted":
        return 130
    return 1 if any(arm.failure for arm in result.arms) else 0


class _Wanted:
    """Which arms the command line asks for."""

    def __init__(
        self,
        context: Path,
        files: Sequence[Path],
        saved: Path | None,
        names: Sequence[str],
        revisions: Sequence[str],
        contexts: Sequence[Path],
        targets: Sequence[str],
    ) -> None:
        self._context, self._files, self._saved, self._names = context, files, saved, names
        self._revisions, self._contexts, self._targets = revisions, contexts, targets

    def arms(self, session: Session, config: Config, dry_run: bool) -> list[ArmSpec]:
        """Two or more; the first is what the others are compared with. Nothing named: what `optimize` proves, found
        first (not for a dry run, which then has only the original)."""
        from imgopt.bench import arms as of

        if self._revisions:
            found = [of.revision(session, self._context, name, config) for name in self._revisions]
            if len(found) == 1:
                found.append(of.original(self._context, _found(self._context, config), "working tree"))
            return of.unique(found)
        first = of.original(self._context, _found(self._context, config))
        found = [first]
        if self._saved is not None:
            found += self._saved_variants(first)
        elif not (self._files or self._contexts or self._targets):
            found += [] if dry_run else self._new_variants(session, first, config)
            return found
        for path in self._files:
            found.append(of.from_file(path.name, "file", self._context, self._existing(path), config))
        for folder in self._contexts:
            found.append(of.original(folder, _without_file(config), folder.name or str(folder), "context"))
        found += [of.with_target(first, target) for target in self._targets]
        return of.unique(found)

    def _new_variants(self, session: Session, first: ArmSpec, config: Config) -> list[ArmSpec]:
        """Runs the loop. Raises FindingsError where it proves nothing."""
        from imgopt.bench.arms import variants
        from imgopt.cli.progress import LiveProgress
        from imgopt.rewrite.loop import OptimizeRequest, optimize

        dockerfile = options.find_dockerfile(self._context, config)
        request = OptimizeRequest(self._context, dockerfile, config, tuple(self._names), timings=False)
        with LiveProgress() as progress:
            result = optimize(session, request, progress)
        found = variants(first, result)
        if not found:
            raise FindingsError(
                f"nothing to compare with: {result.message}", hint="name another Dockerfile: --with FILE"
            )
        return found

    def _saved_variants(self, first: ArmSpec) -> list[ArmSpec]:
        from imgopt.bench.arms import variants
        from imgopt.report import load
        from imgopt.results.optimize import OptimizeResult

        saved = Path(self._saved or "")
        result = load(saved)
        if not isinstance(result, OptimizeResult):
            raise InputError("not a result of imgopt optimize", location=Location(str(saved)))
        proven = variants(first, result)
        chosen = [arm for arm in proven if not self._names or arm.name in self._names]
        if not chosen:
            known = ", ".join(arm.name for arm in proven) or "none"
            raise InputError("no such proven variant", location=Location(str(saved)), hint=f"proven here: {known}")
        return chosen

    def _existing(self, path: Path) -> Path:
        found = next((found for found in (path, self._context / path) if found.is_file()), None)
        if found is None:
            raise InputError("no such Dockerfile", location=Location(str(path)))
        return found


def _found(context: Path, config: Config) -> Config:
    """The configuration with the Dockerfile's path as it is found."""
    import msgspec

    path = str(options.find_dockerfile(context, config))
    return msgspec.structs.replace(config, build=msgspec.structs.replace(config.build, file=path))


def _with_time_left(settings: Settings, spent: float) -> Settings:
    """What finding the variants took counts, too."""
    return settings if settings.max_time is None else replace(settings, max_time=max(settings.max_time - spent, 0.0))


def _without_file(config: Config) -> Config:
    """Another context has its own Dockerfile."""
    import msgspec

    return msgspec.structs.replace(config, build=msgspec.structs.replace(config.build, file=None))


def _settings(
    config: Config,
    runs: int | None,
    max_time: float | None,
    seed: int | None,
    again: bool,
    only: Sequence[str] | None,
) -> Settings:
    from imgopt.bench.run import Settings

    section = config.bench
    limit = max_time if max_time is not None else section.max_time
    chosen = only or section.scenarios
    return Settings(
        runs=runs or section.runs,
        seed=random.SystemRandom().randrange(2**31) if seed is None else seed,
        max_time=_DEFAULT_MAX_TIME if limit is None else limit or None,
        cold=not chosen or "cold" in chosen,
        containers=not chosen or "run" in chosen,
        again=again,
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
    """What `--dry-run` prints. How long a build takes is not known before the first one; the limit is."""
    from rich.console import Console

    from imgopt.report.common import safe_terminal, seconds_text

    count = len(arms) + settings.again
    rounds = settings.runs + settings.warm_up
    lines = [f"arms: {', '.join(safe_terminal(f'{arm.name} ({arm.dockerfile})') for arm in arms)}"]
    if len(arms) == 1:
        lines.append("and every variant that imgopt optimize proves, found first; per variant as many turns again")
    builds = count
    for scenario in scenarios:
        lines.append(f"{scenario.name}: {rounds} x {count} builds; {safe_terminal(scenario.edit)}")
        builds += rounds * count
    if settings.cold:
        lines.append(f"cold: {rounds} x {count} builds with --no-cache and empty cache mounts; nothing is pruned")
        builds += rounds * count
    if settings.containers:
        lines.append(f"run: {rounds} x {count} containers: start to the first good answer, memory, stop")
    limit = f"at most {seconds_text(settings.max_time)} (--max-time)" if settings.max_time else "no time limit"
    lines.append(f"in all {builds} builds, {limit}; an estimate follows the first build of each arm")
    Console(highlight=False, markup=False).print("\n".join(lines), soft_wrap=True)


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
        listener = _listener(console, status.update, [spec for spec in outputs if spec.startswith("json:")])
        bench = Bench(session, arms, scenarios, options.smoke_settings(config), settings, listener)
        bench.command = ["imgopt", *_arguments(sys.argv[1:], settings.seed)]
        if earlier is not None:
            bench.resume(earlier)
        return bench.run()


def _arguments(given: Sequence[str], seed: int) -> list[str]:
    return [*given, *([] if "--seed" in shlex.join(given) else ["--seed", str(seed)])]


def _listener(console: Console, update: object, json_outputs: Sequence[str]) -> Listener:
    """Progress on stderr, one line per turn where it is no terminal; JSON outputs are valid after every round."""
    from imgopt.bench.run import Listener, Progress
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


def _print(result: BenchResult, format: str) -> None:
    from rich.console import Console

    from imgopt.report import render, renderable

    if format == "text":
        Console(highlight=False).print(renderable(result))
    else:
        sys.stdout.write(render(result, format))
