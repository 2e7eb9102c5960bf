"""Spring Boot's archives: what a jar with jars inside says of itself.

Source: Spring Boot's specification of executable archives (nested jars, index files, manifest
entries).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

LIBRARIES, CLASSES = "BOOT-INF/lib/", "BOOT-INF/classes/"
_MOST_TEXT = 1 << 20
_BAD = (
    zipfile.BadZipFile,
    OSError,
    ValueError,
    EOFError,
    NotImplementedError,
    KeyError,
    RuntimeError,
)


@dataclass(frozen=True)
class BootJar:
    """`members`: name -> checksum (CRC-32) of every file; `class_path`: names of libraries in their
    order, as the archive's index says; `layers`: names of the layers -> beginnings of the paths
    that they take."""

    manifest: Mapping[str, str]
    members: Mapping[str, int]
    class_path: tuple[str, ...] = ()
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def version(self) -> tuple[int, ...]:
        """Of Spring Boot, for instance (3, 3, 5)."""
        return tuple(
            int(part) for part in re.findall(r"\d+", self.manifest["Spring-Boot-Version"])[:3]
        )

    @property
    def libraries(self) -> tuple[str, ...]:
        return tuple(
            name for name in self.members if name.startswith(LIBRARIES) and name.endswith(".jar")
        )

    def layers_with_libraries(self) -> tuple[str, ...]:
        """Layers that take at least one library, in the order of the index, which is the order of
        change."""
        left, found = set(self.libraries), []
        exact = {path for paths in self.layers.values() for path in paths if path in left}
        for name, paths in self.layers.items():
            taken = {
                lib
                for lib in left
                for path in paths
                if lib == path or (lib.startswith(path) and lib not in exact)
            }
            left -= taken
            if taken:
                found.append(name)
        return tuple(found)


def read_boot_jar(file: BinaryIO) -> BootJar | None:
    """None for what is no archive of Spring Boot."""
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = read_manifest(archive)
            if "Spring-Boot-Version" not in manifest or not manifest.get("Start-Class"):
                return None
            members = {info.filename: info.CRC for info in archive.infolist() if not info.is_dir()}
            order = _lines(archive, manifest.get("Spring-Boot-Classpath-Index", ""))
            layers = _lines(archive, manifest.get("Spring-Boot-Layers-Index", ""))
    except _BAD:
        return None
    return BootJar(manifest, members, tuple(_quoted(line) for line in order), _layers(layers))


def read_manifest(archive: zipfile.ZipFile) -> dict[str, str]:
    """The main section of META-INF/MANIFEST.MF; lines of 72 bytes go on behind a blank. Raises
    KeyError without one."""
    text = _text(archive, "META-INF/MANIFEST.MF").replace("\r\n", "\n")
    main = text.replace("\n ", "").partition("\n\n")[0]
    return {
        key: value.strip()
        for key, _, value in (line.partition(":") for line in main.splitlines())
        if value
    }


def _text(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as member:
        return member.read(_MOST_TEXT).decode("utf-8", "replace")


def _lines(archive: zipfile.ZipFile, name: str) -> list[str]:
    return [line for line in _text(archive, name).splitlines() if line.strip()] if name else []


def _quoted(line: str) -> str:
    return line.strip().removeprefix("- ").rstrip(":").strip('"')


def _layers(lines: list[str]) -> dict[str, tuple[str, ...]]:
    """`- "name":` and below it lines with `- "path"`."""
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in lines:
        if not line.startswith(" "):
            name = _quoted(line)
            found[name] = ()
        elif name:
            found[name] += (_quoted(line),)
    return found
