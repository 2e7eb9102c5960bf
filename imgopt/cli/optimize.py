"""`imgopt optimize`: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.emit import give
from imgopt.cli.grouped import grouped

if TYPE_CHECKING:
    from imgopt.results.optimize import OptimizeResult, Variant
    from imgopt.rewrite.loop import OptimizeRequest

HELP = """
Make the image smaller and its rebuilds faster, and prove that it still does the same job.

Builds the project, looks inside, runs it, rewrites the Dockerfile, builds and runs the rewrite, compares both, and
measures before and after. Nothing in the context is written without --write, and only a proven variant ever is.
Exit code 0: the recommended variant is proven, or there is nothing to gain; 1: no variant could be proven.

  imgopt optimize .

  imgopt optimize shop --http /health=ok --env DATABASE_URL=sqlite:// --out build/shop
"""

VariantOption = Annotated[
    list[str] | None, typer.Option("--variant", help=f"{choices.listed(choices.VARIANTS)} (default: all); repeatable.")
]
Write = Annotated[
    bool, typer.Option("--write", help="Replace Dockerfile and .dockerignore by the recommended variant.")
]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for Dockerfile.<variant> and the result.")]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", help=f"Make a suggestion too: {choices.listed(choices.SUGGESTIONS)}; repeatable."),
]
NoTimings = Annotated[bool, typer.Option("--no-timings", help="Leave out the short benchmark.")]
TimeAll = Annotated[bool, typer.Option("--time-all", help="Time every proven variant, not only the smallest.")]


def register(app: typer.Typer) -> None:
    app.command("optimize", help=HELP)(grouped(optimize_command, choices.format_option("optimize")))


def optimize_command(
    context: options.Context = Path(),
    variant: VariantOption = None,
    write: Write = False,
    out: Out = None,
    allow: Allow = None,
    no_timings: NoTimings = False,
    time_all: TimeAll = False,
    *,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    out_to: options.OutputOptions,
) -> int:
    import msgspec

    from imgopt.rewrite.loop import OptimizeRequest
    from imgopt.rewrite.variants import check_names

    out_to.check("optimize")
    settings = options.effective_config(context, build, smoke)
    rewrite = msgspec.structs.replace(settings.rewrite, allow=[*settings.rewrite.allow, *(allow or [])])
    settings = msgspec.structs.replace(settings, rewrite=rewrite)
    check_names(rewrite.allow, rewrite.disable)
    dockerfile = options.find_dockerfile(context, settings)
    request = OptimizeRequest(
        context, dockerfile, settings, tuple(variant or ()), timings=not no_timings, time_all=time_all
    )
    result = _optimize(request)
    give(result, out_to)
    if out is not None:
        _write_out(out, result)
    if write:
        _write_back(request, result)
    return 0 if result.verdict in ("proven", "good") else 1


def _optimize(request: OptimizeRequest) -> OptimizeResult:
    from imgopt.cli.engine import engine_to_prove_with
    from imgopt.cli.progress import LiveProgress
    from imgopt.engine import Session
    from imgopt.rewrite.loop import optimize
    from imgopt.rewrite.loop.original import read_source

    read_source(request)  # what is wrong with the input is said before an engine is asked for
    with Session(engine_to_prove_with()) as session, LiveProgress() as progress:
        return optimize(session, request, progress)


def _write_out(folder: Path, result: OptimizeResult) -> None:
    from imgopt.report.files import write_atomic
    from imgopt.results import to_json

    for variant in result.variants:
        if variant.verdict == "proven":
            write_atomic(folder / f"Dockerfile.{variant.name}", variant.dockerfile)
            if variant.dockerignore is not None:
                write_atomic(folder / f"Dockerfile.{variant.name}.dockerignore", variant.dockerignore)
    write_atomic(folder / "optimize.json", to_json(result))
    print(f"imgopt: proven variants and optimize.json are in {folder}", file=sys.stderr)


def _write_back(request: OptimizeRequest, result: OptimizeResult) -> None:
    best = next((variant for variant in result.variants if variant.name == result.recommended), None)
    if best is None or best.verdict != "proven":
        print("imgopt: nothing was written: no proven variant is recommended", file=sys.stderr)
        return
    for path, text in _files(request, best):
        from imgopt.report.files import write_atomic

        write_atomic(path, text)
        print(f"imgopt: wrote {path}", file=sys.stderr)


def _files(request: OptimizeRequest, best: Variant) -> list[tuple[Path, str]]:
    from imgopt.dockerfile import find_ignore_file

    ignore = find_ignore_file(request.context, request.dockerfile) or request.context / ".dockerignore"
    files = [(ignore, best.dockerignore)] if best.dockerignore is not None else []
    return [*files, (request.dockerfile, best.dockerfile)]
