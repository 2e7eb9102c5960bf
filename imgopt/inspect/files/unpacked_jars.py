"""A Spring Boot archive beside its libraries: the same classes, resources and libraries, in the
same order.

`java -Djarmode=tools -jar app.jar extract` makes of one archive with archives inside a small one,
whose class path names the libraries that lie beside it. What is started is the same class; the
loader that reads nested archives is left out.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib

from imgopt.image.bootjar import CLASSES, LIBRARIES, BootJar, read_boot_jar, read_manifest
from imgopt.image.tree import Node
from imgopt.inspect.image_view import ImageView

_LOADER = (
    "org/springframework/boot/loader/",
    "META-INF/services/java.nio.file.spi.FileSystemProvider",
)
_INDEXES = ("BOOT-INF/classpath.idx", "BOOT-INF/layers.idx", "META-INF/MANIFEST.MF")
_STAMPED = ("git.properties", "build-info.properties", "pom.properties")
"""Resources that build tools write times and commit ids into."""
_SAID = ("Implementation-Title", "Implementation-Version", "Implementation-Vendor")


def is_unpacked(before: Node, candidate: ImageView, after: Node) -> bool:
    """Whether `after` is the archive `before`, taken apart: nothing more, nothing less."""
    with before.open() as file:
        whole = read_boot_jar(file)
    if whole is None:
        return False
    try:
        with after.open() as file, zipfile.ZipFile(file) as archive:
            manifest = read_manifest(archive)
            members = {info.filename: info.CRC for info in archive.infolist() if not info.is_dir()}
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, KeyError, NotImplementedError):
        return False
    if manifest.get("Main-Class") != whole.manifest["Start-Class"]:
        return False
    if any(manifest.get(name) != whole.manifest.get(name) for name in _SAID):
        return False
    return _same_members(whole, members) and _same_libraries(whole, manifest, candidate, after)


def _same_members(whole: BootJar, members: dict[str, int]) -> bool:
    wanted = {}
    for name, checksum in whole.members.items():
        if not name.startswith((*_LOADER, LIBRARIES)) and name not in _INDEXES:
            wanted[name.removeprefix(CLASSES)] = checksum
    found = {name: checksum for name, checksum in members.items() if name not in _INDEXES}
    if wanted.keys() != found.keys():
        return False
    return all(
        found[name] == checksum or name.endswith(_STAMPED) for name, checksum in wanted.items()
    )


def _same_libraries(
    whole: BootJar, manifest: dict[str, str], candidate: ImageView, after: Node
) -> bool:
    """Every library by its bytes, in the order of the archive's index."""
    places = manifest.get("Class-Path", "").split()
    names = [posixpath.basename(place) for place in places]
    if names != [posixpath.basename(name) for name in whole.class_path] or len(set(names)) != len(
        names
    ):
        return False
    if {posixpath.basename(name) for name in whole.libraries} != set(names):
        return False
    checksums = {posixpath.basename(name): whole.members[name] for name in whole.libraries}
    folder = posixpath.dirname(after.path)
    for name, place in zip(names, places, strict=True):
        node = candidate.file(posixpath.normpath(posixpath.join(folder, place)))
        if node is None or _checksum(node) != checksums[name]:
            return False
    return True


def _checksum(node: Node) -> int:
    value = 0
    with node.open() as file:
        while chunk := file.read(1 << 20):
            value = zlib.crc32(chunk, value)
    return value
