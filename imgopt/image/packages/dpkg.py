"""Debian packages: /var/lib/dpkg/status with info/*.list, and status.d of images without a package
manager."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from imgopt.image.packages.model import Alternatives, Found, Paths, stanzas
from imgopt.image.tree import Node

_DPKG = "/var/lib/dpkg"
_VERSION = re.compile(r"\([^)]*\)|\[[^\]]*\]|<[^>]*>|:[a-z0-9-]+")
_MAX = 64 << 20
_RECORDS = frozenset(
    (
        "list",
        "md5sums",
        "conffiles",
        "preinst",
        "postinst",
        "prerm",
        "postrm",
        "shlibs",
        "symbols",
        "triggers",
        "templates",
        "config",
    )
)


def find(paths: Paths) -> Iterator[Found]:
    """Installed packages with their files, in database order."""
    status = paths.get(f"{_DPKG}/status")
    if status is not None and status.inode is not None:
        yield from _installed(paths, status)
    directory = paths.get(f"{_DPKG}/status.d")
    for name, node in sorted((directory.children or {}).items()) if directory is not None else ():
        if node.inode is not None and not name.endswith(".md5sums"):
            yield from _distroless(paths, name, node)


def _installed(paths: Paths, status: Node) -> Iterator[Found]:
    automatic = _automatic(paths)
    diverted = _diversions(paths)
    records = _records(paths)
    for fields in stanzas(_text(status)):
        if not fields.get("status", "").endswith(" installed") or "package" not in fields:
            continue
        name, architecture = fields["package"], fields.get("architecture", "")
        own = {**records.get(f"{name}:{architecture}", {}), **records.get(name, {})}
        listing = own.get("list")
        claimed: Iterable[str] = ()
        if listing is not None:
            lines = _text(listing).split("\n")
            claimed = _moved(lines, name, diverted) if diverted else lines
        yield _package(
            fields,
            listing or status,
            (*paths.files(claimed), *own.values()),
            name in automatic if automatic is not None else None,
        )


def _records(paths: Paths) -> dict[str, dict[str, Node]]:
    """The packages' own records below info/ (lists, scripts, checksums), by "NAME" or
    "NAME:ARCHITECTURE"."""
    directory = paths.get(f"{_DPKG}/info")
    records: dict[str, dict[str, Node]] = defaultdict(dict)
    for name, node in (directory.children or {}).items() if directory is not None else ():
        stem, _, ending = name.rpartition(".")
        if ending in _RECORDS and node.inode is not None:
            records[stem][ending] = node
    return records


def _distroless(paths: Paths, name: str, node: Node) -> Iterator[Found]:
    sums = paths.get(f"{_DPKG}/status.d/{name}.md5sums")
    claimed: Iterable[str] = ()
    if sums is not None and sums.inode is not None:
        claimed = (
            f"/{line.partition('  ')[2]}" for line in _text(sums).split("\n") if "  " in line
        )
    own = tuple(each for each in (node, sums) if each is not None and each.inode is not None)
    for fields in stanzas(_text(node)):
        if "package" in fields:
            yield _package(fields, node, (*paths.files(claimed), *own), None)


def _package(
    fields: dict[str, str], metadata: Node, claims: tuple[Node, ...], auto: bool | None
) -> Found:
    depends = ", ".join(fields[key] for key in ("pre-depends", "depends") if key in fields)
    return Found(
        ecosystem="deb",
        name=fields["package"],
        version=fields.get("version", ""),
        metadata=metadata,
        claims=claims,
        architecture=fields.get("architecture", ""),
        depends=read_relation(depends),
        provides=tuple(
            name for names in read_relation(fields.get("provides", "")) for name in names
        ),
        auto=auto,
        essential=fields.get("essential") == "yes",
    )


def read_relation(text: str) -> tuple[Alternatives, ...]:
    """Names of a Depends field, versions and architectures left out.

    >>> read_relation("libc6 (>= 2.34), default-mta | mail-transport-agent, python3:any")
    (('libc6',), ('default-mta', 'mail-transport-agent'), ('python3',))
    """
    items = (_VERSION.sub("", item) for item in text.replace("\n", " ").split(","))
    choices = (tuple(name.strip() for name in item.split("|") if name.strip()) for item in items)
    return tuple(names for names in choices if names)


def _automatic(paths: Paths) -> set[str] | None:
    """Packages that apt installed only as dependencies; None when apt kept no record."""
    node = paths.get("/var/lib/apt/extended_states")
    if node is None or node.inode is None:
        return None
    return {
        fields["package"]
        for fields in stanzas(_text(node))
        if fields.get("auto-installed") == "1" and "package" in fields
    }


def _diversions(paths: Paths) -> dict[str, tuple[str, str]]:
    """Path -> (where it went, the package that diverted it); the file has three lines per
    diversion."""
    node = paths.get(f"{_DPKG}/diversions")
    if node is None or node.inode is None:
        return {}
    lines = _text(node).split("\n")
    return {lines[i]: (lines[i + 1], lines[i + 2]) for i in range(0, len(lines) - 2, 3)}


def _moved(lines: Iterable[str], name: str, diverted: dict[str, tuple[str, str]]) -> Iterator[str]:
    for path in lines:
        target, by = diverted.get(path, ("", ""))
        yield target if target and by != name else path


def _text(node: Node) -> str:
    return node.read(_MAX).decode("utf-8", "surrogateescape")
