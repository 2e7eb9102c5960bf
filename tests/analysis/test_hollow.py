"""Holes of files that an archive writes out: the record of logins with its cure, others by
themselves; and databases of packages that nothing is known of."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from image.crafting import Item, config, docker_archive, f, hard, tar

from analysis.test_findings import analysis, one
from imgopt.analysis import analyze
from imgopt.analysis.compare import compare
from imgopt.dockerfile import parse
from imgopt.image import open_image
from imgopt.image.memory import Memory

M = 1_000_000
RECORDS: dict[str, tuple[list[Item], int]] = {
    "lastlog": ([f("var/log/lastlog", bytes(58 * M))], 58 * M),
    "lastlog and faillog": (
        [f("var/log/lastlog", bytes(20 * M)), f("var/log/faillog", bytes(3 * M))], 23 * M,
    ),
    "with one record at its end": (
        [f("var/log/lastlog", bytes(20 * M) + b"\x01" * 292)], 20 * M + 292,
    ),
    "tallylog": ([f("var/log/tallylog", bytes(2 * M))], 2 * M),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_the_record_of_logins_is_named_with_its_line_and_cure(name: str, tmp_path: Path) -> None:
    items, size = RECORDS[name]
    found = one(analysis(tmp_path, items, history=["RUN useradd -u 200000 svc"]), "login-records")
    assert (found.bytes, found.where.layer, found.strategy) == (size, 1, "no-log-init")
    assert f"/{items[0][0].name}" in found.message and "--no-log-init" in found.hint


def test_the_line_of_the_dockerfile_is_said(tmp_path: Path) -> None:
    text = "FROM scratch\nCOPY a /\nRUN useradd -u 200000 svc\n"
    blobs = [tar(f("a", 1)), tar(f("var/log/lastlog", bytes(5 * M)))]
    steps = [{"created_by": "COPY a / # buildkit"},
             {"created_by": "RUN /bin/sh -c useradd -u 200000 svc # buildkit"}]  # fmt: skip
    archive = docker_archive(tmp_path / "i.tar", blobs, config(blobs, steps))
    result = analyze(
        open_image(str(archive), memory=Memory(None)), parse(text, "Dockerfile").check()
    )
    where = one(result, "login-records").where
    assert (where.file, where.line) == ("Dockerfile", 3)


NONE: dict[str, list[Item]] = {
    "a short record": [f("var/log/lastlog", bytes(292 * 1000))],
    "a record of many logins": [f("var/log/lastlog", 5 * M)],
    "a small hole": [f("srv/data.mdb", bytes(5 * M))],
    "weights with some zeros": [f("srv/model.bin", 20 * M)],
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_short_or_full_is_no_finding(name: str, tmp_path: Path) -> None:
    assert [finding.id for finding in analysis(tmp_path, NONE[name]).findings] == []


def test_other_holes_are_named_once(tmp_path: Path) -> None:
    result = analysis(tmp_path, [f("srv/db.img", bytes(30 * M)), hard("srv/same", "srv/db.img")])
    found = one(result, "hollow-file")
    assert (found.bytes, found.strategy) == (30 * M, None) and "/srv/db.img" in found.message


def test_a_hole_that_the_archive_keeps_as_one_is_told_by_its_length(tmp_path: Path) -> None:
    """PAX sparse format 1.0: five gigabytes in a layer of a few blocks."""
    stored = b"1\n5256000000\n0\n".ljust(512, b"\0")
    member = tarfile.TarInfo("GNUSparseFile.0/lastlog")
    member.size = len(stored)
    member.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "var/log/lastlog",
        "GNU.sparse.realsize": "5256000000",
    }  # fmt: skip
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(stored))
    blobs = [out.getvalue()]
    path = docker_archive(tmp_path / "i.tar", blobs, config(blobs, [{"created_by": "RUN useradd"}]))
    found = one(analyze(open_image(str(path), memory=Memory(None))), "login-records")
    assert found.bytes == 512 and "5.26 GB of zeros" in found.message


def test_an_unreadable_database_is_a_finding_and_a_note_of_a_comparison(tmp_path: Path) -> None:
    database = [f("var/lib/rpm/Packages", 4096)]
    found = one(analysis(tmp_path, database), "packages-unread")
    assert "/var/lib/rpm/Packages" in found.message and "Berkeley DB" in found.message
    images = []
    for name, items in (("one", database), ("other", [])):
        blobs = [tar(f("bin/sh", 10), *items)]
        archive = docker_archive(tmp_path / f"{name}.tar", blobs)
        images.append(open_image(str(archive), memory=Memory(None)))
    notes = compare(images[0], images[1]).notes
    assert len(notes) == 1 and "one.tar: /var/lib/rpm/Packages" in notes[0]
