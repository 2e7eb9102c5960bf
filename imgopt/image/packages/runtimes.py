"""Language runtimes that no package manager installed: JDKs, Go, CPython and Node as official
images ship them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from imgopt.image.packages.model import Found, Paths
from imgopt.image.tree import Node

_JAVA = re.compile(r'^JAVA_VERSION="?([^"\n]+)', re.MULTILINE)
_PYTHON = re.compile(r"^python(3\.\d+)$")
_NODE = re.compile(rb"#define NODE_(MAJOR|MINOR|PATCH)_VERSION (\d+)")


def find(paths: Paths, releases: Iterable[Node]) -> Iterator[Found]:
    """`releases` are files named release or VERSION; they stand in the home of a JDK or of Go."""
    for node in sorted(releases, key=lambda each: each.path):
        home = node.parent
        if home is None or home.children is None:
            continue
        text = node.read(4096).decode("utf-8", "replace")
        java = _JAVA.search(text)
        if java and paths.get(f"{home.path}/bin/java"):
            name = "jdk" if paths.get(f"{home.path}/bin/javac") else "jre"
            yield Found("runtime", name, java[1], node, (home,))
        elif text.startswith("go1.") and paths.get(f"{home.path}/bin/go"):
            yield Found("runtime", "go", text.split()[0].removeprefix("go"), node, (home,))
    for prefix in ("/usr/local", "/opt/python"):
        yield from _python(paths, prefix)
        yield from _node(paths, prefix)


def _python(paths: Paths, prefix: str) -> Iterator[Found]:
    library = paths.get(f"{prefix}/lib")
    for name, node in sorted((library.children or {}).items()) if library is not None else ():
        match = _PYTHON.match(name)
        program = paths.get(f"{prefix}/bin/{name}")
        if match is None or program is None or program.inode is None:
            continue
        places = (
            f"{prefix}/include/{name}",
            f"{prefix}/lib/lib{name}.so.1.0",
            f"{prefix}/lib/libpython3.so",
            f"{prefix}/lib/pkgconfig/python-{match[1]}.pc",
        )
        rest = (paths.get(place) for place in places)
        yield Found(
            "runtime",
            "python",
            _patch(paths, prefix, name) or match[1],
            program,
            (program, node, *(each for each in rest if each is not None)),
        )


def _patch(paths: Paths, prefix: str, name: str) -> str:
    header = paths.get(f"{prefix}/include/{name}/patchlevel.h")
    if header is None or header.inode is None:
        return ""
    match = re.search(rb'#define PY_VERSION\s+"([^"]+)"', header.read(1 << 16))
    return match[1].decode("ascii", "replace") if match else ""


def _node(paths: Paths, prefix: str) -> Iterator[Found]:
    program = paths.get(f"{prefix}/bin/node")
    if program is None or program.inode is None:
        return
    header = paths.get(f"{prefix}/include/node/node_version.h")
    numbers = (
        dict(_NODE.findall(header.read(1 << 16)))
        if header is not None and header.inode is not None
        else {}
    )
    version = b".".join(numbers[key] for key in (b"MAJOR", b"MINOR", b"PATCH") if key in numbers)
    places = (paths.get(f"{prefix}/include/node"), paths.get(f"{prefix}/share/doc/node"))
    claims = (program, *(each for each in places if each is not None))
    yield Found("runtime", "node", version.decode("ascii", "replace"), program, claims)
