"""`imgopt registry`: what does a whole registry hold, share, and could share?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgopt.cli import choices, options
from imgopt.errors import EnvironmentFailure, InputError, Location

if TYPE_CHECKING:
    from imgopt.fleet.scan.login import Login
    from imgopt.fleet.scan.scan import Done
    from imgopt.fleet.scan.scan import Options as ScanOptions
    from imgopt.fleet.scan.store import Store
    from imgopt.fleet.scan.workers import Workers
    from imgopt.results.registry import RegistryResult

SCAN = """
What does a registry hold? Its bases, what its images share and could share, and what to do first.

Manifests and configurations are read first, then each blob once, as a stream, the largest gain
first; nothing is unpacked to disk. What is learned is kept (--store): a second scan asks only for
what is new, and a scan that was ended goes on. Credentials are those of docker login.

SOURCE is registry:HOST, registry:HOST/REPOSITORY[:TAG] (patterns may be used), an OCI layout, an
archive, or engine: for what the engine holds.

  imgopt registry scan registry:registry.example.com --output html:registry.html

  imgopt registry scan 'registry:registry.example.com/payments/*' --budget 50GB

  imgopt registry scan --from images.txt --scheduler tcp://10.0.0.5:8786
"""
QUERY = """
Ask the tables of a scan: images, tags, layers, blobs and files; docs/fleet.md lists their columns.

  imgopt registry query "select class, sum(size) from files group by class order by 2 desc"
