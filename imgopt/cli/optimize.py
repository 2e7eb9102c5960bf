"""`imgopt optimize`: the main job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.emit import give, show
from imgopt.cli.found import is_inline, settled
from imgopt.cli.grouped import grouped
from imgopt.cli.kept import forget, state_folder, write_result
from imgopt.cli.repeated import build_words, request_words, run_words
from imgopt.cli.streams import tell
from imgopt.errors import InputError

if TYPE_CHECKING:
    from imgopt.loop.request import OptimizeRequest
    from imgopt.results.optimize import OptimizeResult, Variant
    from imgopt.results.stack import StackResult

HELP = """
Make the image smaller and its rebuilds faster, and prove that it still does the same job.

Builds the project, looks inside, runs it, rewrites the Dockerfile, builds and runs the rewrite,
compares both, and measures before and after. Nothing in the context is written without --write,
and only a proven variant ever is. What is proven is kept before anything is timed: in --out, else
in ~/.local/state/imgopt until the command has ended. Exit code 0: the recommended variant is
proven, or there is nothing to gain; 1: no variant could be proven.

  imgopt optimize .

  imgopt optimize shop --http /health=ok --env DATABASE_URL=sqlite:// --out build/shop

Where the folder has a Compose or Bake file, the build comes from there, and a service runs with
those that it needs.

  imgopt optimize . --service api
