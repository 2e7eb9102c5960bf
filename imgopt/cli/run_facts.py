"""`imgopt run-facts`: what running an image shows."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
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
    from imgopt.engine import BuildRequest
    from imgopt.results.run_facts import RunFacts
    from imgopt.run.facts.measure import Wanted
    from imgopt.run.facts.side_by_side import Question, Subject

HELP = """
What running an image shows: start, memory, ports, folders, rights, stop, health routes.

Runs it a dozen times in a network of its own, with what a Compose file starts beside it, and
measures: seconds to the first good answer, memory without and with a bounded load on this machine,
what it listens on and writes, the capabilities that it needs, whether a read-only root does, how it
stops while nobody asks and while it is asked, and whom its health routes ask. Takes one to three
minutes an image. Exit code 0: measured; 1: the image does not start.

  imgopt run-facts . --output json:facts.json

  imgopt run-facts shop:1.4 --env DATABASE_URL=sqlite:// --load 60

With another Dockerfile, or another image, both are measured side by side.

  imgopt run-facts . --with Dockerfile.slim --output html:facts.html
"""

_LOG_LINES = 15
_LOAD = 20.0

SubjectArgument = Annotated[
    str, typer.Argument(metavar="[CONTEXT|IMAGE]", help="Build context folder, or an image.")
]
With = Annotated[
    str | None,
    typer.Option("--with", help="Beside it: another Dockerfile of the context, or another image."),
]
Variant = Annotated[
    str | None,
    typer.Option(
        "--variant",
        help=f"Beside it: {choices.listed(choices.VARIANTS)}, built and proven first.",
    ),
]
Load = Annotated[
    float, typer.Option("--load", min=1, max=3600, metavar="SECONDS", help="How long the load is.")
]
Workers = Annotated[
    int, typer.Option("--workers", min=1, max=256, help="Connections that ask at the same time.")
]
NoLoad = Annotated[bool, typer.Option("--no-load", help="Put it under no load.")]
Starts = Annotated[
    int, typer.Option("--starts", min=1, max=50, help="Starts that are timed, at least.")
]
NoRights = Annotated[
    bool,
    typer.Option("--no-rights", help="No runs without capabilities and on a read-only root."),
]


NoTuning = Annotated[
    bool, typer.Option("--no-tuning", help="Try it under no limits, and propose no settings.")
]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="Memory limit that will be set, as 512Mi or 1g (default: from what it needed).",
    ),
]
Cpus = Annotated[
    float | None, typer.Option("--cpus", min=0.01, max=1024, help="Processors that it will get.")
]
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmgt]?)(?:i?b?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """How thoroughly it is measured."""

    load: Load = _LOAD
    workers: Workers = 8
    no_load: NoLoad = False
    starts: Starts = 3
    no_rights: NoRights = False
    no_tuning: NoTuning = False
    memory: Memory = None
    cpus: Cpus = None

    def wanted(self) -> Wanted:
        """As the measurement takes it."""
        from imgopt.run.facts.load import Asked
        from imgopt.run.facts.measure import Wanted
        from imgopt.run.tuning.tune import Limits

        asked = None if self.no_load else Asked(self.load, self.workers)
        return Wanted(
            starts=self.starts,
            load=asked,
            rights=not self.no_rights,
            tuning=not self.no_tuning,
            limits=Limits(size_of(self.memory) if self.memory else None, self.cpus),
        )

    def words(self) -> list[str]:
        """As far as they were given."""
        words = ["--load", f"{self.load:g}"] if self.load != _LOAD else []
        words += ["--no-load"] if self.no_load else []
        words += ["--no-rights"] if self.no_rights else []
        words += ["--no-tuning"] if self.no_tuning else []
        words += ["--memory", self.memory] if self.memory else []
        return words + (["--cpus", f"{self.cpus:g}"] if self.cpus else [])


def size_of(text: str) -> int:
    """Bytes of "512Mi", "512m" or "536870912": powers of 1024, as `docker run --memory` takes
    them. Raises InputError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InputError(f"--memory {text}: no size", hint="write 512Mi, 1g or a number of bytes")
    power = " kmgt".index(match[2].lower() or " ")
    return round(float(match[1]) * 1024.0**power)


@dataclass(frozen=True, slots=True)
class AskedOptions:
    """What it is asked beyond the pages that are found."""

    requests: options.Requests = None
    no_writes: options.NoWrites = False


def register(app: typer.Typer) -> None:
    app.command("run-facts", help=HELP)(
        grouped(run_facts_command, choices.format_option("run-facts"))
    )


def run_facts_command(
    subject: SubjectArgument = ".",
    other: With = None,
    variant: Variant = None,
    *,
    measure: MeasureOptions,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    requested: AskedOptions,
    out: options.OutputOptions,
) -> int:
    from msgspec import structs

    out.check("run-facts")
    asked = options.RequestOptions(requested.requests, requested.no_writes)
    wanted = measure.wanted()
    if variant is not None:
        choices.check("--variant", [variant], choices.VARIANTS)
        where, settings = _to_rewrite(subject, other, build, smoke, asked)
        result = _of_variant(where, variant, settings, wanted)
    else:
        result = measured(subject, other, wanted, build, smoke, asked)
    beside = ["--with", other] if other else ["--variant", variant] if variant else []
    said = [*build_words(subject, build), *run_words(smoke), *request_words(asked), *beside]
    kept = [f"--output={one}" for one in out.output or () if one.startswith("json:")]
    result = structs.replace(result, arguments=[*said, *measure.words(), *kept])
    give(result, out)
    return 0 if all(image.start.warm.values or image.runs > 1 for image in result.images) else 1


