"""`imgopt report`: renders saved results, later and elsewhere, without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgopt.cli import choices, options
from imgopt.errors import InputError

if TYPE_CHECKING:
    from imgopt.results import Result

HELP = """
Render saved results: for the terminal, a pull request, a browser or a spreadsheet.

Needs no engine and no project. Several results make one HTML page with an index. Compressed
results (.json.xz, .json.gz, .json.zst) are read as they are.

  imgopt report result.json

  imgopt report result.json --format markdown >> "$GITHUB_STEP_SUMMARY"

  imgopt report web.json worker.json --output html:services.html
"""

ALL_FORMATS = tuple(dict.fromkeys(name for formats in choices.FORMATS.values() for name in formats))
Files = Annotated[
    list[Path], typer.Argument(metavar="RESULT.json...", help="Files that imgopt wrote as JSON.")
]
ReportFormat = Annotated[
    str,
    typer.Option(
        "--format",
        help=f"For standard output: {choices.listed(ALL_FORMATS)}, as the result has them.",
    ),
]
Title = Annotated[str | None, typer.Option("--title", help="Title of the HTML page.")]


def register(app: typer.Typer) -> None:
    app.command("report", help=HELP)(report_command)


def report_command(
    files: Files, format: ReportFormat = "text", output: options.Output = None, title: Title = None
) -> int:
    from imgopt.report import load
    from imgopt.report.files import write_atomic
    from imgopt.report.formats import check_format, kind_of, parse_output

    wanted = [parse_output(spec) for spec in output or ()]
    results = [load(path) for path in files]
    for path, result in zip(files, results, strict=True):
        for name in dict.fromkeys(
            [*([format] if not wanted or format != "text" else ()), *(one for one, _ in wanted)]
        ):
            check_format(name, kind_of(result.schema), str(path))
    pages = [(path, _rendered(results, name, title)) for name, path in wanted]
    if not wanted or format != "text":
        _print(results, format, title)
    for path, page in pages:
        write_atomic(path, page)
    return 0


def _rendered(results: Sequence[Result], format: str, title: str | None) -> str:
    from imgopt.report import render
    from imgopt.report.views import html

    if format == "html":
        return html(results, title)
    if format == "json" and len(results) > 1:
        raise InputError(
            "several results are several JSON documents", hint="give one result, or another format"
        )
    return "\n".join(render(result, format) for result in results)


def _print(results: Sequence[Result], format: str, title: str | None) -> None:
    from imgopt.cli.emit import show
    from imgopt.cli.streams import write_document
    from imgopt.report import renderable

    if format != "text":
        write_document(_rendered(results, format, title))
        return
    for result in results:
        show(renderable(result))
