"""imgopt analyze: what is in an image."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices
from imgopt.cli.emit import show
from imgopt.cli.options import Output, OutputOptions, Platform
from imgopt.cli.streams import write_document
from imgopt.errors import InputError, Location

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile
    from imgopt.results.analysis import Analysis

Reference = Annotated[
    str, typer.Argument(help="Name or ID, tar file, OCI layout folder, or registry:NAME.")
]


def register(app: typer.Typer) -> None:
    app.command("analyze")(analyze)


def analyze(
    image: Reference,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The Dockerfile that built it, for lines.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="The stage that was built.")
    ] = None,
    platform: Platform = None,
    layers: Annotated[bool, typer.Option("--layers", help="All layers, in order.")] = False,
    findings: Annotated[
        bool, typer.Option("--findings", help="What to change, with what it was seen in.")
    ] = False,
    packages: Annotated[bool, typer.Option("--packages", help="Packages by bytes.")] = False,
    files: Annotated[bool, typer.Option("--files", help="The largest files.")] = False,
    tree: Annotated[
        bool, typer.Option("--tree", help="Directories with their live bytes.")
    ] = False,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Rows per list.")] = None,
    exact_wire: Annotated[
        bool, typer.Option("--exact-wire", help="Compress all of it instead of a sample.")
    ] = False,
    ncdu: Annotated[
        bool, typer.Option("--ncdu", help="Write ncdu's import format: | ncdu -f-")
    ] = False,
    format: Annotated[str, choices.format_option("analysis")] = "text",
    output: Output = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say how the image is read.")
    ] = False,
) -> None:
    """Look inside an image: layers, wasted bytes, packages, and what to change.

    [bold]imgopt analyze myapp:latest[/bold], [bold]imgopt analyze image.tar --packages --top
    20[/bold]
    """
    from imgopt.analysis import analyze as analyze_image
    from imgopt.collector import collector_paused
    from imgopt.image import open_image
    from imgopt.report.formats import write_outputs

    OutputOptions(format, output).check("analysis")
    if verbose:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="imgopt: %(message)s")
        logging.getLogger("urllib3").setLevel(logging.WARNING)
    with collector_paused():
        opened = open_image(image, platform)
        if ncdu:
            from imgopt.report.ncdu import ncdu as export

            sys.stdout.writelines(export(opened.tree(), image))
            return
        result = analyze_image(opened, read_dockerfile(file), target=target, exact_wire=exact_wire)
    write_outputs(result, output or [])
    wanted = {
        "layers": layers,
        "findings": findings,
        "packages": packages,
        "files": files,
        "tree": tree,
    }
    _show(result, format, [name for name, chosen in wanted.items() if chosen], top)


def read_dockerfile(path: Path | None) -> Dockerfile | None:
    if path is None:
        return None
    from imgopt.dockerfile import parse

    try:
        return parse(path.read_text(encoding="utf-8", errors="surrogateescape"), str(path))
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", location=Location(str(path))
        ) from None


def _show(result: Analysis, format: str, views: list[str], top: int | None) -> None:
    from imgopt.report import analysis as report
    from imgopt.report.formats import render

    if format != "text":
        write_document(render(result, format))
        return
    for view in views:
        show(report.VIEWS[view](result, top or 30))
    if not views:
        show(report.summary(result, top or 6))
