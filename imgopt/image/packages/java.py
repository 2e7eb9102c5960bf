"""Java archives: Maven coordinates of a jar and of the jars inside it (Spring Boot, wars), by bytes
as stored."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from imgopt.image.packages.model import Found, Part
from imgopt.image.tree import Node

ENDINGS = (".jar", ".war", ".ear")
_FILE_NAME = re.compile(r"^(?P<name>.+?)-(?P<version>\d[\w.+-]*)$")
_MAX_INNER = 64 << 20
_MAX_TEXT = 1 << 20
_MAX_DEPTH = 2
_BAD = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
)


def find(archives: Iterable[Node]) -> Iterator[Found]:
    for node in sorted(archives, key=lambda each: each.path):
        try:
            with node.open() as file, zipfile.ZipFile(file) as archive:
                name, version = _identity(archive, node.name)
                parts = tuple(_parts(archive, depth=1))
        except _BAD:
            name, version = _from_file_name(node.name)
            parts = ()
        yield Found("java", name, version, node, (node,), parts=parts)


def _parts(archive: zipfile.ZipFile, depth: int) -> Iterator[Part]:
    for member in archive.infolist():
        if not member.filename.endswith(ENDINGS):
            continue
        name, version = _from_file_name(member.filename.rpartition("/")[2])
        inner: tuple[Part, ...] = ()
        if member.file_size <= _MAX_INNER:
            try:
                with zipfile.ZipFile(_bounded(archive, member, _MAX_INNER)) as nested:
                    name, version = _identity(nested, member.filename)
                    inner = tuple(_parts(nested, depth + 1)) if depth < _MAX_DEPTH else ()
            except _BAD:
                pass
        yield Part(name, version, member.compress_size)
        for part in inner:  # deeper ones lie inside of bytes that are counted already
            yield Part(part.name, part.version, 0)


def _identity(archive: zipfile.ZipFile, file_name: str) -> tuple[str, str]:
    """group:artifact and version from the only pom.properties; a shaded jar has several, and says
    it in its name."""
    poms = [
        each
        for each in archive.namelist()
        if each.startswith("META-INF/maven/") and each.endswith("pom.properties")
    ]
    if len(poms) == 1:
        text = (
            _bounded(archive, archive.getinfo(poms[0]), _MAX_TEXT).read().decode("utf-8", "replace")
        )
        fields = dict(
            line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#"
        )
        if fields.get("artifactId"):
            return f"{fields.get('groupId', '')}:{fields['artifactId']}", fields.get("version", "")
    name, version = _from_file_name(file_name.rpartition("/")[2])
    if not version and "META-INF/MANIFEST.MF" in archive.namelist():
        version = _manifest_version(archive)
    return name, version


def _manifest_version(archive: zipfile.ZipFile) -> str:
    text = (
        _bounded(archive, archive.getinfo("META-INF/MANIFEST.MF"), _MAX_TEXT)
        .read()
        .decode("utf-8", "replace")
    )
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key in ("Implementation-Version", "Bundle-Version"):
            return value.strip()
    return ""


def _bounded(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> BinaryIO:
    """The contents, in memory; the size in the directory may lie."""
    with archive.open(member) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{member.filename} is larger than it says")
    return io.BytesIO(data)


def _from_file_name(name: str) -> tuple[str, str]:
    stem = name.rpartition(".")[0]
    match = _FILE_NAME.match(stem)
    return (match["name"], match["version"]) if match else (stem, "")