def measured(
    subject: str,
    other: str | None,
    wanted: Wanted,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    asked: options.RequestOptions,
) -> RunFacts:
    """Of a build context or an image, and of another one beside it. Raises InputError,
    BuildFailure, EnvironmentFailure."""
    if Path(subject).is_dir():
        where, settings = settled(Path(subject), build, smoke, asked)
        return _measure(_of_context(where, other, settings), wanted)
    settings = options.effective_config(Path(), build, smoke, asked)
    return _measure(_of_images(subject, other, settings), wanted)


def _of_context(context: Path, other: str | None, settings: Config) -> Question:
    from imgopt.engine import configured
    from imgopt.run.facts.side_by_side import Question, Subject

    own = options.find_dockerfile(context, settings)
    request = replace(configured(context, settings), dockerfile=own, name="original", file=str(own))
    subjects = [Subject("original", request)]
    if other is not None:
        subjects.append(_beside(context, other, request))
    return Question(
        tuple(subjects),
        options.smoke_settings(settings),
        settings.bases,
        context=context,
        dockerfile=str(own),
    )


def _beside(context: Path, other: str, request: BuildRequest) -> Subject:
    from imgopt.run.facts.side_by_side import Subject

    found = next((path for path in (Path(other), context / other) if path.is_file()), None)
    if found is None:
        return Subject("other", other)
    name = found.name.removeprefix("Dockerfile").strip(".") or "other"
    target = request.target if request.target and _has_stage(found, request.target) else None
    return Subject(
        name, replace(request, dockerfile=found, target=target, name="other", file=str(found))
    )


def _has_stage(dockerfile: Path, name: str) -> bool:
    from imgopt.dockerfile import parse

    stages = parse(dockerfile.read_bytes().decode(errors="surrogateescape")).stages
    return any(stage.name == name.lower() for stage in stages)


def _of_images(image: str, other: str | None, settings: Config) -> Question:
    from imgopt.run.facts.side_by_side import Question, Subject

    for name in filter(None, (image, other)):
        if Path(name).exists():
            raise InputError(
                "is no build context, and an image has to be in the engine to be run",
                location=Location(name),
                hint="give a folder, or `docker load` the image and give its name",
            )
    names = ("image",) if other is None else ("original", "other")
    subjects = zip(names, filter(None, (image, other)), strict=True)
    return Question(
        tuple(Subject(name, one) for name, one in subjects),
        options.smoke_settings(settings),
        settings.bases,
    )


def _to_rewrite(
    subject: str,
    other: str | None,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    asked: options.RequestOptions,
) -> tuple[Path, Config]:
    if other is not None or not Path(subject).is_dir():
        raise InputError(
            "--variant is one of a build context's own Dockerfile",
            hint="give a folder, without --with",
        )
    return settled(Path(subject), build, smoke, asked, links=True)


def _of_variant(context: Path, variant: str, settings: Config, wanted: Wanted) -> RunFacts:
    """Rewritten, built and proven as `optimize` does it, without its timing. Raises FindingsError
    where it is not proven."""
    from imgopt.cli.engine import engine_to_prove_with
    from imgopt.cli.progress import LiveProgress
    from imgopt.engine import Session
    from imgopt.errors import FindingsError
    from imgopt.loop.request import OptimizeRequest
    from imgopt.loop.run import optimize

    dockerfile = options.find_dockerfile(context, settings)
    request = OptimizeRequest(
        context, dockerfile, settings, (variant,), timings=False, run_facts=wanted
    )
    request.source()  # what is wrong with the input is said before an engine is asked for
    with Session(engine_to_prove_with()) as session, LiveProgress() as progress:
        result = optimize(session, request, progress)
    facts = result.run_facts
    if facts is None or len(facts.images) < 2:
        raise FindingsError(
            f"there is no proven variant {variant} to run beside the original: {result.message}",
            hint="`imgopt optimize` says why; without --variant the original alone is measured",
        )
    return facts


def _measure(question: Question, wanted: Wanted) -> RunFacts:
    from imgopt.cli.engine import engine_to_prove_with
    from imgopt.cli.progress import LiveProgress
    from imgopt.engine import BuildFailure, Session
    from imgopt.report.common import safe_terminal
    from imgopt.run.facts.side_by_side import run_facts

    asked_for = replace(question, wanted=wanted)
    builds = any(not isinstance(one.made, str) for one in question.subjects)
    try:
        with Session(engine_to_prove_with(builds=builds)) as session, LiveProgress() as progress:
            return run_facts(session, asked_for, on_event=progress.build, say=progress.stage)
    except BuildFailure as failure:
        for line in failure.log[-_LOG_LINES:]:
            print(f"  {safe_terminal(line)}", file=sys.stderr)
        raise
