"""`imgopt rewrite`: the plan and the new Dockerfile, from text alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imgopt.cli import choices, options
from imgopt.cli.emit import give
from imgopt.cli.found import is_inline, settled
from imgopt.cli.repeated import build_words
from imgopt.cli.streams import tell
from imgopt.cli.waiting import told_when_slow

HELP = """
Show what can be changed from text alone: no engine, no build, nothing proven.

Prints a diff with the reason for each change, and what needs `imgopt optimize`. With --write it
replaces the file.

  imgopt rewrite .
"""

VariantOption = Annotated[
    list[str] | None,
    typer.Option(
        "--variant", help=f"{choices.listed(choices.VARIANTS)} (default: safe); repeatable."
    ),
]
Write = Annotated[
    bool, typer.Option("--write", help="Write the Dockerfile and .dockerignore (unproven).")
]
Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; exit 1 when something would change.")
]


def register(app: typer.Typer) -> None:
    app.command("rewrite", help=HELP)(rewrite_command)


def rewrite_command(
    context: options.Context = Path(),
    variant: VariantOption = None,
    write: Write = False,
    check: Check = False,
    file: options.File = None,
    target: options.Target = None,
    build_arg: options.BuildArg = None,
    config: options.ConfigFile = None,
    service: options.Service = None,
    bake_target: options.BakeTarget = None,
    format: Annotated[str, choices.format_option("rewrite")] = "text",
    output: options.Output = None,
) -> int:
    from msgspec import structs

    from imgopt.collector import collector_paused
    from imgopt.loop.static import rewrite_static
    from imgopt.strategies.variants import check_names

    out = options.OutputOptions(format, output)
    out.check("rewrite")
    build = options.BuildOptions(
        file, target, build_arg, config=config, service=service, bake_target=bake_target
    )
    words = build_words(context, build)
    context, settings = settled(context, build)
    check_names(settings.rewrite.allow, settings.rewrite.disable)
    dockerfile = options.find_dockerfile(context, settings)
    kinds = tuple(variant or settings.rewrite.variants or ("safe",))
    with collector_paused():
        with told_when_slow(f"reading {dockerfile} and its build context"):
            result = rewrite_static(context, dockerfile, settings, kinds)
        result = structs.replace(result, arguments=words)
        give(result, out)
    changed = any(item.changes for item in result.variants)
    if write and changed and not is_inline(dockerfile):
        _write(
            context, dockerfile, result.variants[-1].dockerfile, result.variants[-1].dockerignore
        )
    return 1 if check and changed else 0


def _write(context: Path, dockerfile: Path, text: str, ignore: str | None) -> None:
    from imgopt.dockerfile import find_ignore_file
    from imgopt.report.files import write_atomic

    if ignore is not None:
        write_atomic(find_ignore_file(context, dockerfile) or context / ".dockerignore", ignore)
    write_atomic(dockerfile, text)
    tell(f"wrote {dockerfile} (unproven: `imgopt optimize` builds and proves it)")
