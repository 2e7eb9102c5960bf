"""imgopt diff: what changed from one image to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imgopt.cli import choices
from imgopt.cli.analyze import Reference, read_dockerfile
from imgopt.cli.emit import show
from imgopt.cli.options import Output, OutputOptions, Platform
from imgopt.cli.streams import write_document


def register(app: typer.Typer) -> None:
    app.command("diff")(diff)


def diff(
    before: Reference,
    after: Reference,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The Dockerfile of AFTER, for lines.")
    ] = None,
    platform: Platform = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Rows per table.")] = 10,
    exact_wire: Annotated[
        bool, typer.Option("--exact-wire", help="Compress all of it instead of a sample.")
    ] = False,
    format: Annotated[str, choices.format_option("diff")] = "text",
    output: Output = None,
) -> None:
    """What grew and what shrank, by instruction, package and path; the rows sum to the difference.

    [bold]imgopt diff myapp:1.0 myapp:1.1[/bold], [bold]imgopt diff before.tar after.tar --format
    markdown[/bold]
    """
    from imgopt.analysis import compare
    from imgopt.image import open_image
    from imgopt.report.diff import summary
    from imgopt.report.formats import render, write_outputs

    OutputOptions(format, output).check("diff")
    result = compare(
        open_image(before, platform),
        open_image(after, platform),
        read_dockerfile(file),
        exact_wire=exact_wire,
    )
    write_outputs(result, output or [])
    if format != "text":
        write_document(render(result, format))
        return
    show(summary(result, top))
