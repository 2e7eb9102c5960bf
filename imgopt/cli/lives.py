"""`imgopt lives`: do ordinary later edits of a project survive in a variant?"""

from __future__ import annotations

from dataclasses import replace
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
    from imgopt.lives.trials import Candidate
    from imgopt.loop.living import Wanted
    from imgopt.loop.request import OptimizeRequest
    from imgopt.results.lives import LivesResult

HELP = """
Does the Dockerfile still do the same job after a dependency, a data file, a module more?

Makes ordinary later edits on copies of the context, builds each with the original's Dockerfile and
with the variants (or with the one of --with), runs and compares both as in the proof. An edit that
the original itself does not survive does not count. --history N does the same with the project's
own last commits. Exit code 0: all hold; 1: one breaks, or none could be tried.

  imgopt lives .

  imgopt lives shop --with Dockerfile.slim --edits new-module --edits pure-dependency --history 8
"""

VariantOption = Annotated[
    list[str] | None,
    typer.Option(
        "--variant", help=f"{choices.listed(choices.VARIANTS)} (default: all); repeatable."
    ),
]
With = Annotated[
    str | None, typer.Option("--with", help="A Dockerfile of your own in the place of variants.")
]
Edits = Annotated[
    list[str] | None,
    typer.Option(
        "--edits", help=f"Only this one: {choices.listed(choices.LATER_EDITS)}; repeatable."
    ),
]
HistoryOption = Annotated[
    int, typer.Option("--history", min=0, help="How many of the last commits are tried as well.")
]


def register(app: typer.Typer) -> None:
    app.command("lives", help=HELP)(grouped(lives_command, choices.format_option("lives")))


def lives_command(
    context: options.Context = Path(),
    variant: VariantOption = None,
    candidate: With = None,
    edits: Edits = None,
    history: HistoryOption = 0,
    *,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    asked: options.RequestOptions,
    out: options.OutputOptions,
) -> int:
    from msgspec import structs

    from imgopt.loop.living import Wanted
    from imgopt.loop.request import OptimizeRequest

    out.check("lives")
    choices.check("--edits", edits or (), choices.LATER_EDITS)
    where, settings = settled(context, build, smoke, asked)
    dockerfile = options.find_dockerfile(where, settings)
    request = OptimizeRequest(
        where, dockerfile, settings, tuple(variant or ()), edits=tuple(edits or ())
    )
    other = _candidate(where, candidate) if candidate is not None else None
    result = _living(request, Wanted(other, history))
    said = [*run_words(smoke), *request_words(asked)]
    result = structs.replace(result, arguments=build_words(context, build), run_arguments=said)
    give(result, out)
    return 0 if result.verdict == "lives" else 1


def _candidate(context: Path, named: str) -> Candidate:
    from imgopt.dockerfile import find_ignore_file
    from imgopt.lives.trials import Candidate

    path = next((one for one in (Path(named), context / named) if one.is_file()), None)
    if path is None:
        raise InputError(
            "no such Dockerfile",
            location=Location(named),
            hint="--with takes the candidate's path",
        )
    ignore = find_ignore_file(context, path)
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    own = ignore.read_text(encoding="utf-8", errors="surrogateescape") if ignore else ""
    return Candidate(str(path), text, own)


def _living(request: OptimizeRequest, wanted: Wanted) -> LivesResult:
    from imgopt.cli.engine import engine_to_prove_with
    from imgopt.cli.progress import LiveProgress
    from imgopt.engine import Session
    from imgopt.loop.living import living

    request.source()  # what is wrong with the input is said before an engine is asked for
    with Session(engine_to_prove_with()) as session, LiveProgress() as progress:
        return living(session, replace(request, timings=False), wanted, progress)
