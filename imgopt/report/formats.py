"""From a result to a format: `imgopt.report.<kind>` renders the results of `imgopt.results.<kind>`.

A kind is the middle of a schema ("bench" in "imgopt/bench/1"); "run-facts" is rendered by
`run_facts`, and several kinds may share a module of results ("deploy-check": `results.deploy`). The
report module is imported when needed and has one function per format, named as the format:
`text(result)` gives a rich renderable, all others give a string (`markdown`, `html`, `csv`,
`sarif`, ...). `json` is the same for every kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from imgopt.errors import EnvironmentFailure, InputError, Location
from imgopt.report.files import write_atomic
from imgopt.report.packed import read_saved
from imgopt.results import Result, from_json, schema_of, to_json

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMATS = (
    "text",
    "json",
    "markdown",
    "pr",
    "html",
    "csv",
    "sarif",
    "junit",
    "gitlab",
    "github",
    "rdjson",
    "metrics",
    "bencher",
    "benchmark-action",
)
"""All names that `--format` and `--output` know; which of them a kind has is asked with
`formats_of`."""


def kind_of(schema: str) -> str:
    """ "bench" of "imgopt/bench/1"."""
    return schema.split("/")[1]


def formats_of(kind: str) -> tuple[str, ...]:
    """The formats that results of this kind can be rendered to."""
    return tuple(name for name in FORMATS if _has(kind, name))


def _has(kind: str, format: str) -> bool:
    return format in FORMATS and (format == "json" or _find(kind, format) is not None)


def render(result: Result, format: str, *, width: int = 100) -> str:
    """The whole result in one format; `width` in characters is for `text`, which has no colours
    here.

    Raises InputError for a format that this kind of result does not have.
    """
    if format == "json":
        return to_json(result)
    if format != "text":
        return str(_renderer(result, format)(result))
    from rich.console import Console

    target = StringIO()
    Console(file=target, width=width, color_system=None, highlight=False).print(
        renderable(result), crop=False
    )
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines()) + "\n"


def renderable(result: Result) -> RenderableType:
    """The result for a rich console; the command prints it."""
    shown: RenderableType = _renderer(result, "text")(result)
    return shown


def _renderer(result: Result, format: str) -> Callable[[Result], Any]:
    kind = kind_of(result.schema)
    function = _find(kind, format)
    if function is None:
        raise _no_format(format, kind)
    return function


def _find(kind: str, format: str) -> Callable[[Result], Any] | None:
    """The kind's own function; a page can also be made from its view."""
    function: Callable[[Result], Any] | None = getattr(
        _module("report", kind), format.replace("-", "_"), None
    )
    if function is None and format == "html" and _exists(f"imgopt.report.views.{_named(kind)}"):
        return _page
    return function


def _page(result: Result) -> str:
    from imgopt.report.views import html

    return html([result])


def _module(package: str, kind: str) -> ModuleType | None:
    name = f"imgopt.{package}.{_named(kind)}"
    return import_module(name) if _exists(name) else None


def _named(kind: str) -> str:
    return kind.replace("-", "_")


def _exists(module: str) -> bool:
    """Without importing it: what draws pages takes longer to load than a look into an image may
    take."""
    return module.rpartition(".")[2].isidentifier() and find_spec(module) is not None


def load(path: Path) -> Result:
    """Reads a saved result of any kind, also a compressed one. Raises InputError: damaged, unknown
    kind, newer."""
    data = read_saved(path)
    schema = schema_of(data, str(path))
    return from_json(data, _model(schema, str(path)), str(path))


def _model(schema: str, file: str) -> type[Result]:
    kind = kind_of(schema)
    module = _module("results", kind) or _module("results", kind.partition("-")[0])
    for value in vars(module).values() if module else ():
        if (
            isinstance(value, type)
            and issubclass(value, Result)
            and _default_schema(value).startswith(f"imgopt/{kind}/")
        ):
            return value
    raise InputError(
        f"results of kind {kind!r} are not known",
        location=Location(file),
        hint="a newer imgopt wrote it? update imgopt",
    )


def _default_schema(model: type[Result]) -> str:
    return next(
        (str(value) for value in model.__struct_defaults__ if str(value).startswith("imgopt/")), ""
    )


def parse_output(spec: str) -> tuple[str, Path]:
    """ "json:out/result.json" -> ("json", Path). Raises InputError for what is not FORMAT:PATH."""
    format, colon, path = spec.partition(":")
    if not colon or not path or format not in FORMATS:
        raise InputError(
            f"--output {spec!r} is not FORMAT:PATH", hint=f"FORMAT is one of: {', '.join(FORMATS)}"
        )
    return format, Path(path)


def check_format(format: str, kind: str, file: str | None = None) -> None:
    """Raises InputError where results of this kind have no such format; `file` is the saved one."""
    if not _has(kind, format):
        raise _no_format(format, kind, file)


def _no_format(format: str, kind: str, file: str | None = None) -> InputError:
    return InputError(
        f"{kind} results have no format {format!r}",
        location=Location(file) if file else None,
        hint=f"choose one of: {', '.join(formats_of(kind))}",
    )


def check_outputs(specs: Iterable[str], kind: str) -> list[tuple[str, Path]]:
    """Before long work: are these outputs possible for results of this kind? Raises InputError."""
    wanted = [parse_output(spec) for spec in specs]
    for format, path in wanted:
        check_format(format, kind)
        if path.is_dir():
            raise InputError("is a directory; --output needs a file", location=Location(str(path)))
    return wanted


def write_outputs(result: Result, specs: Sequence[str]) -> list[Path]:
    """Writes the result to each FORMAT:PATH, each file whole or not at all; returns the paths.

    Every one is tried: raises EnvironmentFailure for the first that failed after the others are
    written.
    """
    wanted = check_outputs(specs, kind_of(result.schema))
    failures: list[EnvironmentFailure] = []
    for format, path in wanted:
        try:
            write_atomic(path, render(result, format))
        except EnvironmentFailure as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return [path for _, path in wanted]
