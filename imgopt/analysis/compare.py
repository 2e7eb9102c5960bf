"""Two images, side by side: every table sums to the difference, exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from imgopt.analysis.analyze import analyze
from imgopt.errors import InputError
from imgopt.image import Image
from imgopt.image.ledger import CLASSES
from imgopt.results.analysis import Analysis, LayerRow, PackageRow
from imgopt.results.diff import Change, Diff, InstructionChange, PackageChange, Side

if TYPE_CHECKING:
    from imgopt.dockerfile import Dockerfile


def compare(
    before: Image, after: Image, dockerfile: Dockerfile | None = None, *, exact_wire: bool = False
) -> Diff:
    """What changed from `before` to `after`; the Dockerfile is that of `after`.

    Raises InputError for images of different platforms: their difference means nothing.
    """
    if before.platform != after.platform:
        raise InputError(
            f"{before.reference} is for {before.platform}, {after.reference} for {after.platform}",
            hint="compare images of one platform: --platform chooses",
        )
    from imgopt.analysis.pathdiff import changed_paths

    one, other = (
        analyze(before, exact_wire=exact_wire),
        analyze(after, dockerfile, exact_wire=exact_wire),
    )
    instructions = _instructions(one.layers, other.layers)
    return Diff(
        before=_side(one),
        after=_side(other),
        classes=[
            Change(name=kind, before=one.ledger[kind], after=other.ledger[kind])
            for kind in CLASSES
            if one.ledger[kind] or other.ledger[kind]
        ],
        instructions=instructions,
        base=_sum("base image", (row for row in instructions if row.base)),
        own=_sum("own layers", (row for row in instructions if not row.base)),
        packages=_packages(one, other),
        paths=changed_paths(before.tree(), after.tree()),
        notes=[*_codecs(before, after), *_notes(one, other)],
    )


def _codecs(before: Image, after: Image) -> list[str]:
    """Where layers are compressed otherwise: their wire sizes differ for that alone."""
    one, other = (sorted({layer.codec or "" for layer in side.layers}) for side in (before, after))
    if one == other or "" in (*one, *other):
        return []
    change = f"{' and '.join(one)} -> {' and '.join(other)}"
    return [
        f"the layers are compressed otherwise ({change}): what their contents grew by is the change"
        " in tar, not that in wire"
    ]


def _notes(before: Analysis, after: Analysis) -> list[str]:
    """What each image says of itself that bears on a comparison."""
    return [
        f"{side.image}: {finding.message}"
        for side in (before, after)
        for finding in side.findings
        if finding.id == "packages-unread"
    ]


def _side(result: Analysis) -> Side:
    return Side(
        image=result.image,
        digest=result.digest,
        platform=result.platform,
        source=result.source,
        sizes=result.sizes,
        layers=len(result.layers),
    )


def _sum(name: str, rows: Iterator[InstructionChange]) -> Change:
    before = after = 0
    for row in rows:
        before, after = before + row.before, after + row.after
    return Change(name=name, before=before, after=after)


def _instructions(before: Sequence[LayerRow], after: Sequence[LayerRow]) -> list[InstructionChange]:
    """Equal layers first, then layers of equal instructions, then those left over, pairwise by
    keyword."""
    rows = []
    for i1, i2, j1, j2, equal in _blocks(
        [row.diff_id for row in before], [row.diff_id for row in after]
    ):
        if equal:
            rows += [
                _row(one, other, "same")
                for one, other in zip(before[i1:i2], after[j1:j2], strict=True)
            ]
        else:
            rows += _by_text(before[i1:i2], after[j1:j2])
    return rows


def _by_text(before: Sequence[LayerRow], after: Sequence[LayerRow]) -> list[InstructionChange]:
    rows = []
    for i1, i2, j1, j2, equal in _blocks(
        [row.instruction for row in before], [row.instruction for row in after]
    ):
        if equal:
            rows += [
                _row(one, other, "changed")
                for one, other in zip(before[i1:i2], after[j1:j2], strict=True)
            ]
        else:
            rows += _by_keyword(before[i1:i2], after[j1:j2])
    return rows


def _by_keyword(before: Sequence[LayerRow], after: Sequence[LayerRow]) -> list[InstructionChange]:
    rows = []
    for i1, i2, j1, j2, equal in _blocks(
        [_keyword(row) for row in before], [_keyword(row) for row in after]
    ):
        if equal:
            rows += [
                _row(one, other, "changed")
                for one, other in zip(before[i1:i2], after[j1:j2], strict=True)
            ]
        else:
            rows += [_row(one, None, "removed") for one in before[i1:i2]]
            rows += [_row(None, other, "added") for other in after[j1:j2]]
    return rows


def _blocks(one: list[str], other: list[str]) -> Iterator[tuple[int, int, int, int, bool]]:
    from difflib import SequenceMatcher

    for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        yield i1, i2, j1, j2, tag == "equal"


def _keyword(row: LayerRow) -> str:
    return row.instruction.partition(" ")[0]


def _row(before: LayerRow | None, after: LayerRow | None, kind: str) -> InstructionChange:
    row = after or before
    assert row is not None
    return InstructionChange(
        instruction=row.instruction,
        kind=kind,
        before=before.sizes.payload if before else 0,
        after=after.sizes.payload if after else 0,
        line=after.line if after else None,
        base=row.base,
        layer_before=before.index if before else None,
        layer_after=after.index if after else None,
    )


def _packages(before: Analysis, after: Analysis) -> list[PackageChange]:
    """Packages that are not the same, largest change first, and the bytes that no package owns."""
    one, other = _grouped(before.packages), _grouped(after.packages)
    rows = []
    for key in sorted(one.keys() | other.keys()):
        (size, versions), (new_size, new_versions) = one.get(key, (0, "")), other.get(key, (0, ""))
        if (size, versions) != (new_size, new_versions):
            rows.append(
                PackageChange(
                    ecosystem=key[0],
                    name=key[1],
                    version_before=versions,
                    version_after=new_versions,
                    before=size,
                    after=new_size,
                )
            )
    if before.unowned != after.unowned:
        rows.append(
            PackageChange(
                ecosystem="",
                name="(owned by no package)",
                version_before="",
                version_after="",
                before=before.unowned,
                after=after.unowned,
            )
        )
    return sorted(rows, key=lambda row: (-abs(row.after - row.before), row.ecosystem, row.name))


def _grouped(packages: Sequence[PackageRow]) -> dict[tuple[str, str], tuple[int, str]]:
    """Bytes and versions by ecosystem and name: node_modules hold one name many times."""
    sizes: dict[tuple[str, str], int] = defaultdict(int)
    versions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in packages:
        key = (row.ecosystem, row.name)
        versions[key].add(row.version)
        if row.inside is None:
            sizes[key] += row.bytes
    return {key: (sizes[key], ", ".join(sorted(found))) for key, found in versions.items()}