"""
_QUERY_FORMATS = ("text", "csv", "json", "parquet")
_SCAN_FORMATS = (*choices.FORMATS["registry"], "parquet")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}

Sources = Annotated[
    list[str] | None, typer.Argument(metavar="SOURCE...", help="What to scan; see above.")
]
From = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="File of sources, one on a line.")
]
StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="DIR", help="Where what is learned is kept (default: the user's state)."
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="GLOB", help="Only such repositories or REPOSITORY:TAG."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="GLOB", help="Leave such repositories or tags out."),
]
MaxAge = Annotated[
    float | None,
    typer.Option("--max-age", metavar="DAYS", min=0, help="Only images made in the last DAYS."),
]
Blobs = Annotated[
    bool, typer.Option("--blobs/--no-blobs", help="Read the layers too, or manifests alone.")
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="BYTES", help="Fetch at most so much of blobs: 500MB, 2TB."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Processes that read (default: processors).")
]
DaskHere = Annotated[bool, typer.Option("--dask", help="Read by a Dask cluster of this machine.")]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Read by the workers of this scheduler."),
]
Pulls = Annotated[
    Path | None,
    typer.Option("--pulls", metavar="FILE", help="CSV of REPOSITORY:TAG,PULLS, with the host."),
]
TeamLabel = Annotated[
    str | None,
    typer.Option("--team-label", help="Image label that names the team (default: by name)."),
]
OldDays = Annotated[
    float, typer.Option("--old-days", min=1, help="A base that is older is a finding.")
]
KeepTags = Annotated[
    int, typer.Option("--keep-tags", min=1, help="Newest tags that stay, to say what others cost.")
]
Retry = Annotated[
    bool, typer.Option("--retry-damaged", help="Read blobs again that were damaged before.")
]
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on", help=f"{choices.listed(choices.FAIL_LEVELS)}: which findings make exit code 1."
    ),
]
ScanFormat = Annotated[
    str,
    typer.Option("--format", help=f"For standard output: {choices.listed(_SCAN_FORMATS)}."),
]
QueryFormat = Annotated[str, typer.Option("--format", help=f"{choices.listed(_QUERY_FORMATS)}.")]
Sql = Annotated[str, typer.Argument(metavar="SQL", help="A query of DuckDB.")]


def register(app: typer.Typer) -> None:
    registry = typer.Typer(
        no_args_is_help=True, help="A whole registry: what it holds, shares, and could share."
    )
    registry.command("scan", help=SCAN)(scan)
    registry.command("query", help=QUERY)(query)
    app.add_typer(registry, name="registry")


def scan(
    sources: Sources = None,
    from_: From = None,
    store: StoreFolder = None,
    include: Include = None,
    exclude: Exclude = None,
    max_age: MaxAge = None,
    blobs: Blobs = True,
    budget: Budget = None,
    jobs: Jobs = None,
    dask: DaskHere = False,
    scheduler: Scheduler = None,
    pulls: Pulls = None,
    team_label: TeamLabel = None,
    old_days: OldDays = 180,
    keep_tags: KeepTags = 10,
    retry_damaged: Retry = False,
    fail_on: FailOn = "never",
    format: ScanFormat = "text",
    output: options.Output = None,
) -> int:
    from datetime import UTC, datetime

    from imgopt.fleet.findings.report import Settings
    from imgopt.fleet.scan.scan import Options as ScanOptions
    from imgopt.fleet.scan.sources import Filters, read_list, read_sources

    choices.check("--fail-on", [fail_on], choices.FAIL_LEVELS)
    outputs = _outputs(format, output)
    if dask and scheduler:
        raise InputError("--dask and --scheduler are two ways", hint="leave one of them out")
    words = [*(sources or ()), *(read_list(from_) if from_ is not None else ())]
    if not words:
        raise InputError("nothing to scan", hint="name a SOURCE: registry:HOST, or --from FILE")
    wanted = ScanOptions(
        filters=Filters(tuple(include or ()), tuple(exclude or ()), max_age),
        budget=_bytes(budget) if budget is not None else None,
        read_blobs=blobs,
        retry_damaged=retry_damaged,
        pulls=_read_pulls(pulls) if pulls is not None else {},
    )
    settings = Settings(datetime.now(UTC), team_label, old_days, keep_tags)
    result = _scanned(read_sources(words), store, wanted, settings, _crew(jobs, dask, scheduler))
    _give(result, format, outputs)
    return _code(result, fail_on)


def _outputs(format: str, output: list[str] | None) -> list[tuple[str, Path]]:
    """Parquet is for tables alone, so the formats that all results have do not know it."""
    from imgopt.report import check_outputs

    choices.check("--format", [format], _SCAN_FORMATS)
    tables = [word for word in output or () if word.startswith("parquet:")]
    found = check_outputs([word for word in output or () if word not in tables], "registry")
    if format == "parquet" and sys.stdout.isatty():
        raise InputError("--format parquet is for a file", hint="--output parquet:FILE, or a pipe")
    if tables or format == "parquet":
        from imgopt.fleet.scan.tables import needed

        needed()
    return [*found, *(("parquet", Path(word.removeprefix("parquet:"))) for word in tables)]


def _bytes(text: str) -> int:
    """ "500MB", "1.5 TB", "1000"."""
    import re

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?", text.strip().upper())
    if match is None:
        raise InputError(f"--budget {text}: not a number of bytes", hint="500MB, 50GB, 2TB")
    return int(float(match[1]) * _UNITS[match[2]])


def _read_pulls(file: Path) -> dict[str, int]:
    """REPOSITORY:TAG,PULLS lines; a line of headers may come first."""
    import csv

    found: dict[str, int] = {}
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.reader(lines), 1):
                if not row or (number == 1 and not row[-1].strip().isdigit()):
                    continue
                if len(row) != 2 or not row[1].strip().isdigit():
                    raise InputError("expected NAME,PULLS", location=Location(str(file), number))
                name = row[0].strip().removeprefix("registry:")
                found[name] = found.get(name, 0) + int(row[1])
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot be read: {error.strerror}", location=Location(str(file))
        ) from None
    except (UnicodeDecodeError, csv.Error):
        raise InputError("is no CSV", location=Location(str(file))) from None
    return found


def _crew(jobs: int | None, dask: bool, scheduler: str | None) -> Any:
    """Who reads; missing parts are said before anything is asked."""
    import os

    count = jobs or len(os.sched_getaffinity(0)) if sys.platform == "linux" else jobs or 2
    if dask or scheduler:
        from imgopt.fleet.scan import on_dask

        on_dask.needed()

    def workers(logins: Mapping[str, Login | None], blobs: int) -> Workers:
        if dask or scheduler:
            from imgopt.fleet.scan.on_dask import OnDask

            return OnDask(scheduler, min(count, blobs), logins)
        from imgopt.fleet.scan.pool import Pool

        return Pool(min(count, blobs), logins)

    return workers


def _scanned(
    sources: Any, folder: Path | None, wanted: ScanOptions, settings: Any, crew: Any
) -> RegistryResult:
    import time

    from imgopt.cli.registry_progress import ScanProgress
    from imgopt.fleet.scan.scan import no_images
    from imgopt.fleet.scan.scan import scan as run
    from imgopt.fleet.scan.store import Store, default_folder
    from imgopt.fleet.scan.tables import needed

    if wanted.read_blobs:
        needed()
    began = time.monotonic()
    with (
        Store(folder or default_folder(), write=True) as store,
        ScanProgress() as progress,
    ):
        done = run(sources, store, crew, wanted, progress.tell, progress.watch)
        nothing = no_images(done.fleet)
        if nothing is not None:
            raise nothing
        progress.tell("joining what was found")
        return _examined(store, done, wanted, settings, sources, time.monotonic() - began)


def _examined(
    store: Store, done: Done, wanted: ScanOptions, settings: Any, sources: Any, seconds: float
) -> RegistryResult:
    from contextlib import ExitStack

    from imgopt.fleet.findings.database import Database
    from imgopt.fleet.findings.report import examine
    from imgopt.fleet.findings.weights import View
    from imgopt.fleet.scan.tables import write_fleet
    from imgopt.results.registry import Scanned

    view = View(done.fleet, settings.team_label)
    scanned = Scanned(
        read_blobs=done.read_blobs,
        read_bytes=done.read_bytes,
        known_blobs=done.known_blobs,
        left_blobs=done.left_blobs,
        left_bytes=done.left_bytes,
        unreached_blobs=len(done.unreached),
        seconds=round(seconds, 2),
    )
    facts = {**done.facts, **done.unreached}
    with ExitStack() as stack:
        database = None
        if wanted.read_blobs:
            write_fleet(store.folder / "tables", done.fleet, facts, view.team)
            database = stack.enter_context(Database(store))
        names = [str(source) for source in sources]
        return examine(view, facts, database, settings, names, scanned)


def _give(result: RegistryResult, format: str, outputs: list[tuple[str, Path]]) -> None:
    from imgopt.cli.emit import give
    from imgopt.fleet.findings.export import parquet_bytes
    from imgopt.report.files import write_atomic

    rest = [f"{name}:{path}" for name, path in outputs if name != "parquet"]
    if format == "parquet":
        from imgopt.report import write_outputs

        sys.stdout.buffer.write(parquet_bytes(result))
        write_outputs(result, rest)
    else:
        give(result, options.OutputOptions(format, rest))
    for name, path in outputs:
        if name == "parquet":
            write_atomic(path, parquet_bytes(result))


def _code(result: RegistryResult, fail_on: str) -> int:
    did = result.scan
    if did.unreached_blobs and did.unreached_blobs == did.read_blobs:
        first = next(
            (each.message for each in result.findings if each.id == "damaged-blob"), "no blob"
        )
        raise EnvironmentFailure(
            f"none of the {did.read_blobs} new blobs could be reached: {first}",
            hint="run the same command later: what was read before is kept",
        )
    levels = {"never": (), "warn": ("error", "warn"), "error": ("error",)}[fail_on]
    return int(any(each.level in levels for each in result.findings))


def query(sql: Sql, store: StoreFolder = None, format: QueryFormat = "text") -> int:
    from imgopt.fleet.findings.database import Database
    from imgopt.fleet.findings.export import query_bytes, query_text
    from imgopt.fleet.scan.store import Store, default_folder

    choices.check("--format", [format], _QUERY_FORMATS)
    if format == "parquet" and sys.stdout.isatty():
        raise InputError("--format parquet is for a file", hint="send it into one: > FILE")
    with Store(store or default_folder()) as kept, Database(kept) as database:
        names, rows = database.ask(sql)
    if format == "parquet":
        sys.stdout.buffer.write(query_bytes(names, rows))
    else:
        from imgopt.cli.streams import write_document

        write_document(query_text(names, rows, format))
    return 0
