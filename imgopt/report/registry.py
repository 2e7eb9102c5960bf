"""The result of `imgopt registry scan`."""

from __future__ import annotations

import csv as csv_module
from collections.abc import Iterable
from io import StringIO

from rich.console import Group, RenderableType
from rich.padding import Padding

from imgopt.report.common import (
    code_markdown,
    count_text,
    percent_text,
    safe_markdown,
    safe_terminal,
    seconds_text,
    table_markdown,
)
from imgopt.report.layout import Column, Grid, Words
from imgopt.results.registry import RegistryFinding, RegistryResult
from imgopt.results.size_text import size_text

_MOST = 20
_STYLES = {"error": "bold red", "warn": "bold yellow", "note": "dim"}


def text(result: RegistryResult) -> RenderableType:
    """Sums first, then what is worth most."""
    parts: list[RenderableType] = [Words(safe_terminal(line)) for line in lines(result)]
    if result.findings:
        parts.append(Words("\nWhat to do first:", style="bold"))
        parts += [_finding(each) for each in result.findings[:_MOST]]
        parts.append(Words(_more(len(result.findings))))
    if result.teams:
        parts.append(Words("Teams:", style="bold"))
        rows = [
            (
                f"  {safe_terminal(each.team)}",
                count_text(each.images, "image"),
                f"{size_text(each.own_bytes)} of its own",
                count_text(each.findings, "finding"),
            )
            for each in result.teams[:_MOST]
        ]
        parts.append(Grid([Column(), Column(), Column(), Column()], rows))
    if result.problems:
        parts.append(Words("Not read:", style="bold"))
        parts += [
            Words(safe_terminal(f"  {each.where}: {each.what}")) for each in result.problems[:_MOST]
        ]
        parts.append(Words(_more(len(result.problems))))
    parts += [Words(safe_terminal(line), style="dim") for line in unmeasured(result)]
    return Group(*parts)


def unmeasured(result: RegistryResult) -> Iterable[str]:
    return (f"not measured: {name}: {why}" for name, why in sorted(result.not_measured.items()))


def _more(count: int) -> str:
    return f"… and {count - _MOST} more (--format html)" if count > _MOST else ""


def _finding(each: RegistryFinding) -> RenderableType:
    head = Words()
    head.append(f"{each.level}: ", style=_STYLES[each.level])
    head.append(safe_terminal(each.message))
    saved = saved_text(each)
    names = f": {_names(each)}" if each.where else ""
    where = f"{saved + '; ' if saved else ''}{count_text(each.images, 'image')}{names}"
    return Group(
        head,
        Padding(Words(safe_terminal(where), style="dim"), (0, 0, 0, 4)),
        Padding(Words(safe_terminal(f"-> {each.command}")), (0, 0, 0, 4)),
    )


def _names(each: RegistryFinding, most: int = 4) -> str:
    more = len(each.where) - most
    return ", ".join(each.where[:most]) + (f" and {more} more" if more > 0 else "")


def saved_text(each: RegistryFinding) -> str:
    """ "saves 1.2 GB", or nothing where it is not about bytes."""
    return "" if each.bytes is None else f"saves {size_text(each.bytes)}"


def lines(result: RegistryResult) -> Iterable[str]:
    """The sums in sentences."""
    sums, did = result.totals, result.scan
    yield (
        f"{count_text(sums.images, 'image')} with {count_text(sums.tags, 'tag')} in"
        f" {sums.repositories} repositories; beside them {count_text(sums.artifacts, 'artifact')}"
        f" and {count_text(sums.attestations, 'attestation')}."
    )
    yield (
        f"{count_text(sums.blobs, 'blob')} store {size_text(sums.wire_bytes)}; each image by itself"
        f" would be {size_text(sums.pulled_bytes)}. {size_text(sums.shared_bytes)} are shared by"
        f" images, {size_text(sums.cross_bytes)} by repositories."
    )
    if sums.payload_bytes and sums.unique_bytes is not None:
        share = percent_text(sums.unique_bytes / sums.payload_bytes)
        yield (
            f"{sums.files:,} files with {size_text(sums.payload_bytes)}, of which"
            f" {size_text(sums.unique_bytes)} ({share}) are unique."
        )
    missed = sum(each.saved_bytes for each in result.missed)
    if missed:
        yield f"{size_text(missed)} are the same files under another digest."
    read = f"{count_text(did.read_blobs, 'blob')} read now ({size_text(did.read_bytes)})"
    took = f" in {seconds_text(did.seconds)}" if did.seconds is not None else ""
    yield f"{read}{took}, {did.known_blobs} known before."
    if did.left_blobs:
        yield (
            f"{count_text(did.left_blobs, 'blob')} ({size_text(did.left_bytes)}) were left out by"
            " --budget: the same command reads on."
        )
    if did.unreached_blobs:
        blobs = count_text(did.unreached_blobs, "blob")
        yield f"{blobs} could not be reached; the next scan asks again."


def markdown(result: RegistryResult) -> str:
    """Sums and the first findings, for an issue or a wiki."""
    found = [f"### imgopt: {safe_markdown(', '.join(result.sources))}", ""]
    found += [*(f"- {safe_markdown(line)}" for line in lines(result)), ""]
    rows = [
        [
            each.level,
            safe_markdown(each.message),
            safe_markdown(saved_text(each)),
            str(each.images),
            safe_markdown(_names(each)),
            code_markdown(each.command),
        ]
        for each in result.findings[: 3 * _MOST]
    ]
    if rows:
        headers = ["", "finding", "saves", "images", "where", "what mends it"]
        found += [table_markdown(headers, rows, right=(3,)), ""]
    found += [f"- {safe_markdown(line)}" for line in unmeasured(result)]
    return "\n".join(found) + "\n"


HEADERS = ("id", "level", "bytes", "images", "weight", "message", "command", "where", "teams")


def finding_rows(result: RegistryResult) -> list[tuple[str | int | None, ...]]:
    """One row for each finding, in order; the columns are HEADERS."""
    return [
        (
            each.id,
            each.level,
            each.bytes,
            each.images,
            each.weight,
            safe_terminal(each.message),
            safe_terminal(each.command),
            safe_terminal(" ".join(each.where)),
            safe_terminal(" ".join(each.teams)),
        )
        for each in result.findings
    ]


def csv(result: RegistryResult) -> str:
    """One line for each finding."""
    target = StringIO()
    writer = csv_module.writer(target, lineterminator="\n")
    writer.writerow(HEADERS)
    for row in finding_rows(result):
        writer.writerow(["" if value is None else _plain(value) for value in row])
    return target.getvalue()


def _plain(value: str | int) -> str | int:
    """No cell begins as a formula does."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
