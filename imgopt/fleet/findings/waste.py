"""Waste by class over the fleet: what is rarely needed, and what a later layer hides again."""

from __future__ import annotations

from imgopt.fleet.findings.database import Database
from imgopt.fleet.findings.weights import View
from imgopt.results.registry import WasteRow

_JUNK = """
select class, count(*), sum(size), sum(size * images) from files join used using (blob)
where class is not null and kind = 'file' group by class
"""
_HIDDEN = """
with place as (select repository, digest, min(number) low, max(number) high, blob
               from stacked group by repository, digest, blob),
pairs as (select distinct a.blob lower, b.blob upper from place a join place b
          on a.repository = b.repository and a.digest = b.digest and a.low < b.high),
names as (select blob, path, max(size) size from files where kind = 'file' and size > 0
          group by blob, path),
dead as (
  select p.lower, p.upper, f.path, f.size, 'overwritten' as why from pairs p
  join names f on f.blob = p.lower
  join files g on g.blob = p.upper and g.path = f.path and g.kind in ('file', 'hardlink', 'symlink')
  union all
  select p.lower, p.upper, f.path, f.size, 'deleted' from pairs p
  join files g on g.blob = p.upper and g.kind = 'whiteout'
  join names f on f.blob = p.lower and (f.path = g.path or starts_with(f.path, g.path || '/'))
  union all
  select p.lower, p.upper, f.path, f.size, 'deleted' from pairs p
  join files g on g.blob = p.upper and g.kind = 'opaque'
  join names f on f.blob = p.lower and starts_with(f.path, g.path || '/')
),
killed as (
  select a.repository, a.digest, d.lower, d.path, any_value(d.size) size, min(d.why) why
  from dead d join place a on a.blob = d.lower
  join place b on b.repository = a.repository and b.digest = a.digest and b.blob = d.upper
       and a.low < b.high
  group by a.repository, a.digest, d.lower, d.path
)
select why, count(*), sum(size), sum(size * images) from (
  select why, lower, path, any_value(size) size, count(*) images from killed
  group by why, lower, path)
group by why
"""


def prepare(view: View, database: Database) -> None:
    """Tables of which image has which blob."""
    database.table(
        "used",
        ("blob", "images"),
        [(blob, len(images)) for blob, images in sorted(view.users.items())] or [("", 0)],
    )
    database.table(
        "stacked",
        ("repository", "digest", "number", "blob"),
        [
            (image.repository, image.digest, number, blob)
            for image in view.images
            for number, blob in enumerate(image.blobs)
        ]
        or [("", "", 0, "")],
    )


def waste_rows(database: Database) -> list[WasteRow]:
    """Most bytes shipped first."""
    rows = [
        WasteRow(kind=kind, files=files, bytes=int(size), shipped_bytes=int(shipped))
        for kind, files, size, shipped in database.rows(_JUNK)
    ]
    rows += [
        WasteRow(kind=why, files=files, bytes=int(size), shipped_bytes=int(shipped))
        for why, files, size, shipped in database.rows(_HIDDEN)
    ]
    return sorted(rows, key=lambda row: (-row.shipped_bytes, row.kind))