"""

VariantOption = Annotated[
    list[str] | None,
    typer.Option(
        "--variant", help=f"{choices.listed(choices.VARIANTS)} (default: all); repeatable."
    ),
]
Write = Annotated[
    bool,
    typer.Option(
        "--write", help="Replace Dockerfile and .dockerignore by the recommended variant."
    ),
]
WriteCompose = Annotated[
    bool,
    typer.Option(
        "--write-compose", help="Write into the Compose file what the variant needs there."
    ),
]
Diff = Annotated[bool, typer.Option("--diff", help="Show the recommended change as a patch, too.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder for Dockerfile.<variant> and the result.")
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow", help=f"Make a suggestion too: {choices.listed(choices.SUGGESTIONS)}; repeatable."
    ),
]
NoTimings = Annotated[
    bool,
    typer.Option(
        "--no-timings",
        help="Leave out the short benchmark (which takes no longer than the builds).",
    ),
]
Every = Annotated[
    bool, typer.Option("--all", help="Every build of the Compose or Bake file, one after another.")
]
LivesOption = Annotated[
    bool | None,
    typer.Option(
        "--lives/--no-lives",
        help="Try all later edits of the project on the variants, or none (default: those of files"
        " alone, for no longer than the rest takes).",
    ),
]
RunFactsOption = Annotated[
    bool,
    typer.Option(
        "--run-facts",
        help="Measure what running the original and the recommended variant shows, as `imgopt"
        " run-facts` does (one to three minutes each).",
    ),
]
TimeAll = Annotated[bool, typer.Option("--time-all", help="Time every proven variant, to the end.")]


def register(app: typer.Typer) -> None:
    app.command("optimize", help=HELP)(grouped(optimize_command, choices.format_option("optimize")))


def optimize_command(
    context: options.Context = Path(),
    variant: VariantOption = None,
    write: Write = False,
    diff: Diff = False,
    out: Out = None,
    allow: Allow = None,
    no_timings: NoTimings = False,
    time_all: TimeAll = False,
    every: Every = False,
    write_compose: WriteCompose = False,
    lives: LivesOption = None,
    run_facts: RunFactsOption = False,
    *,
    build: options.BuildOptions,
    smoke: options.SmokeOptions,
    asked: options.RequestOptions,
    out_to: options.OutputOptions,
) -> int:
    import msgspec

    wanted = _Wanted(
        context,
        tuple(variant or ()),
        tuple(allow or ()),
        not no_timings,
        time_all,
        smoke,
        asked,
        lives,
        run_facts,
    )
    if every:
        from imgopt.cli.every import optimize_every

        out_to.check("stack")
        made = optimize_every(context, build, out, partial(_written, wanted, write))
        give(made, out_to)
        return _code_of_all(made)
    out_to.check("optimize")
    request, said = wanted.request(build, write)
    keeper = _Keeper(out or state_folder(request.dockerfile), said, temporary=out is None)
    result = msgspec.structs.replace(_optimize(request, keeper), **said)
    give(result, out_to)
    if diff and out_to.format == "text":
        _show_change(result)
    _compose_change(request, result, write=write_compose, shown=out_to.format == "text")
    keeper.finish(result)
    if result.interrupted:
        return 130
    if result.fault:
        return 3
    if write:
        _write_back(request, result)
    return 0 if result.verdict in ("proven", "good") else 1


@dataclass(frozen=True)
class _Wanted:
    """What is asked for, whichever build it is done to."""

    context: Path
    variants: tuple[str, ...]
    allow: tuple[str, ...]
    timings: bool
    time_all: bool
    smoke: options.SmokeOptions
    asked: options.RequestOptions
    lives: bool | None = None
    run_facts: bool = False

    def request(
        self, build: options.BuildOptions, write: bool
    ) -> tuple[OptimizeRequest, dict[str, list[str]]]:
        """And what was said on the command line, as words for another one."""
        import msgspec

        from imgopt.loop.request import OptimizeRequest
        from imgopt.run.facts.measure import Wanted
        from imgopt.strategies.variants import check_names

        where, settings = settled(self.context, build, self.smoke, self.asked, links=True)
        allowed = [*settings.rewrite.allow, *self.allow]
        rewrite = msgspec.structs.replace(settings.rewrite, allow=allowed)
        settings = msgspec.structs.replace(settings, rewrite=rewrite)
        check_names(rewrite.allow, rewrite.disable)
        dockerfile = options.find_dockerfile(where, settings)
        _refuse_inline(write, dockerfile)
        words = [word for name in self.allow for word in ("--allow", name)]
        said = {
            "arguments": build_words(self.context, build),
            "run_arguments": [*run_words(self.smoke), *request_words(self.asked), *words],
        }
        wanted = OptimizeRequest(
            where,
            dockerfile,
            settings,
            self.variants,
            timings=self.timings,
            time_all=self.time_all,
            lives="cheap" if self.lives is None else "all" if self.lives else "none",
            run_facts=Wanted() if self.run_facts else None,
        )
        return wanted, said


def _written(
    wanted: _Wanted, write: bool, build: options.BuildOptions, out: Path | None
) -> OptimizeResult:
    """One of several builds: optimized, kept, and written where that is wanted."""
    import msgspec

    request, said = wanted.request(build, write)
    keeper = _Keeper(out or state_folder(request.dockerfile), said, temporary=out is None)
    result = msgspec.structs.replace(_optimize(request, keeper), **said)
    keeper.finish(result)
    if write and not (result.interrupted or result.fault):
        _write_back(request, result)
    return result


def _code_of_all(made: StackResult) -> int:
    results = [part.result for part in made.parts]
    if any(one is not None and one.interrupted for one in results):
        return 130
    good = [one is not None and one.verdict in ("proven", "good") for one in results]
    return 0 if all(good) else 1


def _optimize(request: OptimizeRequest, keeper: _Keeper) -> OptimizeResult:
    from imgopt.cli.engine import engine_to_prove_with
    from imgopt.cli.progress import LiveProgress
    from imgopt.engine import Session
    from imgopt.loop.run import optimize

    request.source()  # what is wrong with the input is said before an engine is asked for
    with Session(engine_to_prove_with()) as session, LiveProgress() as progress:
        return optimize(
            session, request, progress, lambda result: keeper.keep(result, progress.say)
        )


class _Keeper:
    """Puts the result where it stays, before the timing and at the end."""

    def __init__(self, folder: Path, said: dict[str, list[str]], *, temporary: bool) -> None:
        self._folder, self._said, self._temporary = folder, said, temporary

    def keep(self, result: OptimizeResult, say: Callable[[str], None]) -> None:
        """Before the timing: says what is proven, and where it is."""
        import msgspec

        from imgopt.report.optimize import headline

        say(headline(result))
        try:
            write_result(self._folder, msgspec.structs.replace(result, **self._said))
        except OSError as error:
            if not self._temporary:
                raise
            say(
                f"it could not be kept in {self._folder} ({error.strerror}): --out names another"
                " folder"
            )
            return
        say(f"kept in {self._folder}, whatever happens to the timing")

    def finish(self, result: OptimizeResult) -> None:
        """At the end: into --out; what was kept elsewhere goes, unless the timing was
        interrupted."""
        if not self._temporary:
            write_result(self._folder, result)
        elif not (result.interrupted or result.fault):
            forget(self._folder)
            return
        proven = any(variant.verdict == "proven" for variant in result.variants)
        what = "proven variants and optimize.json are" if proven else "optimize.json is"
        tell(f"{what} in {self._folder}")


def _refuse_inline(write: bool, dockerfile: Path) -> None:
    if write and is_inline(dockerfile):
        raise InputError(
            "--write cannot replace an inline Dockerfile",
            hint="--out DIR keeps what is proven, to be put into its place",
        )


def _show_change(result: OptimizeResult) -> None:
    from imgopt.report.optimize import change

    patch = change(result)
    if patch is not None:
        show(patch)


def _compose_change(
    request: OptimizeRequest, result: OptimizeResult, *, write: bool, shown: bool
) -> None:
    """Shows what the Compose file has to say otherwise, or writes it."""
    best = next((one for one in result.variants if one.name == result.recommended), None)
    beside = request.smoke.beside if best is not None and best.compose else None
    if best is None or beside is None:
        if write:
            tell("nothing has to change in the Compose file")
        return
    from imgopt.compose.written_back import rewritten
    from imgopt.report.file_diff import diff_lines, diff_listing
    from imgopt.report.files import write_atomic

    for path, (before, after) in rewritten(beside.files, best.compose).items():
        if write:
            write_atomic(path, after)
            tell(f"wrote {path}")
        elif shown:
            show(diff_listing(diff_lines(before, after, path.name)))


def _write_back(request: OptimizeRequest, result: OptimizeResult) -> None:
    wanted = result.recommended or (request.variants[0] if len(request.variants) == 1 else None)
    best = next((variant for variant in result.variants if variant.name == wanted), None)
    if best is None or best.verdict != "proven":
        tell("nothing was written: no proven variant is recommended")
        return
    for path, text in _files(request, best):
        from imgopt.report.files import write_atomic

        write_atomic(path, text)
        tell(f"wrote {path}")


def _files(request: OptimizeRequest, best: Variant) -> list[tuple[Path, str]]:
    from imgopt.dockerfile import find_ignore_file

    ignore = (
        find_ignore_file(request.context, request.dockerfile) or request.context / ".dockerignore"
    )
    files = [(ignore, best.dockerignore)] if best.dockerignore is not None else []
    return [*files, (request.dockerfile, best.dockerfile)]
