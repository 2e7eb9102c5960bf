"""From a scan's store to the result: sums, bases, missed sharing, trees, waste, findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from imgopt.fleet.findings import remarks
from imgopt.fleet.findings.bases import Base, census_of_bases, fewest
from imgopt.fleet.findings.costs import cost_rows
from imgopt.fleet.findings.counts import age_rows, instruction_rows, platform_rows
from imgopt.fleet.findings.database import Database
from imgopt.fleet.findings.sharing import matrix, missed_sharing, pairs
from imgopt.fleet.findings.sums import codec_rows, repository_rows, team_rows, totals
from imgopt.fleet.findings.trees import duplicate_trees
from imgopt.fleet.findings.waste import prepare, waste_rows
from imgopt.fleet.findings.weights import View
from imgopt.fleet.scan.facts import Facts
from imgopt.results.registry import (
    BaseRow,
    RegistryFinding,
    RegistryProblem,
    RegistryResult,
    Scanned,
    TeamRow,
    Totals,
    Tree,
    WasteRow,
)

_PROGRAMS = """
select blob, list(distinct path) from files
where kind in ('file', 'symlink', 'hardlink') and regexp_matches(path, '/s?bin/[^/]+$')
  and list_contains(?, blob) group by blob
"""
_CONTENTS = """
with mine as (select size, digest from files semi join used using (blob) where kind = 'file')
select count(*), coalesce(sum(size), 0), count(distinct digest),
  (select coalesce(sum(size), 0) from (select any_value(size) size from mine group by digest))
from mine
"""
_LEVELS = {"error": 0, "warn": 1, "note": 2}


class Settings(NamedTuple):
    now: datetime
    team_label: str | None = None
    old_days: float = remarks.OLD_DAYS
    kept_tags: int = remarks.KEPT_TAGS


def examine(
    view: View,
    facts: Mapping[str, Facts],
    database: Database | None,
    settings: Settings,
    sources: Iterable[str],
    scanned: Scanned,
) -> RegistryResult:
    """`database` is None where no blob was to be read: what needs files is then not measured."""
    groups = missed_sharing(view, facts)
    bases = census_of_bases(view, facts, _programs(view, database))
    chosen = fewest(bases)
    sums, trees, waste = totals(view), list[Tree](), list[WasteRow]()
    found: list[RegistryFinding] = []
    if database is not None:
        prepare(view, database)
        trees = duplicate_trees(view, database, pairs(groups))
        waste = waste_rows(database)
        sums = _with_contents(sums, database, facts, view)
        found += remarks.special_files(view, database)
    found += remarks.missed(view, groups)
    found += remarks.trees(view, trees)
    found += remarks.codecs(view, facts)
    found += remarks.waste(view, waste)
    found += remarks.old_bases(view, bases, settings.now, settings.old_days)
    found += remarks.rebases(view, bases)
    found += remarks.few_bases(view, bases, chosen)
    found += remarks.unpulled(view)
    found += remarks.old_tags(view, settings.kept_tags)
    found += remarks.users_and_names(view)
    found += _damaged(view, facts)
    found.sort(key=lambda each: (-each.weight, _LEVELS[each.level], each.id, each.message))
    return RegistryResult(
        sources=list(sources),
        made=settings.now.isoformat(timespec="seconds"),
        scan=scanned,
        totals=sums,
        repositories=repository_rows(view),
        teams=_with_findings(team_rows(view), found),
        bases=_base_rows(view, bases, chosen),
        codecs=codec_rows(view),
        platforms=platform_rows(view),
        ages=age_rows(view, settings.now),
        instructions=instruction_rows(view),
        missed=groups,
        matrix=matrix(view, groups),
        trees=trees,
        waste=waste,
        costs=cost_rows(view.fleet),
        findings=found,
        problems=[
            RegistryProblem(where=each.where, what=each.what, kind=each.kind)
            for each in view.fleet.problems
        ],
        not_measured=_not_measured(view, facts, database),
    )


def _programs(view: View, database: Database | None) -> dict[str, frozenset[str]]:
    """Of blobs that lie at the bottom of an image."""
    if database is None:
        return {}
    below = sorted({blob for image in view.images for blob in image.blobs[:-1]})
    return {blob: frozenset(paths) for blob, paths in database.rows(_PROGRAMS, [below])}


def _with_contents(
    sums: Totals, database: Database, facts: Mapping[str, Facts], view: View
) -> Totals:
    files, payload, unique, unique_bytes = database.rows(_CONTENTS)[0]
    read = sum(1 for blob in view.users if blob in facts and facts[blob].status == "read")
    return msgspec.structs.replace(
        sums,
        read_blobs=read,
        files=files,
        payload_bytes=int(payload),
        unique_files=unique,
        unique_bytes=int(unique_bytes),
    )


def _with_findings(rows: list[TeamRow], found: Iterable[RegistryFinding]) -> list[TeamRow]:
    counts, sizes = Counter[str](), Counter[str]()
    for each in found:
        for team in each.teams:
            counts[team] += 1
            sizes[team] += each.bytes or 0
    return [
        msgspec.structs.replace(row, findings=counts[row.team], finding_bytes=sizes[row.team])
        for row in rows
    ]


def _base_rows(view: View, bases: list[Base], chosen: Mapping[int, list[Base]]) -> list[BaseRow]:
    return [
        BaseRow(
            name=base.name,
            layers=len(base.chain),
            images=len(base.images),
            repositories=len({image.repository for image in base.images}),
            wire_bytes=view.wire(base.chain),
            platform=base.platform,
            system=base.system,
            created=base.created,
            chosen=number in chosen,
            serves=sum(len(each.images) for each in chosen.get(number, [])),
        )
        for number, base in enumerate(bases)
    ]


def _damaged(view: View, facts: Mapping[str, Facts]) -> Iterable[RegistryFinding]:
    """Blobs that are not what they should be: nobody can pull their images."""
    for digest, each in sorted(facts.items()):
        if each.status == "read" and not each.problem:
            continue
        images = view.images_of([digest])
        if images:
            yield RegistryFinding(
                id="damaged-blob" if each.status != "read" else "odd-blob",
                level="error" if each.status != "read" else "warn",
                message=f"{digest}: {each.problem}",
                command="push its images again, then `imgopt registry scan --retry-damaged`",
                images=len(images),
                where=[view.name(image) for image in images[:20]],
                teams=sorted({view.team(image) for image in images}),
            )


def _not_measured(
    view: View, facts: Mapping[str, Facts], database: Database | None
) -> dict[str, str]:
    found = {}
    if database is None:
        why = "no blob was read: leave --no-blobs out"
        found = dict.fromkeys(("missed", "matrix", "trees", "waste"), why)
    else:
        left = sum(
            1 for blob in view.users if blob not in facts and not view.fleet.blobs[blob].foreign
        )
        if left:
            found["blobs"] = f"{left} blobs are not read yet: what is said of files leaves them out"
    unsized = [
        each.digest
        for each in view.fleet.blobs.values()
        if each.wire_bytes is None and each.digest in view.users
    ]
    if unsized:
        found["wire_bytes"] = (
            f"{len(unsized)} of {len(view.users)} layers have no compressed form where they are (an"
            " engine, an archive): bytes on the wire leave them out"
        )
    if all(image.pulls is None for image in view.images):
        found["pulls"] = "how often images are pulled is not known: give it with --pulls FILE"
    return found
